"""One bad row failed its neighbours"""


def answers_of(run, rows, most_calls=16):
    try:
        answers = list(run(list(rows))) if len(rows) else []
        if len(answers) != len(rows):
            raise ValueError("too few answers")
        return answers
    except Exception as error:
        return [error] * len(rows)

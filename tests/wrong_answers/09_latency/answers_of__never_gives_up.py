"""stop after most_calls calls"""


def answers_of(run, rows, most_calls=16):
    if not len(rows):
        return []
    try:
        answers = list(run(list(rows)))
        if len(answers) != len(rows):
            raise ValueError("too few answers")
        return answers
    except Exception as error:
        if len(rows) == 1:
            return [error]
        half = len(rows) // 2
        return answers_of(run, rows[:half]) + answers_of(run, rows[half:])

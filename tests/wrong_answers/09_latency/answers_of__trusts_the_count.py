"""A run that returns too few answers has failed"""


def answers_of(run, rows, most_calls=16):
    if not len(rows):
        return []
    try:
        answers = list(run(list(rows)))
        return (answers + [None] * len(rows))[: len(rows)]
    except Exception as error:
        if len(rows) == 1:
            return [error]
        half = len(rows) // 2
        return answers_of(run, rows[:half]) + answers_of(run, rows[half:])

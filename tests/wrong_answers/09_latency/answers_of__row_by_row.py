"""is found in eleven calls"""


def answers_of(run, rows, most_calls=16):
    def one(part):
        answers = list(run(part))
        if len(answers) != len(part):
            raise ValueError("not one answer for each row")
        return answers

    rows = list(rows)
    try:
        return one(rows) if rows else []
    except Exception as error:
        last = error
    found = []
    for place, row in enumerate(rows):
        if place < most_calls - 1:
            try:
                found += one([row])
                continue
            except Exception as error:
                last = error
        found.append(last)
    return found

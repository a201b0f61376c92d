"""whatever the last one brought"""


def answers_of(run, rows, most_calls=16):
    found, calls = [None] * len(rows), 0
    parts = [range(len(rows))] if len(rows) else []
    while parts:
        part = parts.pop()
        try:
            calls += 1
            answers = list(run([rows[place] for place in part]))
            if len(answers) != len(part):
                raise ValueError("not one answer for each row")
        except Exception as error:
            if len(part) > 1 and calls < most_calls:
                half = len(part) // 2
                parts += [part[half:], part[:half]]
                continue
            answers = [error] * len(part)
            if calls >= most_calls:
                for place in (place for each in parts for place in each):
                    found[place] = error
                parts = []
        for place, answer in zip(part, answers, strict=True):
            found[place] = answer
    return found

"""halve each half again"""


def answers_of(run, rows, most_calls=16):
    def one(part):
        try:
            answers = list(run(part))
            if len(answers) != len(part):
                raise ValueError("too few answers")
            return answers
        except Exception as error:
            return error

    if not len(rows):
        return []
    found = one(list(rows))
    if not isinstance(found, Exception):
        return found
    out, half = [], max(len(rows) // 2, 1)
    for part in (list(rows[:half]), list(rows[half:])):
        got = one(part) if part else []
        if isinstance(got, Exception) and len(part) <= 2:
            for row in part:
                each = one([row])
                out.append(each if isinstance(each, Exception) else each[0])
        else:
            out += [got] * len(part) if isinstance(got, Exception) else got
    return out

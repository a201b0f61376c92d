"""each ends in its own exception"""


def answers_of(run, rows, most_calls=16):
    rows, calls, errors = list(rows), [], []

    def some(part):
        if calls and len(calls) >= most_calls:
            return [errors[-1]] * len(part)
        calls.append(len(part))
        try:
            answers = list(run(part))
            if len(answers) != len(part):
                raise ValueError("not one answer for each row")
        except Exception as caught:
            errors.append(caught)
            if len(part) == 1:
                return [caught]
            half = len(part) // 2
            return some(part[:half]) + some(part[half:])
        return answers

    found = some(rows) if rows else []
    return [errors[-1] if isinstance(each, Exception) else each for each in found]

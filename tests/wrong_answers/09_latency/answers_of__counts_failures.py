"""those that succeed as well"""


def answers_of(run, rows, most_calls=16):
    rows, calls, errors = list(rows), [], []

    def some(part):
        if calls and len(calls) >= most_calls:
            return [errors[-1]] * len(part)
        try:
            answers = list(run(part))
            if len(answers) != len(part):
                raise ValueError("not one answer for each row")
        except Exception as caught:
            errors.append(caught)
            calls.append(len(part))
            if len(part) == 1:
                return [caught]
            half = len(part) // 2
            return some(part[:half]) + some(part[half:])
        return answers

    return some(rows) if rows else []

"""Wrong answers to `answers_of` (lab 09).

Each cell is one mistake; its text is the hint it must meet.
"""


# %% all_fail
"""One bad row failed its neighbours"""


def answers_of(run, rows, most_calls=16):
    try:
        answers = list(run(list(rows))) if len(rows) else []
        if len(answers) != len(rows):
            raise ValueError("too few answers")
        return answers
    except Exception as error:
        return [error] * len(rows)


# %% base_exception
"""not BaseException"""


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
        except BaseException as caught:
            errors.append(caught)
            if len(part) == 1:
                return [caught]
            half = len(part) // 2
            return some(part[:half]) + some(part[half:])
        return answers[: len(part)]

    return some(rows) if rows else []


# %% count_fails_all
"""halve the batch, and the good rows"""


def answers_of(run, rows, most_calls=16):
    rows, calls, errors = list(rows), [], []

    def some(part):
        if calls and len(calls) >= most_calls:
            return [errors[-1]] * len(part)
        calls.append(len(part))
        try:
            answers = list(run(part))
            if False:
                raise ValueError("not one answer for each row")
        except Exception as caught:
            errors.append(caught)
            if len(part) == 1:
                return [caught]
            half = len(part) // 2
            return some(part[:half]) + some(part[half:])
        if len(answers) != len(part):
            return [ValueError("not one answer for each row")] * len(part)
        return answers[: len(part)]

    return some(rows) if rows else []


# %% counts_failures
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


# %% first_exception
"""not an earlier one"""


def answers_of(run, rows, most_calls=16):
    rows, calls, errors = list(rows), [], []

    def some(part):
        if calls and len(calls) >= most_calls:
            return [errors[0]] * len(part)
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
        return answers[: len(part)]

    return some(rows) if rows else []


# %% halves_once
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


# %% never_gives_up
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


# %% one_call_early
"""do not stop one call early"""


def answers_of(run, rows, most_calls=16):
    rows, calls, errors = list(rows), [], []

    def some(part):
        if calls and len(calls) >= most_calls - 1:
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
        return answers[: len(part)]

    return some(rows) if rows else []


# %% one_exception_for_all
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


# %% row_by_row
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


# %% stops_only_on_failure
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


# %% throws_answers_away
"""answers that were found stay"""


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
    return found if len(calls) < most_calls else [errors[-1]] * len(rows)


# %% too_many
"""too many answers"""


def answers_of(run, rows, most_calls=16):
    rows, calls, errors = list(rows), [], []

    def some(part):
        if calls and len(calls) >= most_calls:
            return [errors[-1]] * len(part)
        calls.append(len(part))
        try:
            answers = list(run(part))
            if len(answers) < len(part):
                raise ValueError("not one answer for each row")
        except Exception as caught:
            errors.append(caught)
            if len(part) == 1:
                return [caught]
            half = len(part) // 2
            return some(part[:half]) + some(part[half:])
        return answers[: len(part)]

    return some(rows) if rows else []


# %% trusts_the_count
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


# %% two_kinds
"""catch them all"""


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
        except (ArithmeticError, ValueError) as caught:
            errors.append(caught)
            if len(part) == 1:
                return [caught]
            half = len(part) // 2
            return some(part[:half]) + some(part[half:])
        return answers[: len(part)]

    return some(rows) if rows else []


# %% tries_a_row_again
"""a row alone is not tried again"""


def answers_of(run, rows, most_calls=16):
    found = []
    for row in rows:
        while True:
            try:
                found += run([row])
                break
            except Exception:
                continue
    return found

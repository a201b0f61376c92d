"""Wrong answers to `batch_plan` (lab 09).

Each cell is one mistake; its text is the hint it must meet.
"""


# %% both_words
"""One message for both"""


def batch_plan(cost, rate_s, deadline_ms, most=256):
    able = [n for n in range(1, most + 1) if cost.per_s(n) >= rate_s]
    if not able:
        raise ValueError("no capacity, or over the deadline")
    n = able[0]
    bound = 1000 * (n - 1) / rate_s + 2 * cost.ms(n)
    if bound > deadline_ms:
        raise ValueError("no capacity, or over the deadline")
    return n, bound


# %% deadline_first
"""Look at the capacity first"""


def batch_plan(cost, rate_s, deadline_ms, most=256):
    if 2 * cost.ms(1) > deadline_ms:
        raise ValueError("over the deadline")
    able = [n for n in range(1, most + 1) if cost.per_s(n) >= rate_s]
    if not able:
        raise ValueError("no capacity")
    n = able[0]
    bound = 1000 * (n - 1) / rate_s + 2 * cost.ms(n)
    if bound > deadline_ms:
        raise ValueError("over the deadline")
    return n, bound


# %% ignores_most
"""respect `most`"""


def batch_plan(cost, rate_s, deadline_ms, most=256):
    able = [n for n in range(1, 10_000) if cost.per_s(n) >= rate_s]
    if not able:
        raise ValueError("no capacity")
    for n in able:
        worst = 1000 * (n - 1) / rate_s + 2 * cost.ms(n)
        if worst <= deadline_ms:
            return n, worst
    raise ValueError("no batch meets the deadline")


# %% largest
"""Return the size and the bound"""


def batch_plan(cost, rate_s, deadline_ms, most=256):
    able = [n for n in range(1, most + 1) if cost.per_s(n) >= rate_s]
    if not able:
        raise ValueError("no capacity")
    for n in reversed(able):
        worst = 1000 * (n - 1) / rate_s + 2 * cost.ms(n)
        if worst <= deadline_ms:
            return n, worst
    raise ValueError("no batch meets the deadline")


# %% no_filling
"""5 / 400 s + 2 t(6)"""


def batch_plan(cost, rate_s, deadline_ms, most=256):
    able = [n for n in range(1, most + 1) if cost.per_s(n) >= rate_s]
    if not able:
        raise ValueError("no capacity")
    for n in able:
        worst = 2 * cost.ms(n)
        if worst <= deadline_ms:
            return n, worst
    raise ValueError("no batch meets the deadline")


# %% one_error
"""the error must say so"""


def batch_plan(cost, rate_s, deadline_ms, most=256):
    for n in range(1, most + 1):
        worst = 1000 * (n - 1) / rate_s + 2 * cost.ms(n)
        if cost.per_s(n) >= rate_s and worst <= deadline_ms:
            return n, worst
    raise ValueError("no capacity")


# %% one_short
"""The size `most` is allowed"""


def batch_plan(cost, rate_s, deadline_ms, most=256):
    able = [n for n in range(1, most) if cost.per_s(n) >= rate_s]
    if not able:
        raise ValueError("no capacity")
    n = able[0]
    bound = 1000 * (n - 1) / rate_s + 2 * cost.ms(n)
    if bound > deadline_ms:
        raise ValueError("over the deadline")
    return n, bound


# %% own_batch_only
"""waits for the one before it"""


def batch_plan(cost, rate_s, deadline_ms, most=256):
    able = [n for n in range(1, most + 1) if cost.per_s(n) >= rate_s]
    if not able:
        raise ValueError("no capacity")
    for n in able:
        worst = 1000 * (n - 1) / rate_s + cost.ms(n)
        if worst <= deadline_ms:
            return n, worst
    raise ValueError("no batch meets the deadline")


# %% strictly_more
"""a size that just keeps up"""


def batch_plan(cost, rate_s, deadline_ms, most=256):
    able = [n for n in range(1, most + 1) if cost.per_s(n) > rate_s]
    if not able:
        raise ValueError("no capacity")
    n = able[0]
    bound = 1000 * (n - 1) / rate_s + 2 * cost.ms(n)
    if bound > deadline_ms:
        raise ValueError("over the deadline")
    return n, bound


# %% up_to_64
"""152 keeps up"""


def batch_plan(cost, rate_s, deadline_ms, most=256):
    able = [n for n in range(1, min(most, 64) + 1) if cost.per_s(n) >= rate_s]
    if not able:
        raise ValueError("no capacity")
    n = able[0]
    bound = 1000 * (n - 1) / rate_s + 2 * cost.ms(n)
    if bound > deadline_ms:
        raise ValueError("over the deadline")
    return n, bound

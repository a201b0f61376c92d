"""Wrong answers to `restore` (lab 08).

Each cell is one mistake; its text is the hint it must meet.
"""


# %% counts_forward
"""Those held back wait for the same end"""


def restore(ms, every_ms):
    missing = []
    for taken in ms:
        due = every_ms
        while due < taken:
            missing.append(due)
            due += every_ms
    return [*ms, *missing]


# %% each_after_its_own
"""First what was measured; then each long request's missing ones"""


def restore(ms, every_ms):
    found = []
    for taken in ms:
        found += [taken - n * every_ms for n in range(math.ceil(taken / every_ms))]
    return found


# %% in_place
"""in the list that you were handed"""


def restore(ms, every_ms):
    ms += [taken - n * every_ms for taken in ms for n in range(1, math.ceil(taken / every_ms))]
    return ms


# %% interleaved
"""First what was measured; then each long request's missing ones"""


def restore(ms, every_ms):
    missing = [(n, at, taken - n * every_ms) for at, taken in enumerate(ms) for n in range(1, math.ceil(taken / every_ms))]
    return [*ms, *(left for _, _, left in sorted(missing))]


# %% nothing
"""One request of 10 ms holds back two"""


def restore(ms, every_ms):
    return [*ms, *(taken - every_ms for taken in ms if taken > every_ms)]


# %% only_the_last
"""First what was measured; then each long request's missing ones"""


def restore(ms, every_ms):
    missing, left = [], ms[-1] - every_ms
    while left > 0:
        missing.append(left)
        left -= every_ms
    return [*ms, *missing]


# %% only_the_longest
"""First what was measured; then each long request's missing ones"""


def restore(ms, every_ms):
    missing, left = [], max(ms) - every_ms
    while left > 0:
        missing.append(left)
        left -= every_ms
    return [*ms, *missing]


# %% replaces
"""The measured times come first"""


def restore(ms, every_ms):
    missing = []
    for taken in ms:
        while taken > 0:
            missing.append(taken)
            taken -= every_ms
    return sorted(missing, reverse=True) if max(ms) > every_ms else list(ms)


# %% same_wait
"""Those held back wait for the same end"""


def restore(ms, every_ms):
    missing = []
    for taken in ms:
        missing += [taken] * int(taken // every_ms) if taken > every_ms else []
    return [*ms, *missing]


# %% short_ones_too
"""nothing was held back"""


def restore(ms, every_ms):
    return [*ms, *(abs(taken - every_ms) for taken in ms)]


# %% whole_numbers
"""Times are no whole numbers"""


def restore(ms, every_ms):
    return [*ms, *(left for taken in ms for left in range(taken - every_ms, 0, -every_ms))]


# %% zero
"""leave times of zero out"""


def restore(ms, every_ms):
    missing = []
    for taken in ms:
        left = taken - every_ms
        while left >= 0:
            missing.append(left)
            left -= every_ms
    return [*ms, *missing]

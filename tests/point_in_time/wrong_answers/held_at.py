"""Wrong answers to `held_at` (lab 04).

Each cell is one mistake; its text is the hint it must meet.
"""


# %% never_out
"""A row that has gone out still counts"""


def held_at(codes, opens, gone, values, at_codes, at):
    rows, asked = _pack(codes, opens, at_codes, at)
    order = np.argsort(rows, kind="stable")
    until = np.searchsorted(rows[order], asked, side="right")
    first = np.searchsorted(codes[order], at_codes)
    totals = np.append(0.0, np.cumsum(values[order]))
    return until - first, totals[until] - totals[first]


# %% sorted_once
"""sort a second time, by gone"""


def held_at(codes, opens, gone, values, at_codes, at):
    entered, at_entry = _pack(codes, opens, at_codes, at)
    left, at_exit = _pack(codes, gone, at_codes, at)
    order = np.argsort(entered, kind="stable")
    stop = np.searchsorted(entered[order], at_entry, side="right")
    start = np.searchsorted(left[order], at_exit, side="right")
    totals = np.append(0.0, np.cumsum(values[order]))
    return stop - start, totals[stop] - totals[start]


# %% still_there_at_the_end
"""out at the very time it goes"""


def held_at(codes, opens, gone, values, at_codes, at):
    count, total = np.zeros(len(at), np.int64), np.zeros(len(at))
    for times, sign, side in ((opens, 1, "right"), (gone, -1, "left")):
        rows, asked = _pack(codes, times, at_codes, at)
        order = np.argsort(rows, kind="stable")
        until = np.searchsorted(rows[order], asked, side=side)
        count += sign * until
        total += sign * np.append(0.0, np.cumsum(values[order]))[until]
    return count, total


# %% unsorted_values
"""sort by time, and the values with them"""


def held_at(codes, opens, gone, values, at_codes, at):
    count, total = np.zeros(len(at), np.int64), np.zeros(len(at))
    for times, sign in ((opens, 1), (gone, -1)):
        rows, asked = _pack(codes, times, at_codes, at)
        until = np.searchsorted(np.sort(rows), asked, side="right")
        count += sign * until
        total += sign * np.append(0.0, np.cumsum(values))[until]
    return count, total

"""Wrong answers to `latest_rows` (lab 04).

Each cell is one mistake; its text is the hint it must meet.
"""


# %% any_key
"""perhaps from another key"""


def latest_rows(codes, event, available, at_codes, at):
    by_rule = np.lexsort((available, event, codes))
    usable = np.maximum(event, available)[by_rule]
    rows, asked = _pack(codes[by_rule], usable, at_codes, at)
    by_arrival = np.argsort(rows, kind="stable")
    best = np.append(-1, np.maximum.accumulate(by_arrival))
    rank = best[np.searchsorted(rows[by_arrival], asked, side="right")]
    return np.append(by_rule, -1)[rank]


# %% arrival_alone
"""A row known before its event"""


def latest_rows(codes, event, available, at_codes, at):
    found = []
    for key, time in zip(at_codes, at, strict=True):
        known = [
            (event[row], available[row], row)
            for row in range(len(codes))
            if key >= 0 and codes[row] == key and available[row] <= time
        ]
        found.append(max(known)[2] if known else -1)
    return np.array(found)


# %% first_of_equals
"""take the latest available time, then the last row"""


def latest_rows(codes, event, available, at_codes, at):
    found = []
    for key, time in zip(at_codes, at):
        known = [
            i for i in range(len(codes))
            if codes[i] == key >= 0 and event[i] <= time and available[i] <= time
        ]
        found.append(max(known, key=lambda i: event[i], default=-1))
    return np.array(found, dtype=np.int64)


# %% latest_arrival
"""the latest event wins, not the latest arrival"""


def latest_rows(codes, event, available, at_codes, at):
    usable = np.maximum(event, available)
    order = np.lexsort((event, usable, codes))
    rows, asked = _pack(codes[order], usable[order], at_codes, at)
    rank = np.searchsorted(rows, asked, side="right") - 1
    found = np.where(rank < 0, -1, np.append(order, -1)[rank])
    own_key = (at_codes >= 0) & (np.append(codes, -1)[found] == at_codes)
    return np.where(own_key, found, -1)


# %% one_clock
"""not available yet was used"""


def latest_rows(codes, event, available, at_codes, at):
    by_rule = np.lexsort((available, event, codes))
    rows, asked = _pack(codes[by_rule], event[by_rule], at_codes, at)
    rank = np.searchsorted(rows, asked, side="right") - 1
    found = np.where(rank < 0, -1, np.append(by_rule, -1)[rank])
    own_key = (at_codes >= 0) & (np.append(codes, -1)[found] == at_codes)
    return np.where(own_key, found, -1)


# %% strictly_before
"""compare with <=, not with <"""


def latest_rows(codes, event, available, at_codes, at):
    found = []
    for key, time in zip(at_codes, at):
        known = [
            i for i in range(len(codes))
            if codes[i] == key >= 0 and event[i] < time and available[i] < time
        ]
        found.append(max(known, key=lambda i: (event[i], available[i], i), default=-1))
    return np.array(found, dtype=np.int64)

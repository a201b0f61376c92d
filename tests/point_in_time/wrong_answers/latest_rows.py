"""Wrong answers to `latest_rows` (lab 04).

Each cell is one mistake; its text is the hint it must meet.
"""


# %% any_key
"""not another key's row"""


def latest_rows(code, event, available, at_code, at):
    order = np.lexsort((available, event, code))
    time = np.append(np.maximum(event, available), at)
    key = np.append(code, at_code)
    asks = np.repeat([False, True], [len(code), len(at)])
    line = np.lexsort((asks, time, key))
    best = np.append(np.argsort(order), np.full(len(at), -1))[line]
    best = np.maximum.accumulate(best)
    return np.append(order, -1)[best[np.argsort(line)[len(code) :]]]


# %% arrival_alone
"""A row known before its event was used too early"""


def latest_rows(code, event, available, at_code, at):
    found = []
    for key, time in zip(at_code, at):
        known = [
            (event[i], available[i], i)
            for i in range(len(code))
            if code[i] == key and available[i] <= time
        ]
        found.append(max(known)[2] if known else -1)
    return np.array(found)


# %% empty_memory_is_the_last_row
"""Before the first row of all nothing is known"""


def latest_rows(code, event, available, at_code, at):
    order = np.lexsort((available, event, code))
    key = np.append(code, at_code)
    time = np.append(np.maximum(event, available), at)
    asks = np.repeat([False, True], [len(code), len(at)])
    line = np.lexsort((asks, time, key))
    best = np.append(np.argsort(order), np.full(len(at), -1))[line]
    best = np.maximum.accumulate(best)
    found = order[best[np.argsort(line)[len(code) :]]]
    return np.where(code[found] == at_code, found, -1)


# %% first_of_equals
"""the latest available wins, then the last row"""


def latest_rows(code, event, available, at_code, at):
    found = []
    for key, time in zip(at_code, at):
        known = [
            i for i in range(len(code))
            if code[i] == key and event[i] <= time and available[i] <= time
        ]
        found.append(max(known, key=lambda i: event[i], default=-1))
    return np.array(found)


# %% latest_arrival
"""The latest event wins, not the latest arrival"""


def latest_rows(code, event, available, at_code, at):
    usable = np.maximum(event, available)
    found = []
    for key, time in zip(at_code, at):
        known = [
            (usable[i], event[i], i)
            for i in range(len(code))
            if code[i] == key and usable[i] <= time
        ]
        found.append(max(known)[2] if known else -1)
    return np.array(found)


# %% one_clock
"""A row that is not available yet was used"""


def latest_rows(code, event, available, at_code, at):
    found = []
    for key, time in zip(at_code, at):
        known = [
            (event[i], available[i], i)
            for i in range(len(code))
            if code[i] == key and event[i] <= time
        ]
        found.append(max(known)[2] if known else -1)
    return np.array(found)


# %% one_rank_for_all_keys
"""let ranks rise from key to key"""


def latest_rows(code, event, available, at_code, at):
    order = np.lexsort((available, event))
    key = np.append(code, at_code)
    time = np.append(np.maximum(event, available), at)
    asks = np.repeat([False, True], [len(code), len(at)])
    line = np.lexsort((asks, time, key))
    best = np.append(np.argsort(order), np.full(len(at), -1))[line]
    best = np.maximum.accumulate(best)
    found = np.append(order, -1)[best[np.argsort(line)[len(code) :]]]
    return np.where(np.append(code, -1)[found] == at_code, found, -1)


# %% order_for_rank
"""Take the newest row of the same key"""


def latest_rows(code, event, available, at_code, at):
    order = np.lexsort((available, event, code))
    key = np.append(code, at_code)
    time = np.append(np.maximum(event, available), at)
    asks = np.repeat([False, True], [len(code), len(at)])
    line = np.lexsort((asks, time, key))
    best = np.append(order, np.full(len(at), -1))[line]
    best = np.maximum.accumulate(best)
    found = np.append(order, -1)[best[np.argsort(line)[len(code) :]]]
    return np.where(np.append(code, -1)[found] == at_code, found, -1)


# %% strictly_before
"""at the very time of the question counts"""


def latest_rows(code, event, available, at_code, at):
    found = []
    for key, time in zip(at_code, at):
        known = [
            (event[i], available[i], i)
            for i in range(len(code))
            if code[i] == key and event[i] < time and available[i] < time
        ]
        found.append(max(known)[2] if known else -1)
    return np.array(found)

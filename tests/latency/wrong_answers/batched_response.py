"""Wrong answers to `batched_response` (lab 09).

Each cell is one mistake; its text is the hint it must meet.
"""


# %% does_not_wait
"""What is not full waits for company"""


def batched_response(arrival_ms, cost, most_rows, wait_ms):
    arrival = np.asarray(arrival_ms, float)
    response, first, free = np.empty(len(arrival)), 0, -np.inf
    while first < len(arrival):
        start = max(arrival[first], free)
        come = int(np.searchsorted(arrival, start, side="right"))
        last = min(come, first + most_rows)
        free = start + cost.ms(last - first)
        response[first:last] = free - arrival[first:last]
        first = last
    return response


# %% timer_from_the_free_model
"""The wait counts from the arrival"""


def batched_response(arrival_ms, cost, most_rows, wait_ms):
    arrival = np.asarray(arrival_ms, float)
    response, first, free = np.empty(len(arrival)), 0, -np.inf
    while first < len(arrival):
        start = max(arrival[first], free) + wait_ms
        if first + most_rows <= len(arrival):
            start = min(start, max(free, arrival[first + most_rows - 1]))
        come = int(np.searchsorted(arrival, start, side="right"))
        last = min(come, first + most_rows)
        free = start + cost.ms(last - first)
        response[first:last] = free - arrival[first:last]
        first = last
    return response


# %% full_batch_waits_on
"""Full means go"""


def batched_response(arrival_ms, cost, most_rows, wait_ms):
    arrival = np.asarray(arrival_ms, float)
    response, first, free = np.empty(len(arrival)), 0, -np.inf
    while first < len(arrival):
        start = max(arrival[first] + wait_ms, free)
        come = int(np.searchsorted(arrival, start, side="right"))
        last = min(come, first + most_rows)
        free = start + cost.ms(last - first)
        response[first:last] = free - arrival[first:last]
        first = last
    return response


# %% two_at_once
"""the next batch starts at 7"""


def batched_response(arrival_ms, cost, most_rows, wait_ms):
    arrival = np.asarray(arrival_ms, float)
    response, first = np.empty(len(arrival)), 0
    while first < len(arrival):
        start = arrival[first] + wait_ms
        if first + most_rows <= len(arrival):
            start = min(start, arrival[first + most_rows - 1])
        come = int(np.searchsorted(arrival, start, side="right"))
        last = min(come, first + most_rows)
        response[first:last] = start + cost.ms(last - first) - arrival[first:last]
        first = last
    return response


# %% full_goes_although_busy
"""One model: the next batch starts at 7"""


def batched_response(arrival_ms, cost, most_rows, wait_ms):
    arrival = np.asarray(arrival_ms, float)
    response, first, free = np.empty(len(arrival)), 0, -np.inf
    while first < len(arrival):
        start = max(arrival[first] + wait_ms, free)
        if first + most_rows <= len(arrival):
            start = min(start, arrival[first + most_rows - 1])
        come = int(np.searchsorted(arrival, start, side="right"))
        last = min(come, first + most_rows)
        free = start + cost.ms(last - first)
        response[first:last] = free - arrival[first:last]
        first = last
    return response


# %% closed_when_ready
"""While the model is busy, a batch fills on"""


def batched_response(arrival_ms, cost, most_rows, wait_ms):
    arrival = np.asarray(arrival_ms, float)
    response, first, free = np.empty(len(arrival)), 0, -np.inf
    while first < len(arrival):
        ready = arrival[first] + wait_ms
        if first + most_rows <= len(arrival):
            ready = min(ready, arrival[first + most_rows - 1])
        come = int(np.searchsorted(arrival, ready, side="right"))
        last = min(come, first + most_rows)
        free = max(ready, free) + cost.ms(last - first)
        response[first:last] = free - arrival[first:last]
        first = last
    return response


# %% drops_rows
"""who is left over is next"""


def batched_response(arrival_ms, cost, most_rows, wait_ms):
    arrival = np.asarray(arrival_ms, float)
    response, first, free = np.full(len(arrival), np.nan), 0, -np.inf
    while first < len(arrival):
        ready = arrival[first] + wait_ms
        if first + most_rows <= len(arrival):
            ready = min(ready, arrival[first + most_rows - 1])
        start = max(ready, free)
        come = int(np.searchsorted(arrival, start, side="right"))
        if wait_ms:
            come = min(come, first + most_rows)
        last = min(come, first + most_rows)
        free = start + cost.ms(last - first)
        response[first:last] = free - arrival[first:last]
        first = come
    return response


# %% no_limit
"""At most 2; who is left over"""


def batched_response(arrival_ms, cost, most_rows, wait_ms):
    arrival = np.asarray(arrival_ms, float)
    response, first, free = np.empty(len(arrival)), 0, -np.inf
    while first < len(arrival):
        ready = arrival[first] + wait_ms
        if first + most_rows <= len(arrival):
            ready = min(ready, arrival[first + most_rows - 1])
        start = max(ready, free)
        last = int(np.searchsorted(arrival, start, side="right"))
        if wait_ms:
            last = min(last, first + most_rows)
        free = start + cost.ms(last - first)
        response[first:last] = free - arrival[first:last]
        first = last
    return response


# %% does_not_move_on
"""Your loop does not move on"""


def batched_response(arrival_ms, cost, most_rows, wait_ms):
    arrival = np.asarray(arrival_ms, float)
    response, first = np.empty(len(arrival)), 0
    while first < len(arrival):
        response[first] = cost.ms(1)
    return response


# %% one_time_a_batch
"""Return one time for each row"""


def batched_response(arrival_ms, cost, most_rows, wait_ms):
    arrival = np.asarray(arrival_ms, float)
    times, first, free = [], 0, -np.inf
    while first < len(arrival):
        start = max(arrival[first] + wait_ms, free)
        come = int(np.searchsorted(arrival, start, side="right"))
        last = min(come, first + most_rows)
        free = start + cost.ms(last - first)
        times.append(free - arrival[first])
        first = last
    return np.array(times)


# %% moments_of_the_answers
"""A row alone: from its arrival to its answer"""


def batched_response(arrival_ms, cost, most_rows, wait_ms):
    arrival = np.asarray(arrival_ms, float)
    answered, first, free = np.empty(len(arrival)), 0, -np.inf
    while first < len(arrival):
        start = max(arrival[first] + wait_ms, free)
        come = int(np.searchsorted(arrival, start, side="right"))
        last = min(come, first + most_rows)
        answered[first:last] = free = start + cost.ms(last - first)
        first = last
    return answered


# %% who_comes_at_the_start_is_left
"""Who comes at the very start"""


def batched_response(arrival_ms, cost, most_rows, wait_ms):
    arrival = np.asarray(arrival_ms, float)
    response, first, free = np.empty(len(arrival)), 0, -np.inf
    while first < len(arrival):
        ready = arrival[first] + wait_ms
        if first + most_rows <= len(arrival):
            ready = min(ready, arrival[first + most_rows - 1])
        start = max(ready, free)
        come = int(np.searchsorted(arrival, start, side="left"))
        last = min(max(come, first + 1), first + most_rows)
        free = start + cost.ms(last - first)
        response[first:last] = free - arrival[first:last]
        first = last
    return response


# %% chunks_whenever_they_come
"""A row alone: from its arrival to its answer"""


def batched_response(arrival_ms, cost, most_rows, wait_ms):
    arrival = np.asarray(arrival_ms, float)
    response, free = np.empty(len(arrival)), -np.inf
    for first in range(0, len(arrival), most_rows):
        part = arrival[first : first + most_rows]
        free = max(part[-1], free) + cost.ms(len(part))
        response[first : first + most_rows] = free - part
    return response


# %% pays_for_a_full_batch
"""A row alone: from its arrival to its answer, t(1)"""


def batched_response(arrival_ms, cost, most_rows, wait_ms):
    arrival = np.asarray(arrival_ms, float)
    response, first, free = np.empty(len(arrival)), 0, -np.inf
    while first < len(arrival):
        ready = arrival[first] + wait_ms
        if first + most_rows <= len(arrival):
            ready = min(ready, arrival[first + most_rows - 1])
        start = max(ready, free)
        come = int(np.searchsorted(arrival, start, side="right"))
        last = min(come, first + most_rows)
        free = start + cost.ms(most_rows)
        response[first:last] = free - arrival[first:last]
        first = last
    return response


# %% last_batch_goes_at_once
"""What is not full waits for company, 3 ms. Expected"""


def batched_response(arrival_ms, cost, most_rows, wait_ms):
    arrival = np.asarray(arrival_ms, float)
    response, first, free = np.empty(len(arrival)), 0, -np.inf
    while first < len(arrival):
        ready = arrival[min(first + most_rows, len(arrival)) - 1]
        start = max(min(ready, arrival[first] + wait_ms), free)
        come = int(np.searchsorted(arrival, start, side="right"))
        last = min(come, first + most_rows)
        free = start + cost.ms(last - first)
        response[first:last] = free - arrival[first:last]
        first = last
    return response

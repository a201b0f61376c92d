"""Wrong answers to `choose_wait` (lab 03).

Each cell is one mistake; its text is the hint it must meet.
"""


# %% candidates_as_they_come
"""Smallest first"""


def choose_wait(events, candidates, most_late):
    for wait_min in candidates:
        if is_late(events, "1h", wait_min).mean() <= most_late:
            return wait_min
    raise ValueError("no candidate is long enough")


# %% share_of_delayed
"""a delayed one may be in time"""


def choose_wait(events, candidates, most_late):
    delay = events["available_at"] - events["event_time"]
    for wait_min in sorted(candidates):
        if (delay > pd.Timedelta(minutes=wait_min)).mean() <= most_late:
            return wait_min
    raise ValueError("no candidate is long enough")


# %% below_the_limit
"""A share equal to the limit"""


def choose_wait(events, candidates, most_late):
    for wait_min in sorted(candidates):
        if is_late(events, "1h", wait_min).mean() < most_late:
            return wait_min
    raise ValueError("no candidate is long enough")


# %% always_answers
"""the owner must decide again"""


def choose_wait(events, candidates, most_late):
    for wait_min in sorted(candidates):
        if is_late(events, "1h", wait_min).mean() <= most_late:
            return wait_min
    return wait_min


# %% of_the_delayed_alone
"""a delayed one may be in time"""


def choose_wait(events, candidates, most_late):
    delayed = events["available_at"] > events["event_time"]
    for wait_min in sorted(candidates):
        if is_late(events, "1h", wait_min)[delayed].mean() <= most_late:
            return wait_min
    raise ValueError("no candidate is long enough")


# %% says_nothing
"""raise a ValueError"""


def choose_wait(events, candidates, most_late):
    for wait_min in sorted(candidates):
        if is_late(events, "1h", wait_min).mean() <= most_late:
            return wait_min
    return None

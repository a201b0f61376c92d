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


# %% by_the_wall_clock
"""a watermark is no wall clock"""


def choose_wait(events, candidates, most_late):
    end = events["event_time"].dt.floor("1h") + pd.Timedelta("1h")
    for wait_min in sorted(candidates):
        closed = end + pd.Timedelta(minutes=wait_min)
        if (events["available_at"] >= closed).mean() <= most_late:
            return wait_min
    raise ValueError("no candidate is long enough")


# %% any_day_will_do
"""One day of three breaks the limit"""


def choose_wait(events, candidates, most_late):
    day = events["event_time"].dt.date
    for wait_min in sorted(candidates):
        daily = is_late(events, "1h", wait_min).groupby(day).mean()
        if (daily <= most_late).any():
            return wait_min
    raise ValueError("no candidate is long enough")


# %% the_median_day
"""One day of three breaks the limit"""


def choose_wait(events, candidates, most_late):
    day = events["event_time"].dt.date
    for wait_min in sorted(candidates):
        daily = is_late(events, "1h", wait_min).groupby(day).mean()
        if daily.median() <= most_late:
            return wait_min
    raise ValueError("no candidate is long enough")

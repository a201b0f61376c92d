"""Wrong answers to `copy_new` (lab 05).

Each cell is one mistake; its text is the hint it must meet.
"""


# %% by_event_time
"""stamped before it"""


def copy_new(seen, mark):
    new = seen if mark is None else seen[seen["event_time"] > mark]
    latest = seen["available_at"].max() if len(seen) else mark
    return new, latest


# %% by_available_time_until_the_run
"""stamped before it"""


def copy_new(seen, mark):
    hour = pd.Timedelta("1h")
    new = seen if mark is None else seen[seen["available_at"] > mark]
    return new, (seen["available_at"].max() + hour if len(seen) else mark)


# %% largest_stamp
"""The straggler is lost"""


def copy_new(seen, mark):
    new = seen if mark is None else seen[seen["available_at"] > mark]
    return new, (seen["available_at"].max() if len(seen) else mark)


# %% how_many
"""The straggler is lost"""


def copy_new(seen, mark):
    seen = seen.sort_values("event_time")
    return seen.iloc[mark or 0 :], len(seen)


# %% everything
"""copies the table again and again"""


def copy_new(seen, mark):
    return seen, None

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


# %% largest_of_nothing
"""the largest of no numbers is NaN"""


def copy_new(seen, mark):
    new = seen if mark is None else seen[seen["version"] > mark]
    return new, seen["version"].max()


# %% first_run_sets_the_mark
"""copies all that is there"""


def copy_new(seen, mark):
    latest = int(seen["version"].max()) if len(seen) else 0
    return (seen.iloc[:0] if mark is None else seen[seen["version"] > mark]), latest


# %% the_last_six
"""The straggler is lost"""


def copy_new(seen, mark):
    return seen.tail(6), None


# %% what_follows_in_the_table
"""The straggler is lost"""


def copy_new(seen, mark):
    return seen.iloc[mark or 0 :], len(seen)


# %% looks_back_an_hour
"""The straggler is lost"""


def copy_new(seen, mark):
    if seen.empty:
        return seen, mark
    latest = seen["available_at"].max()
    back = pd.Timedelta("1h")
    return (seen if mark is None else seen[seen["available_at"] > mark - back]), latest


# %% largest_of_the_new
"""Which mark does a run return that finds nothing new"""


def copy_new(seen, mark):
    if seen.empty:
        return seen, mark
    new = seen if mark is None else seen[seen["version"] > mark]
    return new, new["version"].max()


# %% whole_number_of_nothing
"""Where nothing is new there is no largest version"""


def copy_new(seen, mark):
    if seen.empty:
        return seen, mark
    new = seen if mark is None else seen[seen["version"] > mark]
    return new, int(new["version"].max())

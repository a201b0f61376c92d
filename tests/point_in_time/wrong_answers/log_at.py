"""Wrong answers to `log_at` (lab 04).

Each cell is one mistake; its text is the hint it must meet.
"""


# %% changes_its_input
"""The log that was given has changed"""


def log_at(log, now):
    later = ~(log["dep_utc"] <= now)
    flying = ~(log["arr_utc"] <= now)
    log["dep_utc"] = log["dep_utc"].mask(later)
    log["arr_utc"] = log["arr_utc"].mask(flying)
    return log


# %% delays_alone
"""its dep_utc still tells of it"""


def log_at(log, now):
    return log.assign(
        dep_delay=log["dep_delay"].where(log["dep_utc"] <= now),
        arr_delay=log["arr_delay"].where(log["arr_utc"] <= now),
    )


# %% drops_rows
"""Drop no row: a flight"""


def log_at(log, now):
    seen = log[log["dep_utc"] <= now]
    landed = seen["arr_utc"] <= now
    return seen.assign(
        arr_utc=seen["arr_utc"].where(landed), arr_delay=seen["arr_delay"].where(landed)
    )


# %% one_clock_for_both_ends
"""each end has its own clock"""


def log_at(log, now):
    left = log["dep_utc"] <= now
    names = ["dep_utc", "dep_delay", "arr_utc", "arr_delay"]
    return log.assign(**{name: log[name].where(left) for name in names})


# %% needs_every_column
"""Add no column that the log lacks"""


def log_at(log, now):
    left, landed = log["dep_utc"] <= now, log["arr_utc"] <= now
    names = ["dep_utc", "dep_time", "dep_delay", "cancelled"]
    names += ["arr_utc", "arr_time", "arr_delay", "air_time"]
    log = log.reindex(columns=log.columns.union(names, sort=False))
    ends = {name: landed if name.startswith("a") else left for name in names}
    return log.assign(**{name: log[name].where(past) for name, past in ends.items()})


# %% only_what_has_landed
"""as soon as the flight has left"""


def log_at(log, now):
    landed = log["arr_utc"] <= now
    names = ["dep_utc", "dep_delay", "arr_utc", "arr_delay"]
    return log.assign(**{name: log[name].where(landed) for name in names})


# %% only_the_exact_times
"""dep_time too"""


def log_at(log, now):
    left, landed = log["dep_utc"] <= now, log["arr_utc"] <= now
    seen = {"dep_utc": left, "dep_delay": left, "arr_utc": landed, "arr_delay": landed}
    return log.assign(**{name: log[name].where(rows) for name, rows in seen.items()})


# %% scheduled_later_is_hidden
"""The timetable is known"""


def log_at(log, now):
    left, landed = log["dep_utc"] <= now, log["arr_utc"] <= now
    seen = {"sched_dep_utc": left, "dep_utc": left, "dep_delay": left}
    seen |= {"arr_utc": landed, "arr_delay": landed}
    return log.assign(**{name: log[name].where(rows) for name, rows in seen.items()})


# %% strictly_before
"""each end has its own clock"""


def log_at(log, now):
    left, landed = log["dep_utc"] < now, log["arr_utc"] < now
    seen = {"dep_utc": left, "dep_delay": left, "arr_utc": landed, "arr_delay": landed}
    return log.assign(**{name: log[name].where(rows) for name, rows in seen.items()})

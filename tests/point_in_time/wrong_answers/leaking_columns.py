"""Wrong answers to `leaking_columns` (lab 04).

Each cell is one mistake; its text is the hint it must meet.
"""


# %% asks_after_the_moment
"""ask of flights up to now"""


def leaking_columns(build, asks, log, now):
    full = build(asks, log)
    then = build(log_at(asks, now), log_at(log, now))
    same = (full == then) | (full.isna() & then.isna())
    return list(full.columns[~same.all()])


# %% asks_are_not_cut
"""The questions carry their own outcome"""


def leaking_columns(build, asks, log, now):
    asked = asks[asks["prediction_time"] <= now]
    full, then = build(asked, log), build(asked, log_at(log, now))
    same = (full == then) | (full.isna() & then.isna())
    return list(full.columns[~same.all()])


# %% drops_what_is_scheduled_later
"""its delay is not known"""


def leaking_columns(build, asks, log, now):
    asked = asks[asks["prediction_time"] <= now]
    full = build(asked, log)
    then = build(log_at(asked, now), log[log["sched_dep_utc"] <= now])
    same = (full == then) | (full.isna() & then.isna())
    return list(full.columns[~same.all()])


# %% names_in_any_order
"""in the order of the table"""


def leaking_columns(build, asks, log, now):
    asked = asks[asks["prediction_time"] <= now]
    full = build(asked, log)
    then = build(log_at(asked, now), log_at(log, now))
    same = (full == then) | (full.isna() & then.isna())
    return sorted(full.columns[~same.all()], reverse=True)


# %% never_cuts
"""build without the later outcomes"""


def leaking_columns(build, asks, log, now):
    asked = asks[asks["prediction_time"] <= now]
    full, then = build(asked, log), build(log_at(asked, now), log)
    same = (full == then) | (full.isna() & then.isna())
    return list(full.columns[~same.all()])


# %% nulls_differ
"""Two nulls are equal"""


def leaking_columns(build, asks, log, now):
    asked = asks[asks["prediction_time"] <= now]
    full = build(asked, log)
    then = build(log_at(asked, now), log_at(log, now))
    return list(full.columns[(full != then).any()])

"""Wrong answers to `next_clock` (lab 03).

Each cell is one mistake; its text is the hint it must meet.
"""


# %% new_york_clock
"""Whose clock did you read"""


def next_clock(start_utc, clock, zone):
    local = start_utc.dt.tz_convert(NEW_YORK).dt
    shown = local.hour * 60 + local.minute
    wait = pd.to_timedelta((clock_minutes(clock) - shown) % 1440, unit="min")
    return (start_utc + wait).astype(UTC)


# %% no_midnight
"""An instant lies before its start"""


def next_clock(start_utc, clock, zone):
    shown = pd.Series(np.nan, index=start_utc.index)
    for name, rows in start_utc.groupby(zone).groups.items():
        local = start_utc.loc[rows].dt.tz_convert(str(name)).dt
        shown.loc[rows] = local.hour * 60 + local.minute
    return (start_utc + pd.to_timedelta(clock_minutes(clock) - shown, unit="min")).astype(UTC)


# %% pasted_date
"""Row 2: 02:03 does not exist"""


def next_clock(start_utc, clock, zone):
    found = pd.Series(pd.NaT, index=start_utc.index, dtype=UTC)
    for name, rows in start_utc.groupby(zone).groups.items():
        local = start_utc.loc[rows].dt.tz_convert(str(name)).dt.tz_localize(None)
        wall = local.dt.normalize() + pd.to_timedelta(clock_minutes(clock.loc[rows]), unit="min")
        wall = wall.where(~(wall < local), wall + pd.Timedelta(days=1))
        utc = wall.dt.tz_localize(str(name), ambiguous=True, nonexistent="shift_forward")
        found.loc[rows] = utc.dt.tz_convert("UTC").astype(UTC)
    return found

"""Wrong answers to `next_clock` (lab 03).

Each cell is one mistake; its text is the hint it must meet.
"""


# %% new_york_clock
"""Whose clock did you read"""


def next_clock(start_utc, clock, zone):
    local = start_utc.dt.tz_convert("America/New_York").dt
    shown = local.hour * 60 + local.minute
    wait = pd.to_timedelta((clock_minutes(clock) - shown) % 1440, unit="min")
    return start_utc + wait


# %% no_midnight
"""The clock passes midnight"""


def next_clock(start_utc, clock, zone):
    shown = pd.Series(np.nan, index=start_utc.index)
    for name, rows in start_utc.groupby(zone).groups.items():
        local = start_utc.loc[rows].dt.tz_convert(str(name)).dt
        shown.loc[rows] = local.hour * 60 + local.minute
    wait_min = clock_minutes(clock) - shown
    return start_utc + pd.to_timedelta(wait_min, unit="min")


# %% a_whole_day_if_it_is_shown
"""It is shown already"""


def next_clock(start_utc, clock, zone):
    shown = pd.Series(np.nan, index=start_utc.index)
    for name, rows in start_utc.groupby(zone).groups.items():
        local = start_utc.loc[rows].dt.tz_convert(str(name)).dt
        shown.loc[rows] = local.hour * 60 + local.minute
    wait_min = clock_minutes(clock) - shown
    wait_min = wait_min.where(~(wait_min <= 0), wait_min + 1440)
    return start_utc + pd.to_timedelta(wait_min, unit="min")


# %% pasted_date
"""The clock is not adjusted"""


def next_clock(start_utc, clock, zone):
    found = pd.Series(pd.NaT, index=start_utc.index, dtype="datetime64[us, UTC]")
    for name, rows in start_utc.groupby(zone).groups.items():
        local = start_utc.loc[rows].dt.tz_convert(str(name)).dt.tz_localize(None)
        reading = pd.to_timedelta(clock_minutes(clock.loc[rows]), unit="min")
        wall = local.dt.normalize() + reading
        wall = wall.where(~(wall < local), wall + pd.Timedelta(days=1))
        utc = wall.dt.tz_localize(
            str(name), ambiguous=True, nonexistent="shift_forward"
        )
        found.loc[rows] = utc.dt.tz_convert("UTC").dt.as_unit("us")
    return found


# %% missing_is_now
"""No reading, no instant"""


def next_clock(start_utc, clock, zone):
    shown = pd.Series(np.nan, index=start_utc.index)
    for name, rows in start_utc.groupby(zone).groups.items():
        local = start_utc.loc[rows].dt.tz_convert(str(name)).dt
        shown.loc[rows] = local.hour * 60 + local.minute
    wait_min = ((clock_minutes(clock) - shown) % 1440).fillna(0)
    return start_utc + pd.to_timedelta(wait_min, unit="min")


# %% by_label
"""All three are read by position"""


def next_clock(start_utc, clock, zone):
    here = pd.Series(
        [
            pd.NaT if pd.isna(at) else at.tz_convert(name).tz_localize(None)
            for at, name in zip(start_utc, zone, strict=True)
        ],
        index=start_utc.index,
        dtype="datetime64[us]",
    )
    shown = here.dt.hour * 60 + here.dt.minute
    wait = (clock_minutes(clock) - shown) % 1440
    return start_utc + pd.to_timedelta(wait, unit="min").astype("timedelta64[us]")


# %% index_lost
"""Keep the index of the starts"""


def next_clock(start_utc, clock, zone):
    found = []
    for start, reading, name in zip(start_utc, clock, zone, strict=True):
        if pd.isna(start) or pd.isna(reading):
            found.append(pd.NaT)
            continue
        local = start.tz_convert(name)
        minutes = reading // 100 * 60 + reading % 100
        wait = (minutes - local.hour * 60 - local.minute) % 1440
        found.append(start + pd.Timedelta(minutes=wait))
    return pd.Series(pd.to_datetime(found, utc=True))

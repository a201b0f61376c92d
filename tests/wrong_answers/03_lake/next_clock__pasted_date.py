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

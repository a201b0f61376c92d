"""An instant lies before its start"""


def next_clock(start_utc, clock, zone):
    shown = pd.Series(np.nan, index=start_utc.index)
    for name, rows in start_utc.groupby(zone).groups.items():
        local = start_utc.loc[rows].dt.tz_convert(str(name)).dt
        shown.loc[rows] = local.hour * 60 + local.minute
    return (start_utc + pd.to_timedelta(clock_minutes(clock) - shown, unit="min")).astype(UTC)

"""Whose clock did you read"""


def next_clock(start_utc, clock, zone):
    local = start_utc.dt.tz_convert(NEW_YORK).dt
    shown = local.hour * 60 + local.minute
    wait = pd.to_timedelta((clock_minutes(clock) - shown) % 1440, unit="min")
    return (start_utc + wait).astype(UTC)

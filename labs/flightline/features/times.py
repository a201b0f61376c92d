"""Times that others bring: with a zone, or an error that says which one has none."""

import pandas as pd


def in_zone(name: str, time: pd.Timestamp | str) -> pd.Timestamp:
    """Return one time that has a zone, or say that it has none."""
    found = pd.Timestamp(time)
    if found.tzinfo is None:
        raise ValueError(f"{name}={time} has no zone. Give it one: tz='UTC'.")
    return found


def zoned(rows: pd.DataFrame, name: str) -> pd.Series:
    """Return a column of times with a zone, of Arrow too, or say that it has none."""
    times, kind = rows[name], rows[name].dtype
    if isinstance(kind, pd.ArrowDtype) and getattr(kind.pyarrow_dtype, "tz", None):
        arrow = kind.pyarrow_dtype
        times = times.astype(pd.DatetimeTZDtype(arrow.unit, arrow.tz))
    if not isinstance(times.dtype, pd.DatetimeTZDtype):
        raise ValueError(
            f"{name} is {kind}, no time with a zone. Say which zone it is: "
            "dt.tz_localize('UTC')."
        )
    return times

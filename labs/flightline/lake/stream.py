"""Read a table as a stream: windows that close, and a replay on a simulated clock."""

from collections.abc import Iterable, Iterator, Mapping

import numpy as np
import pandas as pd

from flightline.lake import core
from flightline.lake.times import (
    NANOSECONDS,
    Integers,
    Moment,
    instants,
    moment,
    require,
)

News = dict[str, pd.DataFrame]


def _duration(name: str, length: str, *, least: int) -> pd.Timedelta:
    """Return a length of time in whole microseconds; refuse what is none."""
    try:
        bare = not isinstance(length, str) and not isinstance(length, pd.Timedelta)
        if bare or (isinstance(length, str) and length.strip(" +-.0123456789") == ""):
            raise ValueError("it has no unit")
        exact = pd.Timedelta(length)
        if exact is pd.NaT:
            raise ValueError("it is missing")
        if exact < pd.Timedelta(least, "us"):
            raise ValueError("it is too short")
        return exact.as_unit("us", round_ok=False)
    except ValueError as error:
        raise ValueError(
            f"{name}={length!r} is no length of time here: {error}. Write '1h', say."
        ) from None


# --- windows --------------------------------------------------------------------------


def _flow(events: pd.DataFrame) -> pd.DataFrame:
    """Return the two times in UTC in the order of arrival, with the rows' positions."""
    require(events, ["event_time", "available_at"], "events")
    if events[["event_time", "available_at"]].isna().any(axis=None):
        raise ValueError("events holds a null time. Screen the rows first.")
    times = {
        name: instants(events[name], name) for name in ("event_time", "available_at")
    }
    flow = pd.DataFrame(
        {
            name: index if index.unit == "ns" else index.as_unit("us")
            for name, index in times.items()
        }
    )
    return flow.sort_values(["available_at", "event_time"], kind="stable")


def tumble(
    events: pd.DataFrame, window: str = "1h", lateness: str = "10min"
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Count events in windows, as a stream reader does that sees them arrive.

    Parameters
    ----------
    events : DataFrame
        `event_time` and `available_at`, with a time zone, without nulls, in any order.
    window, lateness : str
        The length of a window, and how far the watermark stays behind the newest
        event time seen. A window of a day begins at midnight in UTC.

    Returns
    -------
    windows : DataFrame
        Indexed by `window_start` (UTC): `events`, and `closed_at`, the available time
        at which the window closed (null: still open).
    late : DataFrame
        The events that came after their window had closed.

    Raises
    ------
    ValueError
        If a column is missing, a time is null or has no zone, or a length is no
        positive time.
    """
    width = _duration("window", window, least=1)
    wait = _duration("lateness", lateness, least=0)
    flow = _flow(events)
    newest = flow["event_time"].cummax()
    start = flow["event_time"].dt.floor(width).rename("window_start")
    late = newest.shift() >= start + width + wait  # passed before this report came
    windows = start[~late].value_counts().sort_index().rename("events").to_frame()
    due = windows.index + width + wait
    closing = newest.searchsorted(due)  # the first report that pushes it past the end
    seen = [*flow["available_at"], pd.NaT]
    closed = pd.Series([seen[at] for at in closing], windows.index, dtype=start.dtype)
    return windows.assign(closed_at=closed), events.iloc[flow.index[late]]


def is_late(events: pd.DataFrame, window: str, wait_min: int) -> pd.Series:
    """Mark the events that come after their window closed.

    Parameters
    ----------
    events : DataFrame
        As for `tumble`.
    window : str
        The length of a window.
    wait_min : int
        How many minutes the watermark stays behind the newest event time seen.

    Returns
    -------
    Series of bool
        With the index of `events`.

    Raises
    ------
    ValueError
        As `tumble` does, or if the wait is negative.
    """
    _duration("window", window, least=1)
    _require_waits([wait_min])
    flow = _flow(events).sort_index()
    return core.is_late(flow, window, wait_min).set_axis(events.index)


def choose_wait(
    events: pd.DataFrame, candidates: Iterable[int], most_late: float
) -> int:
    """Choose the shortest wait that keeps the share of late events.

    Parameters
    ----------
    events : DataFrame
        As for `tumble`, with one row at least. Windows have one hour.
    candidates : iterable of int
        Minutes, in any order.
    most_late : float
        The share of late events, over all of them, from 0 to 1.

    Returns
    -------
    int
        One of the candidates.

    Raises
    ------
    ValueError
        If no candidate keeps the share, there is no event or no candidate, or a number
        is out of its range.
    """
    waits = list(candidates)
    _require_waits(waits)
    if not 0 <= most_late <= 1:
        raise ValueError(f"most_late is {most_late}, and no share from 0 to 1.")
    if not len(events) or not waits:
        raise ValueError("There are no events, or no candidates, to choose by.")
    return core.choose_wait(_flow(events).sort_index(), waits, most_late)


def _require_waits(waits: Iterable[int]) -> None:
    """Raise if a wait is no number of minutes from 0 on."""
    for wait_min in waits:
        if not wait_min >= 0:
            raise ValueError(f"A wait is {wait_min} minutes. Give 0 or more.")


# --- replay ---------------------------------------------------------------------------


def _nanoseconds(stamp: pd.Timestamp) -> int:
    """Return a moment as nanoseconds since 1970, of any size."""
    return int(stamp.asm8.astype(np.int64)) * NANOSECONDS[stamp.unit]


def _timestamp(nanoseconds: int) -> pd.Timestamp:
    """Return a moment in UTC, in microseconds where these are exact."""
    micro, rest = divmod(nanoseconds, 1000)
    value = np.datetime64(nanoseconds, "ns") if rest else np.datetime64(micro, "us")
    return pd.Timestamp(value).tz_localize("UTC")


class _Arrivals:
    """A table in the order in which its rows became known."""

    def __init__(self, name: str, table: pd.DataFrame) -> None:
        require(table, ["event_time", "available_at"], name)
        known = table["available_at"].notna().to_numpy(bool)
        order = ["available_at", "event_time"]
        self.rows = table[known].sort_values(order, kind="stable")
        index = instants(self.rows["available_at"], f"{name}: available_at")
        self.unit = NANOSECONDS[index.unit]
        self.at: Integers = index.asi8

    def until(self, nanoseconds: int) -> int:
        """Count the rows known at a moment."""
        whole = np.iinfo(np.int64)
        bound = min(max(nanoseconds // self.unit, whole.min), whole.max)
        return int(np.searchsorted(self.at, bound, "right"))


def _span(
    arrivals: Mapping[str, _Arrivals],
    step: int,
    start: pd.Timestamp | None,
    end: pd.Timestamp | None,
) -> tuple[int, int]:
    """Return where the clock starts and ends, in nanoseconds; equal for no tick."""
    sides = [a for a in arrivals.values() if len(a.at)]
    if start is None and not sides:
        return 0, 0
    first = (
        -(-min(int(a.at[0]) * a.unit for a in sides) // step) * step - step
        if start is None
        else _nanoseconds(start)
    )
    if end is not None:
        return first, _nanoseconds(end)
    last = max((int(a.at[-1]) * a.unit for a in sides), default=first)
    return first, first + max(-(-(last - first) // step), 0) * step


def replay(
    tables: Mapping[str, pd.DataFrame],
    step: str = "1h",
    start: Moment | None = None,
    end: Moment | None = None,
) -> Iterator[tuple[pd.Timestamp, News]]:
    """Replay tables on a simulated clock, in the order in which rows became known.

    Parameters
    ----------
    tables : mapping of str to DataFrame
        Each with `event_time` and `available_at`, with any time zone. A row without
        `available_at` never became known, and is left out.
    step : str
        How far the clock moves at a time. If `end` is no multiple of it away from
        `start`, the last step is shorter.
    start, end : timestamp with a time zone, optional
        Rows known at `start` or before are left out, as are rows known after
        `end`. By default the replay holds every row that became known.

    Yields
    ------
    now : Timestamp
        The clock, in UTC.
    news : dict of DataFrame
        For each table the rows that became known since the tick before, until and
        with `now`, in the order of `available_at`, then `event_time`; empty where
        there is no news.

    Raises
    ------
    ValueError
        If a column is missing, a time has no zone, the step is not positive, or the
        end lies before the start.
    """
    every = _nanoseconds_of(_duration("step", step, least=1))
    from_, until = moment(start, "start"), moment(end, "end")
    arrivals = {name: _Arrivals(name, table) for name, table in tables.items()}
    first, last = _span(arrivals, every, from_, until)
    if from_ is not None and until is not None and until < from_:
        raise ValueError(f"end={end!r} lies before start={start!r}.")
    return _ticks(arrivals, every, first, last)


def _nanoseconds_of(length: pd.Timedelta) -> int:
    """Return a length in nanoseconds, of any size."""
    return int(length.asm8.astype(np.int64)) * NANOSECONDS[length.unit]


def _ticks(
    arrivals: Mapping[str, _Arrivals], step: int, first: int, last: int
) -> Iterator[tuple[pd.Timestamp, News]]:
    """Move the clock, and hand out what became known since the tick before."""
    now = first
    seen = {name: each.until(now) for name, each in arrivals.items()}
    while now < last:
        now = min(now + step, last)
        cuts = {name: each.until(now) for name, each in arrivals.items()}
        news = {
            name: each.rows.iloc[seen[name] : cuts[name]]
            for name, each in arrivals.items()
        }
        seen = cuts
        yield _timestamp(now), news

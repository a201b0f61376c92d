"""Windows over time: counts, sums, means and extremes of what was known, exactly.

All rows stand on one line, sorted by key and time. A window is what has come in by the
question less what has gone out by then: two places on the line, and the difference of
two running sums. Running sums of floats would carry the rounding of every row before,
of other keys too; these run in whole numbers, and round each result once.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from flightline.point_in_time.inputs import (
    AGGREGATES,
    Duration,
    Floats,
    Tables,
    back,
    duration,
    numbers,
    read_tables,
    require_none,
)
from flightline.point_in_time.keys import Integers
from flightline.point_in_time.lines import Line, both_in_order, in_order, line_up, parts
from flightline.point_in_time.sums import Sums, Values

ANSWERS: dict[str, Callable[[Floats, Floats], Floats]] = {
    "count": lambda count, total: count,
    "sum": lambda count, total: np.where(count > 0, total, np.nan),
    "mean": lambda count, total: total / np.where(count > 0, count, np.nan),
}
"""What is said of a window, given the number of its values and their sum."""


class _Windows(NamedTuple):
    """The rows that ever count, as they come in and go out of the windows of entities.

    `came` and `went` sort them by key and time; `entry` and `exit` are their places on
    the line. `asks` sorts the entities.
    """

    tables: Tables
    length: int
    values: Values
    came: Integers
    went: Integers
    entry: Line
    exit: Line
    asks: Integers

    def places(self) -> Iterator[tuple[Integers, Integers, Integers]]:
        """Yield entities, how many rows have come in by then, and how many gone out."""
        for some in parts(self.asks):
            key, at = self.tables.at_codes[some], self.tables.at[some]
            until = self.entry.count_up_to(key, at)
            gone = self.exit.count_up_to(key, back(at, self.length))
            yield some, until, gone


def _extremes(windows: _Windows, agg: str) -> Floats:
    """Return the least or greatest value of each window; null if it is empty."""
    pick: Callable[..., Floats] = np.minimum if agg == "min" else np.maximum
    stop, start = np.empty_like(windows.asks), np.empty_like(windows.asks)
    for some, until, gone in windows.places():
        stop[some], start[some] = until, gone
    values = windows.values[windows.came].astype(np.float64)
    found = np.full(len(start), np.nan)
    level = np.frexp(stop - start)[1] - 1
    for power in range(level.max(initial=-1) + 1):
        here, width = level == power, 2**power
        found[here] = pick(values[start[here]], values[stop[here] - width])
        values = pick(values[:-width], values[width:])
    return found


def _each(windows: _Windows, answer: Callable[[Floats, Floats], Floats]) -> Floats:
    """Answer for each window, given the number of its values and their sum."""
    sums = Sums(windows.values, windows.came, windows.went)
    found = np.empty(len(windows.asks))
    for some, until, gone in windows.places():
        count = (until - gone).astype(np.float64)
        found[some] = answer(count, sums.between(until, gone))
    return found


def _elapsed(start: Integers, stop: Integers) -> npt.NDArray[np.uint64]:
    """Return the time from start to stop, which is not before it, without overflow."""
    return (stop - start).view(np.uint64)


def _read_windows(
    entities: pd.DataFrame,
    events: pd.DataFrame,
    by: str | Sequence[str],
    entity_time: str,
    event_time: str,
    value: str,
    length: Duration,
    agg: str,
    available_time: str | None = None,
) -> _Windows:
    """Check the tables; keep the rows that ever count, and put them in order."""
    names = [event_time] if available_time is None else [event_time, available_time]
    tables = read_tables(entities, "events", events, by, entity_time, names, [value])
    for name in names:
        require_none(events[name], events[name].isna(), "null")
    values, null = numbers(events[value], agg)
    whole = duration("window", length, tables.unit)
    event = known = tables.times[0]
    codes, kept = tables.codes, (tables.codes >= 0) & ~null
    if available_time is not None:  # what is known too late for any window
        known = np.maximum(event, tables.times[1])
        kept &= _elapsed(event, known) < min(whole, 2**64 - 1)
    if not kept.all():
        codes, event, known = codes[kept], event[kept], known[kept]
        values = values[kept]
    went, asks = both_in_order(codes, event, tables.at_codes, tables.at)
    exits = line_up(codes[went], event[went], tables.keys)
    came, entries = went, exits
    if available_time is not None:
        came = in_order(codes, known)
        entries = line_up(codes[came], known[came], tables.keys)
    return _Windows(tables, whole, values, came, went, entries, exits, asks)


def _column(
    found: Floats, entities: pd.DataFrame, entity_time: str, name: str
) -> pd.Series:
    """Return what was found as a column of the entities, null where the time is."""
    found[entities[entity_time].isna().to_numpy(bool)] = np.nan
    return pd.Series(found, entities.index, name=name)


def window(
    entities: pd.DataFrame,
    events: pd.DataFrame,
    *,
    by: str | Sequence[str],
    entity_time: str,
    event_time: str,
    value: str,
    window: Duration,
    agg: str,
    available_time: str | None = None,
) -> pd.Series:
    """Aggregate, for each entity, the events of its key in the window before its time.

    Parameters
    ----------
    entities : DataFrame
        One row per question, with the key columns and `entity_time`.
    events : DataFrame
        One row per event, in any order.
    by : str or list of str
        The key columns, of the same names in both tables; an empty list for none.
        Values are compared, whatever dtype holds them. A null key matches nothing.
    entity_time, event_time : str
        The window is `(entity_time - window, entity_time]` on `event_time`, which must
        not be null. A null entity time gives null.
    value : str
        The column to aggregate: numbers or booleans; for `count`, anything. Null
        values (NaN too) are skipped, also by `count`.
    window : timedelta or str
        The length of the window; 0 is empty. A text has a unit.
    agg : {"count", "sum", "mean", "min", "max"}
        A sum is the true sum of the window, rounded once to a float: nothing is lost to
        large values in other windows or keys. A mean is that over the count.
    available_time : str, optional
        When the event was known: if later than `entity_time`, it does not count. It
        must not be null. Not with `min` and `max`.

    Returns
    -------
    Series of float64
        In the order and with the index of the entities. An empty window gives 0 for
        `count` and null for the others.

    Raises
    ------
    ValueError
        If a column is missing; an event's time is null; some times have a time zone and
        some none (units may differ: the finest is used); the keys of the two tables
        could never match; a value is no finite number; or `agg` or `window` cannot be
        understood.

    Examples
    --------
    >>> time = pd.to_datetime(["2013-07-02 10:00", "2013-07-02 11:00"])
    >>> left = pd.DataFrame({"origin": "JFK", "dep": time, "delay_min": [4, 8]})
    >>> what = {"by": "origin", "entity_time": "dep", "event_time": "dep"}
    >>> window(left, left, value="delay_min", window="2h", agg="sum", **what).tolist()
    [4.0, 12.0]
    """
    if agg not in AGGREGATES:
        raise ValueError(f"agg={agg!r} is none of {', '.join(AGGREGATES)}.")
    if available_time is not None and agg in ("min", "max"):
        raise ValueError(
            f"available_time={available_time!r} does not go with {agg}. Use a count, "
            "a sum or a mean, or leave it out."
        )
    windows = _read_windows(
        entities,
        events,
        by,
        entity_time,
        event_time,
        value,
        window,
        agg,
        available_time,
    )
    if agg in ("min", "max"):
        result = _extremes(windows, agg)
    else:
        result = _each(windows, ANSWERS[agg])
    return _column(result, entities, entity_time, f"{value}_{agg}")


def open_at(
    entities: pd.DataFrame,
    events: pd.DataFrame,
    *,
    by: str | Sequence[str],
    entity_time: str,
    start_time: str,
    end_time: str,
    window: Duration,
) -> pd.Series:
    """Count, for each entity, what has started and not ended by its time.

    Parameters
    ----------
    entities : DataFrame
        One row per question, with the key columns and `entity_time`.
    events : DataFrame
        One row per thing that starts and ends, in any order.
    by : str or list of str
        The key columns, of the same names in both tables; an empty list for none.
        A null key matches nothing.
    entity_time, start_time, end_time : str
        Counted are events with a start in `(entity_time - window, entity_time]` and an
        end after `entity_time`. A null end means not ended; a start must not be null.
    window : timedelta or str
        How long to wait for the end before giving the event up. A text has a unit.

    Returns
    -------
    Series of float64
        Counts, in the order and with the index of the entities; null where the entity
        time is null.

    Raises
    ------
    ValueError
        If a column is missing; a start is null; some times have a time zone and some
        none; the keys of the two tables could never match; or `window` is no duration.

    Examples
    --------
    >>> time = pd.to_datetime(["2013-07-02 10:00", "2013-07-02 11:00"])
    >>> plan = pd.DataFrame({"origin": "JFK", "sched": time, "dep": [time[1], None]})
    >>> names = {"entity_time": "sched", "start_time": "sched", "end_time": "dep"}
    >>> open_at(plan, plan, by="origin", window="6h", **names).tolist()
    [1.0, 1.0]
    """
    tables = read_tables(
        entities, "events", events, by, entity_time, [start_time, end_time]
    )
    codes, (start, end) = tables.codes, tables.times
    require_none(events[start_time], events[start_time].isna(), "null")
    whole = duration("window", window, tables.unit)
    endless = events[end_time].isna().to_numpy(bool)
    kept = (codes >= 0) & (endless | (end > start))
    codes, start, end, endless = codes[kept], start[kept], end[kept], endless[kept]
    ends = ~endless & (_elapsed(start, end) < min(whole, 2**64 - 1))
    lines = []
    for key, time in (
        (codes, start),
        (codes[ends], end[ends]),
        (codes[~ends], start[~ends]),
    ):
        order = in_order(key, time)
        lines.append(line_up(key[order], time[order], tables.keys))
    came, ended, given_up = lines
    count = np.empty(len(tables.at))
    for some in parts(in_order(tables.at_codes, tables.at)):
        key, at = tables.at_codes[some], tables.at[some]
        # as many rows of the keys before come in as go out
        count[some] = (
            came.count_up_to(key, at)
            - ended.count_up_to(key, at)
            - given_up.count_up_to(key, back(at, whole))
        )
    return _column(count, entities, entity_time, f"open_at_{entity_time}")


def smoothed_rate(
    entities: pd.DataFrame,
    events: pd.DataFrame,
    *,
    by: str | Sequence[str],
    entity_time: str,
    event_time: str,
    value: str,
    days: float,
    prior: float,
    strength: float,
) -> pd.Series:
    """Average, for each entity, the recent values of its key, pulled towards a prior.

    Parameters
    ----------
    entities, events, by, entity_time, event_time, value
        As in `window`; the values are 0 or 1, or shares.
    days : float
        The length of the window, to the microsecond.
    prior : float
        The rate to start from.
    strength : float
        How many events the prior counts for; not negative.

    Returns
    -------
    Series of float64
        `(sum + prior * strength) / (count + strength)`; the prior where there is no
        event, null where the entity time is null.

    Raises
    ------
    ValueError
        If `strength` is negative or infinite, `prior` is no finite number, `days` is no
        length of time, or for what `window` refuses.

    Examples
    --------
    >>> time = pd.to_datetime(["2013-07-02 10:00", "2013-07-02 11:00"])
    >>> left = pd.DataFrame({"origin": "JFK", "dep": time, "late": [1, 0]})
    >>> what = {"by": "origin", "entity_time": "dep", "event_time": "dep"}
    >>> what |= {"value": "late", "days": 1, "prior": 0.5, "strength": 1}
    >>> smoothed_rate(left, left, **what).tolist()
    [0.75, 0.5]
    """
    if not 0 <= strength < np.inf:
        raise ValueError(
            f"strength={strength!r} is negative, or no number. Use 0 for no prior."
        )
    if not np.isfinite(prior):
        raise ValueError(f"prior={prior!r} is no number. Use the rate to start from.")
    try:
        length = timedelta(days=days)
        if days < 0:
            raise ValueError("it is negative")
    except (OverflowError, ValueError) as error:
        raise ValueError(
            f"days={days!r} is no length of time: {error}. Write 30, for example."
        ) from error
    windows = _read_windows(
        entities, events, by, entity_time, event_time, value, length, "sum"
    )

    def rate(count: Floats, total: Floats) -> Floats:
        weight = np.where(count > 0, count + strength, np.nan)
        return np.where(count > 0, (total + prior * strength) / weight, prior)

    return _column(_each(windows, rate), entities, entity_time, f"{value}_rate")

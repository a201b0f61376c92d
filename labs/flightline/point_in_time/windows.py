"""Windows over time: counts, sums, means and extremes of what was known, exactly.

All rows stand on one line, sorted by key and time. A window is what has come in by the
question less what has gone out by then: two places on the line, and the difference of
two running sums. Running sums of floats would carry the rounding of every row before,
of other keys too; these run in whole numbers, and round each result once.
"""

from collections.abc import Callable, Sequence
from datetime import timedelta

import numpy as np
import numpy.typing as npt
import pandas as pd

from flightline.point_in_time.inputs import (
    AGGREGATES,
    Duration,
    Floats,
    Whole,
    back,
    duration,
    numbers,
    read_tables,
    require_none,
)
from flightline.point_in_time.keys import Integers

Values = Whole | Floats
Spans = tuple[Integers, Integers, Integers, Integers]
"""Rows in the order they come in and go out; for each entity, how many have by then."""

SAFE_BITS = 62
FLOAT_BITS = 53


def _line_up(
    codes: Integers, times: Integers, at_codes: Integers, *moments: Integers
) -> tuple[Integers, list[Integers]]:
    """Sort rows by key and time; count, for each entity and moment, those up to it.

    The rows of the keys before count too: they drop out of the difference of two counts
    or running sums with the same key.
    """
    if not len(times):
        return np.empty(0, np.int64), [np.zeros(len(at), np.int64) for at in moments]
    first, last = int(times.min()), int(times.max())
    keys = 2 + max(int(codes.max()), int(at_codes.max(initial=0)))
    if keys * (last - first + 2) > 2**SAFE_BITS:  # too wide for one integer: use ranks
        instants, first, last = np.sort(times), 0, len(times)
        both = (times, *moments)
        times, *ranks = (np.searchsorted(instants, t, side="right") for t in both)
        moments = tuple(ranks)
    width = last - first + 2
    line = codes * width + (times - first)
    order = np.argsort(line, kind="stable")
    line = line[order]
    own = at_codes * width - first
    asked = [own + np.clip(at, first - 1, last) for at in moments]
    return order, [np.searchsorted(line, at, side="right") for at in asked]


# --- exact sums -----------------------------------------------------------------------


Parts = tuple[list[Integers], int, int]
"""Whole numbers (int64, or Python's as objects), bits of the lower part, the power."""


def _whole_parts(values: Values) -> Parts:
    """Write values as whole numbers times a power of two, so that sums are exact."""
    bits = len(values).bit_length()
    if not len(values):
        return [np.empty(0, np.int64)], 0, 0
    if values.dtype.kind != "f":
        largest = max(abs(int(values.min())), abs(int(values.max())))
        fits = largest.bit_length() + bits <= SAFE_BITS
        return [values.astype(np.int64 if fits else object)], 0, 0
    if np.abs(values).max() < 2.0 ** (SAFE_BITS - bits):
        whole = values.astype(np.int64)
        if (whole == values).all():
            return [whole], 0, 0
    return _binary_parts(values.astype(np.float64), bits)


def _binary_parts(values: Floats, bits: int) -> Parts:
    """Split floats, not all 0, by their binary digits; sums need so many bits more.

    One part of int64 if the sum of all fits into it; two, `upper * 2**width + lower`,
    as long as one addition of floats still rounds their sum rightly; else one part of
    Python's integers, which have no end and take their time.
    """
    mantissa, exponent = np.frexp(values)
    digits = np.ldexp(mantissa, FLOAT_BITS).astype(np.int64)
    zeros = np.frexp((digits & -digits).astype(np.float64))[1].astype(np.int64) - 1
    lowest = exponent - FLOAT_BITS + zeros  # the power of the last binary digit
    there = values != 0
    low, high = int(lowest[there].min()), int(exponent[there].max())
    needed = high - low + bits
    if needed <= SAFE_BITS:
        return [np.ldexp(values, -low).astype(np.int64)], 0, low
    width = min(SAFE_BITS - bits, FLOAT_BITS - 1)
    if needed <= width + FLOAT_BITS - 1:
        upper = np.trunc(np.ldexp(values, -low - width))
        lower = np.ldexp(values - np.ldexp(upper, low + width), -low)
        return [upper.astype(np.int64), lower.astype(np.int64)], width, low
    odd = np.where(there, digits >> np.maximum(zeros, 0), 0).astype(object)
    shift = np.where(there, lowest - low, 0).astype(object)
    return [np.asarray(odd << shift)], 0, low


def _rounded(whole: int, power: int) -> float:
    """Return `whole * 2**power` as the nearest float."""
    try:
        return whole / (1 << -power) if power < 0 else float(whole << power)
    except OverflowError:
        return float(np.copysign(np.inf, whole))


def _sums(values: Values, spans: Spans) -> Floats:
    """Add up the values of each window: the true sum, rounded once."""
    came, went, until, gone = spans
    parts, width, power = _whole_parts(values)
    totals = []
    for part in parts:
        running = np.append(np.zeros(1, part.dtype), np.cumsum(part[came]))
        ended = running
        if went is not came:
            ended = np.append(np.zeros(1, part.dtype), np.cumsum(part[went]))
        totals.append(running[until] - ended[gone])
    if totals[0].dtype == object:
        return np.array([_rounded(total, power) for total in totals[0]], np.float64)
    total = totals[0].astype(np.float64)
    if len(totals) == 2:
        carry = totals[1] >> width
        rest = totals[1] - (carry << width)
        total = np.ldexp((totals[0] + carry).astype(np.float64), width) + rest
    with np.errstate(over="ignore"):  # a sum beyond the largest float is infinite
        return np.asarray(np.ldexp(total, power), np.float64)


# --- extremes -------------------------------------------------------------------------


def _extremes(values: Floats, spans: Spans, agg: str) -> Floats:
    """Return the least or greatest value of each window; null if it is empty."""
    pick: Callable[..., Floats] = np.minimum if agg == "min" else np.maximum
    order, _, stop, start = spans
    values = values[order]
    found = np.full(len(start), np.nan)
    level = np.frexp(stop - start)[1] - 1
    for power in range(level.max(initial=-1) + 1):
        here, width = level == power, 2**power
        found[here] = pick(values[start[here]], values[stop[here] - width])
        values = pick(values[:-width], values[width:])
    return found


# --- the calls ------------------------------------------------------------------------


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
) -> tuple[Values, Spans]:
    """Check the tables; return the values that ever count, and where windows lie."""
    names = [event_time] if available_time is None else [event_time, available_time]
    tables = read_tables(entities, "events", events, by, entity_time, names, [value])
    for name in names:
        require_none(events[name], events[name].isna(), "null")
    values, null = numbers(events[value], agg)
    whole = duration("window", length, tables.unit)
    event, known = tables.times[0], np.maximum(tables.times[0], tables.times[-1])
    kept = (tables.codes >= 0) & ~null
    if available_time is not None:  # what is known too late for any window
        kept &= _elapsed(event, known) < min(whole, 2**64 - 1)
    codes, event, known = tables.codes[kept], event[kept], known[kept]
    since = back(tables.at, whole)
    if available_time is None:
        order, (until, gone) = _line_up(codes, event, tables.at_codes, tables.at, since)
        return values[kept], (order, order, until, gone)
    came, (until,) = _line_up(codes, known, tables.at_codes, tables.at)
    went, (gone,) = _line_up(codes, event, tables.at_codes, since)
    return values[kept], (came, went, until, gone)


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
    values, spans = _read_windows(
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
    size = (spans[2] - spans[3]).astype(np.float64)
    if agg == "count":
        result = size
    elif agg in ("min", "max"):
        result = _extremes(values.astype(np.float64), spans, agg)
    else:
        size[size == 0] = np.nan
        total = _sums(values, spans)
        result = total / size if agg == "mean" else np.where(size > 0, total, np.nan)
    result[entities[entity_time].isna().to_numpy(bool)] = np.nan
    return pd.Series(result, entities.index, name=f"{value}_{agg}")


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
    at_codes, at, codes, (start, end), unit = read_tables(
        entities, "events", events, by, entity_time, [start_time, end_time]
    )
    require_none(events[start_time], events[start_time].isna(), "null")
    whole = duration("window", window, unit)
    endless = events[end_time].isna().to_numpy(bool)
    kept = (codes >= 0) & (endless | (end > start))
    codes, start, end, endless = codes[kept], start[kept], end[kept], endless[kept]
    ends = ~endless & (_elapsed(start, end) < min(whole, 2**64 - 1))
    _, (came,) = _line_up(codes, start, at_codes, at)
    _, (ended,) = _line_up(codes[ends], end[ends], at_codes, at)
    since = back(at, whole)
    _, (given_up,) = _line_up(codes[~ends], start[~ends], at_codes, since)
    count = came - ended - given_up  # with as many rows of the keys before in as out
    result = np.where(entities[entity_time].isna(), np.nan, count)
    return pd.Series(result, entities.index, name=f"open_at_{entity_time}")


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
        If `strength` is negative, `days` is no length of time, or for what `window`
        refuses.

    Examples
    --------
    >>> time = pd.to_datetime(["2013-07-02 10:00", "2013-07-02 11:00"])
    >>> left = pd.DataFrame({"origin": "JFK", "dep": time, "late": [1, 0]})
    >>> what = {"by": "origin", "entity_time": "dep", "event_time": "dep"}
    >>> what |= {"value": "late", "days": 1, "prior": 0.5, "strength": 1}
    >>> smoothed_rate(left, left, **what).tolist()
    [0.75, 0.5]
    """
    if not strength >= 0:
        raise ValueError(f"strength={strength!r} is negative. Use 0 for no prior.")
    try:
        length = timedelta(days=days)
    except (OverflowError, ValueError) as error:
        raise ValueError(
            f"days={days!r} is no length of time: {error}. Write 30, for example."
        ) from error
    values, spans = _read_windows(
        entities, events, by, entity_time, event_time, value, length, "sum"
    )
    count = (spans[2] - spans[3]).astype(np.float64)
    weight = np.where(count > 0, count + strength, np.nan)
    rate = (_sums(values, spans) + prior * strength) / weight
    rate[count == 0] = prior
    rate[entities[entity_time].isna().to_numpy(bool)] = np.nan
    return pd.Series(rate, entities.index, name=f"{value}_rate")

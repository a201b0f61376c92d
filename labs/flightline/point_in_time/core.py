# Do not edit: exported from labs/04_point_in_time.ipynb.
# Change the lab, then run `make export`.

"""Lab 04: point-in-time features."""

__all__ = [
    "AGGREGATES",
    "Duration",
    "Floats",
    "Integers",
    "held_at",
    "join",
    "latest_rows",
    "leaking_columns",
    "open_at",
    "skew",
    "smoothed_rate",
    "window",
]

from collections.abc import Callable, Sequence
from datetime import timedelta

import numpy as np
import numpy.typing as npt
import pandas as pd

Integers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Duration = timedelta | np.timedelta64 | str

AGGREGATES = ("count", "sum", "mean", "min", "max")


def _require(table: str, frame: pd.DataFrame, columns: Sequence[str]) -> None:
    """Raise a ValueError that names a column that is missing or stands twice."""
    missing = [name for name in columns if name not in frame.columns]
    if missing:
        raise ValueError(
            f"{table} has no column {missing[0]!r}. It has: {list(frame.columns)}."
        )
    doubled = frame.columns[frame.columns.duplicated()]
    if len(doubled):
        raise ValueError(f"{table} has two columns {doubled[0]!r}. Rename one.")


def _require_none(column: pd.Series, bad: npt.ArrayLike, fault: str) -> None:
    """Raise a ValueError that counts the bad rows and names the first, if any."""
    rows = np.flatnonzero(bad)
    if len(rows):
        raise ValueError(
            f"{column.name!r} is {fault} in {len(rows)} of {len(column)} rows "
            f"(first: row {column.index[rows[0]]!r}). Mend or drop them."
        )


def _require_keys(left: pd.DataFrame, right: pd.DataFrame, by: Sequence[str]) -> None:
    """Raise a ValueError if a key is a number in one table and none in the other."""
    for name in by:
        columns = left[name], right[name]
        kinds = {pd.api.types.is_numeric_dtype(column) for column in columns}
        if len(kinds) > 1 and all(column.notna().any() for column in columns):
            raise ValueError(
                f"the key {name!r} is {columns[0].dtype} in one table and "
                f"{columns[1].dtype} in the other: nothing could match. Convert one."
            )


def _clock(times: pd.Series) -> str:
    """Describe the clock of a column of times: its unit, and if it has a zone."""
    if not pd.api.types.is_datetime64_any_dtype(times):
        raise ValueError(f"{times.name!r} holds {times.dtype}. Use pd.to_datetime.")
    zone = "without" if times.dt.tz is None else "with"
    return f"{times.dt.unit} {zone} a time zone"


def _ticks(*columns: pd.Series) -> list[Integers]:
    """Return times as integers since 1970 (UTC), if all columns share one clock."""
    for times in columns:
        if _clock(times) != _clock(columns[0]):
            raise ValueError(
                f"{columns[0].name!r} is in {_clock(columns[0])}, {times.name!r} in "
                f"{_clock(times)}. Bring both to one unit, and to UTC."
            )
    return [pd.DatetimeIndex(times).asi8 for times in columns]


def _duration(name: str, length: Duration, times: pd.Series) -> int:
    """Return a duration as an integer in the time unit of a column."""
    unit = times.dt.unit
    try:
        if not isinstance(length, Duration):
            raise ValueError("a duration has a unit")
        whole = pd.Timedelta(length).as_unit(unit, round_ok=False)
        if not whole >= pd.Timedelta(0):
            raise ValueError("it is negative or missing")
    except ValueError as error:
        raise ValueError(
            f"{name}={length!r} is no duration in whole {unit}: {error}. "
            "Write pd.Timedelta(hours=3), for example."
        ) from error
    return int(whole / pd.Timedelta(1, unit))


def _later(times: Integers, length: int) -> Integers:
    """Return times plus a length, never after the latest time there is."""
    return np.minimum(times, np.iinfo(np.int64).max - length) + length


def _back(times: Integers, length: int) -> Integers:
    """Return times minus a length, never before the earliest time there is."""
    earliest = np.iinfo(np.int64).min
    return np.where(times < earliest + length, earliest, times - length)


def _encode(
    left: pd.DataFrame, right: pd.DataFrame, by: Sequence[str]
) -> tuple[Integers, Integers]:
    """Give each key of the right table a number; -1 is null, or not a key of it."""
    size, codes = 1, [np.zeros(len(frame), np.int64) for frame in (left, right)]
    for name in by:
        new, values = pd.factorize(right[name])
        asked, names = pd.factorize(left[name])
        added = [np.append(values.get_indexer(names), -1)[asked], new]
        size, codes = (
            size * len(values),
            [
                np.where((code < 0) | (more < 0), -1, code * len(values) + more)
                for code, more in zip(codes, added, strict=True)
            ],
        )
        if size > 2**20:  # keep the numbers small: only the pairs that occur
            seen = pd.Index(pd.unique(codes[1][codes[1] >= 0]))
            size, codes = len(seen), [seen.get_indexer(code) for code in codes]
    return codes[0], codes[1]


def _pack(
    codes: Integers, times: Integers, at_codes: Integers, at: Integers
) -> tuple[Integers, Integers]:
    """Pack the key and time of rows, and of entities, into one integer each."""
    if not len(times):
        return times, at
    first, last = int(times.min()), int(times.max())
    keys = 2 + max(int(codes.max()), int(at_codes.max(initial=0)))
    if keys * (last - first + 2) > 2**62:  # too wide for one integer: use ranks
        instants, first, last = np.sort(times), 0, len(times)
        times, at = (np.searchsorted(instants, t, side="right") for t in (times, at))
    width = last - first + 2
    asked = at_codes * width + (np.clip(at, first - 1, last) - first)
    return codes * width + (times - first), asked


def latest_rows(
    codes: Integers,
    event: Integers,
    available: Integers,
    at_codes: Integers,
    at: Integers,
) -> Integers:
    """Find, for each entity, the newest row of its key that is known by its time.

    Parameters
    ----------
    codes, event, available : array of int64, one value per row
        Key, event time and available time of the rows, in any order. A negative key
        never matches.
    at_codes, at : array of int64, one value per entity
        Key and time of the entities. A negative key never matches.

    Returns
    -------
    array of int64
        The position of the row with the latest event time among those of the same
        key with both times at or before `at`; among equals the latest available
        time, then the last position. -1 where there is none.

    Examples
    --------
    >>> one, two = np.array([7, 7]), np.array([1, 2])
    >>> latest_rows(one, two, np.array([9, 2]), one, np.array([1, 3])).tolist()
    [-1, 1]
    """
    by_rule = np.lexsort((available, event, codes))
    usable = np.maximum(event, available)[by_rule]
    rows, asked = _pack(codes[by_rule], usable, at_codes, at)
    by_arrival = np.argsort(rows, kind="stable")
    best = np.append(-1, np.maximum.accumulate(by_arrival))
    rank = best[np.searchsorted(rows[by_arrival], asked, side="right")]
    found = np.append(by_rule, -1)[rank]
    own_key = (at_codes >= 0) & (np.append(codes, -1)[found] == at_codes)
    return np.where(own_key, found, -1)


def _read(
    entities: pd.DataFrame,
    table: str,
    events: pd.DataFrame,
    by: str | Sequence[str],
    entity_time: str,
    times: Sequence[str],
    value: Sequence[str] = (),
) -> tuple[Integers, Integers, Integers, list[Integers]]:
    """Check both tables; return keys and times of each as integers."""
    keys = [by] if isinstance(by, str) else list(by)
    _require("entities", entities, [*keys, entity_time])
    _require(table, events, [*keys, *times, *value])
    _require_keys(entities, events, keys)
    at, *ticks = _ticks(entities[entity_time], *(events[name] for name in times))
    at_codes, codes = _encode(entities, events, keys)
    return at_codes, at, codes, ticks


def _numbers(column: pd.Series, agg: str) -> Floats:
    """Return a column as floats, null as NaN; to be counted, any column will do."""
    if agg == "count":
        return np.where(column.isna(), np.nan, 1.0)
    if not pd.api.types.is_numeric_dtype(column):
        raise ValueError(f"{column.name!r} holds {column.dtype}: {agg} needs numbers.")
    numbers: Floats = column.to_numpy(np.float64, na_value=np.nan)
    _require_none(column, np.isinf(numbers), "infinite")
    return numbers


def join(
    entities: pd.DataFrame,
    features: pd.DataFrame,
    *,
    by: str | Sequence[str],
    entity_time: str,
    feature_time: str,
    available_time: str | None = None,
    ttl: Duration | None = None,
) -> pd.DataFrame:
    """Append to each entity the newest feature row that was known at its time.

    Parameters
    ----------
    entities : DataFrame
        One row per question, with the key columns and `entity_time`.
    features : DataFrame
        Rows of values over time, in any order. Every column but the keys is appended.
    by : str or list of str
        The key columns, of the same names in both tables; an empty list for none.
    entity_time : str
        When the question is asked. Null gives nulls.
    feature_time : str
        When the row is about. It must not be null.
    available_time : str, optional
        When the row was known. It must not be null. Without it, a row counts as known
        at its `feature_time`.
    ttl : timedelta or str, optional
        Rows with `feature_time < entity_time - ttl` do not count.

    Returns
    -------
    DataFrame
        The entities, every row, in their own order and index, with the columns of
        `features` appended: from the row of the same key with the latest
        `feature_time` that was known; among equals the latest `available_time`, then
        the last row. Nulls if there is none, or a key is null.

    Raises
    ------
    ValueError
        If a column is missing or stands in both tables, a feature's time is null, the
        times differ in unit or only some have a time zone, or `ttl` is no duration.

    Examples
    --------
    >>> time = pd.to_datetime(["2013-07-02 10:00"])
    >>> ask = pd.DataFrame({"origin": ["JFK"], "t": time})
    >>> wind = pd.DataFrame({"origin": ["JFK"], "hour": time, "wind_kt": [9]})
    >>> join(ask, wind, by="origin", entity_time="t", feature_time="hour").wind_kt[0]
    np.int64(9)
    """
    keys = [by] if isinstance(by, str) else list(by)
    known_time = feature_time if available_time is None else available_time
    at_codes, at, codes, (event, known) = _read(
        entities, "features", features, keys, entity_time, [feature_time, known_time]
    )
    for name in (feature_time, known_time):
        _require_none(features[name], features[name].isna(), "null")
    added = [name for name in features.columns if name not in keys]
    for name in added:
        if name in entities.columns:
            raise ValueError(f"entities and features both have {name!r}. Rename one.")
    rows = latest_rows(codes, event, known, at_codes, at)
    if ttl is not None:
        oldest = _back(at, _duration("ttl", ttl, entities[entity_time]))
        rows = np.where(np.append(event, 0)[rows] >= oldest, rows, -1)
    found = features[added].reset_index(drop=True).reindex(rows)
    return pd.concat([entities, found.set_axis(entities.index)], axis=1)


def held_at(
    codes: Integers,
    opens: Integers,
    gone: Integers,
    values: Floats,
    at_codes: Integers,
    at: Integers,
) -> tuple[Integers, Floats]:
    """Count and sum, for each entity, the rows of its key held at its time.

    Parameters
    ----------
    codes, opens, gone, values : array, one value per row
        Keys (none negative), the times at which a row comes in and goes out
        (`opens < gone`), and values without nulls, in any order.
    at_codes, at : array of int64, one value per entity
        Key and time of the entities. A negative key holds nothing.

    Returns
    -------
    count : array of int64
        The number of rows with `opens <= at < gone`.
    total : array of float64
        The sum of their values. Whole numbers add up exactly below 2**53; other
        values carry the rounding of one running sum over all rows.

    Examples
    --------
    >>> key, values = np.array([0, 0]), np.array([10.0, 20.0])
    >>> held_at(key, np.array([1, 2]), np.array([3, 9]), values, key, np.array([2, 3]))
    (array([2, 1]), array([30., 20.]))
    """
    count, total = np.zeros(len(at), np.int64), np.zeros(len(at))
    for times, sign in ((opens, 1), (gone, -1)):
        rows, asked = _pack(codes, times, at_codes, at)
        order = np.argsort(rows, kind="stable")
        until = np.searchsorted(rows[order], asked, side="right")
        count += sign * until
        total += sign * np.append(0.0, np.cumsum(values[order]))[until]
    return count, total


def _extremes(
    values: Floats, start: Integers, stop: Integers, pick: Callable[..., Floats]
) -> Floats:
    """Return the least or greatest of `values[start:stop]`; null if it is empty."""
    found = np.full(len(start), np.nan)
    level = np.frexp(stop - start)[1] - 1
    for power in range(level.max(initial=-1) + 1):
        here, width = level == power, 2**power
        found[here] = pick(values[start[here]], values[stop[here] - width])
        values = pick(values[:-width], values[width:])
    return found


def _window_extremes(
    codes: Integers,
    opens: Integers,
    gone: Integers,
    values: Floats,
    at_codes: Integers,
    at: Integers,
    agg: str,
) -> Floats:
    """Return the least or greatest value of each window, in the terms of `held_at`."""
    entered, at_entry = _pack(codes, opens, at_codes, at)
    left, at_exit = _pack(codes, gone, at_codes, at)
    order = np.argsort(entered, kind="stable")
    start = np.searchsorted(left[order], at_exit, side="right")
    stop = np.searchsorted(entered[order], at_entry, side="right")
    pick = np.minimum if agg == "min" else np.maximum
    return _extremes(values[order], start, stop, pick)


def _aggregate(count: Integers, total: Floats, agg: str) -> Floats:
    """Turn counts and totals into the aggregate; an empty mean or sum is null."""
    size = count.astype(np.float64)
    if agg == "count":
        return size
    size[count == 0] = np.nan
    return total / size if agg == "mean" else total + 0 * size


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
        A null key matches nothing.
    entity_time, event_time : str
        The window is `(entity_time - window, entity_time]` on `event_time`, which must
        not be null. A null entity time gives null.
    value : str
        The column to aggregate. Null values are skipped, also by `count`.
    window : timedelta or str
        The length of the window.
    agg : {"count", "sum", "mean", "min", "max"}
        Whole numbers add up exactly below 2**53; other values are rounded as
        `held_at` says.
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
        If a column is missing, an event's time is null, the times differ in unit or
        only some have a time zone, a value is no finite number, or `agg` or `window`
        cannot be understood.

    Examples
    --------
    >>> time = pd.to_datetime(["2013-07-02 10:00", "2013-07-02 11:00"])
    >>> left = pd.DataFrame({"origin": "JFK", "dep": time, "delay_min": [4, 8]})
    >>> what = {"by": "origin", "entity_time": "dep", "event_time": "dep"}
    >>> window(left, left, value="delay_min", window="1h", agg="sum", **what).tolist()
    [4.0, 8.0]
    """
    if agg not in AGGREGATES:
        raise ValueError(f"agg={agg!r} is none of {', '.join(AGGREGATES)}.")
    if available_time is not None and agg in ("min", "max"):
        raise ValueError(f"available_time={available_time!r} does not go with {agg}.")
    times = [event_time, event_time if available_time is None else available_time]
    at_codes, at, codes, (event, known) = _read(
        entities, "events", events, by, entity_time, times, [value]
    )
    for name in times:
        _require_none(events[name], events[name].isna(), "null")
    values = _numbers(events[value], agg)
    opens = np.maximum(event, known)
    gone = _later(event, _duration("window", window, entities[entity_time]))
    kept = (codes >= 0) & (opens < gone) & ~np.isnan(values)
    inputs = codes[kept], opens[kept], gone[kept], values[kept], at_codes, at
    if agg in ("min", "max"):
        result = _window_extremes(*inputs, agg)
    else:
        result = _aggregate(*held_at(*inputs), agg)
    result[entities[entity_time].isna()] = np.nan
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
        How long to wait for the end before giving the event up.

    Returns
    -------
    Series of float64
        Counts, in the order and with the index of the entities; null where the entity
        time is null.

    Raises
    ------
    ValueError
        If a column is missing, a start is null, the times differ in unit or only some
        have a time zone, or `window` is no duration.

    Examples
    --------
    >>> time = pd.to_datetime(["2013-07-02 10:00", "2013-07-02 11:00"])
    >>> plan = pd.DataFrame({"origin": "JFK", "sched": time, "dep": [time[1], None]})
    >>> names = {"entity_time": "sched", "start_time": "sched", "end_time": "dep"}
    >>> open_at(plan, plan, by="origin", window="6h", **names).tolist()
    [1.0, 1.0]
    """
    at_codes, at, codes, (start, end) = _read(
        entities, "events", events, by, entity_time, [start_time, end_time]
    )
    _require_none(events[start_time], events[start_time].isna(), "null")
    expiry = _later(start, _duration("window", window, entities[entity_time]))
    gone = np.where(events[end_time].isna(), expiry, np.minimum(end, expiry))
    kept = (codes >= 0) & (start < gone)
    nothing = np.zeros(kept.sum())
    count, _ = held_at(codes[kept], start[kept], gone[kept], nothing, at_codes, at)
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
        The length of the window.
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
        If `strength` is negative, or for what `window` refuses.
    """
    if not strength >= 0:
        raise ValueError(f"strength={strength!r} is negative. Use 0 for no prior.")
    count, total = (
        window(
            entities, events, by=by, entity_time=entity_time, event_time=event_time,
            value=value, window=timedelta(days=days), agg=agg,
        )
        for agg in ("count", "sum")
    )  # fmt: skip
    rate = (total.fillna(0) + prior * strength) / (count + strength)
    return rate.mask(count == 0, prior).rename(f"{value}_rate")


def skew(offline: pd.DataFrame, served: pd.DataFrame) -> pd.Series:
    """Return the share of rows, for each column, whose two values differ.

    Parameters
    ----------
    offline, served : DataFrame
        The same rows (index) and columns, in the same order.

    Returns
    -------
    Series of float64
        One share from 0 to 1 per column. Two nulls agree, a null and a value differ;
        numbers agree if they are equal up to rounding (`numpy.isclose`).

    Raises
    ------
    ValueError
        If rows or columns differ; a column is named.
    """
    for name in offline.columns.symmetric_difference(served.columns):
        raise ValueError(f"the column {name!r} is in one table only.")
    if not offline.index.equals(served.index):
        raise ValueError("the rows differ: align the tables on one index first.")
    shares = {}
    for name in offline.columns:
        left, right = offline[name], served[name]
        numbers = [pd.api.types.is_numeric_dtype(side) for side in (left, right)]
        same = np.isclose(left, right) if all(numbers) else (left == right).to_numpy()
        both_null = (left.isna() & right.isna()).to_numpy()
        shares[name] = float(np.mean(~(same | both_null))) if len(left) else 0.0
    return pd.Series(shares, name="skew", dtype=np.float64)


def leaking_columns(
    build: Callable[[pd.DataFrame, pd.DataFrame], pd.DataFrame],
    entities: pd.DataFrame,
    events: pd.DataFrame,
    *,
    entity_time: str,
    available_time: str,
    cutoff: pd.Timestamp,
) -> list[str]:
    """Name the features that change when the events known after a cutoff are removed.

    Parameters
    ----------
    build : callable
        Takes entities and events, returns one row per entity, in their order.
    entities, events : DataFrame
        With the columns `entity_time` and `available_time`.
    cutoff : Timestamp
        Entities up to and including this time are asked about. Only leaks across the
        cutoff are found: try several.

    Returns
    -------
    list of str
        The columns that leak, in the order of the table; empty if none was caught.

    Raises
    ------
    ValueError
        If a column is missing, or `build` returns other columns or rows without the
        later events.
    """
    _require("entities", entities, [entity_time])
    _require("events", events, [available_time])
    asked = entities[entities[entity_time] <= cutoff]
    known = events[events[available_time] <= cutoff]
    changed = skew(build(asked, events), build(asked, known))
    return [str(name) for name in changed.index[changed > 0]]

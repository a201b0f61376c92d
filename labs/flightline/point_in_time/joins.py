"""The as-of join: the newest row that was known, for each entity and its time."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from flightline.point_in_time.inputs import (
    Duration,
    Tables,
    back,
    duration,
    read_tables,
    require_none,
)
from flightline.point_in_time.keys import Integers
from flightline.point_in_time.lines import in_order, line_up, parts


def _best_so_far(arrival: Integers, rule: Integers) -> Integers:
    """Return of each row and all that arrived before it the last, as the rule goes."""
    rank = np.empty_like(rule)
    rank[rule] = np.arange(len(rule))
    best: Integers = rule[np.maximum.accumulate(rank[arrival])]
    return best


def _latest_rows(tables: Tables) -> Integers:
    """Find for each entity the newest row of its key that is known by its time, or -1.

    Rows stand on the line as they become known. The newest after each of them is of the
    same key, since the rule, too, goes by key first.
    """
    codes, event = tables.codes, tables.times[0]
    known = event if len(tables.times) == 1 else np.maximum(event, tables.times[1])
    arrival = newest = in_order(codes, known)
    if known is not event:
        newest = _best_so_far(arrival, in_order(codes, *tables.times))
    line = line_up(codes[arrival], known[arrival], tables.keys)
    keys = np.append(-2, codes[newest])  # before the first, nothing is known
    keys[keys == -1] = -2
    newest = np.append(-1, newest)
    found = np.empty(len(tables.at), np.int64)
    for some in parts(in_order(tables.at_codes, tables.at)):
        key = tables.at_codes[some]
        place = line.count_up_to(key, tables.at[some])
        found[some] = np.where(keys[place] == key, newest[place], -1)
    return found


def _with_room_for_null(rows: pd.DataFrame) -> pd.DataFrame:
    """Make whole numbers and booleans nullable, in their own width."""
    nullable = {}
    for name, dtype in rows.dtypes.items():
        if isinstance(dtype, pd.SparseDtype):
            dtype = dtype.subtype
        if isinstance(dtype, np.dtype) and dtype.kind in "iub":
            nullable[name] = pd.array(np.empty(0, dtype)).dtype
    return rows.astype(nullable)


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
        Values are compared, whatever dtype holds them.
    entity_time : str
        When the question is asked. Null gives nulls.
    feature_time : str
        When the row is about. It must not be null.
    available_time : str, optional
        When the row was known. It must not be null. Without it, a row counts as known
        at its `feature_time`.
    ttl : timedelta or str, optional
        Rows with `feature_time < entity_time - ttl` do not count. A text has a unit.

    Returns
    -------
    DataFrame
        The entities, every row, in their own order and index, with the columns of
        `features` appended: from the row of the same key with the latest
        `feature_time` that was known; among equals the latest `available_time`, then
        the last row. Nulls if there is none, or a key is null. Dtypes stay as they
        are; only if some entity found nothing, whole numbers and booleans become
        nullable ones of the same width (int64 becomes Int64).

    Raises
    ------
    ValueError
        If a column is missing or stands in both tables; a feature's time is null; some
        times have a time zone and some none (units may differ: the finest is used);
        the keys of the two tables could never match; or `ttl` is no duration in whole
        units of the times.

    Examples
    --------
    >>> time = pd.to_datetime(["2013-07-02 10:00"])
    >>> ask = pd.DataFrame({"origin": ["JFK", "EWR"], "t": time[[0, 0]]})
    >>> wind = pd.DataFrame({"origin": ["JFK"], "hour": time, "wind_kt": [9]})
    >>> found = join(ask, wind, by="origin", entity_time="t", feature_time="hour")
    >>> found["wind_kt"].tolist()
    [9, <NA>]
    """
    keys = [by] if isinstance(by, str) else list(by)
    times = [feature_time] if available_time is None else [feature_time, available_time]
    tables = read_tables(entities, "features", features, keys, entity_time, times)
    for name in times:
        require_none(features[name], features[name].isna(), "null")
    added = [name for name in features.columns if name not in keys]
    for name in added:
        if name in entities.columns:
            raise ValueError(f"entities and features both have {name!r}. Rename one.")
    rows = _latest_rows(tables)
    if ttl is not None:
        oldest = back(tables.at, duration("ttl", ttl, tables.unit))
        rows = np.where(np.append(tables.times[0], 0)[rows] >= oldest, rows, -1)
    found = features[added].reset_index(drop=True)  # from here on, by position
    if (rows < 0).any():
        found = _with_room_for_null(found).reindex(range(len(found) + 1))
        rows[rows < 0] = len(found) - 1  # a row of nulls
    found = found.take(rows)
    found.index = entities.index
    return pd.concat([entities.copy(), found], axis=1, copy=False)

"""The as-of join: the newest row that was known, for each entity and its time."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from flightline.point_in_time.inputs import (
    Duration,
    back,
    duration,
    read_tables,
    require_none,
)
from flightline.point_in_time.keys import Integers


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
    """Find, for each entity, the newest row of its key that is known by its time."""
    by_rule = np.lexsort((available, event, codes))
    usable = np.maximum(event, available)[by_rule]
    rows, asked = _pack(codes[by_rule], usable, at_codes, at)
    by_arrival = np.argsort(rows, kind="stable")
    best = np.append(-1, np.maximum.accumulate(by_arrival))
    rank = best[np.searchsorted(rows[by_arrival], asked, side="right")]
    found = np.append(by_rule, -1)[rank]
    own_key = (at_codes >= 0) & (np.append(codes, -1)[found] == at_codes)
    return np.where(own_key, found, -1)


def _with_room_for_null(rows: pd.DataFrame) -> pd.DataFrame:
    """Make whole numbers and booleans nullable, in their own width."""
    nullable = {}
    for name, dtype in rows.dtypes.items():
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
    known_time = feature_time if available_time is None else available_time
    tables = read_tables(
        entities, "features", features, keys, entity_time, [feature_time, known_time]
    )
    for name in (feature_time, known_time):
        require_none(features[name], features[name].isna(), "null")
    added = [name for name in features.columns if name not in keys]
    for name in added:
        if name in entities.columns:
            raise ValueError(f"entities and features both have {name!r}. Rename one.")
    event, known = tables.times
    rows = latest_rows(tables.codes, event, known, tables.at_codes, tables.at)
    if ttl is not None:
        oldest = back(tables.at, duration("ttl", ttl, tables.unit))
        rows = np.where(np.append(event, 0)[rows] >= oldest, rows, -1)
    found = features[added].reset_index(drop=True)  # from here on, by position
    if (rows < 0).any():
        found = _with_room_for_null(found)
    found = found.reindex(rows)
    return pd.concat([entities, found.set_axis(entities.index)], axis=1)

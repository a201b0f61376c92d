"""What the tables must be like: refusals, clocks and durations as integers.

Everything that reads two tables starts here. A key becomes a number (`keys`), a time an
integer count of one unit since 1970 (UTC), a duration an integer of the same unit; what
is missing, null or without a unit is refused, by name.
"""

import re
from collections.abc import Sequence
from datetime import timedelta
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from flightline.point_in_time.keys import Codes, Integers, number_keys

Duration = timedelta | np.timedelta64 | str
Flags = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]
Whole = npt.NDArray[np.int64 | np.uint64]

AGGREGATES = ("count", "sum", "mean", "min", "max")
EARLIEST, LATEST = np.iinfo(np.int64).min, np.iinfo(np.int64).max
UNITS = {"s": 10**9, "ms": 10**6, "us": 10**3, "ns": 1}
"""Nanoseconds in each unit that a column of times may have."""


class Tables(NamedTuple):
    """Two checked tables as integers: keys, times, and the unit of the times."""

    at_codes: Codes
    at: Integers
    codes: Codes
    times: list[Integers]
    unit: str

    @property
    def keys(self) -> int:
        """How many keys there are at most."""
        return 1 + max(int(side.max(initial=0)) for side in (self.at_codes, self.codes))


def require_columns(table: str, frame: pd.DataFrame, columns: Sequence[str]) -> None:
    """Raise a ValueError that names a column that is missing or stands twice."""
    for name in columns:
        if name not in frame.columns:
            raise ValueError(
                f"{table} has no column {name!r}. It has: {list(frame.columns)}."
            )
    doubled = frame.columns[frame.columns.duplicated()]
    if len(doubled):
        raise ValueError(f"{table} has two columns {doubled[0]!r}. Rename one.")


def require_none(column: pd.Series, bad: npt.ArrayLike, fault: str) -> None:
    """Raise a ValueError that counts the bad rows and names the first, if any."""
    rows = np.flatnonzero(bad)
    if len(rows):
        raise ValueError(
            f"{column.name!r} is {fault} in {len(rows)} of {len(column)} rows "
            f"(first: row {column.index[rows[0]]!r}). Mend or drop them."
        )


# --- clocks and durations -------------------------------------------------------------


def _instants(times: pd.Series) -> pd.DatetimeIndex:
    """Return a column of times as an index of NumPy times, also if Arrow holds it."""
    dtype = times.dtype
    if not pd.api.types.is_datetime64_any_dtype(dtype):
        raise ValueError(f"{times.name!r} holds {dtype}. Use pd.to_datetime.")
    if isinstance(dtype, pd.ArrowDtype):
        stamp = dtype.pyarrow_dtype
        index = pd.DatetimeIndex(times.to_numpy(f"M8[{stamp.unit}]"))
        return index if stamp.tz is None else index.tz_localize("UTC")
    return pd.DatetimeIndex(times)


def same_clock(times: pd.Series, others: Sequence[pd.Series]) -> None:
    """Raise a ValueError if some columns of times have a time zone and some none."""
    zoned = _instants(times).tz is not None
    for other in others:
        if (_instants(other).tz is not None) != zoned:
            having, lacking = (times, other) if zoned else (other, times)
            raise ValueError(
                f"{having.name!r} has a time zone, {lacking.name!r} has none. "
                f"Give {lacking.name!r} the zone it was written in: .dt.tz_localize."
            )


def ticks(columns: Sequence[pd.Series]) -> tuple[list[Integers], str]:
    """Return times as integers since 1970 (UTC) in the finest unit among them.

    Parameters
    ----------
    columns : list of Series
        Times, all with a time zone or all without; the units may differ.

    Returns
    -------
    ticks : list of arrays of int64
        One a column, exact; null is the least integer.
    unit : {"s", "ms", "us", "ns"}
        The unit of all.

    Raises
    ------
    ValueError
        If a column holds no times, only some have a zone, or a time of a coarse column
        cannot be written in the finest unit (which ends in 2262 for ns).

    Examples
    --------
    >>> day = pd.Series(pd.DatetimeIndex(["1970-01-02"]))
    >>> both, unit = ticks([day.dt.as_unit("s"), day.dt.as_unit("ms")])
    >>> both[0].tolist(), both[1].tolist(), unit
    ([86400000], [86400000], 'ms')
    """
    same_clock(columns[0], columns[1:])
    indexes = [_instants(times) for times in columns]
    unit = min((index.unit for index in indexes), key=UNITS.__getitem__)
    scaled = []
    for times, index in zip(columns, indexes, strict=True):
        factor, whole = UNITS[index.unit] // UNITS[unit], index.asi8
        if factor > 1:
            null = index.isna()
            outside = (whole > LATEST // factor) | (whole < -(LATEST // factor))
            require_none(times, outside & ~null, f"out of the range of {unit}")
            whole = np.where(null, EARLIEST, np.where(null, 0, whole) * factor)
        scaled.append(whole)
    return scaled, unit


def _without_unit(text: str) -> bool:
    """Return whether a number in a text has no unit; a clock (01:30:00) has one."""
    rest = re.sub(r"\d+:\d+(:\d+)?(\.\d+)?", "", text)
    return any(re.finditer(r"(?:\d+\.?\d*|\.\d+)(?![\d.])(?!\s*[^\W\d])", rest))


def _nanoseconds(length: Duration) -> int:
    """Return a duration in whole nanoseconds, exact."""
    if isinstance(length, np.timedelta64) and np.datetime_data(length)[0] == "generic":
        raise ValueError("it has no unit")
    if isinstance(length, str) and _without_unit(length):
        raise ValueError("it has no unit")
    if not isinstance(length, Duration):
        raise ValueError("a duration has a unit")
    if isinstance(length, timedelta) and not isinstance(length, pd.Timedelta):
        return length // timedelta(microseconds=1) * 1000  # pandas ends at 292 years
    whole = pd.Timedelta(length)
    if whole is pd.NaT:
        raise ValueError("it is missing")
    return int(whole.asm8.astype(np.int64)) * UNITS[whole.unit]


def duration(name: str, length: Duration, unit: str) -> int:
    """Return a duration as an integer of a unit, exact.

    Parameters
    ----------
    name : str
        What the caller calls it, for the message.
    length : timedelta, numpy.timedelta64 or str
        A text has a unit: "3h", "90 min", "01:30:00", "P1D".
    unit : {"s", "ms", "us", "ns"}
        The unit of the times that it is held against.

    Returns
    -------
    int
        Of any size.

    Raises
    ------
    ValueError
        If it is negative, missing, without a unit, or no whole number of the unit.

    Examples
    --------
    >>> duration("ttl", "2h", "s")
    7200
    """
    try:
        whole, rest = divmod(_nanoseconds(length), UNITS[unit])
        if rest:
            raise ValueError("it is finer than the times")
        if whole < 0:
            raise ValueError("it is negative")
    except (ValueError, OverflowError) as error:
        raise ValueError(
            f"{name}={length!r} is no duration in whole {unit}: {error}. "
            "Write pd.Timedelta(hours=3), for example."
        ) from error
    return whole


def back(times: Integers, length: int) -> Integers:
    """Return times minus a length, never before the earliest time there is."""
    if length > LATEST:
        past = times.astype(object) - length
        return np.asarray(np.maximum(past, EARLIEST), np.int64)
    return np.maximum(times, EARLIEST + length) - length


# --- tables and values ----------------------------------------------------------------


def read_tables(
    entities: pd.DataFrame,
    table: str,
    rows: pd.DataFrame,
    by: str | Sequence[str],
    entity_time: str,
    times: Sequence[str],
    value: Sequence[str] = (),
) -> Tables:
    """Check both tables; return the keys and times of each as integers.

    Parameters
    ----------
    entities, rows : DataFrame
        Both with the key columns; `entities` with `entity_time`, `rows` with `times`
        and `value`.
    table : str
        What the caller calls `rows`, for the messages.
    by : str or list of str
        The key columns.
    entity_time, times, value : str and lists of str
        Columns that must be there.

    Returns
    -------
    Tables
        Arrays of int64, one value a row, by position: the index is not looked at.

    Raises
    ------
    ValueError
        For what `require_columns`, `ticks` and `number_keys` refuse.
    """
    keys = [by] if isinstance(by, str) else list(by)
    require_columns("entities", entities, [*keys, entity_time])
    require_columns(table, rows, [*keys, *times, *value])
    clocks = [entities[entity_time], *(rows[name] for name in times)]
    (at, *others), unit = ticks(clocks)
    at_codes, codes = number_keys(entities, rows, keys, table)
    return Tables(at_codes, at, codes, others, unit)


def whole_numbers(column: pd.Series) -> Whole:
    """Return whole numbers or booleans in 64 bits, exact; null as 0."""
    dtype = column.dtype
    if column.hasnans:
        column = column.fillna(False if pd.api.types.is_bool_dtype(dtype) else 0)
    unsigned = pd.api.types.is_unsigned_integer_dtype(dtype)
    values: Whole = column.to_numpy(np.uint64 if unsigned else np.int64)
    return values


def numbers(column: pd.Series, agg: str) -> tuple[Whole | Floats, Flags]:
    """Return a column as numbers, and which of them are null.

    Parameters
    ----------
    column : Series
        Of numbers or booleans, nullable or not; to be counted, of anything.
    agg : str
        What they are for; "count" needs no numbers.

    Returns
    -------
    values : array of int64, uint64 or float64
        Whole numbers stay whole. What stands at a null means nothing.
    null : array of bool
        NaN is null, too.

    Raises
    ------
    ValueError
        If the column holds no real numbers, or an infinite one.
    """
    dtype, null = column.dtype, column.isna().to_numpy(bool)
    real = any(
        test(dtype)
        for test in (pd.api.types.is_numeric_dtype, pd.api.types.is_bool_dtype)
    )
    if agg == "count" and not (real and pd.api.types.is_float_dtype(dtype)):
        return np.zeros(len(column), np.int64), null
    if not real or pd.api.types.is_complex_dtype(dtype):
        raise ValueError(f"{column.name!r} holds {dtype}: {agg} needs numbers.")
    if pd.api.types.is_bool_dtype(dtype) or pd.api.types.is_integer_dtype(dtype):
        return whole_numbers(column), null
    floats: Floats = column.to_numpy(np.float64, na_value=np.nan)
    if agg != "count":
        require_none(column, np.isinf(floats), "infinite")
    return floats, np.isnan(floats)

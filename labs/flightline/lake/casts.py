"""Casts that guess nothing: a value equals itself afterwards, or it is set aside.

A time needs a zone or an offset. A number needs to be one: a fraction is no flight
number, a yes or no is no delay, and a moment is no count.
"""

import math
import re
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from numbers import Integral, Real
from typing import NamedTuple

import numpy as np
import pandas as pd
from pandas.api.extensions import ExtensionDtype

from flightline.lake.identity import plain
from flightline.lake.times import (
    MOST,
    NANOSECONDS,
    Flags,
    instants,
    is_timed,
    missing,
)

TYPE = "has the wrong type"
ZONE = "has no time zone"
FINE = "is out of the range of microseconds, or finer"
WHOLE_NUMBER = "is no whole number"
EXACT = "is too large to be exact"
LATEST = np.iinfo(np.int64).max
ISO = re.compile(
    r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d{1,6})?)?(?P<zone>Z|[+-]\d\d(:?\d\d)?)?"
)
DECIMAL = re.compile(r"[+-]?[0-9]{1,30}(\.[0-9]{1,30})?")


class Cast(NamedTuple):
    """A column in its type, and the reason by position of what could not be cast."""

    column: pd.Series
    reasons: dict[int, str]


def _split(
    column: pd.Series, one: Callable[[object], object]
) -> tuple[list[object], dict[int, str]]:
    """Cast value by value; a ValueError of `one` is the reason of that row."""
    reasons: dict[int, str] = {}
    values: list[object] = []
    null = column.isna().to_numpy(bool)
    for at, value in enumerate(column):
        try:
            values.append(None if null[at] else one(value))
        except ValueError as error:
            values.append(None)
            reasons[at] = str(error)
    return values, reasons


def _all(bad: Flags, reason: str) -> dict[int, str]:
    """Give the marked rows one reason."""
    return dict.fromkeys(map(int, np.flatnonzero(bad)), reason)


# --- times ----------------------------------------------------------------------------


def _instant(value: object) -> np.datetime64:
    """Return one moment in UTC, from a text in ISO 8601 or an object with a zone."""
    if isinstance(value, str):
        form = ISO.fullmatch(value)
        if form is None:
            raise ValueError(TYPE)
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            raise ValueError(TYPE) from None
    if isinstance(value, np.datetime64):
        raise ValueError(ZONE)
    if not isinstance(value, datetime):
        raise ValueError(TYPE)
    if value.tzinfo is None or value.utcoffset() is None:
        raise ValueError(ZONE)
    moment = pd.Timestamp(value).tz_convert(None)
    if moment != moment.floor("us"):
        raise ValueError(FINE)
    instant: np.datetime64 = moment.as_unit("us").to_datetime64()
    return instant


def cast_times(column: pd.Series, dtype: pd.DatetimeTZDtype) -> Cast:
    """Cast a column to times with a zone.

    Parameters
    ----------
    column : Series
        Times with any zone and unit, or ISO 8601 texts with an offset.
    dtype : DatetimeTZDtype
        What the contract asks for.

    Returns
    -------
    Cast
        What has no zone, is no time, or does not fit into microseconds is null.
    """
    column, known = plain(column), column.notna().to_numpy(bool)
    if column.dtype == dtype:
        return Cast(column, {})
    if not is_timed(column.dtype):
        if pd.api.types.is_object_dtype(column.dtype) or _is_text(column.dtype):
            values, reasons = _split(column, _instant)
            stamps = np.array(values, dtype="M8[us]")
            return Cast(_zoned(pd.DatetimeIndex(stamps), dtype), reasons)
        empty = pd.DatetimeIndex([pd.NaT] * len(column)).as_unit(dtype.unit)
        return Cast(_zoned(empty, dtype), _all(known, TYPE))
    if column.dt.tz is None:
        empty = pd.DatetimeIndex([pd.NaT] * len(column)).as_unit(dtype.unit)
        return Cast(_zoned(empty, dtype), _all(known, ZONE))
    return _rescaled(instants(column, str(column.name)), dtype)


def _zoned(index: pd.DatetimeIndex, dtype: pd.DatetimeTZDtype) -> pd.Series:
    """Return naive times in UTC as a column of the wanted type."""
    return pd.Series(index.as_unit(dtype.unit).tz_localize("UTC").tz_convert(dtype.tz))


def _rescaled(index: pd.DatetimeIndex, dtype: pd.DatetimeTZDtype) -> Cast:
    """Bring times into the unit of a type; what does not fit exactly is set aside."""
    given, wanted = NANOSECONDS[index.unit], NANOSECONDS[dtype.unit]
    null, count = index.isna(), index.asi8
    if given >= wanted:
        factor = given // wanted
        bad = ~null & (np.abs(np.where(null, 0, count)) > LATEST // factor)
        scaled = np.where(null | bad, 0, count) * factor
    else:
        scaled, rest = np.divmod(count, wanted // given)
        bad = ~null & (rest != 0)
    stamps = scaled.view(f"M8[{dtype.unit}]").copy()
    stamps[null | bad] = np.datetime64("NaT")
    return Cast(_zoned(pd.DatetimeIndex(stamps), dtype), _all(bad, FINE))


# --- numbers --------------------------------------------------------------------------


def _number(value: object) -> int | float | Decimal:
    """Return one number; a text counts if it is plain digits with a decimal point."""
    if isinstance(value, (bool, np.bool_)):
        raise ValueError(TYPE)
    if isinstance(value, str):
        if DECIMAL.fullmatch(value) is None:
            raise ValueError(TYPE)
        return Decimal(value)
    if isinstance(value, Integral):
        return int(value)
    if isinstance(value, Decimal):
        return value
    if isinstance(value, Real) and not isinstance(value, np.timedelta64):
        return float(value)
    raise ValueError(TYPE)


def _whole(value: object, dtype: np.dtype) -> int:
    """Return one whole number that its type can hold."""
    number, limits = _number(value), np.iinfo(dtype)
    try:
        whole = int(number)
    except (OverflowError, ValueError):
        raise ValueError(WHOLE_NUMBER) from None
    if whole != number:
        raise ValueError(WHOLE_NUMBER)
    if not limits.min <= whole <= limits.max:
        raise ValueError(EXACT)
    return whole


def _float(value: object, dtype: np.dtype) -> float:
    """Return one number as a float: a whole one exactly, a fraction to its last digit.

    A decimal fraction has no exact float; the nearest one stands for it.
    """
    number = _number(value)
    try:
        near = float(number)
    except OverflowError:
        raise ValueError(EXACT) from None
    if math.isfinite(near):
        whole = number == int(number)
        narrow = isinstance(number, float) and float(dtype.type(near)) != near
        if narrow or (whole and int(dtype.type(near)) != int(number)):
            raise ValueError(EXACT)
    return near


def cast_numbers(column: pd.Series, dtype: np.dtype) -> Cast:
    """Cast a column to whole numbers or to floats.

    Parameters
    ----------
    column : Series
        Numbers of any width, or objects. Texts of plain digits count as numbers.
    dtype : numpy dtype
        An integer or a float type.

    Returns
    -------
    Cast
        Whole numbers with something missing come as objects, so that none passes
        through a float; the contract says then what is missing.
    """
    column = plain(column)
    if column.dtype == dtype:
        return Cast(column, {})
    given, known = column.dtype, column.notna().to_numpy(bool)
    by_value = pd.api.types.is_object_dtype(given) or _is_text(given)
    number = pd.api.types.is_numeric_dtype(given)
    number &= not pd.api.types.is_bool_dtype(given)
    number &= not pd.api.types.is_complex_dtype(given)
    if not by_value and not number:
        kind = dtype if dtype.kind == "f" else np.dtype(object)
        return Cast(pd.Series([None] * len(column), dtype=kind), _all(known, TYPE))
    if not by_value:
        exact = _by_width(column, dtype, known)
        if exact is not None:
            return Cast(exact, {})
    if dtype.kind == "f":
        values, reasons = _split(column, lambda value: _float(value, dtype))
        return Cast(pd.Series(values, dtype=dtype), reasons)
    values, reasons = _split(column, lambda value: _whole(value, dtype))
    return Cast(pd.Series(values, dtype=object if None in values else dtype), reasons)


def _by_width(column: pd.Series, dtype: np.dtype, known: Flags) -> pd.Series | None:
    """Cast a whole column at once; None if a value would change, or is missing."""
    if dtype.kind == "f":
        wide = column.to_numpy(np.float64, na_value=np.nan)
        with np.errstate(over="ignore"):
            cast = wide.astype(dtype)
        small = bool((np.abs(wide[known]) < MOST).all())
        exact = pd.api.types.is_float_dtype(column.dtype) or small
        exact &= bool((cast[known] == wide[known]).all())
        return pd.Series(cast) if exact else None
    if not known.all() or not pd.api.types.is_integer_dtype(column.dtype):
        return None
    limits = np.iinfo(dtype)
    inside = not len(column) or (
        int(column.min()) >= limits.min and int(column.max()) <= limits.max
    )
    return pd.Series(column.to_numpy(dtype)) if inside else None


def _nullable(column: pd.Series, dtype: ExtensionDtype) -> Cast:
    """Cast a column to numbers of pandas or Arrow that may be missing."""
    if column.dtype == dtype:
        return Cast(column.reset_index(drop=True), {})
    width = {"i": "int64", "u": "uint64", "f": "float64"}[dtype.kind]
    plain_type = getattr(dtype, "numpy_dtype", np.dtype(width))
    numbers, reasons = cast_numbers(column, np.dtype(plain_type))
    return Cast(pd.Series(pd.array(numbers.tolist(), dtype=dtype)), reasons)


# --- texts ----------------------------------------------------------------------------


def _is_text(dtype: object) -> bool:
    """Return whether a type is one of pandas' or Arrow's types for text."""
    return bool(pd.api.types.is_string_dtype(dtype)) and dtype != np.dtype(object)


def cast_texts(column: pd.Series) -> Cast:
    """Bring texts of any kind into objects; a missing one is None.

    Parameters
    ----------
    column : Series
        Objects, pandas' or Arrow's strings, or categories of texts.

    Returns
    -------
    Cast
        Values that are no texts stay as they are; the contract names them. A column in
        which nothing is known has no texts of any kind, whatever its type.
    """
    column = plain(column)
    if column.head(1).isna().all() and column.isna().all():  # the first row is quick
        return Cast(pd.Series([None] * len(column), dtype=object), {})
    if _is_text(column.dtype):
        column = column.astype(object)
    if pd.api.types.is_object_dtype(column.dtype):
        null = missing(column)
        column = column.where(~null, None) if null.any() else column
    return Cast(column, {})


def cast(column: pd.Series, dtype: object) -> Cast:
    """Cast a column to what its contract asks for, as far as that is known here.

    Parameters
    ----------
    column : Series
        As delivered.
    dtype : dtype
        Times with a zone, NumPy's integers and floats, texts and objects. Columns of
        other types are returned as they are, for the contract to judge.

    Returns
    -------
    Cast
    """
    if isinstance(dtype, pd.DatetimeTZDtype):
        return cast_times(column, dtype)
    if isinstance(dtype, np.dtype) and dtype.kind in "iuf":
        return cast_numbers(column, dtype)
    if isinstance(dtype, ExtensionDtype) and dtype.kind in "iuf":
        return _nullable(column, dtype)
    if isinstance(dtype, np.dtype) and dtype.kind in "UO":
        return cast_texts(column)
    return Cast(column.reset_index(drop=True), {})

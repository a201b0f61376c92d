"""What a column holds: its kind, its nulls, its numbers."""

import re
from typing import Literal, TypeAlias

import numpy as np
import pandas as pd

Floats: TypeAlias = np.typing.NDArray[np.float64]
Integers: TypeAlias = np.typing.NDArray[np.int64]
Booleans: TypeAlias = np.typing.NDArray[np.bool_]
Values: TypeAlias = pd.DataFrame | pd.Series | np.typing.ArrayLike
Kind: TypeAlias = Literal["number", "category", "times", "nested", "empty"]

KINDS: dict[Kind, str] = {
    "number": "a number",
    "category": "a category",
    "times": "times",
    "nested": "lists or other nested values",
    "empty": "null",
}
"""The kinds of a column, in words."""

NUMBERS = {"integer", "floating", "mixed-integer-float", "decimal"}
TIMES = {"datetime", "datetime64", "date", "timedelta", "timedelta64", "period"}

DATE = re.compile(
    r"(\d{4}-\d{2}-\d{2}|\d{1,2}/\d{1,2}/\d{2,4}|\d{1,2}\.\d{1,2}\.\d{4})"
    r"([T ]\d{1,2}(:\d{2}.*)?)?"
)
"""A text that is a date, with or without a time of day."""

LOOKED_AT = 1_000
"""How many texts are looked at before a column counts as dates."""


def kind_of(column: pd.Series) -> Kind:
    """Return what a column holds.

    Parameters
    ----------
    column : Series

    Returns
    -------
    {"number", "category", "times", "nested", "empty"}
        Booleans and texts are categories. Texts that are all dates are times. A column
        of objects is what its values are. Nothing but nulls is empty, whatever its
        type.

    Examples
    --------
    >>> kind_of(pd.Series(["2013-07-01", "2013-07-02 18:00", None]))
    'times'
    """
    dtype = column.dtype
    if is_null(column).all():
        return "empty"
    inner = dtype
    if isinstance(dtype, pd.CategoricalDtype):
        inner = dtype.categories.dtype
    if pd.api.types.is_datetime64_any_dtype(inner) or inner.kind == "m":
        return "times"
    if pd.api.types.is_bool_dtype(dtype):
        return "category"
    if pd.api.types.is_numeric_dtype(dtype):
        return "nested" if dtype.kind == "c" else "number"
    inside = pd.api.types.infer_dtype(column, skipna=True)
    if inside in NUMBERS:
        return "number"
    if inside in TIMES or _are_dates(column):
        return "times"
    return "category" if inside == "string" or _can_be_named(column) else "nested"


def _are_dates(column: pd.Series) -> bool:
    """Tell whether the first texts of a column are all dates."""
    first = column.dropna().iloc[:LOOKED_AT]
    return all(isinstance(v, str) and DATE.fullmatch(v.strip()) for v in first)


def _can_be_named(column: pd.Series) -> bool:
    """Tell whether the values can be levels, as texts can and lists cannot."""
    try:
        pd.factorize(column)
    except (TypeError, NotImplementedError):  # the latter from Arrow
        return False
    return True


def is_number(column: pd.Series) -> bool:
    """Tell whether a column is binned as numbers; the others are categories.

    Parameters
    ----------
    column : Series

    Returns
    -------
    bool

    Raises
    ------
    ValueError
        If it holds times, or dates as texts: they always move on. Their age is a
        number. If it holds lists, which are neither.
    """
    return must_be_compared(column) == "number"


def must_be_compared(column: pd.Series) -> Kind:
    """Return the kind of a column, and refuse times and nested values."""
    kind = kind_of(column)
    if kind == "times":
        raise ValueError(
            f"{column.name!r} holds times ({column.dtype}), which always move on. "
            "Compare an age, or the hour of the day, as a number."
        )
    if kind == "nested":
        raise ValueError(
            f"{column.name!r} holds {KINDS[kind]} ({column.dtype}), which are neither "
            "numbers nor categories. Leave it out, or take its length."
        )
    if kind == "empty":
        dtype = column.dtype
        plain = pd.api.types.is_numeric_dtype(dtype)
        return "number" if plain and not pd.api.types.is_bool_dtype(dtype) else kind
    return kind


def as_floats(column: pd.Series) -> Floats:
    """Return the numbers of a column, null as NaN; of floats, the column's own."""
    if column.dtype == np.float64:
        return np.asarray(column)
    return np.asarray(column.to_numpy(dtype=np.float64, na_value=np.nan))


def known_floats(column: pd.Series) -> Floats:
    """Return the numbers of a column, without nulls."""
    values = as_floats(column)
    return values[~np.isnan(values)]


def is_null(column: pd.Series) -> Booleans:
    """Mark the nulls of a column: NA, and NaN inside a nullable column as well."""
    null = np.asarray(column.isna(), np.bool_)
    dtype = column.dtype
    if isinstance(dtype, np.dtype) or dtype.kind != "f":
        return null
    return null | np.isnan(as_floats(column))


def as_frame(values: Values, role: str) -> pd.DataFrame:
    """Return values as a table of one column or more, and refuse an empty one."""
    table: pd.DataFrame = values
    if not isinstance(values, pd.DataFrame):
        one = values if isinstance(values, pd.Series) else pd.Series(values)
        table = one.to_frame("value" if one.name is None else one.name)
    if not len(table):
        raise ValueError(f"the {role} has no rows: there is nothing to compare.")
    texts = all(isinstance(name, str) for name in table.columns)
    table = table if texts else table.set_axis(table.columns.map(str), axis=1)
    doubled = table.columns[table.columns.duplicated()]
    if len(doubled):
        raise ValueError(f"the {role} has two columns {doubled[0]!r}. Rename one.")
    return table


def difference(name: str, was: Kind, table: pd.DataFrame) -> str:
    """Say why a column of the current sample cannot be compared, or nothing.

    Parameters
    ----------
    name : str
        The column.
    was : Kind
        What it holds in the reference.
    table : DataFrame
        The current sample.

    Returns
    -------
    str
        Empty if the column is there, and of the same kind or null. A column that was
        null may have become a number or a category.
    """
    if name not in table:
        return "missing from the current sample"
    now = kind_of(table[name])
    wakes = was == "empty" and now in ("number", "category")
    if now in (was, "empty") or wakes:
        return ""
    return f"{KINDS[was]} in the reference, {KINDS[now]} ({table[name].dtype}) now"

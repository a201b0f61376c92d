"""The identity of a batch: the same values have the same name, whoever stored them."""

from decimal import Decimal
from numbers import Integral, Real
from typing import NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa

from flightline.lake import core
from flightline.lake.times import Flags, instants, missing, require


class Canonical(NamedTuple):
    """A column in one form: its kind, its values, and which of them are missing."""

    kind: str
    values: pd.Series
    null: Flags


def plain(column: pd.Series) -> pd.Series:
    """Return categories as the values that they stand for, with a fresh index."""
    fresh = column.reset_index(drop=True)
    if isinstance(fresh.dtype, pd.CategoricalDtype):
        return fresh.astype(fresh.cat.categories.dtype)
    return fresh


def _word(value: object) -> str:
    """Return a value of a mixed column with its kind, so that 5 is not "5"."""
    if isinstance(value, (bool, np.bool_)):
        return f"bool:{value}"
    if isinstance(value, Integral):
        return f"int:{value}"
    if isinstance(value, Decimal):
        return f"decimal:{value.normalize()}"
    if isinstance(value, Real):
        return f"float:{float(value) + 0.0!r}"
    return f"{type(value).__name__}:{value!r}"


def _times(column: pd.Series) -> tuple[str, pd.Series]:
    """Return times as microseconds, or in their own unit where these do not hold them.

    A local time and the same instant in UTC are equal; a time without a zone is not.
    """
    zone = "naive time" if column.dt.tz is None else "time"
    zoned = column.dt.tz_localize("UTC") if column.dt.tz is None else column
    index = instants(zoned, str(column.name))
    try:
        micro = index.as_unit("us", round_ok=False)
    except (ValueError, pd.errors.OutOfBoundsDatetime):
        micro = index
    return f"{zone} {micro.unit}", pd.Series(micro.asi8)


def _whole(column: pd.Series, null: Flags) -> tuple[str, pd.Series]:
    """Return whole numbers of any width in 64 bits, exact."""
    known = column.where(~null, 0) if null.any() else column
    if pd.api.types.is_unsigned_integer_dtype(column.dtype):
        wide = pd.Series(known.to_numpy(np.uint64))
        if len(wide) and wide.max() > np.iinfo(np.int64).max:
            return "unsigned", wide
    return "int", pd.Series(known.to_numpy(np.int64))


def _texts(column: pd.Series) -> pd.Series:
    """Return a number for each text; each distinct text is looked at once."""
    coded = pa.array(column, pa.string(), from_pandas=True).dictionary_encode()
    distinct = coded.dictionary.to_numpy(zero_copy_only=False)
    numbers = np.append(pd.util.hash_array(distinct, categorize=False), np.uint64(0))
    return pd.Series(numbers[coded.indices.fill_null(-1).to_numpy()])


def _canonical(column: pd.Series) -> Canonical:
    """Bring a column into the one form of its kind."""
    column = plain(column)
    dtype, null = column.dtype, missing(column)
    if pd.api.types.is_datetime64_any_dtype(dtype):
        kind, values = _times(column)
    elif pd.api.types.is_timedelta64_dtype(dtype):
        kind, values = "duration", column.fillna(pd.Timedelta(0)).map(repr)
    elif pd.api.types.is_bool_dtype(dtype) and not null.any():
        kind, values = "bool", pd.Series(column.to_numpy(bool))
    elif pd.api.types.is_integer_dtype(dtype):
        kind, values = _whole(column, null)
    elif pd.api.types.is_float_dtype(dtype):
        wide = column.to_numpy(np.float64, na_value=np.nan)
        kind, values = "float", pd.Series(np.where(null, 0.0, wide + 0.0))
    elif pd.api.types.infer_dtype(column, skipna=True) in ("string", "empty"):
        kind, values = "text", _texts(column)
    else:
        words = ["" if gone else _word(v) for v, gone in zip(column, null, strict=True)]
        kind, values = "mixed", pd.Series(words, dtype=object)
    return Canonical(kind, values, null)


def batch_digest(batch: pd.DataFrame) -> str:
    """Name a batch by its rows, in whatever order they come.

    Parameters
    ----------
    batch : DataFrame
        Any rows; the index is ignored, and so is the order of the columns.

    Returns
    -------
    str
        A sha256 in hex. The kind of a column counts (a whole number, a float, a text,
        a time with or without a zone), its width and its unit do not: `int8` holds the
        same 5 as `int64`, and a category the same text as an object.

    Raises
    ------
    ValueError
        If two columns have one name.
    """
    require(batch, [], "The batch")
    columns: dict[str, pd.Series] = {}
    for label in batch.columns:
        kind, values, null = _canonical(batch[label])
        columns[f"{label!r} {kind}"] = values
        if null.any():
            columns[f"{label!r} missing"] = pd.Series(null)
    return core.batch_digest(pd.DataFrame(columns, index=pd.RangeIndex(len(batch))))

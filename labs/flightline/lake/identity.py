"""The identity of a batch: the same values have the same name, whoever stored them."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from decimal import Decimal
from numbers import Integral, Real
from typing import NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from flightline.lake.times import Flags, instants, is_timed, missing, require


class Canonical(NamedTuple):
    """A column in one form: its kind, and its values; what is missing is null."""

    kind: str
    values: pa.Array


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


def _times(column: pd.Series, null: Flags) -> Canonical:
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
    return Canonical(f"{zone} {micro.unit}", pa.array(micro.asi8, mask=null))


def _whole(column: pd.Series, null: Flags) -> Canonical:
    """Return whole numbers of any width in 64 bits, exact."""
    known = column.where(~null, 0) if null.any() else column
    if pd.api.types.is_unsigned_integer_dtype(column.dtype):
        wide = known.to_numpy(np.uint64)
        if len(wide) and wide.max() > np.iinfo(np.int64).max:
            return Canonical("unsigned", pa.array(wide, mask=null))
    return Canonical("int", pa.array(known.to_numpy(np.int64), mask=null))


def _words(column: pd.Series, null: Flags) -> Canonical:
    """Return values of several kinds, or of rare ones, as words."""
    words = [None if gone else _word(v) for v, gone in zip(column, null, strict=True)]
    return Canonical("mixed", pa.array(words, pa.string()))


def _canonical(column: pd.Series) -> Canonical:
    """Bring a column into the one form of its kind."""
    column = plain(column)
    dtype, null = column.dtype, missing(column)
    if is_timed(dtype):
        return _times(column, null)
    if pd.api.types.is_bool_dtype(dtype) and not null.any():
        return Canonical("bool", pa.array(column.to_numpy(np.int8)))
    if pd.api.types.is_integer_dtype(dtype):
        return _whole(column, null)
    if pd.api.types.is_float_dtype(dtype):
        wide = column.to_numpy(np.float64, na_value=np.nan) + 0.0  # no minus zero
        return Canonical("float", pa.array(wide, mask=null))
    if pd.api.types.infer_dtype(column, skipna=True) in ("string", "empty"):
        with suppress(UnicodeEncodeError):  # half a character, which no file can hold
            return Canonical("text", pa.array(column, pa.string(), from_pandas=True))
    return _words(column, null)


def _content(column: pa.Array) -> Iterator[bytes]:
    """Return what a column holds as bytes: which are null, lengths, values."""
    yield np.asarray(column.is_null()).tobytes()
    if not pa.types.is_string(column.type):
        yield column.fill_null(0).to_numpy().tobytes()
        return
    filled = column.fill_null("")
    yield pc.binary_length(filled).to_numpy().tobytes()
    _, offsets, values = filled.buffers()
    if len(filled) and values is not None:
        ends = np.frombuffer(offsets, np.int32)[filled.offset :]
        yield memoryview(values)[ends[0] : ends[len(filled)]].tobytes()


def batch_digest(batch: pd.DataFrame) -> str:
    """Name a batch by its rows, in whatever order they come.

    Parameters
    ----------
    batch : DataFrame
        Any rows; the index is ignored, and so is the order of the columns.

    Returns
    -------
    str
        A sha256 in hex, of the sorted rows. The kind of a column counts (a whole
        number, a float, a text, a time with or without a zone), its width and its unit
        do not: `int8` holds the same 5 as `int64`, and a category the same text as an
        object.

    Raises
    ------
    ValueError
        If two columns have one name.
    """
    return digest_of(batch, {})


def _ready(column: pa.Array) -> Canonical | None:
    """Return a column of Arrow in its one form, if that takes no cast."""
    kind = column.type
    if pa.types.is_string(kind):
        return Canonical("text", column)
    if kind == pa.int64():
        return Canonical("int", column)
    if kind == pa.float64():
        return Canonical("float", pc.add(column, 0.0))
    if pa.types.is_timestamp(kind) and kind.unit == "us" and kind.tz is not None:
        return Canonical("time us", column.cast(pa.int64()))
    return None


def digest_of(batch: pd.DataFrame, arrays: Mapping[str, pa.Array]) -> str:
    """Name a batch as `batch_digest` does, where some columns stand in Arrow already.

    Parameters
    ----------
    batch : DataFrame
        The rows.
    arrays : mapping of pyarrow.Array
        Columns of the batch in the same rows and of the same type, by name.

    Returns
    -------
    str
    """
    require(batch, [], "The batch")
    found = {}
    for label in batch.columns:
        ready = _ready(arrays[label]) if label in arrays else None
        found[repr(label)] = ready or _canonical(batch[label])
    names = sorted(found, key=lambda name: (found[name].kind == "text", name))
    table = pa.table([found[name].values for name in names], names=names)
    if len(table):
        table = table.sort_by([(name, "ascending") for name in names])
    header = [[name, found[name].kind] for name in names]
    digest = hashlib.sha256(json.dumps([len(batch), header]).encode())
    for name in names:
        for part in _content(table[name].combine_chunks()):
            digest.update(part)
    return digest.hexdigest()

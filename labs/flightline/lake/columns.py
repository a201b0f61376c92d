"""The types of a table: kept in its log, and held to by every batch and every read.

A column has a type of Arrow, in which its files are written, and one of pandas, in
which it is read. The first batch decides both; a later one is cast to them or refused.
"""

import base64
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa

Row = list[str | int]
MOST_DIGITS = 76  # of a decimal in Arrow


@dataclass(frozen=True)
class ColumnType:
    """What a table says of one column.

    Attributes
    ----------
    name : str
    dtype : str
        The type in pandas, such as `int64` or `datetime64[us, UTC]`; `arrow` for
        pandas' columns that hold Arrow's own types.
    since : int
        The version that brought the column. In older rows it is missing.
    arrow : pyarrow.DataType
        The type in files.
    """

    name: str
    dtype: str
    since: int
    arrow: pa.DataType


def to_text(columns: Sequence[ColumnType]) -> str:
    """Return the types in files as one text for the log, exact.

    Parameters
    ----------
    columns : sequence of ColumnType

    Returns
    -------
    str
        Arrow's own form of a schema, in base64.
    """
    schema = pa.schema([pa.field(each.name, each.arrow) for each in columns])
    return base64.b64encode(schema.serialize().to_pybytes()).decode()


def from_text(rows: Sequence[Row], text: str) -> list[ColumnType]:
    """Return the types that an entry of the log states.

    Parameters
    ----------
    rows : sequence
        Name, type in pandas and version of each column.
    text : str
        As `to_text` returns it.

    Returns
    -------
    list of ColumnType
    """
    if not rows:
        return []
    schema = pa.ipc.read_schema(pa.py_buffer(base64.b64decode(text)))
    return [
        ColumnType(str(name), str(dtype), int(since), schema.field(str(name)).type)
        for name, dtype, since in rows
    ]


def _plain_type(kind: pa.DataType) -> pa.DataType:
    """Return the type in files: the values of a dictionary, not the dictionary."""
    return kind.value_type if pa.types.is_dictionary(kind) else kind


def _to_arrow(column: pd.Series) -> pa.Array:
    """Return a column in a type of Arrow that gives back every value, or refuse it."""
    name = column.name
    try:
        array = pa.array(column, from_pandas=True)
        array = array.cast(_plain_type(array.type))
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError) as error:
        raise ValueError(f"{name} cannot be stored: {error}. Store text.") from None
    except (OverflowError, TypeError, UnicodeEncodeError) as error:
        raise ValueError(f"{name} cannot be stored: {error}. Store text.") from None
    if pa.types.is_nested(array.type) or isinstance(array.type, pa.BaseExtensionType):
        raise ValueError(f"{name} holds {array.type}. Store it as text, such as JSON.")
    text = pa.types.is_string(array.type) or pa.types.is_large_string(array.type)
    if column.dtype == object and not text:
        back = array.to_pylist()
        for at, (was, now) in enumerate(zip(column, back, strict=True)):
            if now is not None and not bool(was == now):
                raise ValueError(
                    f"{name} holds values of several kinds (row {at}: {was!r}). Store "
                    "one kind, or text."
                )
    return array


def _dtype(column: pd.Series, *, added: bool) -> str:
    """Name the type of a column in pandas; an added one must be able to be missing."""
    if isinstance(column.dtype, pd.ArrowDtype):
        return "arrow"
    if isinstance(column.dtype, pd.CategoricalDtype):
        return "category"
    name = str(column.dtype)
    if added and name == "bool":
        return "boolean"
    if added and isinstance(column.dtype, np.dtype) and column.dtype.kind in "iu":
        return name.replace("uint", "UInt").replace("int", "Int")
    return name


def _wider(was: pa.DataType, now: pa.DataType) -> pa.DataType:
    """Return a type for both: null gives way, decimals take the digits of both."""
    if pa.types.is_null(was):
        return now
    if pa.types.is_decimal(was) and pa.types.is_decimal(now):
        scale = max(was.scale, now.scale)
        digits = scale + max(was.precision - was.scale, now.precision - now.scale)
        if digits > MOST_DIGITS:
            raise ValueError(
                f"its decimals need {digits} digits together, and {MOST_DIGITS} is the "
                "most. Round them."
            )
        wide = pa.decimal128 if digits <= 38 else pa.decimal256
        return wide(digits, scale)
    return was


KINDS: tuple[Callable[[pa.DataType], bool], ...] = (
    pa.types.is_integer,
    pa.types.is_floating,
    pa.types.is_decimal,
    lambda kind: pa.types.is_string(kind) or pa.types.is_large_string(kind),
    lambda kind: pa.types.is_binary(kind) or pa.types.is_large_binary(kind),
    lambda kind: pa.types.is_timestamp(kind) and kind.tz is not None,
    lambda kind: pa.types.is_timestamp(kind) and kind.tz is None,
    pa.types.is_duration,
)


def _one_kind(was: pa.DataType, now: pa.DataType) -> bool:
    """Return whether values of a type may be cast to another, if none changes."""
    if was == now or pa.types.is_null(was) or pa.types.is_null(now):
        return True
    return any(kind(was) and kind(now) for kind in KINDS)


def to_arrays(rows: pd.DataFrame) -> dict[str, pa.Array]:
    """Return the columns of a batch in types of Arrow that give back every value.

    Parameters
    ----------
    rows : DataFrame
        What the batch holds.

    Returns
    -------
    dict of pyarrow.Array

    Raises
    ------
    ValueError
        If a column cannot be stored; it is named.
    """
    return {str(name): _to_arrow(rows[name]) for name in rows}


def infer(
    table: str,
    rows: pd.DataFrame,
    arrays: Mapping[str, pa.Array],
    version: int,
    held: Sequence[ColumnType],
) -> list[ColumnType]:
    """Return the types of a table after a batch.

    Parameters
    ----------
    table : str
        Its name, for the messages.
    rows : DataFrame
        What the batch holds.
    arrays : mapping of pyarrow.Array
        The same, as `to_arrays` returns it.
    version : int
        The version that it makes.
    held : sequence of ColumnType
        The types so far; none for a new table.

    Returns
    -------
    list of ColumnType
        Those of before, wider where nothing was known, and new columns at the end.

    Raises
    ------
    ValueError
        If a column changes its type, or is gone.
    """
    known = {each.name: each for each in held}
    gone = [n for n, each in known.items() if n not in rows and each.since == 1]
    if gone:
        raise ValueError(
            f"{table}: the batch lacks {', '.join(gone)}, which the table has had from "
            "the start. A column cannot be renamed or dropped; make a new table."
        )
    types: dict[str, ColumnType] = dict(known)
    for name in rows:
        label = str(name)
        kind = arrays[label].type
        dtype, nullable = (_dtype(rows[name], added=added) for added in (False, True))
        if label not in known:
            added = nullable if known else dtype
            types[label] = ColumnType(label, added, version, kind)
            continue
        was = known[label]
        if was.dtype not in (dtype, nullable) or not _one_kind(was.arrow, kind):
            raise ValueError(
                f"{table}: {label} is {was.dtype} ({was.arrow}) in the table, and "
                f"{dtype} ({kind}) in the batch. Cast it, or make a new table."
            )
        try:
            wider = _wider(was.arrow, kind)
        except ValueError as error:
            raise ValueError(f"{table}: {label}: {error}") from None
        types[label] = ColumnType(label, was.dtype, was.since, wider)
    return list(types.values())


def to_table(
    arrays: Mapping[str, pa.Array], rows: int, columns: Sequence[ColumnType]
) -> pa.Table:
    """Return a batch in the types of a table; what is absent is missing.

    Parameters
    ----------
    arrays : mapping of pyarrow.Array
        What a batch holds, in any order of columns.
    rows : int
        How many rows it has.
    columns : sequence of ColumnType
        The types of the table.

    Returns
    -------
    pyarrow.Table

    Raises
    ------
    ValueError
        If a value does not fit its column.
    """
    cast = []
    for each in columns:
        array = arrays.get(each.name)
        if array is None:
            array = pa.nulls(rows, each.arrow)
        try:
            cast.append(array if array.type == each.arrow else array.cast(each.arrow))
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
            raise ValueError(
                f"{each.name} is {each.arrow} in the table, and {array.type} in the "
                f"batch: {error}."
            ) from None
    return pa.table(cast, names=[each.name for each in columns])


def conform(table: pa.Table, columns: Sequence[ColumnType]) -> pa.Table:
    """Bring the content of a file into the types of a table.

    Parameters
    ----------
    table : pyarrow.Table
        As it lies in a file of this or of an older version.
    columns : sequence of ColumnType
        The columns wanted.

    Returns
    -------
    pyarrow.Table
    """
    arrays = []
    for each in columns:
        column = table[each.name] if each.name in table.column_names else None
        if column is None or column.null_count == len(table):
            column = pa.chunked_array([pa.nulls(len(table), each.arrow)])
        arrays.append(column.cast(each.arrow))
    return pa.table(arrays, names=[each.name for each in columns])


def _series(column: pa.ChunkedArray, dtype: str) -> pd.Series:
    """Return one column in its type of pandas."""
    if dtype == "arrow":
        return pd.Series(pd.arrays.ArrowExtensionArray(column))
    text = pa.types.is_string(column.type) or pa.types.is_large_string(column.type)
    if dtype == "object" and not text:
        return pd.Series(column.to_pylist(), dtype=object)
    if dtype == "category":
        values = column.to_pylist() if column.null_count else column.to_pandas()
        return pd.Series(pd.Categorical(values))
    if dtype in ("object", "bool") or column.null_count == 0:
        return column.to_pandas().astype(dtype)
    wanted = pd.api.types.pandas_dtype(dtype)
    if isinstance(wanted, pd.api.extensions.ExtensionDtype) and hasattr(
        wanted, "__from_arrow__"
    ):
        return pd.Series(wanted.__from_arrow__(column))
    return column.to_pandas().astype(dtype)


def to_frame(table: pa.Table, columns: Sequence[ColumnType]) -> pd.DataFrame:
    """Return a table in pandas' types.

    Parameters
    ----------
    table : pyarrow.Table
        With these columns, in their types of Arrow.
    columns : sequence of ColumnType

    Returns
    -------
    DataFrame
        Index 0 to n - 1.
    """
    found = {each.name: _series(table[each.name], each.dtype) for each in columns}
    return pd.DataFrame(found, index=pd.RangeIndex(len(table)))

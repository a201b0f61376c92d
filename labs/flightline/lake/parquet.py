"""The data files: Parquet, named by their content, read from the very bytes checked."""

from collections.abc import Sequence
from typing import TypedDict

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from flightline.lake import core
from flightline.lake.columns import ColumnType, conform
from flightline.lake.log import Damaged, Record, Snapshot, sha
from flightline.lake.times import Flags

Micros = npt.NDArray[np.int64]


class Encodings(TypedDict):
    """How Parquet packs the columns of a file."""

    use_dictionary: list[str]
    column_encoding: dict[str, str]


UNITS = {"day": "D", "month": "M"}


def order(key: str) -> list[str]:
    """Return the columns that identify an event row, in the order of reading.

    Parameters
    ----------
    key : str
        The column that says what an event is about.

    Returns
    -------
    list of str
    """
    return ["event_time", key, "available_at"]


def identity(key: str) -> list[str]:
    """Return the same columns, the one that tells most rows apart first.

    Parameters
    ----------
    key : str
        The column that says what an event is about.

    Returns
    -------
    list of str
    """
    return [key, "event_time", "available_at"]


def sorted_by(table: pa.Table, names: Sequence[str]) -> pa.Table:
    """Return a table in the order of some columns, equal rows as they come.

    Parameters
    ----------
    table : pyarrow.Table
    names : sequence of str

    Returns
    -------
    pyarrow.Table
    """
    return table.sort_by([(name, "ascending") for name in names])


def micros(times: pa.ChunkedArray) -> Micros:
    """Return instants as whole microseconds since 1970, rounded down.

    Parameters
    ----------
    times : pyarrow.ChunkedArray
        With a zone, of any unit, without nulls.

    Returns
    -------
    array of int64
    """
    kind = pa.timestamp("us", times.type.tz)
    whole: Micros = times.cast(kind, safe=False).cast(pa.int64()).to_numpy()
    return whole


def _text(micro: np.int64) -> str:
    """Write an instant in ISO 8601, whatever its year."""
    return f"{np.datetime_as_string(np.datetime64(int(micro), 'us'))}+00:00"


def _micro(text: str) -> int:
    """Read an instant that `_text` wrote."""
    return int(np.datetime64(text.removesuffix("+00:00"), "us").astype(np.int64))


def _typed(rows: pa.Table) -> pa.Table:
    """Store a column in which nothing is known yet as text."""
    fields = [
        field.with_type(pa.string()) if pa.types.is_null(field.type) else field
        for field in rows.schema
    ]
    return rows.cast(pa.schema(fields))


def _encodings(rows: pa.Table, names: Sequence[str]) -> Encodings:
    """Choose how columns are packed: a dictionary, unless the values are distinct.

    The rows lie in the order of `names`, so that neighbours there are alike.
    """
    packed: dict[str, str] = {}
    for name in names:
        kind = rows.schema.field(name).type
        if pa.types.is_string(kind):
            packed[name] = "DELTA_BYTE_ARRAY"
        elif pa.types.is_timestamp(kind) or pa.types.is_int64(kind):
            packed[name] = "DELTA_BINARY_PACKED"
    others = [name for name in rows.column_names if name not in packed]
    return {"use_dictionary": others, "column_encoding": packed}


def write(state: Snapshot, folder: str, rows: pa.Table, names: Sequence[str]) -> Record:
    """Write rows as one Parquet file named by its content, and describe it.

    Parameters
    ----------
    state : Snapshot
        Says where the table lies.
    folder : str
        Below the folder of the table.
    rows : pyarrow.Table
        The same rows give the same bytes.
    names : sequence of str
        The order of the rows.

    Returns
    -------
    Record

    Raises
    ------
    OSError
        If the disk refuses; nothing is named then.
    """
    ordered, sink = _typed(sorted_by(rows, names)), pa.BufferOutputStream()
    pq.write_table(ordered, sink, compression="zstd", **_encodings(ordered, names))
    content = sink.getvalue().to_pybytes()
    digest = sha(content)
    path = state.root / folder / f"{digest[:32]}.parquet"
    core.draft(path.parent, content, "file").replace(path)  # same name, same bytes
    core.failpoint("file-named")
    return {
        "path": f"{folder}/{path.name}",
        "sha256": digest,
        "rows": len(rows),
        "bytes": len(content),
    }


def write_parts(state: Snapshot, rows: pa.Table) -> list[Record]:
    """Write accepted rows, one file a partition; nobody sees them before a commit.

    Parameters
    ----------
    state : Snapshot
        Says where, and how the table is cut.
    rows : pyarrow.Table
        Rows that keep the contract, in the types of the table.

    Returns
    -------
    list of dict
        A record for each file: path, sha256, rows, bytes, start and end.
    """
    when = micros(rows["event_time"])
    stamps = when.view("M8[us]").astype(f"M8[{UNITS[state.by]}]")
    records = []
    for part in sorted(pd.unique(stamps)):
        inside = stamps == part
        each = rows if inside.all() else rows.filter(pa.array(inside))
        record = write(state, f"data/{state.by}={part}", each, order(state.key))
        here = when[inside]
        record["start"], record["end"] = _text(here.min()), _text(here.max())
        records.append(record)
    return records


def read_file(
    state: Snapshot, record: Record, columns: Sequence[str] | None = None
) -> pa.Table:
    """Read one file, from the very bytes whose digest was checked.

    Parameters
    ----------
    state : Snapshot
        Says where the table lies.
    record : Record
        The file.
    columns : sequence of str, optional
        Those to read, as far as the file has them; all by default.

    Returns
    -------
    pyarrow.Table

    Raises
    ------
    Damaged
        If the file is missing or changed; the message names it.
    """
    path = state.root / record["path"]
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        content = b""
    if sha(content) != record["sha256"]:
        what = f"{len(content)} bytes do not match the {record['bytes']} in the log"
        where = f"{state.root.name}/{record['path']}"
        raise Damaged(f"{where}: {what}. Restore it from a copy.")
    file = pq.ParquetFile(pa.BufferReader(content))
    if columns is not None:
        columns = [name for name in columns if name in file.schema_arrow.names]
    return file.read(columns=columns)


def overlapping(state: Snapshot, low: int | None, high: int | None) -> list[Record]:
    """Return the records of the files that may hold events of some time.

    Parameters
    ----------
    state : Snapshot
    low, high : int or None
        Microseconds since 1970, both included; None is no limit.

    Returns
    -------
    list of Record
    """
    return [
        record
        for record in state.files.values()
        if (high is None or _micro(record["start"]) <= high)
        and (low is None or _micro(record["end"]) >= low)
    ]


def load(
    state: Snapshot, records: Sequence[Record], columns: Sequence[ColumnType]
) -> pa.Table:
    """Read files of a table into one, in the types of the table.

    Parameters
    ----------
    state : Snapshot
    records : sequence of Record
        Perhaps none.
    columns : sequence of ColumnType
        The columns wanted.

    Returns
    -------
    pyarrow.Table
        In the order of the files.
    """
    names = [each.name for each in columns]
    empty = pa.table([pa.nulls(0, each.arrow) for each in columns], names=names)
    parts = [conform(read_file(state, r, names), columns) for r in records]
    return pa.concat_tables([empty, *parts])


def duplicates(rows: pa.Table, held: pa.Table, names: Sequence[str]) -> Flags:
    """Mark the rows whose names' values stand in `held`, or in a row before them.

    Parameters
    ----------
    rows, held : pyarrow.Table
        Both with these columns, in the same types.
    names : sequence of str

    Returns
    -------
    array of bool, one a row
    """
    both = pa.concat_tables([held.select(names), rows.select(names)])
    code = np.zeros(len(both), np.int64)
    for name in names:
        column = both[name].combine_chunks().dictionary_encode()
        distinct = len(column.dictionary) + 1
        if distinct > len(both):  # no value comes twice, so no row does
            return np.zeros(len(rows), bool)
        code = code * distinct + pc.fill_null(column.indices, -1).to_numpy() + 1
        code = pd.factorize(code)[0]
    found: Flags = pd.Series(code).duplicated().to_numpy()[len(held) :]
    return found

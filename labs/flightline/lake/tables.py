"""Append to a table and read it: a batch counts once, each version stays."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import pandas as pd
import pyarrow as pa

from flightline.lake import core, parquet
from flightline.lake.columns import ColumnType, infer, to_frame, to_table
from flightline.lake.commits import commit, holding
from flightline.lake.contracts import contract, key_of
from flightline.lake.erased import ERASED, is_erased, shows_erased
from flightline.lake.identity import digest_of
from flightline.lake.log import (
    Change,
    Damaged,
    LogEntry,
    Record,
    Snapshot,
    folder_of,
    latest,
    snapshot,
)
from flightline.lake.screening import Screened, reject, sift
from flightline.lake.times import Flags, Moment, micro, moment, require

if TYPE_CHECKING:
    from pandera.pandas import DataFrameSchema

T = TypeVar("T")
AGAIN = "is in the lake already"
FAILPOINTS = (
    "start",
    "file-half",
    "file-draft",
    "file-named",
    "entry-half",
    "entry-draft",
    "entry-named",
)
"""The steps of a commit at which a test can kill it, in order."""


@dataclass(frozen=True)
class Commit:
    """What an append did; `new` is False if the lake held the batch already."""

    table: str
    version: int
    rows_in: int
    accepted: int
    quarantined: int
    new: bool


# --- append ---------------------------------------------------------------------------


def _receipt(table: str, entry: LogEntry, *, new: bool) -> Commit:
    """Describe an append by its entry."""
    good = sum(record["rows"] for record in entry["add"])
    bad = sum(record["rows"] for record in entry["reject"])
    return Commit(table, entry["version"], good + bad, good, bad, new)


def _partition(state: Snapshot, table: str, by: str | None) -> str:
    """Return how the table is cut: chosen with the first batch, then fixed."""
    allowed = (state.by,) if state.by else tuple(parquet.UNITS)
    chosen = by or state.by or "month"
    if chosen not in allowed:
        raise ValueError(f"{table}: by is {by!r}. It can be {' or '.join(allowed)}.")
    return chosen


def _settle(
    state: Snapshot, schema: "DataFrameSchema", screened: Screened, by: str | None
) -> tuple[Snapshot, pa.Table]:
    """Fix partition, key and types, and bring the good rows into them."""
    key, name = key_of(schema), str(schema.name)
    if state.key not in ("", key):
        raise ValueError(f"{name}: the key was {state.key!r}, and now is {key!r}.")
    good, arrays = screened.good, screened.arrays
    columns = infer(name, good, arrays, state.version + 1, state.columns)
    rows = to_table(arrays, len(good), columns)
    by = _partition(state, name, by)
    return replace(state, by=by, key=key, columns=columns), rows


def _held(state: Snapshot, rows: pa.Table) -> pa.Table:
    """Return the identities of the rows that the lake holds around some new ones."""
    names = parquet.order(state.key)
    types = [each for each in state.columns if each.name in names]
    near: list[Record] = []
    if len(rows):
        when = parquet.micros(rows["event_time"])
        near = parquet.overlapping(state, int(when.min()), int(when.max()))
    return parquet.load(state, near, types)


def _hidden(held: Snapshot, batch: pd.DataFrame, screened: Screened) -> Flags:
    """Mark the rows that hold something erased, as delivered or as cast."""
    hidden = is_erased(held.erased, batch)
    hidden[screened.good.index] |= is_erased(held.erased, screened.good)
    bad = screened.bad["row"].to_numpy()
    hidden[bad] |= shows_erased(held.erased, batch.iloc[bad])
    return hidden


def _set_aside(
    batch: pd.DataFrame, bad: pd.DataFrame, reasons: dict[int, str], hidden: Flags
) -> pd.DataFrame:
    """Join what was set aside for different reasons; show nothing that was erased."""
    more = [reject(batch, reasons)] if reasons else []
    both = pd.concat([bad, *more], ignore_index=True)
    return both.assign(raw=both["raw"].where(~hidden[both["row"]], ""))


def _write_rejects(state: Snapshot, bad: pd.DataFrame, source: str) -> list[Record]:
    """Write the rows that were set aside as one file, if there are any."""
    if bad.empty:
        return []
    bad = bad.assign(source=source, version=state.version + 1)
    rows = pa.Table.from_pandas(bad, preserve_index=False)
    return [parquet.write(state, "quarantine", rows, ["version", "row"])]


def append(
    lake_dir: Path | str,
    table: str,
    batch: pd.DataFrame,
    *,
    source: str = "",
    by: str | None = None,
    schema: "DataFrameSchema | None" = None,
) -> Commit:
    """Append a batch: the whole of it or nothing, and never twice.

    Parameters
    ----------
    lake_dir : path
        The folder of the lake; it is made if it is missing.
    table : str
        The table; the first batch creates it.
    batch : DataFrame
        Rows with the columns of the contract; the index is ignored. Bad rows go to
        quarantine, and so do rows whose key and times the lake holds already.
    source : str
        Where the batch comes from; kept in the log and beside quarantined rows.
    by : {"month", "day"}, optional
        How a new table is cut into partitions, by `event_time` in UTC.
    schema : pandera.DataFrameSchema, optional
        The contract of a table that the course does not know, with
        `metadata={"key": ...}`, `event_time` and `available_at`. A later contract may
        have new columns; in older rows they are missing.

    Returns
    -------
    Commit
        `rows_in == accepted + quarantined`. If the lake holds the same batch from an
        earlier append, and the contract sets no other rows aside today, nothing
        changes, and `new` is False.

    Raises
    ------
    Conflict
        If another writer committed meanwhile. Append again.
    ValueError
        If the batch lacks a column, has one too many, or holds a type that cannot be
        stored or differs from the table's.
    Damaged
        If the lake is damaged.
    OSError
        If the disk refuses; nothing of the batch is in the lake then.
    """
    schema = contract(table) if schema is None else schema
    screened = sift(batch, schema)
    identity = digest_of(batch, _as_delivered(batch, screened))
    with holding(folder_of(lake_dir, table)):
        held = latest(lake_dir, table)
        state, rows = _settle(held, schema, screened, by)
        again = parquet.duplicates(
            rows, _held(state, rows), parquet.identity(state.key)
        )
        position = screened.good.index.to_numpy()
        hidden = _hidden(held, batch, screened)
        kept = ~(again | hidden[position])
        if identity in held.batches and not kept.any():
            return _receipt(table, held.batches[identity], new=False)
        core.failpoint("start")
        reasons = dict.fromkeys(map(int, position[again]), AGAIN)
        reasons |= dict.fromkeys(map(int, position[hidden[position]]), ERASED)
        aside = _set_aside(batch, screened.bad, reasons, hidden)
        change: Change = {
            "batch": identity,
            "source": str(source),
            "reject": _write_rejects(state, aside, str(source)),
            "add": parquet.write_parts(state, _only(rows, kept)),
        }
        return _receipt(table, commit(state, "append", change), new=True)


def _as_delivered(batch: pd.DataFrame, screened: Screened) -> dict[str, pa.Array]:
    """Return the columns of a batch in Arrow that no cast and no rule has changed."""
    good = screened.good
    if len(good) != len(batch):
        return {}
    return {
        name: array
        for name, array in screened.arrays.items()
        if good[name].dtype == batch[name].dtype
    }


def _only(rows: pa.Table, kept: Flags) -> pa.Table:
    """Return the marked rows; all of them as they are."""
    return rows if kept.all() else rows.filter(pa.array(kept))


# --- read -----------------------------------------------------------------------------


def _consistent(
    lake_dir: Path | str, table: str, as_of: int | None, read: Callable[[Snapshot], T]
) -> T:
    """Read a version; if it went meanwhile, say so, or take the newest one again."""
    state = snapshot(lake_dir, table, as_of)
    while True:
        try:
            return read(state)
        except Damaged:
            again = snapshot(lake_dir, table, as_of)
            if again.version == state.version:
                raise
            state = again


def read(
    lake_dir: Path | str,
    table: str,
    as_of: int | None = None,
    *,
    columns: Sequence[str] | None = None,
    start: Moment | None = None,
    end: Moment | None = None,
) -> pd.DataFrame:
    """Read a version of a table.

    Parameters
    ----------
    lake_dir, table
        The lake's folder and the table.
    as_of : int, optional
        A version; the newest by default.
    columns : list of str, optional
        The columns to read; all by default.
    start, end : timestamp with a time zone, optional
        Keep events from `start` to `end`, both included; without them, all there are.
        Files outside are not opened.

    Returns
    -------
    DataFrame
        In the order of `event_time`, key and `available_at`, whatever files the
        rows lie in. The same digests give an equal frame. A column that came with a
        later version is missing in older rows.

    Raises
    ------
    Gone
        If the version was given up.
    ValueError
        If the table, the version or a column does not exist.
    Damaged
        If a file is missing or changed; the message names it.
    """
    low, high = moment(start, "start"), moment(end, "end")

    def rows_of(state: Snapshot) -> pd.DataFrame:
        types = {each.name: each for each in state.columns}
        wanted = list(types) if columns is None else list(columns)
        require(pd.DataFrame(columns=list(types)), wanted, table)
        order = parquet.order(state.key)
        used = [types[name] for name in dict.fromkeys([*wanted, *order])]
        near = parquet.overlapping(state, micro(low), micro(high))
        rows = parquet.sorted_by(parquet.load(state, near, used), order)
        return _within(rows, used, low, high)[wanted]

    return _consistent(lake_dir, table, as_of, rows_of)


def _within(
    rows: pa.Table,
    types: Sequence[ColumnType],
    low: pd.Timestamp | None,
    high: pd.Timestamp | None,
) -> pd.DataFrame:
    """Return the rows of some time as a frame; by default all of them."""
    frame = to_frame(rows, types)
    kept = pd.Series(True, frame.index)
    if low is not None:
        kept &= frame["event_time"] >= low
    if high is not None:
        kept &= frame["event_time"] <= high
    return frame if kept.all() else frame[kept].reset_index(drop=True)


def files(lake_dir: Path | str, table: str, as_of: int | None = None) -> pd.DataFrame:
    """List the files of a version: path, sha256, rows, bytes, start and end.

    Parameters
    ----------
    lake_dir, table, as_of
        As for `read`.

    Returns
    -------
    DataFrame
        One row a file; `path` is relative to the folder of the table.
    """
    records = list(snapshot(lake_dir, table, as_of).files.values())
    names = ["path", "sha256", "rows", "bytes", "start", "end"]
    return pd.DataFrame(records, columns=names).sort_values("path", ignore_index=True)


def quarantine(
    lake_dir: Path | str, table: str, as_of: int | None = None
) -> pd.DataFrame:
    """Read the rows that were set aside.

    Parameters
    ----------
    lake_dir, table, as_of
        As for `read`.

    Returns
    -------
    DataFrame
        `version` and `source` of the batch, `row` (position in it), `reason`, and
        `raw`, the row as JSON; empty where the row may not be kept.
    """
    names = ["version", "source", "row", "reason", "raw"]

    def rows_of(state: Snapshot) -> pd.DataFrame:
        parts = [
            parquet.read_file(state, record, names).select(names)
            for record in state.rejects.values()
        ]
        if not parts:
            return pd.DataFrame(columns=names)
        frame: pd.DataFrame = pa.concat_tables(parts).to_pandas()
        return frame

    return _consistent(lake_dir, table, as_of, rows_of)

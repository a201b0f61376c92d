"""Erase what a table holds about one value, such as an aircraft, in every version.

A lake that keeps every version keeps also what it must forget. So an erasure writes the
files of the newest version anew without the rows, gives up all versions before it, and
removes their files. Time travel then answers with `Gone`, which says what happened.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd
import pyarrow as pa

from flightline.lake import parquet, upkeep
from flightline.lake.casts import cast
from flightline.lake.columns import ColumnType, conform, to_frame
from flightline.lake.commits import commit, holding
from flightline.lake.erased import mark, spelled, spelling
from flightline.lake.log import Record, Snapshot, snapshot
from flightline.lake.times import Flags


@dataclass(frozen=True)
class Erasure:
    """What an erasure did.

    Attributes
    ----------
    table : str
    version : int
        The newest version afterwards.
    rows : int
        Rows of the table that are gone.
    quarantined : int
        Rows in quarantine that are gone.
    versions_lost : int
        Versions that could be read before, and cannot be any more.
    files_removed : int
        Files that went, with those that killed writers had left.
    """

    table: str
    version: int
    rows: int
    quarantined: int
    versions_lost: int
    files_removed: int


def _type(kind: ColumnType) -> object:
    """Return the type of a column in pandas."""
    if kind.dtype == "arrow":
        return pd.ArrowDtype(kind.arrow)
    return pd.api.types.pandas_dtype(kind.dtype)


def _in_type(kind: ColumnType, value: object) -> object:
    """Return a value as its column holds it; refuse one that it cannot hold."""
    found, reasons = cast(pd.Series([value], dtype=object), _type(kind))
    text = pa.types.is_string(kind.arrow) or pa.types.is_large_string(kind.arrow)
    if reasons or (text and not isinstance(value, str)):
        raise ValueError(
            f"value is {value!r}, and {kind.name} holds {kind.dtype} ({kind.arrow}). "
            "Nothing was erased."
        )
    return found.iloc[0]


def _rewrite(
    state: Snapshot, kind: ColumnType, value: object
) -> tuple[list[Record], list[str], int]:
    """Write the data files that hold a value anew; return new, old, and rows gone."""
    add: list[Record] = []
    remove: list[str] = []
    gone = 0
    for path, record in state.files.items():
        rows = conform(parquet.read_file(state, record), state.columns)
        values = to_frame(rows.select([kind.name]), [kind])[kind.name]
        hit: Flags = (values.astype(object) == value).to_numpy(bool, na_value=False)
        if hit.any():
            gone += int(hit.sum())
            remove.append(path)
            add += parquet.write_parts(state, rows.filter(pa.array(~hit)))
    return add, remove, gone


def _names_value(raw: Sequence[str], kind: ColumnType, value: object) -> Flags:
    """Mark the rows in quarantine that hold a value, as it is or after a cast.

    A text counts in any column: such a row may have its columns mixed up.
    """
    rows = [json.loads(each) if each else {} for each in raw]
    values = pd.Series([row.get(kind.name) for row in rows], dtype=object)
    as_cast = cast(values, _type(kind)).column
    found = spelled(values).eq(spelling(value)) | spelled(as_cast).eq(spelling(value))
    if isinstance(value, str):
        found |= pd.Series([value in row.values() for row in rows], dtype=bool)
    marked: Flags = found.to_numpy(bool)
    return marked


def _rewrite_rejects(
    state: Snapshot, kind: ColumnType, value: object
) -> tuple[list[Record], list[str], int]:
    """Write the quarantine files that hold a value anew; return new, old, rows gone."""
    add: list[Record] = []
    remove: list[str] = []
    gone = 0
    for path, record in state.rejects.items():
        rows = parquet.read_file(state, record)
        hit = _names_value(rows["raw"].to_pylist(), kind, value)
        if hit.any():
            gone += int(hit.sum())
            remove.append(path)
            kept = rows.filter(pa.array(~hit))
            if len(kept):
                add.append(parquet.write(state, "quarantine", kept, ["version", "row"]))
    return add, remove, gone


def erase(lake_dir: Path | str, table: str, column: str, value: object) -> Erasure:
    """Erase the rows that hold a value from a table, its quarantine and its versions.

    Parameters
    ----------
    lake_dir : path
        The folder of the lake.
    table : str
        A table that exists. An aircraft stands in several; erase it from each.
    column : str
        A column of the table, such as `tailnum`.
    value : object
        What to erase, as the column holds it or a text of it: "3" for a number.

    Returns
    -------
    Erasure
        If nothing holds the value, no version is made or lost. Files of versions that
        were given up before go all the same, so that a second call finishes what a
        killed one began.

    Raises
    ------
    Conflict
        If a writer is at work. Try again later.
    ValueError
        If the table or the column does not exist, or the value is missing, is more
        than one, or none that the column can hold.

    Notes
    -----
    Afterwards only the new version can be read. The entries of the log stay, since each
    vouches for the next: they hold digests, counts and the names of sources, no rows.
    Copies elsewhere, and models that were trained on the rows, are not reached. If the
    rows are delivered again, they go to quarantine with the reason `was erased` and
    without their content. In quarantine a row goes also if a text stands in another
    column; one that is spelt otherwise (`n2jb`) is not found.
    """
    state = snapshot(lake_dir, table)
    kinds = {each.name: each for each in state.columns}
    if column not in kinds:
        raise ValueError(f"{table} lacks the column {column}. It has: {list(kinds)}.")
    if not pd.api.types.is_scalar(value) or pd.isna(value):
        raise ValueError(f"value is {value!r}. Name one value to erase.")
    value = _in_type(kinds[column], value)
    with holding(state.root, alone=True):
        state = snapshot(lake_dir, table)
        add, remove, rows = _rewrite(state, kinds[column], value)
        reject, old, quarantined = _rewrite_rejects(state, kinds[column], value)
        lost, version = 0, state.version
        if remove or old:
            version, lost = state.version + 1, state.version + 1 - state.oldest
            commit(
                replace(state, oldest=version),
                "erase",
                {
                    "add": add,
                    "remove": _not_in(add, remove) + _not_in(reject, old),
                    "reject": reject,
                    "erased": [mark(column, value)],
                    "rows": rows,
                },
            )
        files = upkeep.remove_unnamed(lake_dir, table)
    return Erasure(table, version, rows, quarantined, lost, files)


def _not_in(add: Sequence[Record], paths: Sequence[str]) -> list[str]:
    """Return the paths that no new file took over."""
    fresh = {record["path"] for record in add}
    return [path for path in paths if path not in fresh]

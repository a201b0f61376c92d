"""Look after a lake: list its history, compact small files, expire old versions.

Nothing here ever runs by itself: `python -m flightline.lake` offers it as commands.
"""

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pandas as pd

from flightline.lake import parquet
from flightline.lake.commits import commit, holding
from flightline.lake.log import (
    Damaged,
    LogEntry,
    Record,
    Snapshot,
    log,
    snapshot,
    snapshots,
)


def history(lake_dir: Path | str, table: str) -> pd.DataFrame:
    """List the versions of a table: what made each, from which source.

    Parameters
    ----------
    lake_dir : path
        The folder of the lake.
    table : str
        A table that exists.

    Returns
    -------
    DataFrame
        One row a version: `version`, `op`, `source`, `accepted`, `quarantined`,
        `erased` (rows), `files_added`, `files_removed`, and whether it is still
        `readable`. A compaction accepts no row.

    Raises
    ------
    ValueError
        If there is no such table.
    """
    oldest = snapshot(lake_dir, table).oldest
    rows = []
    for entry in log(lake_dir, table):
        appended = entry["op"] == "append"
        row = {
            "version": entry["version"],
            "op": entry["op"],
            "source": entry["source"],
            "accepted": _rows(entry["add"]) if appended else 0,
            "quarantined": _rows(entry["reject"]) if appended else 0,
            "erased": entry.get("rows", 0),
            "files_added": len(entry["add"]),
            "files_removed": len(entry["remove"]),
            "readable": entry["version"] >= oldest,
        }
        rows.append(row)
    return pd.DataFrame(rows)


def _rows(records: Sequence[Record]) -> int:
    """Count the rows of some files."""
    return sum(record["rows"] for record in records)


def sources_of(entries: Sequence[LogEntry], path: str) -> list[str]:
    """Name the deliveries whose rows can be in a file.

    Parameters
    ----------
    entries : sequence of dict
        As `log` returns them.
    path : str
        A data file of the table.

    Returns
    -------
    list of str
        Sorted. An appended file comes from its own delivery; a rewritten one from
        those files that it replaced whose events lie in the same time.

    Raises
    ------
    ValueError
        If no entry added the file.
    """
    records = {r["path"]: (r, entry) for entry in entries for r in entry["add"]}
    if path not in records:
        raise ValueError(f"No entry of the log added {path!r}.")
    found: set[str] = set()
    waiting = [path]
    while waiting:
        record, entry = records[waiting.pop()]
        if entry["op"] == "append":
            found.add(entry["source"])
            continue
        replaced = [records[name][0] for name in entry["remove"] if name in records]
        waiting += [each["path"] for each in replaced if _meet(record, each)]
    return sorted(found)


def _meet(one: Record, other: Record) -> bool:
    """Return whether the times of two files have a moment in common."""
    later, earlier = max(one["start"], other["start"]), min(one["end"], other["end"])
    return later <= earlier


def compact(lake_dir: Path | str, table: str, by: str | None = None) -> int:
    """Rewrite a table as one file a partition; the rows stay the same.

    Older versions stay readable: their files are not touched.

    Parameters
    ----------
    lake_dir : path
        The folder of the lake.
    table : str
        A table that exists.
    by : {"month", "day"}, optional
        Cut the table anew; as it is by default.

    Returns
    -------
    int
        The newest version: the same as before if there was nothing to do.

    Raises
    ------
    Conflict
        If another writer committed meanwhile.
    ValueError
        If there is no such table, or `by` is neither of the two.
    Damaged
        If the files hold another number of rows than the log says.
    """
    if by not in (None, *parquet.UNITS):
        raise ValueError(f"by is {by!r}. Give day or month.")
    root = snapshot(lake_dir, table).root
    with holding(root):
        state = snapshot(lake_dir, table)
        folders = [str(Path(path).parent) for path in state.files]
        if by in (None, state.by) and len(set(folders)) == len(folders):
            return state.version
        state = replace(state, by=by or state.by)
        rows = parquet.load(state, list(state.files.values()), state.columns)
        add = parquet.write_parts(state, rows)
        _require_same_rows(state, add)
        fresh = {record["path"] for record in add}
        remove = [path for path in state.files if path not in fresh]
        return commit(state, "compact", {"add": add, "remove": remove})["version"]


def _require_same_rows(state: Snapshot, add: Sequence[Record]) -> None:
    """Raise if a rewrite holds another number of rows than the files before it."""
    was, now = _rows(list(state.files.values())), _rows(add)
    if was != now:
        raise Damaged(
            f"{state.root.name}: the rewritten files hold {now} rows, and the files of "
            f"version {state.version} {was}. Nothing was committed."
        )


def expire(lake_dir: Path | str, table: str, oldest: int) -> int:
    """Give up the versions before `oldest`, and the files that only they name.

    Drafts and files that a killed writer left go as well. Nobody may write meanwhile:
    a file that no entry names yet looks like one that a killed writer left.

    Parameters
    ----------
    lake_dir : path
        The folder of the lake.
    table : str
        A table that exists.
    oldest : int
        The first version that stays readable.

    Returns
    -------
    int
        How many files were removed.

    Raises
    ------
    Conflict
        If a writer is at work. Try again later.
    ValueError
        If there is no such version.
    """
    root = snapshot(lake_dir, table, oldest).root
    with holding(root, alone=True):
        state = snapshot(lake_dir, table)
        if oldest > state.oldest:
            commit(replace(state, oldest=oldest), "expire", {})
        return remove_unnamed(lake_dir, table)


def _raise(error: OSError) -> None:
    """Raise an error that a walk met."""
    raise error


def remove_unnamed(lake_dir: Path | str, table: str) -> int:
    """Remove the files that no readable version names.

    The caller holds the lock of the table alone.

    Parameters
    ----------
    lake_dir, table
        The lake's folder and the table.

    Returns
    -------
    int
        How many there were.

    Raises
    ------
    OSError
        If a folder may not be read: it may hold such files.
    """
    root = snapshot(lake_dir, table).root
    kept: set[str] = set()
    for state in snapshots(lake_dir, table):
        kept |= {*state.files, *state.rejects}
    walk = os.walk(root, onerror=_raise)  # unlike rglob, it says what it may not read
    every = [Path(folder, name) for folder, _, names in walk for name in names]
    found = [path for path in every if path.suffix in (".parquet", ".draft")]
    gone = [p for p in found if str(p.relative_to(root)) not in kept]
    for path in gone:
        path.unlink(missing_ok=True)
    return len(gone)

"""Look after a lake: list its history, compact small files, expire old versions.

Nothing here ever runs by itself: `python -m flightline.lake` offers it as commands.
"""

from pathlib import Path

import pandas as pd

from flightline.lake import core


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
        `files_added`, `files_removed`. A compaction accepts no row.

    Raises
    ------
    ValueError
        If there is no such table.
    """
    core.snapshot(lake_dir, table)
    rows = []
    for entry in core.log(lake_dir, table):
        added = sum(record["rows"] for record in entry["add"])
        row = {name: entry.get(name, "") for name in ("version", "op", "source")}
        row["accepted"] = added if entry["op"] == "append" else 0
        row["quarantined"] = sum(record["rows"] for record in entry["reject"])
        row |= {"files_added": len(entry["add"]), "files_removed": len(entry["remove"])}
        rows.append(row)
    return pd.DataFrame(rows)


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
    """
    if by not in (None, "day", "month"):
        raise ValueError(f"by is {by!r}. Give day or month.")
    state = core.snapshot(lake_dir, table)
    folders = [str(Path(path).parent) for path in state.files]
    if by in (None, state.by) and len(set(folders)) == len(folders):
        return state.version
    state.by = by or state.by
    add = core.write_parts(state, core.read(lake_dir, table, state.version))
    fresh = {record["path"] for record in add}
    remove = [path for path in state.files if path not in fresh]
    return int(core.commit(state, "compact", add=add, remove=remove)["version"])


def expire(lake_dir: Path | str, table: str, oldest: int) -> int:
    """Give up the versions before `oldest`, and the files that only they name.

    Drafts and files that a killed writer left go as well. No writer may run
    meanwhile: a file that is written and not yet named by an entry looks like one
    that a killed writer left.

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
    ValueError
        If there is no such version.
    """
    core.snapshot(lake_dir, table, oldest)
    state = core.snapshot(lake_dir, table)
    kept = set(state.rejects)
    for version in range(oldest, state.version + 1):
        kept |= set(core.snapshot(lake_dir, table, version).files)
    found = [p for p in state.root.rglob("*") if p.suffix in (".parquet", ".draft")]
    gone = [p for p in found if str(p.relative_to(state.root)) not in kept]
    if oldest > state.oldest:
        state.oldest = oldest
        core.commit(state, "expire")
    for path in gone:
        path.unlink()
    return len(gone)

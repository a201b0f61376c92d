"""The log of a table: one entry a version, each with the digest of the one before.

A file that no entry names is not in the lake. An entry appears under its final name in
one step, so that a reader sees a commit whole or not at all.
"""

import hashlib
import json
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NotRequired, TypedDict, cast

from flightline.lake.columns import ColumnType, Row, from_text

FORMAT = 2
"""The form of the entries; older lakes are read by the code that made them."""


class Record(TypedDict):
    """A file of the lake, as an entry of the log describes it."""

    path: str
    sha256: str
    rows: int
    bytes: int
    start: NotRequired[str]
    end: NotRequired[str]


class Erased(TypedDict):
    """What was erased: the column, and the salted digest of the value."""

    column: str
    salt: str
    digest: str


class LogEntry(TypedDict):
    """What one commit did; `sha256` is the digest of all the rest."""

    format: int
    version: int
    parent: str
    op: str
    source: str
    by: str
    key: str
    columns: list[Row]
    schema: str
    oldest: int
    add: list[Record]
    remove: list[str]
    reject: list[Record]
    batch: NotRequired[str]
    erased: NotRequired[list[Erased]]
    rows: NotRequired[int]
    sha256: NotRequired[str]


class Change(TypedDict, total=False):
    """What a commit says besides where it stands."""

    source: str
    add: list[Record]
    remove: list[str]
    reject: list[Record]
    batch: str
    erased: list[Erased]
    rows: int


class Damaged(RuntimeError):
    """A file of the lake is not what the log says; the message names it."""


class Gone(ValueError):
    """A version that was once there; the message says what gave it up."""


@dataclass(frozen=True)
class Snapshot:
    """What one version of a table consists of.

    Attributes
    ----------
    root : Path
        The folder of the table.
    version : int
        0 for a table that does not exist yet.
    oldest : int
        The first version that can still be read.
    parent : str
        The digest of the version's entry.
    by, key, columns
        How the table is cut, what its events are about, and its types.
    files, rejects : dict of Record
        The data and quarantine files, by path.
    batches : dict of LogEntry
        The entry of each batch that was appended, by the digest of its rows.
    erased : list of Erased
        What may not come back.
    """

    root: Path
    version: int = 0
    oldest: int = 1
    parent: str = ""
    by: str = ""
    key: str = ""
    columns: list[ColumnType] = field(default_factory=list)
    files: dict[str, Record] = field(default_factory=dict)
    rejects: dict[str, Record] = field(default_factory=dict)
    batches: dict[str, LogEntry] = field(default_factory=dict)
    erased: list[Erased] = field(default_factory=list)


def sha(content: bytes) -> str:
    """Return the sha256 of some bytes, in hex."""
    return hashlib.sha256(content).hexdigest()


def digest_of(entry: LogEntry) -> str:
    """Return the digest of an entry."""
    return sha(json.dumps(entry, sort_keys=True).encode())


# --- reading --------------------------------------------------------------------------


def _entry(path: Path) -> LogEntry:
    """Read one entry and its digest, or say that it is damaged."""
    try:
        stored = json.loads(path.read_bytes())
        entry, digest = stored["entry"], stored["sha256"]
        intact = digest == digest_of(entry)
    except (ValueError, KeyError, TypeError):
        intact = False
    name = f"{path.parent.parent.name}/_log/{path.name}"
    if not intact:
        raise Damaged(f"{name} does not match its own digest. Restore it from a copy.")
    if entry.get("format") != FORMAT:
        raise Damaged(
            f"{name} has format {entry.get('format', 1)}, and this code reads "
            f"{FORMAT}. Append its batches to a new lake."
        )
    return cast(LogEntry, entry | {"sha256": digest})


def log(lake_dir: Path | str, table: str) -> list[LogEntry]:
    """Read the entries of a table, oldest first, and verify their chain.

    Parameters
    ----------
    lake_dir : path
        The folder of the lake.
    table : str
        The table; one that does not exist yet has no entries.

    Returns
    -------
    list of dict
        One entry a version: `op`, `source`, `add`, `remove`, `reject`, counts.

    Raises
    ------
    Damaged
        If an entry is damaged or missing.
    OSError
        If the folder may not be read.
    """
    entries: list[LogEntry] = []
    parent = ""
    for path in _entry_paths(folder_of(lake_dir, table) / "_log"):
        entry = _entry(path)
        if entry["version"] != len(entries) + 1 or entry["parent"] != parent:
            raise Damaged(
                f"{table}/_log/{path.name} does not follow version {len(entries)}: an "
                "entry is missing or changed. Restore the log from a copy."
            )
        entries.append(entry)
        parent = entry["sha256"]
    return entries


def _entry_paths(folder: Path) -> list[Path]:
    """List the entries of a log; none if there is none, an error if it is shut."""
    try:
        found = sorted(folder.iterdir())  # unlike glob, it says what it may not read
    except (FileNotFoundError, NotADirectoryError):
        return []
    return [path for path in found if path.suffix == ".json"]


def folder_of(lake_dir: Path | str, table: str) -> Path:
    """Return the folder of a table; refuse a name that leads elsewhere."""
    if not table or table in (".", "..") or "/" in table or table.startswith("_"):
        raise ValueError(f"{table!r} is no name for a table. Use letters and digits.")
    return Path(lake_dir) / table


def tables(lake_dir: Path | str) -> list[str]:
    """List the tables of a lake, by name.

    Parameters
    ----------
    lake_dir : path
        The folder of the lake; one that does not exist holds none.

    Returns
    -------
    list of str

    Raises
    ------
    OSError
        If the folder may not be read.
    """
    try:
        found = sorted(Path(lake_dir).iterdir())
    except FileNotFoundError:
        return []
    return [path.name for path in found if _entry_paths(path / "_log")]


def _fold(root: Path, entries: list[LogEntry]) -> Snapshot:
    """Add up entries to what they leave."""
    state = Snapshot(root)
    for entry in entries:
        state.files.update({record["path"]: record for record in entry["add"]})
        state.rejects.update({record["path"]: record for record in entry["reject"]})
        for path in entry["remove"]:
            state.files.pop(path, None)
            state.rejects.pop(path, None)
        if "batch" in entry:
            state.batches[entry["batch"]] = entry
        state.erased.extend(entry.get("erased", []))
    if not entries:
        return state
    last = entries[-1]
    return replace(
        state,
        version=last["version"],
        oldest=last["oldest"],
        parent=last["sha256"],
        by=last["by"],
        key=last["key"],
        columns=from_text(last["columns"], last["schema"]),
    )


def latest(lake_dir: Path | str, table: str) -> Snapshot:
    """Return the newest version; of a table without entries, version 0.

    Parameters
    ----------
    lake_dir, table
        The lake's folder and the table.

    Returns
    -------
    Snapshot
    """
    return _fold(folder_of(lake_dir, table), log(lake_dir, table))


def snapshot(lake_dir: Path | str, table: str, as_of: int | None = None) -> Snapshot:
    """Return what a version consists of.

    Parameters
    ----------
    lake_dir, table
        The lake's folder and the table.
    as_of : int, optional
        A version from 1 on; the newest by default.

    Returns
    -------
    Snapshot

    Raises
    ------
    Gone
        If the version was given up, by expiry or by an erasure.
    ValueError
        If the table or the version does not exist.
    Damaged
        If the log is damaged.
    """
    entries = log(lake_dir, table)
    if not entries:
        known = tables(lake_dir) or "none"
        raise ValueError(f"The lake has no table {table!r}. It has: {known}.")
    newest, oldest = len(entries), entries[-1]["oldest"]
    as_of = newest if as_of is None else as_of
    span = f"{table} has no version {as_of!r}, only {oldest} to {newest}."
    if as_of not in range(1, newest + 1):
        raise ValueError(span)
    if as_of < oldest:
        by = next(entry for entry in entries if entry["oldest"] > as_of)
        lost = f"Version {by['version']} ({by['op']}) gave up 1 to {by['oldest'] - 1}."
        raise Gone(f"{span} {lost}")
    return _fold(folder_of(lake_dir, table), entries[:as_of])


def snapshots(lake_dir: Path | str, table: str) -> list[Snapshot]:
    """Return every version that can still be read, oldest first.

    Parameters
    ----------
    lake_dir, table
        The lake's folder and the table.

    Returns
    -------
    list of Snapshot
    """
    entries, root = log(lake_dir, table), folder_of(lake_dir, table)
    first = entries[-1]["oldest"] if entries else 1
    return [_fold(root, entries[:n]) for n in range(first, len(entries) + 1)]

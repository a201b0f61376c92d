"""Write to the log: an entry appears whole and in one step, or not at all."""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import cast

from flightline.lake import core
from flightline.lake.columns import to_text
from flightline.lake.core import Conflict
from flightline.lake.log import FORMAT, Change, LogEntry, Snapshot, digest_of


def sync(*folders: Path) -> None:
    """Make the names in some folders survive a power cut.

    Parameters
    ----------
    *folders : Path
        Each is synced once.
    """
    for folder in dict.fromkeys(folders):
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _folders(root: Path, paths: list[str], *, first: bool) -> list[Path]:
    """List the folders of new files, from the inmost up to the table's.

    The first commit of a table syncs every folder up to the lake's own parent before
    its entry has a name. So a later one finds the way down to the table durable, and
    syncs what lies below.
    """
    inner = [root / folder for path in paths for folder in Path(path).parents]
    deepest = sorted(set(inner), key=lambda folder: -len(folder.parts))
    above = [root, root.parent, root.parent.resolve().parent]
    return deepest + above if first else deepest


def _sync_above(lake_dir: Path) -> None:
    """Sync what lies above the parent of a lake, as far as it may be opened.

    Who makes a lake may have made folders above it as well.
    """
    for folder in lake_dir.resolve().parent.parents:
        with suppress(OSError):
            sync(folder)


@contextmanager
def holding(root: Path, *, alone: bool = False) -> Iterator[None]:
    """Hold the lock of a table while files are written, or alone while they go.

    Parameters
    ----------
    root : Path
        The folder of the table; its log is made if it is missing.
    alone : bool
        Nobody may write meanwhile. Writers do not exclude one another.

    Raises
    ------
    Conflict
        If somebody holds the lock in a way that does not go together.
    """
    folder = root / "_log"
    folder.mkdir(parents=True, exist_ok=True)
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(handle, (fcntl.LOCK_EX if alone else fcntl.LOCK_SH) | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        who = "a writer is" if alone else "an expiry or an erasure is"
        raise Conflict(f"{root.name}: {who} at work. Try again.") from None
    try:
        yield
    finally:
        os.close(handle)  # and with it the lock


def commit(state: Snapshot, op: str, change: Change) -> LogEntry:
    """Publish the next entry: from here on the new version exists.

    Parameters
    ----------
    state : Snapshot
        The version that the change was prepared on, with what the new one says of
        partition, key, types and oldest version.
    op : str
        append, compact, expire or erase.
    change : dict
        What the entry says besides: `add`, `remove`, `reject`, `source`.

    Returns
    -------
    dict
        The entry.

    Raises
    ------
    Conflict
        If somebody else made the next version meanwhile.
    """
    entry: LogEntry = {
        "format": FORMAT,
        "version": state.version + 1,
        "parent": state.parent,
        "op": op,
        "by": state.by,
        "key": state.key,
        "columns": [[each.name, each.dtype, each.since] for each in state.columns],
        "schema": to_text(state.columns),
        "oldest": state.oldest,
        "source": "",
        "add": [],
        "remove": [],
        "reject": [],
    }
    entry.update(cast(LogEntry, change))
    stored = json.dumps({"entry": entry, "sha256": digest_of(entry)}, sort_keys=True)
    folder = state.root / "_log"
    draft = core.draft(folder, stored.encode(), "entry")
    try:
        named = [record["path"] for record in (*entry["add"], *entry["reject"])]
        sync(*_folders(state.root, named, first=state.version == 0))
        if state.version == 0:
            _sync_above(state.root.parent)
        core.publish(draft, folder / f"{entry['version']:08d}.json")
    except Conflict:
        raise Conflict(
            f"{state.root.name}: another writer committed {entry['version']:08d} "
            "first. Nothing of this change is in the lake. Try again."
        ) from None
    finally:
        draft.unlink(missing_ok=True)
    sync(folder)
    core.failpoint("entry-named")
    return entry

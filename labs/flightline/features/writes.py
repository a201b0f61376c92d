"""Write to the online store: pushes and copies that lose nothing, one writer at a time.

The offline files are drafts until they are whole, and their lineage is written last.
"""

import contextlib
import hashlib
import json
import os
import sqlite3
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from flightline.features.checks import complete, ordered, rows_of
from flightline.features.core import CLOCKS, newest_rows
from flightline.features.names import DAY
from flightline.features.reads import Unavailable, reachable
from flightline.features.repository import offline_file, quiet
from flightline.features.times import in_zone, zoned
from flightline.features.views import VIEWS, stamped, view_of

if TYPE_CHECKING:
    import feast

OVERLAP = DAY
WAIT_S = 30.0
AGAIN = "Write the files again: features.write_offline."
NOTE = "lineage.json"
LINEAGE = {"rows", "sha256", "made_from"}
"""What is recorded of the offline file of a view."""
LAST_S = 2.0**43
"""Seconds beyond which no time is kept to the microsecond: the year 280,706."""


def newest(
    rows: pd.DataFrame, by: Sequence[str], stored_s: npt.ArrayLike
) -> pd.DataFrame:
    """Keep the newest row of each key, unless the store holds a newer one.

    Parameters
    ----------
    rows : DataFrame
        With the key columns, `event_time` and `available_at` (times with a zone, any
        unit, of Arrow too, none missing), in any order, with any index.
    by : str or sequence of str
        The key columns; together they are the key.
    stored_s : array_like of float, [rows] or [rows, 2]
        What the store holds for the key of each row, by position: the event time, and
        if there are two columns the available time, in seconds since 1970; NaN where
        it holds nothing. A fraction of a second counts.

    Returns
    -------
    DataFrame
        At most one row a key: of the latest event time; of one event time, the one that
        became known last; of equals, the last. None is older than what is stored, and
        a row with the very times of the stored one may be written again. Rows, columns
        and index are as they came.

    Raises
    ------
    ValueError
        If a column is missing, a time is missing or has no zone, a key is null, or
        `stored_s` has another length or holds no seconds.

    Examples
    --------
    >>> hour = pd.to_datetime(["2013-07-02T12:00Z"])
    >>> row = pd.DataFrame({"origin": "JFK", "event_time": hour, "available_at": hour})
    >>> len(newest(row, ["origin"], [np.nan])), len(newest(row, ["origin"], [2e9]))
    (1, 0)
    """
    keys = [by] if isinstance(by, str) else list(by)
    if not keys:
        raise ValueError("by names no column: which rows are of one key?")
    plain = ordered(rows, keys)
    kept = newest_rows(plain, keys, _clocks(_pairs(stored_s, len(rows))))
    return rows.iloc[kept.index]


def _pairs(stored_s: npt.ArrayLike, rows: int) -> npt.NDArray[np.float64]:
    """Return what the store holds as two columns, the second NaN where not given."""
    stored = np.asarray(stored_s, np.float64)
    if stored.shape not in ((rows,), (rows, 1), (rows, 2)):
        raise ValueError(
            f"stored_s has {len(np.atleast_1d(stored))} values for {rows} rows, in the "
            f"shape {stored.shape}. Give one or two for each row, in their order."
        )
    if (np.abs(stored) > LAST_S).any():
        raise ValueError(
            f"stored_s holds {np.nanmax(np.abs(stored)):g}. Give seconds since 1970."
        )
    pairs = np.full((rows, 2), np.nan)
    held = stored.reshape(rows, -1) if rows else stored.reshape(0, 1)
    pairs[:, : held.shape[1]] = held
    return pairs


def _clocks(seconds: npt.NDArray[np.float64]) -> pd.DataFrame:
    """Return two columns of seconds since 1970 as the two clocks."""
    known = np.isfinite(seconds)
    ticks = np.where(known, np.round(1e6 * np.where(known, seconds, 0)), 0)
    times = ticks.astype(np.int64).view("M8[us]")
    return pd.DataFrame(
        np.where(known, times, np.datetime64("NaT", "us")), columns=CLOCKS
    )


def _stored_s(
    store: "feast.FeatureStore", view: str, rows: pd.DataFrame
) -> npt.NDArray[np.float64]:
    """Return the two clocks that the online store holds for the key of each row."""
    keys = {key: rows[key].tolist() for key in VIEWS[view].keys}
    names = [f"{view}_at", f"{view}_known"]
    with reachable(store):
        found = store.get_online_features(
            [f"{view}:{n}" for n in names], keys
        ).to_dict()
    return np.array([found[name] for name in names], np.float64).T


@contextlib.contextmanager
def one_writer(store: "feast.FeatureStore", wait_s: float = WAIT_S) -> Iterator[None]:
    """Let one process or thread at a time write to the store of a folder.

    SQLite's own lock is the lock, so that it ends with its process. It covers one
    folder on one machine: with Redis and several, let one of them write a view.

    Parameters
    ----------
    store : feast.FeatureStore
    wait_s : float
        How long to wait for another writer.

    Raises
    ------
    Unavailable
        If another writer holds the store for longer.
    """
    with _locked(Path(str(store.config.repo_path)), wait_s):
        yield


@contextlib.contextmanager
def _locked(folder: Path, wait_s: float = WAIT_S) -> Iterator[None]:
    """Hold the lock of a folder."""
    path = folder / "writer.db"
    with contextlib.ExitStack() as stack:
        try:
            lock = sqlite3.connect(path, timeout=wait_s, isolation_level=None)
            stack.enter_context(contextlib.closing(lock))  # the lock goes with it
            lock.execute("PRAGMA journal_mode = MEMORY")  # a full disk locks as well
            lock.execute("BEGIN IMMEDIATE")
        except sqlite3.Error as error:
            raise Unavailable(_why(error, path, wait_s)) from error
        yield


def _why(error: sqlite3.Error, path: Path, wait_s: float) -> str:
    """Say why the lock of a folder was not to be had."""
    if error.sqlite_errorcode != sqlite3.SQLITE_BUSY:
        return f"{path}, the lock of the store, says: {error}."
    return (
        f"another writer has held the store for {wait_s:g} s ({error}). Wait for it, "
        "or end it."
    )


def push(store: "feast.FeatureStore", view: str, rows: pd.DataFrame) -> int:
    """Write rows to the online store, never an older one over a newer one.

    The comparison and the write are one step: no other writer of this folder comes
    between them.

    Parameters
    ----------
    store : feast.FeatureStore
    view : str
        A name from VIEWS.
    rows : DataFrame
        As `timeline` returns them, in any order.

    Returns
    -------
    int
        The number of rows written: at most one a key.

    Raises
    ------
    ValueError
        If there is no such view, a column or a time is missing, a key is null or would
        never match, or a feature is no number or infinite.
    Unavailable
        If the online store does not answer, or another writer holds it.
    """
    what, rows = view_of(view), rows_of(view, rows)
    rows = newest(stamped(view, rows), what.keys, np.full(len(rows), np.nan))
    if not len(rows):
        return 0
    with one_writer(store):
        rows = newest(rows, what.keys, _stored_s(store, view, rows))
        with reachable(store), quiet():
            if len(rows) and what.streamed:
                store.push(f"{view}_push", rows)
            elif len(rows):
                store.write_to_online_store(view, rows)
    return len(rows)


def materialize(
    store: "feast.FeatureStore",
    now: pd.Timestamp,
    *,
    since: pd.Timestamp | None = None,
    views: Sequence[str] = tuple(VIEWS),
    overlap: pd.Timedelta = OVERLAP,
) -> dict[str, int]:
    """Copy to the online store what became known until now.

    The period is about available time: a row about an early hour that arrives late is
    copied when it arrives. A row may also reach the file after the time at which it
    says that it was available, so each copy looks back further than the last one
    reached. What it meets again changes nothing, since the write is guarded.

    Parameters
    ----------
    store : feast.FeatureStore
    now : Timestamp, with a zone
        The time of the copy; rows that become available later are left out.
    since : Timestamp, with a zone, optional
        The time of the last copy; from the beginning by default.
    views : sequence of str
        Names from VIEWS.
    overlap : Timedelta
        How much later than its available time a row may reach the file.

    Returns
    -------
    dict of str to int
        The number of rows written for each view.

    Raises
    ------
    ValueError
        If a time has no zone, `now` lies before `since`, `overlap` is negative, there
        is no such view, or an offline file is torn or lacks a clock.
    FileNotFoundError
        If a view has no offline file.
    Unavailable
        If the online store does not answer, or another writer holds it.
    """
    now = in_zone("now", now)
    since = None if since is None else in_zone("since", since)
    if since is not None and now < since:
        raise ValueError(f"now={now} lies before since={since}.")
    if overlap < pd.Timedelta(0):
        raise ValueError(f"overlap={overlap} is negative: rows would be left out.")
    written = {}
    for view in [views] if isinstance(views, str) else views:
        view_of(view)
        path = offline_file(store, view)
        if not path.exists():
            raise FileNotFoundError(
                f"{path.name}: the offline store has no such file. Write it first: "
                "features.write_offline."
            )
        rows = _read_offline(path)
        known = rows["available_at"] <= now
        if since is not None:
            known &= rows["available_at"] > since - overlap
        written[view] = push(store, view, rows[known])
    return written


def _read_offline(path: Path) -> pd.DataFrame:
    """Read a file of the offline store, or say what is wrong with it."""
    try:
        rows = pd.read_parquet(path)
    except ValueError as error:  # what Arrow says of a torn file is one
        why = str(error).rstrip(".")
        raise ValueError(f"{path.name} cannot be read: {why}. {AGAIN}") from error
    complete(rows, CLOCKS, f"the rows of {path.name}")
    return rows.assign(**{clock: zoned(rows, clock).array for clock in CLOCKS})


def digest(path: Path | str) -> str:
    """Return the sha256 of a file."""
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


def write_offline(
    path: Path | str, rows: Mapping[str, pd.DataFrame], made_from: Mapping[str, str]
) -> None:
    """Write the rows of views as the offline store's files, with their lineage.

    Each file is a draft until it is whole, so that a full disk or a kill leaves the
    last good one. The lineage is written last: between the two, `lineage` says that
    the file is not the one that was recorded. One writer at a time, as for `push`.

    Parameters
    ----------
    path : path
        The folder of the store.
    rows : mapping of str to DataFrame
        What `timeline` returns, by the name of the view.
    made_from : mapping of str to str
        The raw files that the rows were made from, each with its sha256.

    Raises
    ------
    ValueError
        As for `push`, or if the lineage is damaged, before anything is written.
    OSError
        If a file cannot be written; the old one stays.
    Unavailable
        If another writer holds the folder.
    """
    plain = {view: stamped(view, rows_of(view, table)) for view, table in rows.items()}
    folder = Path(path).resolve() / "offline"
    folder.mkdir(parents=True, exist_ok=True)
    with _locked(folder.parent):
        read_lineage(folder / NOTE)  # one that is damaged stops before a file changes
        for view, table in plain.items():
            file = folder / f"{view}.parquet"
            with _draft(file) as draft:
                table.to_parquet(draft, index=False)
            own = {"rows": len(table), "sha256": digest(file)}
            _record(folder, view, {**own, "made_from": dict(made_from)})


def _record(folder: Path, view: str, made: Mapping[str, object]) -> None:
    """Enter into the lineage how the file of a view was made."""
    note = folder / NOTE
    record = read_lineage(note)
    with _draft(note) as draft:
        draft.write_text(json.dumps({**record, view: made}, indent=1))


def read_lineage(note: Path) -> dict[str, dict[str, Any]]:
    """Return how each view's file was made, by the name of the view.

    Raises
    ------
    ValueError
        If the note was damaged from outside; it is never half written.
    """
    if not note.exists():
        return {}
    try:
        record = json.loads(note.read_text(encoding="utf-8"))
    except ValueError:
        record = None
    told = record.values() if isinstance(record, dict) else [None]
    if not all(isinstance(one, dict) and one.keys() >= LINEAGE for one in told):
        raise ValueError(f"{note.name} is damaged. Move it away, and {AGAIN.lower()}")
    return dict(record)


@contextlib.contextmanager
def _draft(path: Path) -> Iterator[Path]:
    """Give a file beside `path` to write to; it takes its place once it is whole."""
    number, name = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
    os.close(number)
    draft = Path(name)
    try:
        yield draft
        with draft.open("rb+") as file:
            os.fsync(file.fileno())
        draft.chmod(0o644)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)

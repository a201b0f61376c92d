"""What was answered and decided: one file, one writer, one step of the clock at a time.

A step is in the journal whole or not at all. Whatever a killed run had begun beyond the
last whole step is done again, and comes to the same; the digest of a step covers all
steps before it, so that two runs that end on one digest have decided alike, bit for
bit.
"""

import fcntl
import hashlib
import json
import os
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pandas as pd

from flightline.lake import failpoint
from flightline.loop.clock import Backwards, Tick
from flightline.loop.labels import must_be_a_moment, probabilities

NAME, LOCK = "journal.sqlite", "writer.lock"
LAKE, MODELS, METRICS = "lake", "models", "metrics.sqlite"
"""What else lies in the folder of a run."""

FORMAT = "1"
TABLES = """
CREATE TABLE about (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE ticks (now TEXT PRIMARY KEY, since TEXT NOT NULL, versions TEXT NOT NULL,
    log TEXT NOT NULL, log_sha256 TEXT NOT NULL, refused INTEGER NOT NULL,
    counts TEXT NOT NULL, environment TEXT NOT NULL, digest TEXT NOT NULL)
    WITHOUT ROWID;
CREATE TABLE environments (digest TEXT PRIMARY KEY, body TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE answers (id TEXT PRIMARY KEY, tick TEXT NOT NULL, asked_at TEXT NOT NULL,
    day TEXT NOT NULL, due_at TEXT NOT NULL, model TEXT NOT NULL, score REAL NOT NULL,
    source TEXT NOT NULL, latency_ms REAL NOT NULL) WITHOUT ROWID;
CREATE TABLE shadows (model TEXT NOT NULL, id TEXT NOT NULL, tick TEXT NOT NULL,
    score REAL NOT NULL, PRIMARY KEY (model, id)) WITHOUT ROWID;
CREATE TABLE decisions (at TEXT NOT NULL, kind TEXT NOT NULL, body TEXT NOT NULL,
    PRIMARY KEY (at, kind)) WITHOUT ROWID;
CREATE TABLE models (name TEXT PRIMARY KEY, cut_off TEXT NOT NULL, tick TEXT NOT NULL,
    about TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE alerts (at TEXT NOT NULL, name TEXT NOT NULL, said TEXT NOT NULL,
    PRIMARY KEY (at, name)) WITHOUT ROWID;
CREATE INDEX answers_by_tick ON answers (tick);
"""
DECIDED = ["id", "tick", "asked_at", "day", "due_at", "model", "score", "source"]
ANSWERS = [*DECIDED, "latency_ms"]
"""The columns of an answer; how long it took is no part of the digest."""

SHADOWS = ["model", "id", "tick", "score"]
TIMES = ["tick", "asked_at", "due_at", "at", "now", "since"]


class BrokenJournal(RuntimeError):
    """The journal cannot be read or written; the message says what to do."""


class Busy(RuntimeError):
    """Another loop runs on this folder; nothing was done."""


@dataclass(frozen=True)
class Entry:
    """What one step of the clock did.

    Attributes
    ----------
    answers : DataFrame
        The columns ANSWERS but `tick`: who answered which flight, and what.
    shadows : DataFrame
        `model`, `id`, `score`: what others would have answered.
    decisions : sequence of (kind, dict)
        At the end of the step; what JSON can hold.
    models : sequence of (name, cut_off, dict)
        Models that were made in the step, and what they come from.
    alerts : sequence of (at, name, said)
        They are not a part of the digest: some rest on measured durations.
    versions : dict of int
        The version of each table of the lake that the step read.
    log, log_sha256 : str
        The file of the prediction log, and its digest.
    refused : int
        Requests that the service did not take.
    counts : mapping of str
        What Prometheus' counters grow by in the step; no part of the digest.
    environment : mapping of str
        What `training.provenance` says of the process: code, versions, processor. It is
        no part of the digest either: another machine may decide the same.
    """

    answers: pd.DataFrame
    shadows: pd.DataFrame
    versions: dict[str, int]
    decisions: Sequence[tuple[str, dict[str, object]]] = ()
    models: Sequence[tuple[str, pd.Timestamp, dict[str, object]]] = ()
    alerts: Sequence[tuple[pd.Timestamp, str, str]] = ()
    log: str = ""
    log_sha256: str = ""
    refused: int = 0
    counts: Mapping[str, int] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)


def text_of(at: pd.Timestamp) -> str:
    """Return a moment as the journal keeps it: UTC, ISO 8601, whole microseconds.

    Raises
    ------
    ValueError
        If it is missing, or has no zone.
    """
    must_be_a_moment(at, "the moment")
    return str(at.tz_convert("UTC").as_unit("us").isoformat())


class Journal:
    """The journal of a folder, opened by its only writer.

    Parameters
    ----------
    folder : path
        The folder of the run; it is made if it is missing.

    Raises
    ------
    Busy
        If another loop writes to this folder.
    BrokenJournal
        If the file is damaged, or the disk refuses.
    """

    def __init__(self, folder: Path | str) -> None:
        self.path = Path(folder) / NAME
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = _locked(self.path.with_name(LOCK))
        try:
            self.base = _opened(self.path)
        except BaseException:
            os.close(self._lock)
            raise

    def __enter__(self) -> Self:
        """Return the journal; `with` closes it."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the file, and let the next writer in."""
        self.close()

    def close(self) -> None:
        """Close the file, and let the next writer in."""
        self.base.close()
        os.close(self._lock)

    def begin(self, plan: str) -> None:
        """Note what is run, or refuse to go on with something else.

        Parameters
        ----------
        plan : str
            All that decides the run, as text.

        Raises
        ------
        ValueError
            If the folder holds a run of another plan.
        """
        held = about(self.base).get("plan")
        if held is None:
            with self._writing():
                self.base.execute("INSERT INTO about VALUES ('plan', ?)", (plan,))
        elif held != plan:
            raise ValueError(
                f"{self.path.parent} holds another run. It was begun with {held}, and "
                f"this is {plan}. Take a new folder, or the same plan."
            )

    def commit(self, tick: Tick, entry: Entry) -> str:
        """Add a step, whole or not at all.

        Parameters
        ----------
        tick : Tick
            It follows the last one.
        entry : Entry
            What happened in it.

        Returns
        -------
        str
            The digest of all steps so far.

        Raises
        ------
        Backwards
            If the step does not lie behind the last one.
        ValueError
            If a time is missing or has no zone, a score is no probability, or a name is
            no text: it would come back as something else than its digest says.
        BrokenJournal
            If the disk refuses, or a flight was answered in an earlier step; the
            journal is then what it was.
        """
        last = last_tick(self.base)
        if last is not None and tick.now <= last:
            raise Backwards(
                f"the clock went back to {tick.now}: the journal has steps until "
                f"{last}. Set the clock right and start again; nothing was written."
            )
        now = text_of(tick.now)
        names = [name for name in ANSWERS if name != "tick"]
        answers = [
            (row[0], now, text_of(row[1]), row[2], text_of(row[3]), *row[4:])
            for row in _kept(entry.answers[names], "answers")
        ]
        shadows = [
            (model, id_, now, score)
            for model, id_, score in _kept(
                entry.shadows[["model", "id", "score"]], "shadows"
            )
        ]
        decisions = [
            (now, kind, json.dumps(body, sort_keys=True, allow_nan=False))
            for kind, body in entry.decisions
        ]
        models = [
            (name, text_of(cut), now, json.dumps(said, sort_keys=True))
            for name, cut, said in entry.models
        ]
        alerts = [(text_of(at), name, said) for at, name, said in entry.alerts]
        whole = [row[: len(DECIDED)] for row in answers]
        digest = _chained(digest_of(self.base), now, whole, shadows, decisions)
        versions = json.dumps(entry.versions, sort_keys=True)
        body = json.dumps(dict(entry.environment), sort_keys=True)
        counts = json.dumps(dict(entry.counts), sort_keys=True)
        where = hashlib.sha256(body.encode()).hexdigest()[:16]
        head = (now, text_of(tick.since), versions, entry.log, entry.log_sha256)
        with self._writing():
            put = self.base.executemany
            put("INSERT INTO answers VALUES (?,?,?,?,?,?,?,?,?)", answers)
            put("INSERT INTO shadows VALUES (?,?,?,?)", shadows)
            failpoint("journal-half")
            put("INSERT INTO decisions VALUES (?,?,?)", decisions)
            put("INSERT OR IGNORE INTO models VALUES (?,?,?,?)", models)
            put("INSERT OR REPLACE INTO alerts VALUES (?,?,?)", alerts)
            put("INSERT OR IGNORE INTO environments VALUES (?,?)", [(where, body)])
            row = (*head, entry.refused, counts, where, digest)
            put("INSERT INTO ticks VALUES (?,?,?,?,?,?,?,?,?)", [row])
            failpoint("journal-whole")
        failpoint("journal-kept")
        return digest

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """Write in one transaction, and say in a sentence what keeps it from that."""
        try:
            with self.base:
                self.base.execute("BEGIN IMMEDIATE")
                yield
        except sqlite3.Error as error:
            raise BrokenJournal(
                f"{self.path} cannot be written: {error}. The last whole step is kept. "
                "Make room or mend the file, and start the run again."
            ) from error


def _kept(table: pd.DataFrame, name: str) -> Iterator[tuple[Any, ...]]:
    """Return the rows of a table as SQLite gives them back, or refuse them."""
    for column in {"id", "day", "model", "source"} & set(table.columns):
        odd = [each for each in table[column] if not isinstance(each, str)]
        if odd:
            raise ValueError(
                f"{name}[{column!r}] holds {odd[0]!r}, no text, in {len(odd)} of "
                f"{len(table)} rows. Nothing was written."
            )
    scores = probabilities(table["score"], f"{name}['score']")
    whole: Iterator[tuple[Any, ...]] = table.assign(score=scores).itertuples(
        index=False, name=None
    )
    return whole


def _locked(path: Path) -> int:
    """Take the lock of a folder; it goes when the process ends, however it does."""
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o640)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        who = os.read(handle, 20).decode(errors="replace") or "unknown"
        os.close(handle)
        raise Busy(
            f"another loop (process {who}) runs on {path.parent}. Wait for it, or end "
            "it; this one did nothing."
        ) from None
    try:
        os.ftruncate(handle, 0)
        os.pwrite(handle, str(os.getpid()).encode(), 0)
    except OSError:
        pass  # a full disk: the lock holds, it only cannot say whose it is
    return handle


def _opened(path: Path) -> sqlite3.Connection:
    """Open a journal for writing; make a new one where there is none."""
    base = sqlite3.connect(path, isolation_level=None)
    try:
        base.execute("PRAGMA synchronous = FULL")
        if not _has_tables(base):
            with base:
                base.execute("BEGIN IMMEDIATE")
                for statement in filter(str.strip, TABLES.split(";")):
                    base.execute(statement)
                base.execute("INSERT INTO about VALUES ('format', ?)", (FORMAT,))
        _must_be_whole(base, path)
    except sqlite3.Error as error:
        base.close()
        raise _broken(path, str(error)) from error
    except BaseException:
        base.close()
        raise
    return base


def _has_tables(base: sqlite3.Connection) -> bool:
    """Tell whether a file has any table: a new one, or a killed start's, has none."""
    found = base.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone()
    return found is not None


def _broken(path: Path, why: str) -> BrokenJournal:
    """Say that a journal is damaged, and what to do."""
    said = " ".join(why.split())
    return BrokenJournal(
        f"{path} is damaged: {said}. Restore it from a copy, or remove it and run "
        "again from the start: the lake keeps what arrived."
    )


def _must_be_whole(base: sqlite3.Connection, path: Path) -> None:
    """Raise if SQLite finds damage, or the file is no journal of this form."""
    found = base.execute("PRAGMA quick_check(1)").fetchone()[0]
    if found != "ok":
        raise _broken(path, found)
    form = about(base).get("format")
    if form != FORMAT:
        raise _broken(path, f"its format is {form}, and this code reads {FORMAT}")


@contextmanager
def reading(folder: Path | str) -> Iterator[sqlite3.Connection]:
    """Open the journal of a folder for reading, beside its writer.

    Parameters
    ----------
    folder : path
        The folder of a run.

    Yields
    ------
    sqlite3.Connection

    Raises
    ------
    ValueError
        If there is no journal.
    BrokenJournal
        If it is damaged.
    """
    path = Path(folder) / NAME
    if not path.is_file() or not path.stat().st_size:  # killed in its first start
        raise ValueError(f"{folder} holds no run: there is no {NAME}. Begin with run.")
    try:
        with closing(
            sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)
        ) as base:
            _must_be_whole(base, path)
            yield base
    except sqlite3.Error as error:
        raise _broken(path, str(error)) from error


def about(base: sqlite3.Connection) -> dict[str, str]:
    """Return what a journal says of itself: its format and its plan."""
    return dict(base.execute("SELECT name, value FROM about").fetchall())


def last_tick(base: sqlite3.Connection) -> pd.Timestamp | None:
    """Return the end of the last whole step, or None."""
    found = base.execute("SELECT max(now) FROM ticks").fetchone()[0]
    return None if found is None else pd.Timestamp(found).as_unit("us")


def digest_of(base: sqlite3.Connection) -> str:
    """Return the digest of all steps; of none, an empty text."""
    query = "SELECT digest FROM ticks ORDER BY now DESC LIMIT 1"
    found = base.execute(query).fetchone()
    return "" if found is None else str(found[0])


def verify(base: sqlite3.Connection) -> str:
    """Compute the digests of all steps again, and compare.

    Parameters
    ----------
    base : sqlite3.Connection
        What `reading` yields.

    Returns
    -------
    str
        The digest of all steps.

    Raises
    ------
    BrokenJournal
        If a step is not what its digest says (the message names the first), or there
        are rows of a step that never ended.
    """
    digest = ""
    for table, by in (("answers", "tick"), ("shadows", "tick"), ("decisions", "at")):
        query = f"FROM {table} WHERE {by} NOT IN (SELECT now FROM ticks)"
        count, first = base.execute(f"SELECT count(*), min({by}) {query}").fetchone()
        if count:
            raise BrokenJournal(
                f"{count} of the {table} are of no step of the journal (first: "
                f"{first}): somebody added them. Restore the journal from a copy."
            )
    for now, said in base.execute("SELECT now, digest FROM ticks ORDER BY now"):
        parts = [
            base.execute(f"SELECT {what} WHERE {by} = ? ORDER BY {order}", (now,))
            for what, by, order in (
                (f"{', '.join(DECIDED)} FROM answers", "tick", "id"),
                (f"{', '.join(SHADOWS)} FROM shadows", "tick", "model, id"),
                ("at, kind, body FROM decisions", "at", "kind"),
            )
        ]
        try:
            digest = _chained(digest, now, *(part.fetchall() for part in parts))
        except (TypeError, ValueError):  # what no step has ever written
            digest = ""
        if not digest or digest != said:
            raise BrokenJournal(
                f"the step of {now} is not what its digest says: somebody changed it, "
                "or one before it. Restore the journal from a copy."
            )
    return digest


def _chained(parent: str, now: str, *parts: Iterable[Sequence[object]]) -> str:
    """Return the digest of a step and of all before it, in whatever order rows come."""
    rows = [sorted([*map(list, part)], key=json.dumps) for part in parts]
    content = json.dumps([parent, now, *rows], allow_nan=False)
    return hashlib.sha256(content.encode()).hexdigest()


def read_answers(
    base: sqlite3.Connection, *, since: pd.Timestamp | None = None
) -> pd.DataFrame:
    """Read who answered which flight, and what.

    Parameters
    ----------
    base : sqlite3.Connection
    since : Timestamp, optional
        Leave out what was asked before; by default nothing.

    Returns
    -------
    DataFrame
        The columns ANSWERS, in order of `asked_at` and `id`; times in UTC.
    """
    low = "" if since is None else text_of(since)
    query = f"SELECT {', '.join(ANSWERS)} FROM answers WHERE asked_at >= ?"
    rows = base.execute(f"{query} ORDER BY asked_at, id", (low,)).fetchall()
    return _table(rows, ANSWERS)


def read_shadows(
    base: sqlite3.Connection, model: str, *, since: pd.Timestamp | None = None
) -> pd.DataFrame:
    """Read what a model would have answered, where it only listened.

    Parameters
    ----------
    base : sqlite3.Connection
    model : str
        Its name.
    since : Timestamp, optional
        Leave out what was asked before.

    Returns
    -------
    DataFrame
        `id` and `score`, in order of `id`.
    """
    low = "" if since is None else text_of(since)
    query = """SELECT s.id, s.score FROM shadows s JOIN answers a ON a.id = s.id
        WHERE s.model = ? AND a.asked_at >= ? ORDER BY s.id"""
    return pd.DataFrame(
        base.execute(query, (model, low)).fetchall(), columns=["id", "score"]
    )


def _table(rows: Sequence[Sequence[object]], names: list[str]) -> pd.DataFrame:
    """Return rows as a table, with the journal's texts turned back into moments."""
    table = pd.DataFrame(rows, columns=names)
    for name in TIMES:
        if name in table:
            moments = pd.to_datetime(table[name], utc=True, format="ISO8601")
            table[name] = moments.astype("datetime64[us, UTC]")
    return table


def read_decisions(
    base: sqlite3.Connection,
) -> list[tuple[pd.Timestamp, str, dict[str, object]]]:
    """Read what was decided: the moment, the kind and the whole decision, in order."""
    rows = base.execute("SELECT at, kind, body FROM decisions ORDER BY at, kind")
    return [
        (pd.Timestamp(at), kind, parsed(body, f"the decision of {at}"))
        for at, kind, body in rows
    ]


def read_models(base: sqlite3.Connection) -> dict[str, dict[str, object]]:
    """Read what each model comes from, by its name."""
    rows = base.execute("SELECT name, about FROM models ORDER BY tick, name")
    return {name: parsed(said, f"what it says of {name}") for name, said in rows}


def read_alerts(base: sqlite3.Connection) -> pd.DataFrame:
    """Read the alerts: `at` (UTC), `name` and `said`, in order of time."""
    rows = base.execute("SELECT at, name, said FROM alerts ORDER BY at, name")
    return _table(rows.fetchall(), ["at", "name", "said"])


def read_ticks(base: sqlite3.Connection) -> pd.DataFrame:
    """Read the steps: `now`, `since`, `versions` (dict), the log and its digest."""
    names = ["now", "since", "versions", "log", "log_sha256", "refused"]
    names += ["counts", "environment", "digest"]
    rows = base.execute(f"SELECT {', '.join(names)} FROM ticks ORDER BY now")
    table = _table(rows.fetchall(), names)
    for name in ("versions", "counts"):
        table[name] = [parsed(each, f"{name} of a step") for each in table[name]]
    return table


def read_environment(base: sqlite3.Connection, digest: str) -> dict[str, str]:
    """Read what a step ran on: code, versions, processor."""
    query = "SELECT body FROM environments WHERE digest = ?"
    found = base.execute(query, (digest,)).fetchone()
    return {} if found is None else parsed(found[0], f"the environment {digest}")


def parsed(text: str, what: str) -> dict[str, Any]:
    """Return what JSON says.

    Parameters
    ----------
    text : str
        A text of the journal.
    what : str
        What it is, for the message.

    Raises
    ------
    BrokenJournal
        If it is no mapping in JSON.
    """
    try:
        found = json.loads(text)
    except (TypeError, ValueError):
        found = None
    if not isinstance(found, dict):
        raise BrokenJournal(
            f"the journal is damaged: {what} is {str(text)[:40]!r}, no mapping in "
            "JSON. Restore it from a copy."
        )
    return found

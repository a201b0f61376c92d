"""From one answer back to the raw files: who said what, and from what."""

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from flightline import lake, training
from flightline.features import CATEGORICAL, NUMERIC
from flightline.loop import answering
from flightline.loop.journal import (
    ANSWERS,
    LAKE,
    MODELS,
    parsed,
    read_decisions,
    read_environment,
    read_models,
    reading,
)
from flightline.loop.memory import BACK, WEATHER_BACK, reports_known
from flightline.loop.source import FEEDS
from flightline.loop.standing import FILE, standing_of

FOREVER = pd.Timestamp("2261-01-01", tz="UTC").as_unit("us")


@dataclass(frozen=True)
class Feed:
    """A table of the lake as a step or a training saw it.

    Attributes
    ----------
    table : str
    version : int
    files : tuple of str
        The files that can hold the rows that were used, with the sha256 of each.
    raw : tuple of str
        The deliveries that these rows came with.
    """

    table: str
    version: int
    files: tuple[tuple[str, str], ...]
    raw: tuple[str, ...]


@dataclass(frozen=True)
class Trace:
    """All that one answer rests on.

    Attributes
    ----------
    answer : mapping
        The journal's row: id, tick, asked_at, day, due_at, model, score, source.
    others : mapping of str to float
        What models would have answered that only listened.
    log, log_sha256, log_state : str
        The prediction log; the state says whether it is there, and unchanged.
    features : mapping
        The 28 values that the score was computed from; empty if they were given up.
    model : mapping
        What the model comes from.
    model_state : str
        Whether its files are there, and unchanged.
    feeds : tuple of Feed
        What the features were computed from.
    learned : tuple of Feed
        What the model was trained on.
    environment : mapping
        Code, versions and processor of the step.
    reports : DataFrame
        The labels: `available_at` and `arr_delay`, one row a report.
    decided : str
        Which decision let the model answer.
    """

    answer: Mapping[str, object]
    others: Mapping[str, float]
    log: str
    log_sha256: str
    log_state: str
    features: Mapping[str, object]
    model: Mapping[str, object]
    model_state: str
    feeds: tuple[Feed, ...]
    learned: tuple[Feed, ...]
    environment: Mapping[str, str]
    reports: pd.DataFrame
    decided: str

    @property
    def raw(self) -> list[str]:
        """The raw files that features and model come from, sorted."""
        parts = (*self.feeds, *self.learned)
        return sorted({name for feed in parts for name in feed.raw})

    def lines(self) -> list[str]:
        """Return the trace as lines for a person."""
        said, model = self.answer, self.model
        known = ("code_sha256", "git_commit", "processor")
        where = ", ".join(f"{n} {self.environment.get(n, 'unknown')}" for n in known)
        lines = [
            f"{said['id']}: {said['score']:.6f} ({said['source']}), "
            f"asked {said['asked_at']}, due {said['due_at']}",
            f"step {said['tick']}; {self.log or 'no log'}: {self.log_state}",
            f"environment: {where}",
            f"model {said['model']}: {self.model_state}; {self.decided}",
            f"  it learned {model.get('rows')} rows until {model.get('cut_off')}, "
            f"digest {str(model.get('rows_sha256'))[:16]}",
        ]
        lines += [f"  {_said(feed)}" for feed in self.learned]
        lines += [f"features: {len(self.features)} values, computed from"]
        lines += [f"  {_said(feed)}" for feed in self.feeds]
        lines += [
            f"label: {row.arr_delay:+.0f} min, known {row.available_at}"
            for row in self.reports.itertuples()
        ] or ["label: none has come in"]
        others = sorted(self.others.items())
        lines += [f"{name} would have said {score:.6f}" for name, score in others]
        return [*lines, f"raw: {', '.join(self.raw) or 'unknown'}"]


def _said(feed: Feed) -> str:
    """Return one table as a line."""
    raw = ", ".join(feed.raw) or "unknown deliveries"
    return f"{feed.table} version {feed.version}: {len(feed.files)} files from {raw}"


def trace(folder: Path | str, flight_id: str) -> Trace:
    """Follow an answer back to the raw files.

    Parameters
    ----------
    folder : path
        The folder of a run.
    flight_id : str
        Such as 2013-07-02-B6-523-JFK.

    Returns
    -------
    Trace

    Raises
    ------
    ValueError
        If there is no run, or it has not answered this flight.
    BrokenJournal, lake.Damaged
        If the journal or the log of the lake is damaged.
    """
    folder = Path(folder)
    with reading(folder) as base:
        names = ", ".join(ANSWERS)
        row = base.execute(f"SELECT {names} FROM answers WHERE id = ?", (flight_id,))
        found = row.fetchone()
        if found is None:
            raise ValueError(_unknown(base, flight_id))
        answer = dict(zip(ANSWERS, found, strict=True))
        return _traced(folder, base, answer)


def _unknown(base: sqlite3.Connection, flight_id: str) -> str:
    """Say that a flight has no answer, and how an id looks that has one."""
    query = "SELECT id FROM answers ORDER BY asked_at LIMIT 1"
    one = base.execute(query).fetchone()
    such = f", such as {one[0]}" if one else ""
    return (
        f"{flight_id!r} has no answer in this run. An id names day, carrier, number "
        f"and origin{such}."
    )


def _traced(
    folder: Path, base: sqlite3.Connection, answer: Mapping[str, object]
) -> Trace:
    """Collect all that an answer of the journal rests on."""
    tick = answer["tick"]
    query = "SELECT versions, log, log_sha256, environment FROM ticks WHERE now = ?"
    versions, log, digest, environment = base.execute(query, (tick,)).fetchone()
    model = read_models(base).get(str(answer["model"]), {})
    asked = pd.Timestamp(str(answer["asked_at"]))
    heard = base.execute(
        "SELECT model, score FROM shadows WHERE id = ?", (answer["id"],)
    )
    seen, learned = (
        _versions(parsed(versions, "the versions of a step")),
        _versions(model.get("versions")),
    )
    reports = reports_known(folder / LAKE, FOREVER)
    return Trace(
        answer,
        dict(heard.fetchall()),
        log,
        digest,
        _state(folder / log, digest),
        _features(folder / LAKE, str(answer["id"]), asked),
        model,
        _model_state(folder, str(answer["model"]), model),
        _feeds(folder / LAKE, seen, asked),
        _feeds(folder / LAKE, learned, None),
        read_environment(base, environment),
        reports[reports["flight_id"] == answer["id"]].reset_index(drop=True),
        _decided(base, str(answer["model"]), str(tick)),
    )


def _versions(said: object) -> dict[str, int]:
    """Return the versions of the lake's tables that something saw."""
    return dict(said) if isinstance(said, Mapping) else {}


def _state(path: Path, digest: str) -> str:
    """Say whether a file is there, and is what it was."""
    if not path.is_file():
        return "given up"
    same = training.sha256(path.read_bytes()) == digest
    return "unchanged" if same else "changed since it was written"


def _model_state(folder: Path, name: str, about: Mapping[str, object]) -> str:
    """Say whether the files of a model are there, and are what they were."""
    digest = str(about.get("manifest_sha256", ""))
    try:
        training.load_model(folder / MODELS / name, FILE, digest)
    except (training.Damaged, OSError, ValueError) as error:
        return f"not to be opened: {error}"
    return "unchanged"


def _features(lake_dir: Path, flight_id: str, asked: pd.Timestamp) -> dict[str, object]:
    """Return the features that an answer was computed from."""
    names = [*CATEGORICAL, *NUMERIC]
    try:
        rows = lake.read(
            lake_dir,
            answering.TABLE,
            columns=["flight_id", *names],
            start=asked,
            end=asked,
        )
    except ValueError:
        return {}
    mine = rows[rows["flight_id"] == flight_id]
    return {} if mine.empty else dict(mine.iloc[0][names])


def _feeds(
    lake_dir: Path, versions: Mapping[str, int], asked: pd.Timestamp | None
) -> tuple[Feed, ...]:
    """Return the tables as they were seen; near a moment, or as a whole."""
    names = FEEDS if asked is not None else (*FEEDS, answering.TABLE)
    return tuple(
        _feed(lake_dir, name, versions[name], asked)
        for name in names
        if name in versions
    )


def _feed(lake_dir: Path, table: str, version: int, asked: pd.Timestamp | None) -> Feed:
    """Return one table as it was seen."""
    entries = lake.log(lake_dir, table)
    try:
        files = lake.files(lake_dir, table, version)
    except lake.Gone:
        return Feed(table, version, (), ("given up",))
    if asked is not None:
        back = WEATHER_BACK if table == "weather" else BACK
        start = pd.to_datetime(files["start"], utc=True, format="ISO8601")
        end = pd.to_datetime(files["end"], utc=True, format="ISO8601")
        last = asked + pd.Timedelta(hours=3)  # plans of flights that leave soon
        files = files[(end >= asked - back) & (start <= last)]
    raw: set[str] = set()
    for path in files["path"]:
        for source in lake.sources_of(entries, path):
            raw.update(source.split(" "))
    pairs = zip(files["path"], files["sha256"], strict=True)
    return Feed(table, version, tuple(pairs), tuple(sorted(raw)))


def _decided(base: sqlite3.Connection, name: str, tick: str) -> str:
    """Say which decision let a model answer in a step."""
    until = pd.Timestamp(tick)
    before = [each for each in read_decisions(base) if each[0] < until]
    found = "by nobody"
    for at, kind, body in before:
        standing = standing_of([(at, kind, body)])
        if standing is None:
            continue
        tried = standing.challenger
        if name == standing.champion.name and standing.since == at:
            found = f"champion since {at:%Y-%m-%d} ({kind[2:]})"
        elif tried is not None and name == tried.name and standing.tried_since == at:
            found = f"on trial since {at:%Y-%m-%d}"
    return found

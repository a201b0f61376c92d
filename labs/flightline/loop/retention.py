"""What is given up, and when: the rules, what they would remove, and the removal.

Nothing here runs by itself. What a decision rests on stays as long as the decision can
be asked about: the journal, the models that have answered, and the versions of the lake
that they learned from. What merely repeats something else goes early: the prediction
log is in the lake after a step.
"""

import shutil
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from flightline import drift, lake
from flightline.loop.clock import DAY
from flightline.loop.journal import (
    LAKE,
    METRICS,
    MODELS,
    Journal,
    last_tick,
    read_decisions,
    read_models,
    read_ticks,
    reading,
)
from flightline.loop.labels import whole
from flightline.loop.standing import standing_of

MOST_DAYS = 36_500
"""A hundred years: whoever wants to keep all takes this."""


@dataclass(frozen=True)
class Rules:
    """How long what is kept.

    Attributes
    ----------
    log_days : int
        The prediction log of a step. The lake has its rows; what only the log has is
        how long each answer took, which the journal has too.
    model_days : int
        A model that has never answered: refused by the gate, or in a trial.
    metrics_days : int
        A row of the metrics store.
    version_days : int
        A version of the lake that no kept model has learned from.
    """

    log_days: int = 35
    model_days: int = 90
    metrics_days: int = 400
    version_days: int = 90

    def __post_init__(self) -> None:
        """Refuse to give up what a running loop still reads."""
        for name in ("log_days", "model_days", "metrics_days", "version_days"):
            if not whole(getattr(self, name), 1) or getattr(self, name) > MOST_DAYS:
                raise ValueError(
                    f"{name}={getattr(self, name)}: keep a day at least, whole days, "
                    f"and {MOST_DAYS:,} at most."
                )


@dataclass(frozen=True)
class Due:
    """Something that the rules give up: what it is, which one, and why.

    Attributes
    ----------
    kind : {"log", "model", "versions", "metrics"}
    name : str
        The file, the model, or the table of the lake.
    why : str
        The rule.
    before : int or Timestamp, optional
        Of versions and metrics, those before this one go.
    """

    kind: str
    name: str
    why: str
    before: int | pd.Timestamp | None = None


def due(folder: Path | str, rules: Rules | None = None) -> list[Due]:
    """Return what the rules give up at the end of the last step; nothing is removed.

    Parameters
    ----------
    folder : path
        The folder of a run.
    rules : Rules, optional

    Returns
    -------
    list of Due
        Logs, models, versions of the lake's tables, and rows of the metrics store.

    Raises
    ------
    ValueError
        If there is no run, or the metrics store is damaged.
    """
    with reading(folder) as base:
        return list(_due(Path(folder), base, rules or Rules()))


def _due(folder: Path, base: sqlite3.Connection, rules: Rules) -> Iterator[Due]:
    """Yield what the rules give up."""
    now = last_tick(base)
    if now is None:
        return
    ticks = read_ticks(base)
    for row in ticks[ticks["now"] < now - rules.log_days * DAY].itertuples():
        if row.log and (folder / row.log).is_file():
            yield Due("log", row.log, f"older than {rules.log_days} days")
    answered = {name for (name,) in base.execute("SELECT DISTINCT model FROM answers")}
    kept = answered | _standing(base)
    oldest = _seen(ticks, now - rules.version_days * DAY)
    for name, about in read_models(base).items():
        young = pd.Timestamp(str(about["cut_off"])) >= now - rules.model_days * DAY
        if name in kept or young:
            needed = about.get("versions")
            for table, version in (needed if isinstance(needed, dict) else {}).items():
                oldest[table] = min(version, oldest.get(table, version))
        elif (folder / MODELS / name).is_dir():
            why = f"never answered, older than {rules.model_days} days"
            yield Due("model", name, why)
    if ticks["now"].iloc[0] < now - rules.version_days * DAY:
        for table, version in sorted(oldest.items()):
            if lake.snapshot(folder / LAKE, table).oldest < version:
                why = f"older than {rules.version_days} days, no kept model needs it"
                yield Due("versions", table, why, version)
    until = now - rules.metrics_days * DAY
    store = folder / METRICS
    if store.is_file() and drift.old_metrics(store, until):
        why = f"older than {rules.metrics_days} days"
        yield Due("metrics", store.name, why, until)


def _seen(ticks: pd.DataFrame, since: pd.Timestamp) -> dict[str, int]:
    """Return the oldest version of each table that a step has read since a moment."""
    oldest: dict[str, int] = {}
    for versions in ticks["versions"][ticks["now"] >= since]:
        for table, version in versions.items():
            oldest[table] = min(version, oldest.get(table, version))
    return oldest


def _standing(base: sqlite3.Connection) -> set[str]:
    """Return the models that answer, are on trial, or have answered last."""
    found = standing_of(read_decisions(base))
    if found is None:
        return set()
    models = (found.champion, found.challenger, found.former)
    return {model.name for model in models if model is not None}


def _must_hold_a_run(folder: Path) -> None:
    """Refuse a folder without a run: a writer would begin one there."""
    with reading(folder):
        pass


def apply(folder: Path | str, rules: Rules | None = None) -> list[Due]:
    """Remove what the rules give up. No loop may run on the folder meanwhile.

    Parameters
    ----------
    folder : path
        The folder of a run.
    rules : Rules, optional

    Returns
    -------
    list of Due
        What went. Whatever a killed call left, the next one removes.

    Raises
    ------
    Busy
        If a loop runs on the folder.
    ValueError
        If there is no run.
    OSError
        If something cannot be removed.
    """
    folder = Path(folder)
    _must_hold_a_run(folder)
    with Journal(folder):
        found = due(folder, rules)  # of what stands now: no loop can add to it
        for each in found:
            if each.kind == "log":
                (folder / each.name).unlink()
            elif each.kind == "model":
                shutil.rmtree(folder / MODELS / each.name)
            elif isinstance(each.before, int):
                lake.expire(folder / LAKE, each.name, each.before)
            elif each.before is not None:
                drift.old_metrics(folder / each.name, each.before, remove=True)
    return found


def forget(folder: Path | str, column: str, value: object) -> dict[str, int]:
    """Erase the rows that hold a value from the lake of a run, such as an aircraft.

    Parameters
    ----------
    folder : path
        The folder of a run.
    column : str
        A column of the feeds, such as `tailnum`.
    value : object
        What to erase.

    Returns
    -------
    dict of int
        How many rows went, by table. The answers, the prediction logs and the journal
        hold features and scores by flight, and no such column: they are left.

    Raises
    ------
    Busy
        If a loop runs on the folder.
    ValueError
        If there is no run, no table has the column, it names a flight, or as
        `lake.erase`.

    Notes
    -----
    Afterwards older versions of these tables cannot be read: a lineage query says that
    they were given up. Models that learned from the rows are not reached; train anew.
    """
    if column == "flight_id":
        raise ValueError(
            "a flight stands in answers, logs and journal as well, which vouch for "
            "each other: it is not erased by itself. Erase what names a person."
        )
    folder = Path(folder)
    _must_hold_a_run(folder)
    lake_dir = folder / LAKE
    with Journal(folder):
        tables = [
            table
            for table in lake.tables(lake_dir)
            if column in {each.name for each in lake.snapshot(lake_dir, table).columns}
        ]
        if not tables:
            raise ValueError(f"no table of the lake has the column {column!r}.")
        return {
            table: lake.erase(lake_dir, table, column, value).rows for table in tables
        }

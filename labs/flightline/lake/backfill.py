"""Correct the past without rewriting it: a backfill, and what it costs."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from flightline.lake.log import snapshot
from flightline.lake.parquet import overlapping
from flightline.lake.tables import append, read
from flightline.lake.times import UTC, Moment, micro, moment

if TYPE_CHECKING:
    from pandera.pandas import DataFrameSchema


@dataclass(frozen=True)
class Backfill:
    """What a backfill did, and what it cost.

    Attributes
    ----------
    version : int
        The newest version afterwards.
    rows_read, rows_changed : int
        Events looked at, and events that got a corrected row.
    quarantined : int
        Corrected rows that the contract set aside.
    files_read, bytes_read : int
        Of the version before, in the time asked for.
    files_added, bytes_added : int
        What the lake is larger by.
    """

    version: int
    rows_read: int
    rows_changed: int
    quarantined: int
    files_read: int
    bytes_read: int
    files_added: int
    bytes_added: int


def _changed(was: pd.DataFrame, now: pd.DataFrame) -> pd.Series:
    """Mark the rows of `now` in which a value differs, or a new column is known."""
    differs = pd.Series(False, now.index)
    for name in now:
        if name in was:
            same = (was[name] == now[name]).fillna(False).astype(bool)
            differs |= ~(same | (was[name].isna() & now[name].isna()))
        else:
            differs |= now[name].notna()
    return differs


def _require_same_events(
    was: pd.DataFrame, now: pd.DataFrame, names: list[str]
) -> None:
    """Raise if a correction moved, dropped or added an event."""
    if not now.index.equals(was.index) or not now[names].equals(was[names]):
        raise ValueError(
            f"change must return the same rows in the same order, with {names} as they "
            "were. Correct the other columns."
        )


def backfill(
    lake_dir: Path | str,
    table: str,
    change: Callable[[pd.DataFrame], pd.DataFrame],
    *,
    known_at: Moment,
    start: Moment | None = None,
    end: Moment | None = None,
    source: str = "backfill",
    schema: "DataFrameSchema | None" = None,
) -> Backfill:
    """Append corrected rows for events of the past, as one batch.

    The old rows stay: an older version, and a join at an older moment, find what was
    known then. The corrections are known from `known_at` on.

    Parameters
    ----------
    lake_dir, table
        The lake's folder and the table.
    change : callable
        Takes the newest row of each event, and returns the same rows with corrected
        values, and perhaps with a new column.
    known_at : timestamp with a time zone
        When the corrections become known; later than everything they correct.
    start, end : timestamp with a time zone, optional
        The events to look at; all by default.
    source : str
        Kept in the log.
    schema : pandera.DataFrameSchema, optional
        As for `append`.

    Returns
    -------
    Backfill
        What it cost. If nothing changes, nothing is appended.

    Raises
    ------
    ValueError
        If the moment has no zone or is not later than the rows to correct, or `change`
        returns other events.
    """
    known = moment(known_at, "known_at")
    state = snapshot(lake_dir, table)
    names = ["event_time", state.key]
    rows = read(lake_dir, table, state.version, start=start, end=end)
    newest = rows.drop_duplicates(names, keep="last").reset_index(drop=True)
    if len(newest) and newest["available_at"].max() >= known:
        raise ValueError(
            f"known_at is {known}, and {table} holds rows that became known at "
            f"{newest['available_at'].max()}. Give a later moment."
        )
    now = change(newest.copy())
    _require_same_events(newest, now, names)
    corrected = now[_changed(newest, now)]
    low, high = micro(moment(start, "start")), micro(moment(end, "end"))
    touched = overlapping(state, low, high)
    version, quarantined = state.version, 0
    if len(corrected):
        stamps = pd.Series(known, corrected.index).astype(UTC)
        batch = corrected.assign(available_at=stamps)
        receipt = append(lake_dir, table, batch, source=source, schema=schema)
        version, quarantined = receipt.version, receipt.quarantined
    after = snapshot(lake_dir, table, version).files.values()
    added = [record for record in after if record["path"] not in state.files]
    return Backfill(
        version=version,
        rows_read=len(rows),
        rows_changed=len(corrected),
        quarantined=quarantined,
        files_read=len(touched),
        bytes_read=sum(record["bytes"] for record in touched),
        files_added=len(added),
        bytes_added=sum(record["bytes"] for record in added),
    )

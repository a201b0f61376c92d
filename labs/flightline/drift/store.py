"""The metrics store: what was measured, when, and whether it was in order."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pandas as pd

from flightline.drift.quality import CHECK

TABLE = """CREATE TABLE IF NOT EXISTS metrics (at TEXT, metric TEXT, subject TEXT,
    value REAL, low REAL, high REAL, false_alarm REAL, found INTEGER,
    PRIMARY KEY (at, metric, subject))"""

NUMBERS = ["value", "low", "high", "false_alarm"]

ADD = "INSERT OR REPLACE INTO metrics VALUES (?,?,?,?,?,?,?,?)"


def write_metrics(store: Path | str, at: pd.Timestamp, *tables: pd.DataFrame) -> int:
    """Write findings to a metrics store; the same moment and subject is replaced.

    Parameters
    ----------
    store : path
        A SQLite file; it is made if it does not exist.
    at : Timestamp
        When this was measured, with a time zone. It is kept in UTC, as ISO 8601.
    *tables : DataFrame
        With the columns CHECK, as `quality` and the others return them.

    Returns
    -------
    int
        The number of rows given.

    Raises
    ------
    ValueError
        If `at` has no time zone or lies outside the years 1678 to 2261, or the file
        cannot be written.
    """
    if at.tzinfo is None:
        raise ValueError(f"at={at} has no time zone. Use UTC.")
    moment = at.tz_convert("UTC").as_unit("ns").isoformat()
    rows = [
        (moment, *map(_plain, row))
        for table in tables
        for row in table[CHECK].itertuples(index=False)
    ]
    try:
        with closing(sqlite3.connect(store)) as base, base:
            base.execute(TABLE)
            base.executemany(ADD, rows)
    except sqlite3.Error as error:
        raise ValueError(f"{Path(store).name} cannot be written: {error}.") from error
    return len(rows)


def _plain(value: object) -> object:
    """Return a value as SQLite keeps it: null, a text or a number."""
    if isinstance(value, str):
        return value
    return None if pd.isna(value) else float(value)  # type: ignore[arg-type]


def read_metrics(store: Path | str, metric: str | None = None) -> pd.DataFrame:
    """Read a metrics store, all of it or one metric, in the order of time.

    Parameters
    ----------
    store : path
        What `write_metrics` made. Times in any spelling of ISO 8601 are read.
    metric : str, optional
        Such as "psi".

    Returns
    -------
    DataFrame
        `at` (UTC) and the columns CHECK.

    Raises
    ------
    ValueError
        If the file is not there, is no metrics store, or a time cannot be read.
    """
    name = Path(store).name
    if not Path(store).is_file():
        raise ValueError(f"there is no metrics store {name!r}.")
    try:
        with closing(sqlite3.connect(store)) as base:
            table = pd.read_sql_query(
                f"SELECT at, {', '.join(CHECK)} FROM metrics", base
            )
    except (sqlite3.Error, pd.errors.DatabaseError) as error:
        raise ValueError(f"{name} is no metrics store that can be read.") from error
    moments = _moments(table["at"], name)
    numbers = {name: table[name].astype(float) for name in NUMBERS}
    table = table.assign(at=moments, found=table["found"] > 0, **numbers)
    table = table.sort_values(["at", "metric", "subject"], ignore_index=True)
    return table if metric is None else table[table["metric"] == metric]


def old_metrics(
    store: Path | str, before: pd.Timestamp, *, remove: bool = False
) -> int:
    """Count the rows of a metrics store from before a moment; remove them if told to.

    Parameters
    ----------
    store : path
        What `write_metrics` made. Times in any spelling of ISO 8601 are read.
    before : Timestamp
        With a time zone. What was measured at this moment stays.
    remove : bool
        Whether the rows go.

    Returns
    -------
    int
        How many rows there were.

    Raises
    ------
    ValueError
        If `before` has no time zone, the file is not there, is no metrics store that
        can be read or changed, or a time cannot be read.
    """
    if before.tzinfo is None:
        raise ValueError(f"before={before} has no time zone. Use UTC.")
    name = Path(store).name
    if not Path(store).is_file():
        raise ValueError(f"there is no metrics store {name!r}.")
    try:
        with closing(sqlite3.connect(store)) as base, base:
            texts = base.execute("SELECT at FROM metrics").fetchall()
            at = pd.Series([text for (text,) in texts], dtype=object)
            old = at[_moments(at, name) < before]
            if remove:
                rows = [(text,) for text in old.unique()]
                base.executemany("DELETE FROM metrics WHERE at = ?", rows)
    except sqlite3.Error as error:
        raise ValueError(
            f"{name} is no metrics store that can be used: {error}. Restore it from a "
            "copy."
        ) from error
    return len(old)


def _moments(texts: pd.Series, name: str) -> pd.Series:
    """Return times in UTC, or say which text of a store is none."""
    moments = pd.to_datetime(texts, utc=True, format="ISO8601", errors="coerce")
    if moments.isna().any():
        odd = texts[moments.isna()].iloc[0]
        raise ValueError(f"{name}: at={odd!r} is no time in ISO 8601. Mend that row.")
    return moments

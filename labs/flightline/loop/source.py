"""What will happen: the events of a year, in the order in which they became known.

A simulated clock needs a world to walk through. Here it is a table a feed, each row
with the time at which it became known, and the raw files that it came from.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import pandas as pd

from flightline import lake, training

FEEDS = ("schedule", "departures", "arrivals", "weather")
SUMS = "SHA256SUMS"
MOST_WIND = lake.RANGES["wind_speed"][1]


@dataclass(frozen=True)
class Source:
    """The feeds of a run.

    Attributes
    ----------
    tables : mapping of str to DataFrame
        FEEDS, as `lake.events` and `lake.weather_events` return them. A row without
        `available_at` never becomes known.
    files : mapping of str to str
        The raw files that they come from, with their sha256; empty if nobody says.
    folder : Path, optional
        Where these files lie.
    """

    tables: Mapping[str, pd.DataFrame]
    files: Mapping[str, str] = field(default_factory=dict)
    folder: Path | None = None

    def __post_init__(self) -> None:
        """Refuse a source without one of the feeds, or a feed without its times."""
        missing = [name for name in FEEDS if name not in self.tables]
        if missing:
            raise ValueError(
                f"the source lacks {', '.join(missing)}: it needs {FEEDS}."
            )
        tables = {name: _timed(name, self.tables[name]) for name in FEEDS}
        object.__setattr__(self, "tables", tables)

    @cached_property
    def identity(self) -> str:
        """The digest of all rows: two sources of one identity tell one story."""
        parts = [lake.batch_digest(self.tables[name]) for name in FEEDS]
        return training.sha256("\n".join(parts).encode())

    def named(self, feed: str, rows: pd.DataFrame) -> str:
        """Name the raw files that some rows of a feed come from, with a space between.

        Parameters
        ----------
        feed : str
            One of FEEDS.
        rows : DataFrame
            Rows of it.

        Returns
        -------
        str
            Such as "flights/2013-06.parquet flights/2013-07.parquet"; the name of the
            feed if the source has no such files.
        """
        names = {"weather.parquet"}
        if feed != "weather":
            months = rows["flight_id"].str.slice(0, 7).unique()
            names = {_file_of(month) for month in months}
        known = sorted(names & set(self.files))
        return " ".join(known) or feed


def _timed(feed: str, rows: pd.DataFrame) -> pd.DataFrame:
    """Return a feed with both times in UTC and microseconds, or say what is wrong."""
    for name in ("event_time", "available_at"):
        if name not in rows:
            raise ValueError(f"{feed} lacks {name}.")
        if not isinstance(rows[name].dtype, pd.DatetimeTZDtype):
            raise ValueError(
                f"{feed}: {name} holds {rows[name].dtype}, no times with a zone. Give "
                "them in UTC."
            )
        if rows[name].dtype != lake.UTC:
            whole = rows[name].dt.tz_convert("UTC").astype(lake.UTC)
            rows = rows.assign(**{name: whole})
    return rows


def _file_of(month: str) -> str:
    """Return the raw file that holds the flights of a month, such as 2013-07."""
    return f"flights/{month}.parquet"


def read_source(folder: Path | str, months: Iterable[int]) -> Source:
    """Read the raw tables of some months, without the sealed week.

    Parameters
    ----------
    folder : path
        A folder with Parquet files and SHA256SUMS, whose digests must hold.
    months : iterable of int
        Months of 2013.

    Returns
    -------
    Source

    Raises
    ------
    ValueError
        If there is no list of digests, or it lacks a file.
    training.Damaged
        If a file is missing or changed.
    """
    folder = Path(folder)
    if not (folder / SUMS).is_file():
        raise ValueError(f"{folder} holds no {SUMS}. Give the folder of the data.")
    flights, airports, weather, used = training.raw_tables(folder, months)
    return source_of(flights, airports, weather, files=used, folder=folder)


def source_of(
    flights: pd.DataFrame,
    airports: pd.DataFrame,
    weather: pd.DataFrame,
    *,
    files: Mapping[str, str] | None = None,
    folder: Path | None = None,
) -> Source:
    """Turn raw tables into the feeds of a run.

    Parameters
    ----------
    flights, airports, weather : DataFrame
        Raw, as the course's data card describes them.
    files, folder
        As in `Source`.

    Returns
    -------
    Source
        An impossible wind (one report of February says 1,048 knots) is null: the lake
        would set the whole report aside, and the features know the wind as null.
    """
    impossible = weather["wind_speed"] > MOST_WIND
    mended = weather.assign(wind_speed=weather["wind_speed"].mask(impossible))
    tables = lake.events(flights, airports)
    reports = lake.weather_events(mended)
    return Source({**tables, "weather": reports}, files or {}, folder)

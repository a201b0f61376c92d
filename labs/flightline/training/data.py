"""The training table, from raw tables or from a lake; splits, labels and days."""

import io
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pandas as pd

from flightline import lake
from flightline.features import training_table
from flightline.training.core import Floats, Integers
from flightline.training.digests import verified

SPLITS = {"train": range(1, 6), "tune": range(6, 7), "test": range(7, 8)}
"""The months of each part: every model learns January to May and is tuned on June."""


def load_table(source: Path | str, months: Iterable[int] = range(1, 8)) -> pd.DataFrame:
    """Compute the training table from raw tables or from a lake.

    Both give the same table once the lake holds every row. A row in quarantine is
    missing until its mended form is appended.

    Parameters
    ----------
    source : path
        A folder with Parquet files and `SHA256SUMS`, whose digests must hold; or the
        folder of a lake with schedule, departures, arrivals and weather.
    months : iterable of int
        The months of 2013 to read; features look back at these alone. The sealed
        week at the end of December is left out.

    Returns
    -------
    DataFrame
        What `features.training_table` returns: one row a flight.

    Raises
    ------
    Damaged
        If a file of the folder is missing or changed.
    lake.Damaged
        If a file of the lake is.
    ValueError
        If the lake lacks a table, or a month is none of 1 to 12.
    """
    months = list(months)
    if not months or not set(months) <= set(range(1, 13)):
        raise ValueError(f"months={months}: name at least one, each from 1 to 12.")
    if not lake.tables(source):
        return _from_folder(Path(source), months)
    flights = lake.known_flights(source, months)
    flights = flights[~lake.is_sealed(flights)]
    return training_table(flights, lake.read(source, "weather"))


def _from_folder(folder: Path, months: Iterable[int]) -> pd.DataFrame:
    """Compute the training table from raw tables whose digests hold."""
    flights, airports, weather, _ = raw_tables(folder, months)
    times = lake.flight_times(flights, airports)
    return training_table(times, lake.weather_events(weather))


def raw_tables(
    folder: Path, months: Iterable[int]
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame, dict[str, str]]:
    """Read the raw tables of some months, without the sealed week.

    Parameters
    ----------
    folder : Path
        A folder with Parquet files and `SHA256SUMS`, whose digests must hold.
    months : iterable of int
        Months of 2013.

    Returns
    -------
    flights, airports, weather : DataFrame
        Whole numbers as int64.
    sums : dict of str
        The sha256 of each file that was read, by its name.

    Raises
    ------
    FileNotFoundError
        If there is no `SHA256SUMS`.
    ValueError
        If it lacks a file.
    Damaged
        If a file is missing or changed.
    """
    used: dict[str, str] = {}
    lines = (folder / "SHA256SUMS").read_text().splitlines()
    sums = dict(line.split("  ")[::-1] for line in lines)

    def read(name: str) -> pd.DataFrame:
        if name not in sums:
            raise ValueError(f"SHA256SUMS has no line for {name}. Restore the folder.")
        frame = pd.read_parquet(io.BytesIO(verified(folder / name, sums[name])))
        used[name] = sums[name]
        return frame.astype(dict.fromkeys(frame.select_dtypes("integer"), "int64"))

    parts = [read(f"flights/2013-{month:02d}.parquet") for month in months]
    flights = pd.concat(parts, ignore_index=True)
    flights = flights[~lake.is_sealed(flights)]
    return flights, read("airports.parquet"), read("weather.parquet"), used


def split(table: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Cut a training table by time.

    Parameters
    ----------
    table : DataFrame
        With `month` and `late`.

    Returns
    -------
    dict of DataFrame
        `train` (January-May), `tune` (June) and `test` (July), without the rows that
        have no label: flights that never landed.
    """
    known = table[table["late"].notna()]
    return {name: known[known["month"].isin(list(m))] for name, m in SPLITS.items()}


def labels(table: pd.DataFrame) -> Floats:
    """Return the labels as 0.0 and 1.0.

    Parameters
    ----------
    table : DataFrame
        With `late`: true and false, or 1 and 0, of any dtype.

    Returns
    -------
    array of float64 [n]

    Raises
    ------
    ValueError
        If a label is missing, or is neither 0 nor 1.
    """
    if missing := int(table["late"].isna().sum()):
        raise ValueError(f"late is missing in {missing} rows. Take rows from split().")
    try:
        found = np.asarray(table["late"].to_numpy(np.float64))
    except (TypeError, ValueError) as error:
        raise ValueError(f"late holds what is no number: {error}.") from None
    if odd := sorted(set(found.tolist()) - {0.0, 1.0}):
        raise ValueError(f"late holds {odd[0]:g}. A label is 0 or 1.")
    return found


def days(table: pd.DataFrame) -> Integers:
    """Return the day of each row, by New York's calendar, numbered from 0.

    Parameters
    ----------
    table : DataFrame
        With `sched_dep_utc`, times with a zone.

    Returns
    -------
    array of int64 [n]

    Raises
    ------
    ValueError
        If times have no zone, or one is missing.
    """
    times = table["sched_dep_utc"]
    if not isinstance(times.dtype, pd.DatetimeTZDtype) or times.isna().any():
        raise ValueError("sched_dep_utc must hold times with a zone, none missing.")
    local = times.dt.tz_convert("America/New_York")
    return np.asarray(pd.factorize(local.dt.date)[0], np.int64)

"""The training table from a lake, or from the folder with the raw tables: the same."""

from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from flightline import lake
from flightline.features import training_table
from flightline.training import core


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
        If the lake lacks a table.
    """
    if not lake.tables(source):
        return core.load_table(source, months)
    flights = lake.known_flights(source, months)
    flights = flights[~lake.is_sealed(flights)]
    return training_table(flights, lake.read(source, "weather"))

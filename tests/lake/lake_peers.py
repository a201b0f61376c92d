"""What the lake is held against: other readers of its files, and Delta Lake."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import pyarrow as pa
from flightline import lake

UTC = "datetime64[us, UTC]"


def digests(folder: Path) -> dict[str, str]:
    """Return the sha256 of every file below a folder, by its relative path.

    Parameters
    ----------
    folder : Path
        The folder.

    Returns
    -------
    dict of str
    """
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in paths
    }


def arrow_read(paths: Sequence[str], like: pd.DataFrame) -> pd.DataFrame:
    """Read Parquet files with pyarrow, in the columns and the order of a frame.

    Parameters
    ----------
    paths : sequence of str
        The files.
    like : DataFrame
        Gives the columns; rows are ordered by event_time, the first column, and
        available_at.

    Returns
    -------
    DataFrame
    """
    import pyarrow.dataset

    table = pyarrow.dataset.dataset(list(paths)).to_table(columns=list(like))
    return _in_order(table, like.columns[0])


def _in_order(table: pa.Table, key: str) -> pd.DataFrame:
    """Return a table as a frame, in the order in which the lake reads rows."""
    order = ("event_time", key, "available_at")
    frame: pd.DataFrame = table.sort_by([(c, "ascending") for c in order]).to_pandas()
    return frame


def duckdb_read(paths: Sequence[str], like: pd.DataFrame) -> pd.DataFrame:
    """Read Parquet files with DuckDB, in the columns and the order of a frame.

    Parameters
    ----------
    paths, like
        As for `arrow_read`.

    Returns
    -------
    DataFrame
    """
    import duckdb

    order = f"event_time, {like.columns[0]}, available_at"
    with duckdb.connect(config={"threads": 1}) as connection:
        connection.execute("SET TimeZone = 'UTC'; SET enable_progress_bar = false")
        files = connection.read_parquet(list(paths), hive_partitioning=False)
        rows = files.order(order).df()
    for column in like.columns[like.dtypes == UTC]:
        rows[column] = rows[column].astype(UTC)
    return rows[list(like)]


def delta_read(folder: Path, version: int | None = None) -> pd.DataFrame:
    """Read a version of departures in a Delta table, in the order of `lake.read`.

    Parameters
    ----------
    folder : Path
        The table.
    version : int, optional
        As the lake counts, from 1; Delta counts from 0. The newest by default.

    Returns
    -------
    DataFrame
    """
    import deltalake

    number = None if version is None else version - 1
    rows = deltalake.DeltaTable(str(folder), version=number).to_pyarrow_table()
    return _in_order(rows, "flight_id")


def copy_to_delta(lake_dir: Path, table: str, folder: Path) -> None:
    """Append the accepted rows of each version of a lake's table to a Delta table.

    Parameters
    ----------
    lake_dir, table
        The lake and its table, with appends only.
    folder : Path
        The Delta table.
    """
    like = lake.read(lake_dir, table)
    for entry in lake.log(lake_dir, table):
        paths = [str(lake_dir / table / record["path"]) for record in entry["add"]]
        delta_append(folder, [arrow_read(paths, like)])


def delta_append(folder: Path, batches: Sequence[pd.DataFrame]) -> None:
    """Append batches to a Delta table and do not read it.

    Parameters
    ----------
    folder : Path
        The table.
    batches : sequence of DataFrame
        The batches.
    """
    import deltalake

    for rows in batches:
        table = pa.Table.from_pandas(rows, preserve_index=False)
        deltalake.write_deltalake(str(folder), table, mode="append")

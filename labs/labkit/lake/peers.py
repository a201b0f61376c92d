"""What the lake is held against: other readers, other stores, and a plain folder.

The plain folder is what most projects begin with: a new Parquet file for each hour of a
delivery, and a reader that takes whatever lies there. Run as a module, it appends in a
process of its own, which a lab can then kill.
"""

import argparse
import hashlib
import os
import signal
import uuid
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import matplotlib.pyplot as plt
import pandas as pd
import pyarrow as pa
from flightline import lake
from matplotlib.ticker import MaxNLocator

from labkit import figures, timing

UTC = "datetime64[us, UTC]"


def audit(
    left: pd.DataFrame,
    landed: pd.DataFrame,
    by_delay: pd.Series,
    airports: pd.DataFrame,
) -> tuple[dict[str, int], pd.DataFrame]:
    """Count where exact instants agree with what the airlines say, and where not.

    Parameters
    ----------
    left, landed : DataFrame
        The flights that departed, and those with an arrival delay, from
        `lake.flight_times`.
    by_delay : Series
        The arrival according to the schedule and the delay.
    airports : DataFrame
        `faa` and `tzone`.

    Returns
    -------
    counts : dict of int
    dst_rows : DataFrame
        The landings whose local date and clock have no one answer: pandas must raise
        or guess, because the hour is skipped or doubled.
    """
    local = left.dep_utc.dt.tz_convert(lake.NEW_YORK).dt
    clock = local.hour * 60 + local.minute
    zones = dict(zip(airports.faa, airports.tzone, strict=True)) | lake.MISSING_ZONES
    undecided = pd.Series(False, index=landed.index)
    for zone, rows in landed.groupby(landed.dest.map(zones)):
        date = rows.arr_utc.dt.tz_convert(zone).dt.tz_localize(None).dt.normalize()
        wall = date + pd.to_timedelta(lake.clock_minutes(rows.arr_time), unit="min")
        decided = wall.dt.tz_localize(zone, ambiguous="NaT", nonexistent="NaT")
        undecided[rows.index] = decided.isna()
    counts = {
        "departed": len(left),
        "clock agrees": int((clock == lake.clock_minutes(left.dep_time)).sum()),
        "landed": len(landed),
        "delay agrees": int((by_delay == landed.arr_utc).sum()),
        "departed, landing unknown": int(left.arr_utc.isna().sum()),
        "date + dep_time: wrong day": int((local.day != left.day).sum()),
        "landing clock skipped or doubled": int(undecided.sum()),
    }
    return counts, landed[undecided]


def ingest(lake_dir: Path, tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Append tables to a lake, one delivery for each month in which rows became known.

    Parameters
    ----------
    lake_dir : Path
        The lake.
    tables : mapping of str to DataFrame
        Tables of events; a row without an available time goes with the row before.

    Returns
    -------
    DataFrame
        The receipts: one row a delivery.
    """
    receipts = []
    for name, table in tables.items():
        known = table.available_at.ffill().dt.tz_localize(None).dt.to_period("M")
        for month, rows in table.groupby(known):
            receipts.append(lake.append(lake_dir, name, rows, source=f"{name} {month}"))
    return pd.DataFrame(receipts)


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


def delta_store(folder: Path, *batches: pd.DataFrame) -> pd.DataFrame:
    """Append batches to a Delta table with its plain append, and read it.

    Parameters
    ----------
    folder : Path
        The table; it is made if it is missing.
    *batches : DataFrame
        The batches; each makes a version.

    Returns
    -------
    DataFrame
        All rows of the newest version.
    """
    delta_append(folder, batches)
    return delta_read(folder)


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


def lake_store(folder: Path, *batches: pd.DataFrame) -> pd.DataFrame:
    """Append batches of departures to a lake, and read it.

    Parameters
    ----------
    folder : Path
        The lake; it is made if it is missing.
    *batches : DataFrame
        The batches.

    Returns
    -------
    DataFrame
        All rows of the newest version.
    """
    for rows in batches:
        lake.append(folder, "departures", rows)
    return lake.read(folder, "departures")


def folder_store(folder: Path, *batches: pd.DataFrame) -> pd.DataFrame:
    """Append batches to a plain folder of files, and read it.

    Parameters
    ----------
    folder : Path
        It is made if it is missing.
    *batches : DataFrame
        The batches.

    Returns
    -------
    DataFrame
        The rows of whatever files lie there.
    """
    for rows in batches:
        folder_append(folder, rows)
    paths = sorted(folder.glob("*.parquet"))
    return pd.concat([pd.read_parquet(path) for path in paths], ignore_index=True)


def folder_append(folder: Path, batch: pd.DataFrame, die_after: int = -1) -> None:
    """Write a delivery to a plain folder: a new file for each hour that it covers.

    Parameters
    ----------
    folder : Path
        It is made if it is missing.
    batch : DataFrame
        With `event_time`.
    die_after : int
        Kill this process with SIGKILL after so many files; never if negative.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for n, (hour, rows) in enumerate(batch.groupby(batch.event_time.dt.floor("h"))):
        if n == die_after:
            os.kill(os.getpid(), signal.SIGKILL)
        name = f"{hour:%Y-%m-%d-%H}-{uuid.uuid4().hex[:8]}.parquet"
        rows.to_parquet(folder / name, index=False)


def race(
    batches: Sequence[pd.DataFrame], work: Path, repeats: int = 3
) -> tuple[pd.DataFrame, pd.Series]:
    """Append the same batches to Delta and to the lake, in turns, in one run.

    Parameters
    ----------
    batches : sequence of DataFrame
        Departures.
    work : Path
        A folder for the tables; each round makes new ones.
    repeats : int
        Measured rounds.

    Returns
    -------
    speed : DataFrame
        As `timing.compare` returns it, with `rows_per_s`.
    sizes : Series
        Bytes of all files of one table each, and of the same rows as CSV.
    """
    made: dict[str, list[Path]] = {"Delta": [], "lake": []}
    stores = {"Delta": delta_append, "lake": lake_append}

    def fill(name: str) -> Callable[[], None]:
        def action() -> None:
            folder = work / f"race-{name}-{len(made[name])}"
            made[name].append(folder)
            stores[name](folder, batches)

        return action

    speed = timing.compare({name: fill(name) for name in made}, repeats=repeats)
    speed["rows_per_s"] = sum(map(len, batches)) / speed.median_ms * 1_000
    csv = sum(len(rows.to_csv(index=False).encode()) for rows in batches)
    sizes = {name: size(folders[0]) for name, folders in made.items()}
    return speed, pd.Series({"CSV": csv, **sizes})


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


def lake_append(folder: Path, batches: Sequence[pd.DataFrame]) -> None:
    """Append batches of departures to a lake and do not read it.

    Parameters
    ----------
    folder : Path
        The lake.
    batches : sequence of DataFrame
        The batches.
    """
    for rows in batches:
        lake.append(folder, "departures", rows)


def size(folder: Path) -> int:
    """Return the bytes of all files below a folder.

    Parameters
    ----------
    folder : Path
        The folder.

    Returns
    -------
    int
    """
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def plot_views(views: pd.DataFrame) -> None:
    """Draw what two readers miss in each hour, as grouped bars.

    Parameters
    ----------
    views : DataFrame
        Counts by the start of the hour: `in the end`, `batch` and `stream`.
    """
    ax = plt.subplots()[1]
    for shift, reader in ((-0.2, "batch"), (0.2, "stream")):
        color = figures.BLUE if reader == "batch" else figures.ORANGE
        missing = views["in the end"] - views[reader]
        hours = views.index.hour + shift
        ax.bar(hours, missing, width=0.36, color=color, label=f"{reader} reader")
    ax.set(title="Each reader misses reports, for a reason of its own")
    ax.set(xlabel="hour of departure, 2 July (UTC)", ylabel="missing at 18:00")
    ax.yaxis.set_major_locator(MaxNLocator(integer=True))
    ax.legend(loc="upper left")


def plot_patience(frontier: pd.DataFrame) -> None:
    """Draw the share of late events against the allowed lateness.

    Parameters
    ----------
    frontier : DataFrame
        `lateness_min` and `late_share`.
    """
    ax = plt.subplots()[1]
    share = 100 * frontier.late_share
    ax.plot(frontier.lateness_min, share, marker="o", color=figures.BLUE)
    ax.set(title="Patience buys completeness, less and less of it", ylim=(0, None))
    ax.set(xlabel="allowed lateness (minutes)", ylabel="set aside as late (%)")


def plot_sizes(sizes: pd.Series) -> None:
    """Draw bytes on disk as horizontal bars, in MiB.

    Parameters
    ----------
    sizes : Series
        Bytes by store: CSV, Delta, lake.
    """
    ax = plt.subplots(figsize=(6, 2.8))[1]
    colors = [figures.GREY, figures.ORANGE, figures.BLUE]
    ax.barh(list(sizes.index), sizes / 2**20, color=colors)
    figures.label_bars(ax, [f"{value / 2**20:.1f}" for value in sizes])
    ax.set(title="Columns and compression decide the size", xlabel="on disk (MiB)")
    ax.invert_yaxis()


def main(arguments: list[str] | None = None) -> int:
    """Append a Parquet file to a plain folder, and perhaps die on the way."""
    parser = argparse.ArgumentParser(
        prog="python -m labkit.lake.peers", description=__doc__
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("file", type=Path)
    parser.add_argument("--die-after", type=int, default=-1)
    options = parser.parse_args(arguments)
    folder_append(options.folder, pd.read_parquet(options.file), options.die_after)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

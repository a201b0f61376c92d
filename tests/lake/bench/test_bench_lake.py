"""The lake beside Delta: the year's departures in the same batches, in one run.

Delta writes its files without `fsync`; here each of its commits is synced as one of the
lake is, file by file and folder by folder, so that both survive a power cut. Both are
timed with their syncs and without any, and the syncs that were done are counted.
`make bench` records the table for the chapter. A duration or a ratio is never asserted,
only answers.
"""

import os
from collections.abc import Callable, Sequence
from pathlib import Path

import deltalake
import pandas as pd
import pyarrow as pa
import pytest
from flightline import lake
from flightline.lake import commits, core
from labkit import bench, data, timing

RESULTS = Path(__file__).parent / "results"
SYNC = os.fsync
REPEATS = int(os.environ.get("REPEATS", "5"))


def sync_new(folder: Path, known: set[Path]) -> set[Path]:
    """Sync the files that came since, and the folders up to the table's parent."""
    new = {path for path in folder.rglob("*") if path.is_file()} - known
    inner = {parent for path in new for parent in path.parents}
    folders = [each for each in inner if each == folder or folder in each.parents]
    for path in (*new, *sorted(folders, reverse=True), folder.parent):
        handle = os.open(path, os.O_RDONLY)
        os.fsync(handle)
        os.close(handle)
    return known | new


def delta(folder: Path, batches: Sequence[pd.DataFrame], *, durable: bool) -> None:
    """Append batches to a Delta table, and perhaps sync each commit."""
    known: set[Path] = set()
    for rows in batches:
        table = pa.Table.from_pandas(rows, preserve_index=False)
        deltalake.write_deltalake(str(folder), table, mode="append")
        if durable:
            known = sync_new(folder, known)


def ours(folder: Path, batches: Sequence[pd.DataFrame]) -> None:
    """Append batches to the lake, as it is used."""
    for rows in batches:
        lake.append(folder, "departures", rows)


def size(folder: Path) -> int:
    """Return the bytes of all files below a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def delta_read(folder: Path) -> pd.DataFrame:
    """Read a Delta table of departures in the order in which the lake reads."""
    order = [(name, "ascending") for name in ("event_time", "flight_id")]
    table = deltalake.DeltaTable(str(folder)).to_pyarrow_table()
    rows: pd.DataFrame = table.sort_by(order).to_pandas()
    return rows


class Stores:
    """Fill a new table in each call, and count the syncs of each kind."""

    def __init__(self, work: Path, batches: Sequence[pd.DataFrame]) -> None:
        self.work, self.batches = work, batches
        self.made: dict[str, list[Path]] = {}
        self.syncs: dict[str, int] = {}

    def filling(
        self, name: str, fill: Callable[[Path, Sequence[pd.DataFrame]], None]
    ) -> Callable[[], None]:
        """Return the call that is timed."""

        def counted(handle: int) -> None:
            if "no sync" not in name:
                self.syncs[name] += 1
                SYNC(handle)

        def action() -> None:
            folders = self.made.setdefault(name, [])
            folder = self.work / f"{name}-{len(folders)}"
            folders.append(folder)
            self.syncs[name] = 0
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(os, "fsync", counted)
                fill(folder, self.batches)

        return action


def record(speed: pd.DataFrame, note: str) -> None:
    """Write the table of the chapter."""
    table = speed.reset_index(names="store")
    table["seconds"] = (table["median_ms"] / 1_000).map("{:.2f}".format)
    table["times"] = table["ratio"].map("{:.1f}".format)
    table["size"] = (table["bytes"] / 2**20).map("{:.1f}".format)
    page = {
        "store": "Store",
        "seconds": "Median, s",
        "times": "Time, ratio",
        "syncs": "Syncs",
        "size": "MiB",
    }
    bench.record(RESULTS, "lake_append", table, page, note)


def test_a_year_of_departures(tmp_path: Path) -> None:
    rows = lake.events(data.load_flights(), data.load_airports())["departures"]
    months = rows.event_time.dt.tz_localize(None).dt.to_period("M")
    batches = [part.reset_index(drop=True) for _, part in rows.groupby(months)]
    stores = Stores(tmp_path, batches)
    pieces = {
        "Delta": lambda folder, parts: delta(folder, parts, durable=True),
        "lake": ours,
        "Delta, no sync": lambda folder, parts: delta(folder, parts, durable=False),
        "lake, no sync": ours,
    }
    actions = {name: stores.filling(name, fill) for name, fill in pieces.items()}
    speed = timing.compare(actions, repeats=REPEATS)
    speed["syncs"] = pd.Series(stores.syncs)
    speed["bytes"] = pd.Series({n: size(f[0]) for n, f in stores.made.items()})
    size_note = f"{len(rows):,} departures in {len(batches)} batches."
    note = f"{size_note} Against the first row; medians of {REPEATS} in turns."
    record(speed, note)
    found = lake.read(stores.made["lake"][0], "departures")
    assert len(found) == len(rows)
    assert delta_read(stores.made["Delta"][0]).equals(found)
    assert stores.syncs["Delta"] >= 3 * len(batches) <= stores.syncs["lake"]
    assert stores.syncs["Delta, no sync"] == stores.syncs["lake, no sync"] == 0
    assert core.os.fsync is SYNC is commits.os.fsync

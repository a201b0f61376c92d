"""What partitions cost, and what a backfill costs, on a year of departures.

`make bench` writes `results/lake_partitions.*` and `results/lake_backfill.*`, which the
chapter shows. A duration or a ratio is never asserted, only answers.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest
from flightline import lake
from flightline.lake import parquet
from flightline.lake.log import Record, Snapshot
from labkit import bench, data, timing

RESULTS = Path(__file__).parent / "results"
REPEATS = int(os.environ.get("REPEATS", "5"))
MONTHS = 12
DAY = {"start": "2013-07-02T00:00Z", "end": "2013-07-02T23:59:59Z"}
KNOWN = pd.Timestamp("2014-01-01T00:00Z")


@pytest.fixture(scope="module")
def batches() -> list[pd.DataFrame]:
    """Return the departures of the year, one batch a month."""
    rows = lake.events(data.load_flights(), data.load_airports())["departures"]
    parts = rows.groupby(rows["event_time"].dt.month)
    return [part.reset_index(drop=True) for _, part in parts]


def fill(folder: Path, batches: list[pd.DataFrame], by: str = "month") -> None:
    """Append all batches to a table."""
    for batch in batches:
        lake.append(folder, "departures", batch, by=by)


def fresh(work: Path) -> Iterator[Path]:
    """Give a new folder for each run of an action."""
    number = 0
    while True:
        number += 1
        yield work / str(number)


def medians(actions: dict[str, Callable[[], object]]) -> pd.Series:
    """Return the median time of each action, in milliseconds, measured in turns."""
    return timing.compare(actions, repeats=REPEATS)["median_ms"]


def ratio(times: pd.Series) -> list[str]:
    """Return times as multiples of the first."""
    return [f"{value:.2f}" for value in times / times.iloc[0]]


def test_partitions(tmp_path: Path, batches: list[pd.DataFrame]) -> None:
    kinds = ("month", "day")
    homes = {by: fresh(tmp_path / f"write-{by}") for by in kinds}
    for by in kinds:
        fill(tmp_path / by, batches, by)
    writing = medians(
        {by: lambda by=by: fill(next(homes[by]), batches, by) for by in kinds}
    )
    one_day = medians(
        {
            by: lambda by=by: lake.read(tmp_path / by, "departures", **DAY)
            for by in kinds
        }
    )
    whole = medians(
        {by: lambda by=by: lake.read(tmp_path / by, "departures") for by in kinds}
    )
    table = pd.DataFrame(
        {
            "Cut by": kinds,
            "Files": [len(lake.files(tmp_path / by, "departures")) for by in kinds],
            "Append, ratio": ratio(writing),
            "Read one day, ratio": ratio(one_day),
            "Read all, ratio": ratio(whole),
        }
    )
    month, day = (lake.read(tmp_path / by, "departures") for by in kinds)
    assert month.equals(day)
    assert len(month) == sum(map(len, batches))
    note = f"Each column against the first row; medians of {REPEATS} in turns."
    bench.record(RESULTS, "lake_partitions", table, note=note)


def read_by(action: Callable[[], object]) -> int:
    """Return the bytes of the lake's files that an action reads."""
    count = 0
    read_file = parquet.read_file

    def counted(
        state: Snapshot, record: Record, columns: Sequence[str] | None = None
    ) -> pa.Table:
        nonlocal count
        count += record["bytes"]
        return read_file(state, record, columns)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(parquet, "read_file", counted)
        action()
    return count


def one_carrier_corrected(rows: pd.DataFrame) -> pd.DataFrame:
    """Correct the delays of one carrier, as if its minutes had been wrong."""
    wrong = rows["carrier"] == "B6"
    return rows.assign(dep_delay=rows["dep_delay"].where(~wrong, rows["dep_delay"] + 1))


def test_backfill(tmp_path: Path, batches: list[pd.DataFrame]) -> None:
    first, later = fresh(tmp_path / "first"), fresh(tmp_path / "later")
    again = tmp_path / "again"
    fill(again, batches)
    ready = [next(later) for _ in range(REPEATS + 2)]  # for the warm-up, and to count
    for folder in ready:
        fill(folder, batches)
    done: list[lake.Backfill] = []

    def correct() -> None:
        change = one_carrier_corrected
        done.append(lake.backfill(ready.pop(), "departures", change, known_at=KNOWN))

    actions = {
        "the year, first time": lambda: fill(next(first), batches),
        "the same batches again": lambda: fill(again, batches),
        "one carrier corrected": correct,
    }
    times = medians(actions)
    rows = sum(map(len, batches))
    added = [rows, 0, done[-1].rows_changed]
    bytes_read = [read_by(action) for action in actions.values()]
    table = pd.DataFrame(
        {
            "Work": times.index,
            "Rows added": [f"{count:,}" for count in added],
            "MiB read": [f"{count / 2**20:.1f}" for count in bytes_read],
            "Time, ratio": ratio(times),
        }
    )
    assert bytes_read[0] == 0 and bytes_read[1] > 0
    assert bytes_read[2] >= done[-1].bytes_read
    assert len(lake.read(again, "departures")) == rows
    assert 0 < done[-1].rows_changed < rows
    assert done[-1].quarantined == 0
    note = f"Against the first row; medians of {REPEATS} in turns."
    bench.record(RESULTS, "lake_backfill", table, note=note)

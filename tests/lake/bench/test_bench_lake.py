"""The lake beside Delta: the year's departures in the same batches, in one run.

`make bench` prints the table. A duration or a ratio is never asserted, only answers.
"""

from pathlib import Path

import lake_peers as peers
from flightline import lake
from labkit import data, timing


def test_a_year_of_departures(tmp_path: Path) -> None:
    rows = lake.events(data.load_flights(), data.load_airports())["departures"]
    months = rows.event_time.dt.tz_localize(None).dt.to_period("M")
    batches = [part.reset_index(drop=True) for _, part in rows.groupby(months)]
    speed, sizes = peers.race(batches, tmp_path, repeats=3)
    speed["bytes"] = sizes
    print(f"\n{timing.machine()}, {len(rows)} rows in {len(batches)} batches")
    print(speed.round(1).to_string())
    print(f"the same rows as CSV: {sizes['CSV']} bytes")
    ours = lake.read(tmp_path / "race-lake-0", "departures")
    assert len(ours) == len(rows)
    assert peers.delta_read(tmp_path / "race-Delta-0").equals(ours)

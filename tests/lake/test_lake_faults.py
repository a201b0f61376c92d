"""The lake under fire: kills, a full disk, two writers, the command line."""

import errno
import json
import os
import signal
import threading
from pathlib import Path

import lake_faults as faults
import pandas as pd
import pytest
from flightline import lake
from flightline.lake import __main__ as command
from labkit import data, processes


@pytest.fixture(scope="module")
def days() -> dict[str, pd.DataFrame]:
    flights = data.load_flights(months=[7])
    rows = lake.events(flights[flights.day < 9], data.load_airports())["departures"]
    parts = rows.groupby(rows.event_time.dt.strftime("%Y-%m-%d"))
    return {str(day): part.head(150) for day, part in parts}


@pytest.fixture
def files(tmp_path: Path, days: dict[str, pd.DataFrame]) -> list[Path]:
    return faults.write_files(tmp_path / "door", days)


@pytest.fixture
def base(tmp_path: Path, days: dict[str, pd.DataFrame]) -> Path:
    lake.append(tmp_path / "base", "departures", days["2013-07-02"], by="day")
    return tmp_path / "base"


@pytest.mark.parametrize("point", lake.FAILPOINTS)
def test_kill_9_at_every_failpoint(point: str, base: Path, files: list[Path]) -> None:
    found = faults.killed_at(point, base, files[2])
    assert found["signal"] == "SIGKILL" and found["after retry"] == "complete"
    assert found["reader sees"] == ("new" if point == "entry-named" else "old")


def test_ten_kills_at_random_moments(tmp_path: Path, files: list[Path]) -> None:
    found = faults.killed_at_random(10, tmp_path / "random", files, seed=11)
    assert len(found) == 10
    for each in found:
        assert each["killed"] and each["whole"] and each["same digests"]


def test_a_failpoint_that_is_not_asked_for_does_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("FLIGHTLINE_FAILPOINT", "entry-half:SIGKILL")
    lake.failpoint("file-half")


@pytest.mark.parametrize("point", lake.FAILPOINTS)
def test_a_full_disk_at_every_failpoint(
    point: str,
    base: Path,
    days: dict[str, pd.DataFrame],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def full(name: str) -> None:
        if name == point:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    before = lake.read(base, "departures")
    with monkeypatch.context() as patch:
        patch.setattr(lake.core, "failpoint", full)
        with pytest.raises(OSError, match="No space left"):
            lake.append(base, "departures", days["2013-07-03"])
    assert not list(base.rglob("*.draft"))
    if point != "entry-named":
        assert lake.read(base, "departures").equals(before)
    lake.append(base, "departures", days["2013-07-03"])
    assert len(lake.read(base, "departures")) == 300
    assert len(lake.log(base, "departures")) == 2


def test_of_two_writers_one_wins_and_the_other_is_told(
    base: Path, files: list[Path], days: dict[str, pd.DataFrame]
) -> None:
    command = processes.module(*faults.INGEST, base, "departures", files[4])
    pause = {"FLIGHTLINE_FAILPOINT": "entry-draft:SIGSTOP"}
    with processes.Child(command, env=pause) as child:
        child.wait_for("failpoint entry-draft")
        lake.append(base, "departures", days["2013-07-03"], source="winner")
        child.kill(signal.SIGCONT)
        assert child.wait() == 3
    assert "another writer committed 00000002 first" in child.log()
    assert lake.log(base, "departures")[-1]["source"] == "winner"
    assert not list(base.rglob("*.draft"))
    assert lake.append(base, "departures", pd.read_parquet(files[4])).version == 3
    assert len(lake.read(base, "departures")) == 450


def test_many_writers_at_once_lose_nothing(
    tmp_path: Path, days: dict[str, pd.DataFrame]
) -> None:
    conflicts = []

    def write(rows: pd.DataFrame) -> None:
        for _ in range(60):
            try:
                lake.append(tmp_path, "departures", rows)
                return
            except lake.Conflict:
                conflicts.append(1)

    writers = [threading.Thread(target=write, args=[rows]) for rows in days.values()]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    rows = lake.read(tmp_path, "departures")
    assert len(rows) == sum(map(len, days.values()))
    assert not rows.flight_id.duplicated().any()
    assert len(lake.log(tmp_path, "departures")) == len(days)


def test_publish_never_replaces(tmp_path: Path) -> None:
    draft, path = tmp_path / "draft", tmp_path / "t" / "_log" / "1.json"
    path.parent.mkdir(parents=True)
    path.write_text("first")
    draft.write_text("second")
    with pytest.raises(lake.Conflict, match="first"):
        lake.publish(draft, path)
    assert path.read_text() == "first" and not draft.exists()


def test_damage_is_named(base: Path, days: dict[str, pd.DataFrame]) -> None:
    lake.append(base, "departures", days["2013-07-03"])
    found = faults.damage(base, "departures")
    assert set(found) == {"cut", "changed", "gone"}
    assert all(name in told for name, told in found.values())


def test_the_command_line(
    tmp_path: Path, files: list[Path], capsys: pytest.CaptureFixture[str]
) -> None:
    where = [str(tmp_path / "lake"), "departures"]
    names = [str(file) for file in files[:2]]
    assert command.main(["ingest", *where, *names, "--by", "day"]) == 0
    ready, *lines = capsys.readouterr().out.splitlines()
    assert ready == "ready" and [json.loads(line)["version"] for line in lines] == [
        1,
        2,
    ]
    assert command.main(["ingest", *where, *names]) == 0
    assert '"new": false' in capsys.readouterr().out
    assert command.main(["ingest", *where, str(tmp_path / "nothing.parquet")]) == 2
    assert "nothing.parquet" in capsys.readouterr().err
    assert command.main(["ingest", where[0], "gates", *names]) == 2
    assert "No contract for 'gates'" in capsys.readouterr().err

"""The lake on a bad day of the machine: short writes, full disks, two at once."""

import os
import resource
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import lake_faults as faults
import lake_peers as peers
import pandas as pd
import pytest
from batches import made
from flightline import lake
from labkit import data, processes

NOBODY = 65534


@contextmanager
def at_most(size: int) -> Iterator[None]:
    """Let no file grow beyond a size: a write that crosses it is cut short."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def later(count: int = 300) -> pd.DataFrame:
    """Return rows of July and of August, with some to set aside: three data files."""
    rows = made(count)
    moved = rows.iloc[count // 2 :].assign(
        flight_id=rows.flight_id.str.replace("07-02", "08-02"),
        event_time=rows.event_time + pd.Timedelta(days=31),
        available_at=rows.available_at + pd.Timedelta(days=31),
    )
    bad = rows.head(count // 3).assign(origin="???", dep_delay=range(count // 3))
    return pd.concat([rows.iloc[: count // 2], moved, bad], ignore_index=True)


def sizes(lake_dir: Path) -> list[int]:
    """Return the sizes of the files of a lake's newest commit."""
    newest = lake.log(lake_dir, "departures")[-1]
    records = [*newest["add"], *newest["reject"]]
    entry = lake_dir / "departures" / "_log" / f"{newest['version']:08d}.json"
    return [record["bytes"] for record in records] + [entry.stat().st_size]


def test_a_short_write_of_any_file_is_no_commit(tmp_path: Path) -> None:
    batch, first = later(), made(1)
    lake.append(tmp_path / "full", "departures", first)
    lake.append(tmp_path / "full", "departures", batch)
    whole = peers.digests(tmp_path / "full")
    limits = sorted({size - 1 for size in sizes(tmp_path / "full")} | {1, 4096})
    assert len(limits) >= 5  # two data files, the quarantine, the entry, and more
    lake.append(tmp_path / "cut", "departures", first)
    for limit in limits:
        if limit < max(sizes(tmp_path / "full")):
            with at_most(limit), pytest.raises(OSError, match="File too large"):
                lake.append(tmp_path / "cut", "departures", batch)
        assert len(lake.read(tmp_path / "cut", "departures")) == 1
        assert not list((tmp_path / "cut").rglob("*.draft"))
    assert lake.append(tmp_path / "cut", "departures", batch).new
    assert peers.digests(tmp_path / "cut") == whole


def test_a_raw_write_that_writes_less_is_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = os.write

    def short(handle: int, content: bytes) -> int:
        return write(handle, content[: max(1, len(content) // 3)])

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", short)
        lake.append(tmp_path, "departures", made(300))
    assert len(lake.read(tmp_path, "departures")) == 300


def on_a_small_disk(program: str, folder: Path, size: str) -> list[str]:
    """Run a program whose first argument is a small disk; return what it prints."""
    here = Path(__file__).parent
    paths = f"{here} {here.parents[1] / 'labs'}"
    run = (
        f"mount -t tmpfs -o size={size} none {folder} || exit 77; "
        f'exec "{sys.executable}" -c "$PROGRAM" {folder} {paths}'
    )
    command = ["unshare", "--mount", "--map-root-user", "sh", "-c", run]
    env = os.environ | {"PROGRAM": program}
    try:
        found = subprocess.run(command, capture_output=True, text=True, env=env)
    except FileNotFoundError:
        pytest.skip("no unshare on this machine")
    if found.returncode == 77 or "unshare" in found.stderr:
        pytest.skip(f"no small disk can be mounted here: {found.stderr.strip()}")
    assert found.returncode == 0, found.stderr
    return found.stdout.splitlines()


def test_a_small_disk_that_is_full(tmp_path: Path) -> None:
    program = """
import sys
sys.path[:0] = sys.argv[2:]
from batches import made
import pandas as pd
from flightline import lake
done = 0
try:
    for day in range(2, 30):
        rows = made(400)
        ids = rows.flight_id.str.replace("07-02", f"07-{day:02d}")
        late = rows.event_time + pd.Timedelta(days=day - 2)
        batch = rows.assign(flight_id=ids, event_time=late, available_at=late)
        lake.append(sys.argv[1], "departures", batch)
        done += 1
except OSError as error:
    print(error.strerror)
print(done, len(lake.read(sys.argv[1], "departures")))
"""
    told, counts = on_a_small_disk(program, tmp_path, "128k")
    done, rows = map(int, counts.split())
    assert told == "No space left on device" and done > 0 and rows == 400 * done


def test_a_disk_that_is_full_at_each_file_of_a_commit(tmp_path: Path) -> None:
    program = """
import errno, os, sys
sys.path[:0] = sys.argv[2:]
from pathlib import Path
from batches import made
from test_lake_disk import later
from flightline import lake
from flightline.lake import core
disk, batch, stuck = Path(sys.argv[1]), later(), []
draft = core.draft
def noted(folder, content, step):
    try:
        return draft(folder, content, step)
    except OSError:
        stuck.append(folder.name)
        raise
core.draft = noted
page = os.statvfs(disk).f_bsize
for free in range(24):
    root, filler = disk / str(free), disk / "filler"
    lake.append(root, "departures", made(1))
    left = os.statvfs(disk).f_bavail
    filler.write_bytes(bytes(page * (left - free)))
    try:
        lake.append(root, "departures", batch)
        outcome = "whole"
    except OSError as error:
        assert error.errno == errno.ENOSPC
        outcome = stuck[-1] if stuck else "a folder"
    stuck.clear()
    drafts = len(list(root.rglob("*.draft")))
    seen = len(lake.read(root, "departures"))
    filler.unlink()
    lake.append(root, "departures", batch)
    print(outcome, seen, drafts, len(lake.read(root, "departures")))
"""
    lines = [line.split() for line in on_a_small_disk(program, tmp_path, "4m")]
    assert len(lines) == 24
    outcomes = {outcome for outcome, *_ in lines}
    wanted = {"month=2013-07", "month=2013-08", "quarantine", "_log", "whole"}
    assert wanted <= outcomes
    for outcome, seen, drafts, after in lines:
        assert drafts == "0" and after == "300"  # one row of the batch is there already
        assert seen == ("300" if outcome == "whole" else "1")


def test_names_are_synced_up_to_the_parent_of_the_lake(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps: list[str] = []
    fsync, link = os.fsync, os.link

    def noted(handle: int) -> None:
        steps.append(str(Path(f"/proc/self/fd/{handle}").readlink()))
        fsync(handle)

    def named(draft: Path, path: Path) -> None:
        steps.append("the entry gets its name")
        link(draft, path)

    monkeypatch.setattr(os, "fsync", noted)
    monkeypatch.setattr(os, "link", named)
    root = tmp_path / "lake"
    lake.append(root, "departures", later())
    before, after = steps[: steps.index("the entry gets its name")], steps[-1:]
    table = root / "departures"
    wanted = [tmp_path, root, table, table / "data", table / "quarantine"]
    wanted += [table / "data" / f"month=2013-0{month}" for month in (7, 8)]
    assert {str(folder) for folder in wanted} <= set(before)
    assert after == [str(table / "_log")]
    drafts = [step for step in before if step.endswith(".draft")]
    assert len(drafts) == 4  # two data files, the quarantine, the entry


@contextmanager
def as_nobody() -> Iterator[None]:
    """Act as a user to whom permissions apply."""
    if os.geteuid():
        yield
        return
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.mark.parametrize("part", ["", "departures", "departures/_log"])
def test_a_folder_that_may_not_be_read_says_so(tmp_path: Path, part: str) -> None:
    root = tmp_path / "lake"
    lake.append(root, "departures", made())
    for folder in tmp_path.parents:
        if not folder.stat().st_mode & 0o005:
            folder.chmod(0o755)
    tmp_path.chmod(0o755)
    shut = root / part
    with as_nobody():
        assert len(lake.read(root, "departures")) == 3
    shut.chmod(0o000)
    try:
        with as_nobody():
            for action in (lake.read, lake.files, lake.log, lake.quarantine):
                with pytest.raises(PermissionError):
                    action(root, "departures")
            with pytest.raises(PermissionError):
                lake.append(root, "departures", made(5))
            if not part:
                with pytest.raises(PermissionError):
                    lake.tables(root)
    finally:
        shut.chmod(0o755)


# --- two of everything ----------------------------------------------------------------


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    flights = data.load_flights(months=[7])
    rows = lake.events(flights[flights.day < 9], data.load_airports())["departures"]
    parts = rows.groupby(rows.event_time.dt.strftime("%Y-%m-%d"))
    days = {str(day): part.head(60) for day, part in parts}
    return faults.write_files(tmp_path / "door", days)


def test_two_processes_append_the_same_batches(
    tmp_path: Path, files: list[Path]
) -> None:
    where = tmp_path / "lake"
    command = processes.module(*faults.INGEST, where, "departures", *files)
    for _ in range(40):
        with processes.Child(command) as one, processes.Child(command) as two:
            codes = {one.wait(), two.wait()}
        assert codes <= {0, 3}
        if codes == {0}:
            break
    rows = lake.read(where, "departures")
    assert len(rows) == sum(len(pd.read_parquet(file)) for file in files)
    assert not rows.flight_id.duplicated().any()
    assert len(lake.log(where, "departures")) == len(files)


def test_no_file_is_removed_under_a_writer(tmp_path: Path, files: list[Path]) -> None:
    where = tmp_path / "lake"
    lake.append(where, "departures", pd.read_parquet(files[0]))
    command = processes.module(*faults.INGEST, where, "departures", files[1])
    pause = {"FLIGHTLINE_FAILPOINT": "entry-draft:SIGSTOP"}
    with processes.Child(command, env=pause) as child:
        child.wait_for("failpoint entry-draft")
        with pytest.raises(lake.Conflict, match="a writer is at work"):
            lake.expire(where, "departures", 1)
        with pytest.raises(lake.Conflict, match="a writer is at work"):
            lake.erase(where, "departures", "origin", "EWR")
        child.kill(signal.SIGCONT)
        assert child.wait() == 0
    assert lake.expire(where, "departures", 2) == 0
    both = [pd.read_parquet(file) for file in files[:2]]
    assert len(lake.read(where, "departures")) == sum(map(len, both))


def test_readers_never_meet_a_half_removed_version(tmp_path: Path) -> None:
    lake.append(tmp_path, "departures", made(50), by="day")
    whole = lake.read(tmp_path, "departures")
    problems: list[BaseException] = []
    done = threading.Event()

    def reading() -> None:
        while not done.is_set():
            try:
                assert lake.read(tmp_path, "departures").equals(whole)
            except BaseException as error:
                problems.append(error)

    readers = [threading.Thread(target=reading) for _ in range(2)]
    for reader in readers:
        reader.start()
    try:
        for turn in range(8):
            by = "month" if turn % 2 == 0 else "day"
            version = lake.compact(tmp_path, "departures", by=by)
            lake.expire(tmp_path, "departures", version)
    finally:
        done.set()
        for reader in readers:
            reader.join()
    assert problems == []


def test_two_compactions_and_two_expiries_at_once(tmp_path: Path) -> None:
    for day in (2, 3, 4):
        shift = pd.Timedelta(days=day - 2)
        rows = made(40)
        rows = rows.assign(
            flight_id=rows.flight_id.str.replace("07-02", f"07-{day:02d}"),
            event_time=rows.event_time + shift,
            available_at=rows.available_at + shift,
        )
        lake.append(tmp_path, "departures", rows, by="day")
    before = lake.read(tmp_path, "departures")

    def work(turn: int) -> None:
        with suppress(lake.Conflict, lake.Gone):
            by = ["day", "month"][turn % 2]
            version = lake.compact(tmp_path, "departures", by=by)
            lake.expire(tmp_path, "departures", version)

    workers = [threading.Thread(target=work, args=[turn]) for turn in range(6)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert lake.read(tmp_path, "departures").equals(before)
    assert len(lake.log(tmp_path, "departures")) > 3
    version = lake.compact(tmp_path, "departures", by="month")
    lake.expire(tmp_path, "departures", version)
    assert lake.read(tmp_path, "departures").equals(before)

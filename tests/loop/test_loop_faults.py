"""Kills, full disks, damage, silent feeds: a sentence, and nothing is lost."""

import errno
import os
import random
import resource
import shutil
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pandas as pd
import pytest
import small_world
from flightline import lake, loop, training
from flightline.loop.memory import reports_known
from flightline.loop.studio import labels_of

START, DAY = small_world.START, small_world.DAY
UNTIL = START + 8 * DAY
TRIAL = loop.canary.Plan(days=2, share=0.3, margin=0.05)


def plan() -> loop.Plan:
    """A week with a promotion at its end, and a day of trial after it."""
    return small_world.plan(policy=loop.Policy("tried", small_world.WEEKLY, trial=True))


def go(folder: Path, until: pd.Timestamp = UNTIL) -> str:
    return loop.run(folder, small_world.small(), plan(), until)


@pytest.fixture(scope="module")
def sixth_day(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that stands a day before its decision."""
    path = tmp_path_factory.mktemp("sixth")
    go(path, START + 6 * DAY)
    return path


@pytest.fixture(scope="module")
def undisturbed(sixth_day: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = copied(sixth_day, tmp_path_factory.mktemp("undisturbed"))
    go(path)
    return path


@pytest.fixture(scope="module")
def digest(undisturbed: Path) -> str:
    with loop.journal.reading(undisturbed) as base:
        return loop.journal.verify(base)


def copied(folder: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(folder, tmp_path / "run"))


@pytest.mark.parametrize("point", loop.FAILPOINTS)
def test_killed_at_every_failpoint_it_ends_alike(
    point: str, sixth_day: Path, digest: str, tmp_path: Path
) -> None:
    folder = copied(sixth_day, tmp_path)
    wish = {"FLIGHTLINE_FAILPOINT": f"{point}:SIGKILL"}
    if point == "loop-carded":  # no model takes over in a week that ends in a trial
        folder = tmp_path / "new"
    status = small_world.in_child(lambda: go(folder), **wish)
    assert os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
    assert go(folder) == digest


def test_killed_at_random_moments_it_ends_alike(digest: str, tmp_path: Path) -> None:
    chance = random.Random(5)
    kills = 0
    for _ in range(60):
        child = os.fork()
        if not child:
            go(tmp_path)
            os._exit(0)
        end = time.monotonic() + chance.uniform(0.05, 1.2)
        while time.monotonic() < end:
            done, status = os.waitpid(child, os.WNOHANG)
            if done:
                break
            time.sleep(0.005)
        else:
            os.kill(child, signal.SIGKILL)
            _, status = os.waitpid(child, 0)
            kills += 1
            continue
        assert status == 0
        break
    assert kills >= 3
    assert go(tmp_path) == digest


def test_of_two_loops_on_one_folder_one_wins(
    sixth_day: Path, digest: str, tmp_path: Path
) -> None:
    folder = copied(sixth_day, tmp_path)
    child = os.fork()
    if not child:
        os.environ["FLIGHTLINE_FAILPOINT"] = "loop-kept:SIGSTOP"
        go(folder)
        os._exit(0)
    os.waitpid(child, os.WUNTRACED)
    try:
        with pytest.raises(loop.Busy, match=f"another loop .process {child}."):
            go(folder)
    finally:
        os.kill(child, signal.SIGCONT)
    # the failpoint stops it once in each step
    while True:
        _, status = os.waitpid(child, os.WUNTRACED)
        if os.WIFEXITED(status):
            break
        os.kill(child, signal.SIGCONT)
    assert os.WEXITSTATUS(status) == 0
    assert go(folder) == digest


@contextmanager
def at_most(size: int) -> Iterator[None]:
    """Let no file grow beyond a size: a write that crosses it is cut short."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("size", [2_000, 60_000])
def test_a_full_disk_is_a_sentence_and_nothing_is_lost(
    size: int, sixth_day: Path, digest: str, tmp_path: Path
) -> None:
    folder = copied(sixth_day, tmp_path)
    with (
        at_most(size),
        pytest.raises((OSError, loop.BrokenJournal, ValueError)) as told,
    ):
        go(folder)
    assert str(told.value)
    assert go(folder) == digest


@pytest.mark.parametrize("point", ["loop-answered", "journal-half"])
def test_a_disk_that_is_full_at_a_step_loses_nothing(
    point: str,
    sixth_day: Path,
    digest: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def full(name: str) -> None:
        if name == point:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    folder = copied(sixth_day, tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr("flightline.loop.path.failpoint", full)
        patch.setattr("flightline.loop.journal.failpoint", full)
        with pytest.raises(OSError, match="No space left"):
            go(folder)
    with loop.journal.reading(folder) as base:
        assert loop.journal.last_tick(base) == START + 6 * DAY
    assert go(folder) == digest


def test_a_damaged_model_stops_the_loop(sixth_day: Path, tmp_path: Path) -> None:
    folder = copied(sixth_day, tmp_path)
    file = next((folder / "models").glob("*/delay*.txt"))
    file.write_bytes(file.read_bytes() + b" ")
    with pytest.raises(training.Damaged, match=f"{file.name}.*Restore it"):
        go(folder)


def test_a_damaged_metrics_store_stops_the_loop(
    sixth_day: Path, digest: str, tmp_path: Path
) -> None:
    folder = copied(sixth_day, tmp_path)
    store = folder / "metrics.sqlite"
    content = store.read_bytes()
    store.write_bytes(b"no store" * 1_000)
    with pytest.raises(ValueError, match=r"metrics\.sqlite cannot be written"):
        go(folder)
    store.write_bytes(content)
    assert go(folder) == digest


def test_a_damaged_lake_stops_the_loop(sixth_day: Path, tmp_path: Path) -> None:
    folder = copied(sixth_day, tmp_path)
    file = sorted((folder / "lake" / "arrivals").rglob("*.parquet"))[-1]
    file.write_bytes(file.read_bytes()[:-20])
    with pytest.raises(lake.Damaged, match=file.name):
        go(folder)


def test_a_lost_journal_is_written_anew_from_the_start(
    sixth_day: Path, digest: str, tmp_path: Path
) -> None:
    folder = copied(sixth_day, tmp_path)
    (folder / loop.journal.NAME).unlink()
    assert go(folder) == digest


def silent(since: int, until: int) -> loop.Source:
    """Hold back what would have been known in some days, until they are over."""
    low, high = START + since * DAY, START + until * DAY

    def change(rows: pd.DataFrame) -> pd.DataFrame:
        held = rows["available_at"].between(low, high)
        return rows.assign(available_at=rows["available_at"].mask(held, high))

    return small_world.changed("arrivals", change)


def test_a_silent_label_feed_is_told_and_nothing_is_lost(tmp_path: Path) -> None:
    source = silent(2, 9)
    weekly = small_world.plan(policy=loop.Policy("gap", loop.Gap()))
    loop.run(tmp_path, source, weekly, START + 9 * DAY)
    raised = small_world.alerts(tmp_path)
    labels = raised[raised["name"] == "LabelsSilent"]
    assert labels["said"].str.contains("label feed is silent").all()
    assert labels["at"].min() <= START + 6 * DAY
    assert (raised["name"] == "FeedSilent").any()
    assert small_world.outcomes(tmp_path) == ["keep"]  # no labels, no evidence
    loop.run(tmp_path, source, weekly, START + 12 * DAY)
    after = small_world.alerts(tmp_path)
    assert not (after["at"] == START + 12 * DAY).any()
    join = loop.LabelJoin()
    with loop.journal.reading(tmp_path) as base:
        kept = loop.journal.read_answers(base)
    now = START + 12 * DAY
    found = join(kept, labels_of(reports_known(tmp_path / "lake", now)), now)
    ripe = found[found["mature"]]
    assert len(ripe) > 800 and ripe["late"].notna().mean() > 0.9


def test_repeated_and_corrected_labels_count_once(tmp_path: Path) -> None:
    first = START + DAY

    def change(rows: pd.DataFrame) -> pd.DataFrame:
        some = rows[rows["available_at"].between(first, first + DAY)].head(60)
        again = some.head(20)
        fixed = some.iloc[20:40].assign(
            arr_delay=90.0,
            available_at=some["available_at"] + pd.Timedelta(hours=30).as_unit("us"),
        )
        return pd.concat([rows, again, fixed], ignore_index=True)

    source = small_world.changed("arrivals", change)
    loop.run(tmp_path, source, small_world.plan(), START + 4 * DAY)
    aside = lake.quarantine(tmp_path / "lake", "arrivals")
    assert aside["reason"].str.contains("is in the lake already").sum() == 20
    now = START + 4 * DAY
    labels = labels_of(reports_known(tmp_path / "lake", now))
    twice = labels[labels["id"].duplicated(keep=False)]
    assert twice["id"].nunique() == 20
    with loop.journal.reading(tmp_path) as base:
        kept = loop.journal.read_answers(base)
    found = loop.LabelJoin()(kept, labels, now).set_index("id")
    answered = [name for name in twice["id"].unique() if name in found.index]
    assert found["late"].loc[answered].all() and len(answered) > 5
    assert go_again(tmp_path, source) == digest_in(tmp_path)


def digest_in(folder: Path) -> str:
    with loop.journal.reading(folder) as base:
        return loop.journal.verify(base)


def go_again(folder: Path, source: loop.Source) -> str:
    """Run the same in another folder, with a stop each day."""
    other = folder.with_name(f"{folder.name}-again")
    for day in range(1, 5):
        digest = loop.run(other, source, small_world.plan(), START + day * DAY)
    return digest

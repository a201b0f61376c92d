"""What is given up, what stays, and what is erased."""

import shutil
from pathlib import Path

import pandas as pd
import pytest
import small_world
from flightline import drift, lake, loop
from flightline.loop import retention

START, DAY = small_world.START, small_world.DAY
UNTIL = START + 15 * DAY
STRICT = retention.Rules(log_days=3, model_days=1, metrics_days=4, version_days=2)


class Nobody:
    """A gate that nobody passes."""

    def __call__(self, challenger: object, evidence: object) -> loop.Verdict:
        return loop.Verdict(False, "nobody passes")


def plan() -> loop.Plan:
    policy = loop.Policy("closed", small_world.WEEKLY, gate=Nobody())
    return small_world.plan(policy=policy)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("kept")
    loop.run(path, small_world.small(), plan(), UNTIL)
    return path


@pytest.fixture
def folder(finished: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(finished, tmp_path / "run"))


def test_nothing_of_two_weeks_is_due_by_default(folder: Path) -> None:
    assert retention.due(folder) == []


def test_the_rules_give_up_what_they_say(folder: Path) -> None:
    found = retention.due(folder, STRICT)
    kinds = pd.Series([each.kind for each in found]).value_counts()
    assert kinds["log"] == 11 and kinds["model"] == 1 and kinds["metrics"] == 1
    assert found[-1].before == UNTIL - 4 * DAY
    assert small_world.outcomes(folder) == ["refused", "refused"]
    before = len(list((folder / "answers").iterdir()))
    assert retention.due(folder, STRICT) == found  # asking removes nothing
    assert len(list((folder / "answers").iterdir())) == before


def test_what_is_given_up_is_gone_and_the_run_goes_on(
    folder: Path, tmp_path: Path
) -> None:
    other = Path(shutil.copytree(folder, tmp_path / "other"))
    went = retention.apply(folder, STRICT)
    assert went and retention.due(folder, STRICT) == []
    assert len(list((folder / "answers").iterdir())) == 15 - 11
    rows = drift.read_metrics(folder / "metrics.sqlite")
    assert rows["at"].min() >= UNTIL - 4 * DAY
    source = small_world.small()
    digests = {
        loop.run(each, source, plan(), UNTIL + 3 * DAY) for each in (folder, other)
    }
    assert len(digests) == 1


def test_versions_that_a_kept_model_learned_from_stay(folder: Path) -> None:
    retention.apply(folder, STRICT)
    with loop.journal.reading(folder) as base:
        models = loop.journal.read_models(base)
        champion = loop.standing_of(loop.journal.read_decisions(base)).champion
    versions = models[champion.name]["versions"]
    assert versions
    for table, version in versions.items():
        assert len(lake.read(folder / "lake", table, version)) > 0


def test_an_aircraft_is_erased_from_every_feed(folder: Path) -> None:
    plans = lake.read(folder / "lake", "schedule")
    tail = plans["tailnum"].mode()[0]
    gone = retention.forget(folder, "tailnum", tail)
    assert set(gone) == {"schedule", "departures", "arrivals"}
    assert gone["schedule"] == (plans["tailnum"] == tail).sum() > 0
    for table in gone:
        assert not (lake.read(folder / "lake", table)["tailnum"] == tail).any()
    text = b"".join(path.read_bytes() for path in (folder / "answers").iterdir())
    assert tail.encode() not in text


@pytest.mark.parametrize(
    ("column", "said"),
    [("flight_id", "not erased by itself"), ("nothing", "has the column 'nothing'")],
)
def test_what_cannot_be_erased_is_a_sentence(
    folder: Path, column: str, said: str
) -> None:
    with pytest.raises(ValueError, match=said):
        retention.forget(folder, column, "N1")


def test_a_rule_of_no_days_is_refused() -> None:
    with pytest.raises(ValueError, match="log_days=0: keep a day"):
        retention.Rules(log_days=0)


def test_nothing_is_removed_beside_a_running_loop(folder: Path) -> None:
    with loop.Journal(folder), pytest.raises(loop.Busy):
        retention.apply(folder, STRICT)

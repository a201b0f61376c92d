"""Processes that share a study: every trial counts once, and all can read it."""

from pathlib import Path

import pytest
import torch
from flightline.distributed import trials
from labkit.distributed import searches


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    chance = torch.Generator().manual_seed(0)
    for name in ("train", "tune"):
        numbers = torch.randn(600, 3, generator=chance)
        packed = {
            "numbers": numbers,
            "codes": torch.zeros(600, 1, dtype=torch.int32),
            "late": (numbers.sum(1) > 0).float(),
            "values": {"x": ["a"]},
        }
        torch.save(packed, tmp_path / f"{name}.pt")
    return tmp_path / "train.pt", tmp_path / "tune.pt"


def test_a_search_goes_on_where_another_left_it(files, tmp_path: Path) -> None:
    study = tmp_path / "study.log"
    first = trials.search(*files, study, trials=3, seed=0, steps=20)
    second = trials.search(*files, study, trials=2, seed=1, steps=20)
    found = trials.open_study(study, 2)
    assert [trial.number for trial in found.trials] == list(range(5))
    assert second <= first and found.best_value == second < 0.69
    lrs = {trial.params["lr"] for trial in found.trials}
    assert len(lrs) == 5


def test_a_training_that_fails_is_one_failed_trial(
    files, tmp_path: Path, monkeypatch
) -> None:
    losses = iter([FloatingPointError("the loss is nan"), 0.5])

    def loss_of(*_: object) -> float:
        loss = next(losses)
        if isinstance(loss, Exception):
            raise loss
        return loss

    monkeypatch.setattr(trials, "loss_of", loss_of)
    best = trials.search(*files, tmp_path / "s.log", trials=2, seed=0, steps=1)
    states = [t.state.name for t in trials.open_study(tmp_path / "s.log", 0).trials]
    assert best == 0.5 and states == ["FAIL", "COMPLETE"]


def test_two_processes_share_the_trials(files) -> None:
    found = searches.search(2, 6, *files, seed=1, steps=10)
    assert (found["processes"], found["trials"]) == (2, 6)
    assert found["seconds"] > 0 and found["best"] < 1

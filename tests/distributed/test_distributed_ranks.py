"""Distributed training on real ranks, and what is left of them when something dies.

Each test starts a launcher. Durations and restart counts are never asserted.
"""

import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import torch
from flightline import distributed as d
from labkit import processes
from labkit.distributed import ranks

PLAN = {"width": 16, "batch": 64, "steps": 400, "dropout": 0.1, "keep_every": 30}
FEW_STEPS = {"width": 8, "batch": 64, "steps": 3}
SHARDED = {**PLAN, "strategy": "fsdp", "steps": 60}
ENDLESS = {"width": 16, "batch": 64, "steps": 10_000_000}


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    chance = np.random.default_rng(0)
    x = chance.normal(size=(4000, 3))
    columns = {f"x{n}": x[:, n] for n in range(3)}
    columns["carrier"] = chance.choice(["AA", "B6"], 4000)
    table = pa.table({**columns, "late": x.sum(1) + chance.normal(size=4000) > 1})
    path = tmp_path_factory.mktemp("data") / "examples.pt"
    torch.save(d.pack(table), path)
    return path


@pytest.fixture(scope="module")
def undisturbed(data: Path, tmp_path_factory: pytest.TempPathFactory) -> dict:
    return ranks.train(2, data, tmp_path_factory.mktemp("undisturbed"), **PLAN)


def test_rings_of_two_three_and_four(data: Path) -> None:
    sizes = [1, 2, 3, 1000, 4099]
    task = {"task": "ring", "sizes": sizes, "rings": [2, 3, 4]}
    by_rank, branches = ranks.measure(4, [task, {"task": "branches"}])
    means = {str(r): [(r + 1) / 4] * 2 for r in range(4)}
    assert branches == [{**means, "nobody's": None}] * 4
    assert [sorted(found) for found in by_rank] == [
        ["2", "3", "4"], ["2", "3", "4"], ["3", "4"], ["4"],
    ]  # fmt: skip
    for found in by_rank:
        assert found.get("2", {"bitwise": True})["bitwise"]
        assert all(ring["difference"] < 1e-5 for ring in found.values())


def test_two_ranks_compute_what_one_does(data: Path) -> None:
    some = {"data": str(data), "rows": 64}
    tasks = [
        {"task": "differences", **some, "steps": 20},
        {"task": "accumulation", **some, "pieces": 4},
        {"task": "layouts", **some, "width": 32, "steps": 3},
        {
            "task": "like_the_lab",
            "data": str(data),
            "width": 8,
            "batch": 64,
            "steps": 3,
        },
        {"task": "exchange", "sizes": [64, 4096], "repeats": 2},
        {"task": "speed", "data": str(data), "widths": [8], "batch": 64, "repeats": 2},
        {"task": "saving", "data": str(data), "width": 8, "repeats": 1},
    ]
    found_by_task = ranks.measure(2, tasks)
    grads, pieces, layouts, alike, exchange, speed, saving = found_by_task
    for found in grads:
        for way in ("ddp", "ring"):
            assert found["float64"][way] < 1e-14 < found["float64"]["largest gradient"]
            assert found["float32"][way] < 1e-6
        assert found["float64"]["weights"] < 1e-10 and found["float32"]["weights"] < 0.1
    for found in pieces:
        assert found["whole batch"]["exchanges"] == found["no_sync"]["exchanges"] == 1
        assert found["every piece"]["exchanges"] == 4
        assert max(found[kind]["difference"] for kind in found) < 1e-14
    first, last = layouts
    one = first["one process"]["losses"]
    shared = {
        name: np.mean([first[name]["losses"], last[name]["losses"]], axis=0)
        for name in ("ddp", "fsdp", "tensor")
    }
    shared["pipeline"] = last["pipeline"]["losses"]
    for name, losses in shared.items():
        assert np.allclose(losses, one, rtol=1e-5), name
    assert first["ddp"]["parameters"] == first["one process"]["parameters"]
    for name in ("fsdp", "tensor", "pipeline"):
        for part in ("parameters", "gradients", "optimizer"):
            held = [found[name][part] / found["ddp"][part] for found in layouts]
            assert max(held) < 0.65, (name, part)
            assert sum(held) >= 0.99
    assert alike[0] == alike[1] and sorted(alike[0]) == ["float32", "float64"]
    assert np.allclose(alike[0]["float32"], alike[0]["float64"], atol=1e-3)
    for found in saving:
        assert all(len(rounds) == 1 and rounds[0] > 0 for rounds in found.values())
        assert found["background"][0] < found["published"][0]
    assert [row["bytes"] for row in exchange[0]] == [64, 4096]
    table = ranks.speed_ups(speed)
    assert list(table.index) == [8]
    assert (table.drop(columns="gap_ms") > 0).all(axis=None)


def test_two_launchers_stand_for_two_nodes(
    data: Path, undisturbed: dict, tmp_path: Path
) -> None:
    found = ranks.train_on_two_nodes(data, tmp_path, **PLAN)
    assert found["ranks"] == 2 and found["sha256"] == undisturbed["sha256"]
    seen = ranks.journal(tmp_path)
    assert seen[seen.event == "start"].pid.nunique() >= 2


def test_a_rank_killed_from_outside_is_made_good(
    data: Path, undisturbed: dict, tmp_path: Path
) -> None:
    """The kill falls anywhere between two checkpoints; lab 07 kills at a fixed step."""
    with ranks.start(2, data, tmp_path, restarts=3, **PLAN) as child:
        ranks.wait_for_step(child, tmp_path, 40)
        os.kill(child.family()[0].pid, signal.SIGKILL)
        assert child.wait() == 0
    seen = ranks.journal(tmp_path)
    assert seen.sha256.dropna().iloc[-1] == undisturbed["sha256"]
    starts = seen[(seen.event == "start") & (seen["rank"] == 0)].step
    assert starts.iloc[0] == 0 and starts.iloc[-1] >= 30


def test_a_killed_launcher_leaves_no_rank(data: Path, tmp_path: Path) -> None:
    found = ranks.kill_launcher(data, tmp_path, **ENDLESS)
    assert found["before"] >= 2 and found["after"] == 0


def test_an_interrupt_leaves_no_rank(data: Path, tmp_path: Path) -> None:
    with (
        pytest.raises(KeyboardInterrupt),
        ranks.start(2, data, tmp_path, **ENDLESS) as child,
    ):
        ranks.wait_for_step(child, tmp_path, 1)
        raise KeyboardInterrupt
    assert len(child.seen) >= 2 and processes.survivors(child.seen) == []
    assert not Path(child.env["TMPDIR"]).exists()


OWNER = """
import sys, time
from pathlib import Path
from labkit import folders
from labkit import processes
from labkit.distributed import ranks
work = folders.Folder("owner-")
plan = {{"width": 16, "batch": 64, "steps": 10_000_000}}
with ranks.start(2, Path(sys.argv[1]), work.path / "out", **plan) as child:
    if {early}:
        while len(child.family()) < 2:
            time.sleep(0.02)
    else:
        ranks.wait_for_step(child, work.path / "out", 1)
    print(child.pid, work.path, child.env["TMPDIR"], flush=True)
    time.sleep(60)
"""


@pytest.mark.parametrize("early", [False, True])
def test_a_killed_kernel_leaves_neither_ranks_nor_folders(
    data: Path, early: bool
) -> None:
    """The process that started the launcher gets kill -9, as a kernel may.

    The launcher is killed with it, in mid-training or while its ranks still start.
    """
    command = [sys.executable, "-c", OWNER.format(early=early), str(data)]
    env = {**os.environ, "PYTHONPATH": str(processes.LABS)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=env) as owner:
        pid, *places = owner.stdout.readline().split()
        family = processes.descendants(owner.pid)  # launcher, ranks, keepers of folders
        assert int(pid) in {one.pid for one in family} and len(family) >= 5
        owner.kill()
    assert processes.survivors(family, within_s=40) == []
    assert [place for place in places if Path(place).exists()] == []


def test_the_rank_that_failed_is_named(data: Path, tmp_path: Path) -> None:
    with pytest.raises(ranks.RanksError, match="rank 1: RuntimeError: failpoint"):
        ranks.train(2, data, tmp_path, failpoint="1:5:raise", **PLAN)


@pytest.fixture(scope="module")
def sharded(data: Path, tmp_path_factory: pytest.TempPathFactory) -> dict:
    folder = tmp_path_factory.mktemp("sharded")
    return ranks.train(2, data, folder, **SHARDED)


def test_a_sharded_training_goes_on_where_it_was_killed(
    data: Path, sharded: dict, tmp_path: Path
) -> None:
    found = ranks.train(2, data, tmp_path, failpoint="1:45:kill", restarts=3, **SHARDED)
    assert found["sha256"] == sharded["sha256"]
    starts = ranks.journal(tmp_path, rank=0).query("event == 'start'").step
    assert starts.iloc[0] == 0 and starts.iloc[-1] == 30
    assert not [p for p in tmp_path.rglob("*") if p.suffix in (".draft", ".old")]


def test_one_rank_finishes_what_two_sharded_ranks_began(
    data: Path, tmp_path: Path
) -> None:
    """Without dropout the batch decides all, so only rounding differs."""
    plan = {**SHARDED, "dropout": 0.0}
    ranks.train(2, data, tmp_path / "parts", **{**plan, "steps": 30})
    ranks.train(1, data, tmp_path / "whole", **plan)
    found = ranks.train(1, data, tmp_path / "parts", **plan)
    assert (found["ranks"], found["step"]) == (1, plan["steps"])
    whole, parts = (
        torch.load(tmp_path / name / "weights.pt") for name in ("whole", "parts")
    )
    for name, value in whole.items():
        assert torch.allclose(value, parts[name], atol=1e-4), name

"""The bench that starts ranks: its pieces that need none."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import psutil
import pytest
from labkit import folders, outcomes, processes
from labkit.distributed import rank_figures, ranks
from labkit.processes import ChildError


def test_descendants_are_found_and_their_end_is_noticed() -> None:
    code = (
        "import subprocess, sys, time; "
        "subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'], "
        "start_new_session=True); time.sleep(60)"
    )
    child = subprocess.Popen([sys.executable, "-c", code])
    try:
        for _ in range(200):
            family = processes.descendants(child.pid)
            if family:
                break
            time.sleep(0.02)
        assert len(family) == 1
        assert processes.survivors(family, within_s=0.1) == family
        os.kill(family[0].pid, signal.SIGKILL)
        assert processes.survivors(family) == []
    finally:
        child.kill()
        child.wait()


def test_a_journal_is_read_in_order_without_a_half_line(tmp_path: Path) -> None:
    assert list(ranks.journal(tmp_path).columns) == ["event", "rank", "time"]
    for rank, times in ((0, (1, 3)), (1, (2,))):
        lines = [
            json.dumps({"event": "progress", "rank": rank, "time": t, "step": t})
            for t in times
        ]
        text = "\n".join(lines) + '\n{"event": "prog'
        (tmp_path / f"rank-{rank}.jsonl").write_text(text)
    assert ranks.journal(tmp_path).step.tolist() == [1, 2, 3]
    assert ranks.journal(tmp_path, rank=1).step.tolist() == [2]


def test_the_starts_of_a_training_are_those_of_rank_0(tmp_path: Path) -> None:
    for rank in (0, 1):
        lines = [
            {"event": event, "rank": rank, "time": t, "step": step}
            for t, (event, step) in enumerate(
                [("start", 0), ("progress", 10), ("start", 60)]
            )
        ]
        path = tmp_path / f"rank-{rank}.jsonl"
        path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert ranks.starts(tmp_path) == [0, 60]


CAUSE = "Root Cause (first observed failure):\n  rank      : 1 (local_rank: 1)\n"


@pytest.mark.parametrize(
    ("log", "told"),
    [
        (f"{CAUSE}  exitcode  : -9 (pid: 7)", "rank 1 was killed (SIGKILL)"),
        (f"{CAUSE}  exitcode  : 1 (pid: 7)", "rank 1: ValueError: bad"),
        ("no such file", "the launcher failed. Its log ends:\nno such file"),
    ],
)
def test_the_failure_is_put_into_words(tmp_path: Path, log: str, told: str) -> None:
    line = {"event": "error", "rank": 1, "time": 0, "error": "ValueError: bad"}
    (tmp_path / "rank-1.jsonl").write_text(json.dumps(line) + "\n")
    child = SimpleNamespace(log=lambda: log)
    assert ranks.failure(child, tmp_path) == told


def test_a_failure_without_a_word_shows_the_log(tmp_path: Path) -> None:
    log = f"Segfault in x\n{CAUSE}  exitcode  : 3 (pid: 7)"
    found = ranks.failure(SimpleNamespace(log=lambda: log), tmp_path)
    assert "rank 1 ended with 3" in found and "Segfault in x" in found


def test_a_refusal_is_told() -> None:
    def fail(error: Exception) -> None:
        raise error

    assert outcomes.refusal(lambda: fail(ValueError("too small"))) == "too small"
    assert outcomes.refusal(lambda: fail(ChildError("gone"))) == "gone"
    assert outcomes.refusal(lambda: 3) == "no error: 3"
    assert (
        outcomes.refusal(lambda: fail(KeyError("x"))) == "no ValueError, but a KeyError"
    )
    with pytest.raises(NotImplementedError):
        outcomes.refusal(lambda: fail(NotImplementedError()))


def test_speed_ups_take_the_slowest_of_each_round() -> None:
    rank_0 = {"width": 8, "params": 5, "alone": [1.0, 2.0], "apart": [0.5, 1.0]}
    rank_1 = {**rank_0, "alone": [0.0, 0.0], "apart": [0.25, 2.0]}
    sides = [[rank_0 | {"ddp": [1.0, 1.0]}], [rank_1 | {"ddp": [2.0, 0.5]}]]
    [row] = ranks.speed_ups(sides).to_dict("records")
    assert (row["parameters"], row["alone_ms"]) == (5, 1500)
    assert row["gap_ms"] == 250  # rounds: 2.0 - 0.5 and 1.0 - 2.0 seconds
    assert (row["ceiling"], row["ceiling_low"], row["ceiling_high"]) == (
        1.5,
        1.25,
        1.75,
    )
    assert (row["reached"], row["reached_low"], row["reached_high"]) == (
        1.25,
        0.875,
        1.625,
    )


OWNER = """
import os, signal, sys, time
from labkit.folders import Folder
folder = Folder("owned-")
(folder.path / "deep").mkdir()
(folder.path / "deep" / "file").write_text("x")
print(folder.path, folder.keeper.pid, flush=True)
{end}
"""


@pytest.mark.parametrize(
    "end", ["os.kill(os.getpid(), signal.SIGKILL)", "sys.exit(1)", "folder.cleanup()"]
)
def test_a_folder_goes_with_its_owner(end: str) -> None:
    code = OWNER.format(end=end)
    env = {**os.environ, "PYTHONPATH": str(processes.LABS)}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=env
    )
    name, keeper = done.stdout.split()
    for _ in range(200):
        left = [one for one in psutil.process_iter() if one.pid == int(keeper)]
        if not Path(name).exists() and not left:
            break
        time.sleep(0.05)
    assert not Path(name).exists() and not left, done.stderr


def test_a_folder_outlives_a_signal_to_the_group_and_goes_after_the_kill() -> None:
    """Jupyter ends a kernel by killing its whole process group."""
    code = OWNER.format(end="time.sleep(60)")
    env = {**os.environ, "PYTHONPATH": str(processes.LABS)}
    command = [sys.executable, "-c", code]
    options = {"stdout": subprocess.PIPE, "text": True, "env": env}
    with subprocess.Popen(command, start_new_session=True, **options) as owner:
        name = Path(owner.stdout.readline().split()[0])
        assert (name / "deep" / "file").exists()
        os.killpg(owner.pid, signal.SIGKILL)
    for _ in range(200):
        if not name.exists():
            break
        time.sleep(0.05)
    assert not name.exists()


def test_a_folder_can_be_cleaned_up_twice() -> None:
    with folders.Folder("twice-") as path:
        assert path.is_dir()
    folder = folders.Folder("twice-")
    folder.cleanup()
    folder.cleanup()
    assert not path.exists() and not folder.path.exists()
    assert folder.keeper.poll() is not None


def test_two_nodes_meet_on_a_free_port() -> None:
    port = ranks.free_port()
    assert 1024 <= port < 65536
    options = ranks.node_options(port)
    assert "--nnodes=2" in options and f"--rdzv-endpoint=127.0.0.1:{port}" in options


def test_the_figures_show_what_they_are_given() -> None:
    table = pd.DataFrame(
        {"parameters": [2.0, 1.0], "gradients": [2.0, 1.0], "optimizer": [4.0, 2.0]},
        index=["ddp", "fsdp"],
    )
    widths = [p.get_width() for p in rank_figures.state(table).patches]
    assert widths == [2, 1, 2, 1, 4, 2]
    times = pd.DataFrame(
        {"bytes": [8, 80, 800], "all_reduce": [1.0, 2.0, 3.0], "ring": [1.0, 3.0, 4.0]}
    )
    ax = rank_figures.cost(times, lambda size: np.ones_like(size))
    gloo, ring = ax.lines[1:]
    assert list(gloo.get_ydata()) == [1000, 2000, 3000]
    assert list(ring.get_ydata()) == [1000, 3000, 4000]
    lines = pd.DataFrame({
        "event": ["start", "progress", "progress", "start", "start", "progress"],
        "step": [0, 10, 20, 10, 10, 20],
        "loss": [None, 0.6, 0.5, None, None, 0.5],
    })  # fmt: skip
    ax = rank_figures.restart(lines, lines.iloc[:3], killed_after=25)
    points = [list(line.get_xdata()) for line in ax.lines]
    assert points == [[10, 20], [10, 20], [20], [10, 10], [25, 25]]
    speed = pd.DataFrame({"ceiling": [1.5], "reached": [1.2]}, index=[512])
    for name in ("ceiling", "reached"):
        speed[f"{name}_low"], speed[f"{name}_high"] = (
            speed[name] - 0.1,
            speed[name] + 0.2,
        )
    ax = rank_figures.speed(speed, ["ceiling", "reached"])
    assert [p.get_height() for p in ax.patches] == [1.5, 1.2]
    assert len(ax.collections) == 2

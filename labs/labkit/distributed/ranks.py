"""Start ranks with torchrun, watch them, kill them on purpose, and leave none behind.

`Ranks` is a `Child` that runs torchrun, by way of `labkit.distributed.rank_launcher`.
Its workers are session leaders, so that a signal to the launcher's group does not reach
them: they are found by walking the children, and ended one by one. If this process
itself is killed, the launcher ends with it, and the ranks with the launcher.
"""

import contextlib
import json
import os
import re
import signal
import socket
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Self

import numpy as np
import pandas as pd
import psutil

from labkit.folders import Folder
from labkit.processes import (
    Child,
    ChildError,
    descendants,
    module,
    survivors,
)

if TYPE_CHECKING:
    from labkit.distributed.rank_tasks import Speed

Facts = dict[str, object]
LOOPBACK = "lo0" if sys.platform == "darwin" else "lo"
MODULE, TASKS = "flightline.distributed", "labkit.distributed.rank_tasks"
# a speed-up, and what was timed
WAYS: dict[str, Literal["apart", "ddp"]] = {"ceiling": "apart", "reached": "ddp"}
ATTEMPTS = 3  # of a port that somebody else took in the meantime


class RanksError(ChildError):
    """Some rank failed; the message names the first, and why."""


class Ranks(Child):
    """A launcher with its ranks, as a child process with a certain end.

    Parameters
    ----------
    count : int
        Ranks of this launcher.
    arguments : sequence of object
        The module and its arguments.
    restarts : int
        How often the launcher may start all ranks again after a failure.
    node : sequence of str
        Options of a launcher that shares the job with others; alone by default.
    deadline_s : float
        When everything is killed, whatever happens.
    env : mapping of str to str, optional
        Variables to add.
    """

    def __init__(
        self,
        count: int,
        arguments: Sequence[object],
        *,
        restarts: int = 0,
        node: Sequence[str] = ("--standalone",),
        deadline_s: float = 90.0,
        env: Mapping[str, str] | None = None,
    ) -> None:
        launcher = module("labkit.distributed.rank_launcher", os.getpid(), *node)
        options = [f"--nproc-per-node={count}", f"--max-restarts={restarts}"]
        command = [*launcher, *options, "-m", *map(str, arguments)]
        quiet = {"GLOO_SOCKET_IFNAME": LOOPBACK, "TORCH_CPP_LOG_LEVEL": "ERROR"}
        super().__init__(command, deadline_s=deadline_s, env={**quiet, **(env or {})})
        self.seen: list[psutil.Process] = []

    def __enter__(self) -> Self:
        """Start the launcher, with a folder of its own for what it leaves behind."""
        self._scratch = Folder("torchrun-")
        self.env["TMPDIR"] = str(self._scratch.path)
        return super().__enter__()

    def family(self) -> list[psutil.Process]:
        """Return the ranks that run now, and what they started."""
        now = descendants(self.pid)
        self.seen = list({*self.seen, *now})
        return now

    def end(self) -> None:
        """End the launcher, and every rank that it leaves."""
        self.family()
        super().end()
        for process in survivors(self.seen, within_s=0.5):
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        self._scratch.cleanup()


def journal(folder: Path, rank: int | None = None) -> pd.DataFrame:
    """Return what all ranks have written so far, in the order of time.

    Parameters
    ----------
    folder : Path
        With the files `rank-N.jsonl`.
    rank : int, optional
        Only this one's lines.

    Returns
    -------
    DataFrame
        One row a line: `event`, `rank`, `time` and what the event brought along.
    """
    lines = []
    for path in sorted(folder.glob(f"rank-{'*' if rank is None else rank}.jsonl")):
        whole = path.read_text().rpartition("\n")[0]
        lines += [json.loads(line) for line in whole.splitlines()]
    frame = pd.DataFrame(lines, columns=None if lines else ["event", "rank", "time"])
    return frame.sort_values("time", ignore_index=True)


def starts(folder: Path) -> list[int]:
    """Return the steps at which a training was started, in order of time.

    Parameters
    ----------
    folder : Path
        With the journals; rank 0's counts.

    Returns
    -------
    list of int
    """
    lines = journal(folder, rank=0)
    return [int(step) for step in lines[lines.event == "start"].step]


def wait_for_step(child: Child, folder: Path, step: int, ranks: int = 2) -> None:
    """Wait until every rank has reported a step.

    Parameters
    ----------
    child : Child
        The launcher; if it ends before, that is an error.
    folder : Path
        With the journals.
    step : int
    ranks : int
        How many must report.

    Raises
    ------
    ChildError
        If the launcher ends, or time is up.
    """

    def there(_: Child) -> bool:
        seen = journal(folder)
        done = seen[(seen.event == "progress")]
        return "step" in done and done[done.step >= step]["rank"].nunique() >= ranks

    child._until(there, f"did not reach step {step}")


def failure(child: Child, folder: Path) -> str:
    """Say which rank failed first, and why, from the launcher's log and the journals.

    Parameters
    ----------
    child : Child
        A launcher that has ended.
    folder : Path
        With the journals.

    Returns
    -------
    str
        Such as "rank 1 was killed (SIGKILL)" or "rank 0: ValueError: ...".
    """
    cause = child.log().partition("Root Cause")[2]
    rank = re.search(r"rank\s*: (\d+)", cause)
    code = re.search(r"exitcode\s*: (-?\d+)", cause)
    if rank is None or code is None:
        tail = "\n".join(child.log().splitlines()[-20:])
        return f"the launcher failed. Its log ends:\n{tail}"
    if int(code[1]) < 0:
        name = signal.Signals(-int(code[1])).name
        return f"rank {rank[1]} was killed ({name})"
    seen = journal(folder)
    told = seen[(seen.event == "error") & (seen["rank"] == int(rank[1]))]
    if len(told):
        return f"rank {rank[1]}: {told['error'].iloc[-1]}"
    tail = "\n".join(child.log().partition("Root Cause")[0].splitlines()[-30:])
    return f"rank {rank[1]} ended with {code[1]}. The log:\n{tail}"


def _options(plan: Mapping[str, object]) -> list[str]:
    """Return a plan's fields as options of the command line."""
    return [f"--{name.replace('_', '-')}={value}" for name, value in plan.items()]


def _result(child: Child, folder: Path) -> Facts:
    """Wait for the end of a training and return its result."""
    if child.wait() != 0:
        raise RanksError(failure(child, folder))
    found: Facts = json.loads((folder / "result.json").read_text())
    return found


def start(
    ranks: int,
    data: Path,
    folder: Path,
    *,
    restarts: int = 0,
    failpoint: str = "",
    deadline_s: float = 90.0,
    **plan: object,
) -> Ranks:
    """Return a launcher that trains, to be entered with `with`.

    Parameters
    ----------
    ranks : int
    data, folder : Path
        What to train on, and where journals and checkpoint go.
    restarts : int
        How often it may start again.
    failpoint : str
        Such as "1:35:kill": rank 1 gets SIGKILL after step 35, once.
    deadline_s : float
    **plan
        Fields of `flightline.distributed.Plan`.

    Returns
    -------
    Ranks
    """
    return Ranks(
        ranks,
        [MODULE, data, folder, *_options(plan)],
        restarts=restarts,
        deadline_s=deadline_s,
        env={"FLIGHTLINE_FAILPOINT": failpoint},
    )


def train(
    ranks: int,
    data: Path,
    folder: Path,
    *,
    restarts: int = 0,
    failpoint: str = "",
    deadline_s: float = 90.0,
    **plan: object,
) -> Facts:
    """Train with some ranks and return what rank 0 wrote at the end.

    Parameters
    ----------
    ranks, data, folder, restarts, failpoint, deadline_s, **plan
        As `start` takes them.

    Returns
    -------
    dict
        The plan, `ranks`, `step`, `loss`, `rows_per_s` and `sha256` of the weights.

    Raises
    ------
    RanksError
        If the training failed; the message names the rank and the reason.
    """
    with start(
        ranks,
        data,
        folder,
        restarts=restarts,
        failpoint=failpoint,
        deadline_s=deadline_s,
        **plan,
    ) as child:
        return _result(child, folder)


def free_port() -> int:
    """Return a port of the loopback that nobody listens on right now."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def node_options(port: int) -> list[str]:
    """Return the launcher's options of one of two nodes that meet on the loopback.

    Parameters
    ----------
    port : int
        Where they meet. On real nodes, the address of one of them stands there.

    Returns
    -------
    list of str
    """
    meet = [f"--rdzv-endpoint=127.0.0.1:{port}", "--rdzv-backend=c10d"]
    return ["--nnodes=2", *meet, f"--rdzv-id=lab-{port}", "--local-addr=127.0.0.1"]


def train_on_two_nodes(
    data: Path, folder: Path, *, deadline_s: float = 90.0, **plan: object
) -> Facts:
    """Train with two launchers of one rank each, as on two machines.

    Parameters
    ----------
    data, folder, deadline_s, **plan
        As `start` takes them.

    Returns
    -------
    dict
        As `train` returns it.

    Raises
    ------
    RanksError
        If the training failed.
    """
    arguments = [MODULE, data, folder, *_options(plan)]
    for attempt in range(1, ATTEMPTS + 1):
        node = node_options(free_port())
        with contextlib.ExitStack() as both:
            nodes = [
                both.enter_context(
                    Ranks(1, arguments, node=node, deadline_s=deadline_s)
                )
                for _ in range(2)
            ]
            codes = [child.wait() for child in nodes]
            taken = any("already in use" in child.log() for child in nodes)
            if not any(codes):
                break
            if not taken or attempt == ATTEMPTS:
                failed = nodes[0] if codes[0] else nodes[1]
                raise RanksError(failure(failed, folder))
    found: Facts = json.loads((folder / "result.json").read_text())
    return found


def kill_launcher(data: Path, folder: Path, **plan: object) -> dict[str, int]:
    """Kill the launcher of two ranks in mid-training with SIGKILL, and look for them.

    Parameters
    ----------
    data, folder, **plan
        As `start` takes them; the training must be long enough.

    Returns
    -------
    dict of int
        Processes that ran `before` the kill, and that are left `after` it.
    """
    with start(2, data, folder, **plan) as child:  # type: ignore[arg-type]
        wait_for_step(child, folder, 1)
        family = child.family()
        os.kill(child.pid, signal.SIGKILL)
        left = survivors(family)
    return {"before": len(family), "after": len(left)}


def measure(
    ranks: int, tasks: Sequence[Facts], deadline_s: float = 120.0
) -> list[list[object]]:
    """Run tasks of `labkit.distributed.rank_tasks` on some ranks, all in one launch.

    Parameters
    ----------
    ranks : int
    tasks : sequence of dict
        Each with `task`, the name of a function there, and its options.
    deadline_s : float

    Returns
    -------
    list of list
        For each task what each rank returned.

    Raises
    ------
    RanksError
        If a task failed.
    """
    with Folder("ranks-") as folder:
        (folder / "tasks.json").write_text(json.dumps(list(tasks), default=str))
        with Ranks(ranks, [TASKS, folder], deadline_s=deadline_s) as child:
            if child.wait() != 0:
                raise RanksError(failure(child, folder))
        found: list[list[object]] = json.loads((folder / "results.json").read_text())
        return found


def speed_ups(sides: Sequence[Sequence["Speed"]]) -> pd.DataFrame:
    """Return how many times as fast as one rank several ranks are, by width.

    Parameters
    ----------
    sides : sequence of lists
        What the task `speed` returned on each rank, rank 0 first.

    Returns
    -------
    DataFrame
        One row a width: `parameters`, the median milliseconds of rank 0 `alone` and of
        the gap between `ddp` and `apart`, and the medians over the rounds of `ceiling`
        and `reached`, each between two quartiles `_low` and `_high`. In a round the
        slowest rank counts.
    """
    rows = {}
    for by_rank in zip(*sides, strict=True):
        rank_0 = by_rank[0]
        alone = np.array(rank_0["alone"])
        row = {"parameters": rank_0["params"], "alone_ms": 1000 * np.median(alone)}
        slow = {way: np.max([s[way] for s in by_rank], axis=0) for way in WAYS.values()}
        row["gap_ms"] = 1000 * np.median(slow["ddp"] - slow["apart"])
        for name, way in WAYS.items():
            low, middle, high = np.quantile(alone / slow[way], [0.25, 0.5, 0.75])
            row |= {name: middle, f"{name}_low": low, f"{name}_high": high}
        rows[rank_0["width"]] = row
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("width")

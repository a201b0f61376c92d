"""A small training run, and children that are killed while they train it.

The kills are real: a child process trains with `flightline.training` and gets SIGKILL
at a failpoint. `python -m labkit.training.crashes ROWS CHECKPOINTS` is that child.
"""

import argparse
import errno
import os
import shutil
import signal
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from unittest import mock

import numpy as np
import pandas as pd
from flightline import training
from flightline.training import Training

from labkit import processes

if TYPE_CHECKING:
    import torch

Scorer = Callable[[Training], training.Floats]
EVERY, HERE = 40, "labkit.training.crashes"


@dataclass(frozen=True)
class Small:
    """A small training task: rows on disk, and a network that takes a second."""

    path: Path
    data: training.Tensors
    sizes: list[int]
    batch: int = 256

    @property
    def rows(self) -> int:
        """How many rows it has."""
        return len(self.data[2])

    @property
    def steps_per_epoch(self) -> int:
        """How many steps go once over the rows."""
        return -(-self.rows // self.batch)

    def start(self, seed: int = 0) -> Training:
        """Start a run of two epochs, with dropout."""
        return training.start_training(
            self.sizes, self.rows, seed=seed, epochs=2, batch=self.batch,
            hidden=(64, 32), dropout=0.2,
        )  # fmt: skip


def prepare(path: Path, table: pd.DataFrame, transform: training.Transform) -> Small:
    """Write the rows of a task for the child, and return the task.

    Parameters
    ----------
    path : Path
        A file name; `.npz` is added.
    table : DataFrame
        Training rows.
    transform : training.Transform
        A fitted transform.

    Returns
    -------
    Small
    """
    data = training.tensors(transform, table)
    codes, numbers, late = (part.numpy() for part in data)
    path = path.with_suffix(".npz")
    sizes = np.array(transform.sizes)
    np.savez(path, sizes=sizes, codes=codes, numbers=numbers, late=late)
    return Small(path, data, transform.sizes)


def read(path: Path) -> Small:
    """Read a task that `prepare` wrote; a NumPy file without pickles."""
    import torch

    with np.load(path, allow_pickle=False) as stored:
        parts = tuple(torch.from_numpy(stored[n]) for n in ("codes", "numbers", "late"))
        return Small(path, parts, stored["sizes"].tolist())


def weights(run: Training) -> "torch.Tensor":
    """Return all weights of a run as one flat vector."""
    import torch

    return torch.cat([p.detach().flatten() for p in run.network.parameters()])


def same(one: Training, other: Training) -> bool:
    """Return whether the weights of two runs are equal, bit for bit."""
    import torch

    return bool(torch.equal(weights(one), weights(other)))


def digest(run: Training) -> str:
    """Return the sha256 of the weights of a run."""
    return training.sha256(weights(run).numpy().tobytes())


def random_rows(rows: int, seed: int = 0) -> training.Tensors:
    """Return random codes below 4, numbers and labels: what they mean is no matter."""
    import torch
    from flightline.features import NUMERIC

    rng = torch.Generator().manual_seed(seed)
    codes = torch.randint(0, 4, (rows, 3), generator=rng)
    numbers = torch.randn(rows, len(NUMERIC), generator=rng)
    return codes, numbers, (torch.rand(rows, generator=rng) < 0.4).float()


def plain(saved: object) -> bool:
    """Return whether a snapshot holds tensors and plain values alone, no object."""
    import torch

    if isinstance(saved, Mapping):
        return all(plain(key) and plain(value) for key, value in saved.items())
    if isinstance(saved, list | tuple):
        return all(map(plain, saved))
    return saved is None or isinstance(saved, torch.Tensor | str | float | int)


def equal(one: object, other: object) -> bool:
    """Return whether two snapshots hold the same, tensors to the last bit."""
    import torch

    if isinstance(one, Mapping) and isinstance(other, Mapping):
        same_names = list(one) == list(other)
        return same_names and all(equal(one[name], other[name]) for name in one)
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        return len(one) == len(other) and all(map(equal, one, other))
    if isinstance(one, torch.Tensor) and isinstance(other, torch.Tensor):
        return torch.equal(one, other)
    return bool(one == other)


# --- kills


def child(rows: Path, checkpoints: Path, failpoint: str = "") -> tuple[int, str]:
    """Train in a child process, from its newest checkpoint on; return code and log.

    Parameters
    ----------
    rows, checkpoints : Path
        What `prepare` wrote, and the folder of checkpoints.
    failpoint : str
        Where the child is to be killed; nowhere if it is empty.

    Returns
    -------
    tuple of int and str
        The exit code (negative for a signal), and what the child wrote.
    """
    env = {"FLIGHTLINE_FAILPOINT": f"{failpoint}:SIGKILL" if failpoint else ""}
    command = processes.module(HERE, rows, checkpoints)
    with processes.Child(command, env=env, deadline_s=120) as process:
        code = process.wait()
    return code, process.log()


def kill_at(
    points: Sequence[str], small: Small, base: Path, whole: Training
) -> pd.DataFrame:
    """Kill children at failpoints, two at a time, and resume what they left.

    Parameters
    ----------
    points : sequence of str
        Failpoints: `step-100`, or those of `training.write_atomic`.
    small : Small
        The task.
    base : Path
        A folder with a checkpoint; each child works on its own copy.
    whole : training.Training
        The same run, finished without a disturbance.

    Returns
    -------
    DataFrame
        By failpoint: the signal, the step of the newest whole checkpoint, the drafts
        left behind, and whether the resumed weights equal the undisturbed ones.
    """
    folders = {p: shutil.copytree(base, base.with_name(f"kill-{p}")) for p in points}
    with ThreadPoolExecutor(2) as pool:
        jobs = {p: pool.submit(child, small.path, folders[p], p) for p in points}
    rows = {}
    for point, job in jobs.items():
        code, _ = job.result()
        drafts = len(list(folders[point].glob(".*.draft")))
        run = small.start()
        step, _ = training.load_checkpoint(folders[point], run)
        training.train(run, small.data)
        rows[point] = {
            "signal": signal.Signals(-code).name if code < 0 else "none",
            "resumed from step": step,
            "drafts left": drafts,
            "bitwise equal": same(run, whole),
        }
    return pd.DataFrame(rows).T.rename_axis("killed at")


@contextmanager
def full_disk(point: str) -> Iterator[None]:
    """Let the disk be full when `write_atomic` reaches a failpoint."""

    def refuse(name: str) -> None:
        if name == point:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with mock.patch.dict(training.write_atomic.__globals__, {"failpoint": refuse}):
        yield


def tear(path: Path) -> None:
    """Cut a file in half, as a disk may that lied about its cache."""
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def scorer(transform: training.Transform, table: pd.DataFrame) -> Scorer:
    """Return a function that takes a run and gives its network's logits on a table."""
    codes, numbers, _ = training.tensors(transform, table)

    def logits(run: Training) -> training.Floats:
        found = run.network.eval()(codes, numbers).detach().double().numpy()
        return np.asarray(found, np.float64)

    return logits


def main(arguments: Sequence[str] | None = None) -> int:
    """Train a small task to its end, with a checkpoint now and then."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("rows", type=Path)
    parser.add_argument("checkpoints", type=Path)
    every = int(os.environ.get("FLIGHTLINE_EVERY", EVERY))
    options = parser.parse_args(arguments)
    small = read(options.rows)
    run = small.start()
    step, _ = training.load_checkpoint(options.checkpoints, run)
    sys.stdout.write(f"from step {step}\n")

    def after_step(run: Training) -> None:
        if run.step % every == 0:
            training.save_checkpoint(options.checkpoints, run)

    training.train(run, small.data, after_step=after_step)
    sys.stdout.write(f"weights {digest(run)}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

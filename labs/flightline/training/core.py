# Do not edit: exported from labs/06_training.ipynb.
# Change the lab, then run `make export`.

"""Lab 06: the training pipeline."""

__all__ = [
    "PIECES",
    "STATES",
    "Floats",
    "Integers",
    "Metric",
    "Tensors",
    "Training",
    "batch_rows",
    "day_interval",
    "restore",
    "rows_digest",
    "snapshot",
    "train",
    "what_changed",
    "worse_off",
]

import copy
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats

from flightline.lake import failpoint

if TYPE_CHECKING:
    import torch


Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Metric = Callable[..., float]  # takes scores, labels and a weight for each row


def day_interval(
    metric: Metric,
    score: object,
    late: Floats,
    day: npt.ArrayLike,
    draws: int = 200,
    seed: int = 0,
) -> tuple[float, float]:
    """Return a 95% interval of a metric: whole days are drawn with replacement."""
    day = np.unique(day, return_inverse=True)[1]
    count = int(day.max()) + 1
    rng = np.random.default_rng(seed)
    drawn = rng.multinomial(count, np.full(count, 1 / count), size=draws)
    found = [metric(score, late, times[day].astype(float)) for times in drawn]
    low, high = np.quantile(found, [0.025, 0.975])
    return float(low), float(high)


def what_changed(run: Mapping[str, str], other: Mapping[str, str]) -> list[str]:
    """Name what may explain that two runs differ, sorted."""

    def proven(name: str) -> bool:
        return run.get(name, "unknown") == other.get(name, "unknown") != "unknown"

    suspects = {name for name in {*run, *other} if not proven(name)}
    if proven("code_sha256"):
        suspects -= {"git_commit"}
    return sorted(suspects)


Tensors = tuple["torch.Tensor", ...]


@dataclass
class Training:
    """A run in progress: all that its next step depends on but the data."""

    network: "torch.nn.Module"
    optimizer: "torch.optim.Optimizer"
    scheduler: "torch.optim.lr_scheduler.LRScheduler"
    seed: int
    batch: int
    steps: int
    step: int = 0
    settings: str = ""  # what it was started with, as JSON
    data: str = ""  # the digest of its rows, once it has seen them


@lru_cache(maxsize=2)
def _epoch_order(seed: int, epoch: int, rows: int) -> "torch.Tensor":
    """Return the order of the rows in an epoch, from seed and epoch alone."""
    import torch

    generator = torch.Generator().manual_seed(1_000_003 * seed + epoch)
    return torch.randperm(rows, generator=generator)


def batch_rows(seed: int, step: int, rows: int, batch: int) -> "torch.Tensor":
    """Return the rows of a step, from the seed and the number of the step alone."""
    epoch, place = divmod(step, -(-rows // batch))
    order = _epoch_order(seed, epoch, rows)
    return order[place * batch : (place + 1) * batch].clone()


def rows_digest(data: Tensors) -> str:
    """Return the sha256 of training rows."""
    digest = hashlib.sha256()
    for part in data:
        digest.update(str((tuple(part.shape), part.dtype)).encode())
        digest.update(part.contiguous().numpy().tobytes())
    return digest.hexdigest()


def train(
    run: Training,
    data: Tensors,
    *,
    until: int | None = None,
    after_step: Callable[[Training], Any] = lambda run: None,
) -> None:
    """Train until a step, by default to the end; call `after_step` after each."""
    from torch.nn.functional import binary_cross_entropy_with_logits as loss_of

    digest = rows_digest(data)
    if run.data not in ("", digest):
        raise ValueError("these rows are not those that the run began with. Use them.")
    run.data = digest
    codes, numbers, late = data
    run.network.train()
    while run.step < (run.steps if until is None else until):
        rows = batch_rows(run.seed, run.step, len(late), run.batch)
        loss = loss_of(run.network(codes[rows], numbers[rows]), late[rows])
        run.optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        run.optimizer.step()
        run.scheduler.step()
        run.step += 1
        failpoint(f"step-{run.step}")
        after_step(run)


STATES = ("network", "optimizer", "scheduler")
PIECES = (*STATES, "step", "seed", "random")


def restore(run: Training, saved: Mapping[str, Any]) -> None:
    """Put a run into the state of a snapshot; a missing piece is a ValueError."""
    import torch

    if missing := [piece for piece in PIECES if piece not in saved]:
        raise ValueError(f"the snapshot lacks {missing[0]}. Start from another.")
    saved = copy.deepcopy(dict(saved))
    for name in STATES:
        getattr(run, name).load_state_dict(saved[name])
    run.step, run.seed = saved["step"], saved["seed"]
    torch.set_rng_state(saved["random"])


def snapshot(run: Training) -> dict[str, Any]:
    """Return a copy of all that the next step depends on, by the names of PIECES."""
    import torch

    saved = {name: getattr(run, name).state_dict() for name in STATES}
    saved |= {"step": run.step, "seed": run.seed, "random": torch.get_rng_state()}
    return copy.deepcopy(saved)


def worse_off(
    challenger: Floats,
    champion: Floats,
    late: Floats,
    day: npt.ArrayLike,
    slices: npt.ArrayLike,
    least_days: int = 10,
) -> list[str]:
    """Name the slices that are worse off with the challenger, beyond noise."""
    hit, miss = np.log(challenger / champion), np.log((1 - challenger) / (1 - champion))
    excess = -(late * hit + (1 - late) * miss)  # loss of challenger less champion
    table = pd.DataFrame({"slice": slices, "day": day, "excess": excess})
    groups = dict(list(table.groupby("slice")))
    worse = []
    for name, rows in groups.items():
        days = rows.groupby("day")["excess"].agg(["sum", "size"])
        count, mean = len(days), rows["excess"].mean()
        if count >= least_days:
            apart = days["sum"] - mean * days["size"]
            error = np.sqrt((apart**2).sum() * count / (count - 1)) / len(rows)
            if mean > error * stats.t.ppf(1 - 0.025 / len(groups), count - 1):
                worse.append(str(name))
    return sorted(worse)

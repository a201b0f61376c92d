# Do not edit: exported from labs/07_distributed.ipynb.
# Change the lab, then run `make export`.

"""Lab 07: distributed training."""

__all__ = [
    "Move",
    "Snapshot",
    "Training",
    "batch_rows",
    "bytes_per_rank",
    "fit_cost",
    "gradients",
    "mean_gradients",
    "network",
    "ring_schedule",
    "ring_seconds",
]

import copy
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits


class Move(NamedTuple):
    """What one rank does in one step of the ring."""

    send: int
    receive: int
    add: bool


def ring_schedule(rank: int, ranks: int) -> list[Move]:
    """List what a rank sends and receives, so that a ring adds up all tensors."""
    first = [
        Move((rank - step) % ranks, (rank - step - 1) % ranks, True)
        for step in range(ranks - 1)
    ]
    second = [
        Move((rank - step + 1) % ranks, (rank - step) % ranks, False)
        for step in range(ranks - 1)
    ]
    return first + second


def batch_rows(
    step: int, *, rows: int, batch: int, rank: int, ranks: int, seed: int
) -> Tensor:
    """Return the rows of one rank in one step; `batch` counts those of all ranks."""
    if batch % ranks or batch > rows:
        raise ValueError(
            f"batch={batch}: give a multiple of {ranks} (ranks) up to {rows} (rows)."
        )
    epoch, place = divmod(step, rows // batch)
    chance = torch.Generator().manual_seed(seed + epoch)
    order = torch.randperm(rows, generator=chance)
    return order[place * batch : (place + 1) * batch][rank::ranks]


def network(inputs: int, width: int, seed: int, dropout: float = 0.0) -> nn.Sequential:
    """Return a network that gives one logit a row; the seed decides its weights."""
    torch.manual_seed(seed)
    return nn.Sequential(
        nn.Linear(inputs, width),
        nn.ReLU(),
        nn.Dropout(dropout),
        nn.Linear(width, width),
        nn.ReLU(),
        nn.Linear(width, 1),
    )


def gradients(model: nn.Module, inputs: Tensor, late: Tensor) -> list[Tensor]:
    """Return the gradients of the mean loss over some rows, one a parameter."""
    loss = binary_cross_entropy_with_logits(model(inputs).squeeze(1), late)
    return list(torch.autograd.grad(loss, list(model.parameters())))


def mean_gradients(grads: list[list[Tensor]], rows: list[int]) -> list[Tensor]:
    """Return the gradients of the mean over all rows, from those of each rank."""
    means = []
    for parts in zip(*grads, strict=True):  # one parameter, on every rank
        weighed = [part * count for part, count in zip(parts, rows, strict=True)]
        means.append(torch.stack(weighed).sum(dim=0) / sum(rows))
    return means


def bytes_per_rank(
    params: float,
    ranks: int,
    stage: int,
    each: tuple[float, float, float] = (2, 2, 12),
) -> dict[str, float]:
    """Return the bytes of training state of a rank, by what they hold."""
    names = ("parameters", "gradients", "optimizer")
    first_sharded = (3, 2, 1)  # the stage from which each is cut
    return {
        name: params * size / (ranks if stage >= first else 1)
        for name, size, first in zip(names, each, first_sharded, strict=True)
    }


class Training:
    """A small training that can be stopped after any step."""

    def __init__(self, inputs: Tensor, late: Tensor, seed: int) -> None:
        self.inputs, self.late, self.seed = inputs, late, seed
        self.model = network(inputs.shape[1], width=32, seed=seed, dropout=0.1)
        self.optimizer = torch.optim.AdamW(self.model.parameters(), lr=0.01)
        self.step = 0

    def run(self, until: int) -> None:
        """Train on, until so many steps are done."""
        share = {"rows": len(self.late), "batch": 64, "seed": self.seed}
        while self.step < until:
            part = batch_rows(self.step, rank=0, ranks=1, **share)
            means = gradients(self.model, self.inputs[part], self.late[part])
            for parameter, mean in zip(self.model.parameters(), means, strict=True):
                parameter.grad = mean
            self.optimizer.step()
            self.step += 1

    def weights(self) -> Tensor:
        """Return a copy of all weights as one vector."""
        return nn.utils.parameters_to_vector(self.model.parameters()).detach().clone()


class Snapshot:
    """All that decides what a training does next, at one moment.

    Has `__init__(self, training)` and `restore(self, other)`; both return None.
    """

    def __init__(self, training: Training) -> None:
        model, optimizer = training.model.state_dict(), training.optimizer.state_dict()
        self.model, self.optimizer = copy.deepcopy((model, optimizer))
        self.step = training.step
        self.random = torch.get_rng_state()

    def restore(self, other: Training) -> None:
        """Make another training with the same data and seed go on from here."""
        other.model.load_state_dict(self.model)
        other.optimizer.load_state_dict(copy.deepcopy(self.optimizer))
        other.step = self.step
        torch.set_rng_state(self.random)


def ring_seconds(size: float, ranks: int, alpha: float, beta: float) -> float:
    """Return the seconds of a ring all-reduce of `size` bytes."""
    return 2 * (ranks - 1) * (alpha + size / ranks * beta)


def fit_cost(
    sizes: Sequence[float], seconds: Sequence[float], ranks: int
) -> tuple[float, float]:
    """Fit alpha, seconds a message, and beta, seconds a byte, of a ring."""
    took = np.asarray(seconds, dtype=float)
    messages = np.full(len(took), 2.0 * (ranks - 1))
    moved = np.asarray(sizes, dtype=float) * 2 * (ranks - 1) / ranks
    terms = np.column_stack([messages, moved]) / took[:, None]
    alpha, beta = np.linalg.lstsq(terms, np.ones(len(took)), rcond=None)[0]
    return float(alpha), float(beta)

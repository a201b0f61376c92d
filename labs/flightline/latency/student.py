"""A smaller network that learns from labels, or from what a larger model says."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd

from flightline.training import Predictor, Transform, make_mlp, open_model, to_onnx

if TYPE_CHECKING:
    import torch


def fit_student(
    transform: Transform,
    table: pd.DataFrame,
    target: npt.ArrayLike,
    *,
    hidden: Sequence[int] = (64, 32),
    epochs: int = 4,
    batch: int = 512,
    rate: float = 4e-3,
    seed: int = 0,
    name: str = "delay_student",
    version: str = "1",
) -> Predictor:
    """Train a small net on targets between 0 and 1: labels, or a teacher's scores.

    Parameters
    ----------
    transform : Transform
        The teacher's, so that both can be served from the same features.
    table : DataFrame with FEATURES
    target : array_like of float [n]
        Hard labels (0 or 1), or soft ones (probabilities); none missing.
    hidden : sequence of int
        The widths of the hidden layers.
    epochs, batch : int
        How often each row is seen, and how many rows make a step.
    rate : float
        The highest learning rate of a one-cycle schedule, with AdamW.
    seed : int
        Of the first weights and of the order of rows.
    name, version : str
        Of the new model.

    Returns
    -------
    Predictor
        In FP32, opened by ONNX Runtime.

    Raises
    ------
    ValueError
        If there is not one target between 0 and 1 for each row, or no row, epoch or
        row in a batch.

    References
    ----------
    Hinton, Vinyals, Dean, Distilling the Knowledge in a Neural Network, 2015.
    """
    wanted = np.asarray(target, np.float32)
    if wanted.shape != (len(table),) or not len(table):
        raise ValueError(
            f"target has the shape {wanted.shape}, and the table {len(table)} rows. "
            "Give at least one row, and one target for each."
        )
    if bad := int((~((wanted >= 0) & (wanted <= 1))).sum()):
        raise ValueError(
            f"{bad} of {len(wanted)} targets are missing or not between 0 and 1. Leave "
            "their rows out."
        )
    if epochs < 1 or batch < 1:
        raise ValueError(f"epochs={epochs}, batch={batch}: give at least 1.")
    import torch

    with torch.random.fork_rng(devices=[]):  # the caller's chance stays its own
        torch.manual_seed(seed)
        net = make_mlp(transform.sizes, hidden, dropout=0.0)
    inputs = transform.codes(table), transform.numbers(table), wanted
    _train(
        net, [torch.from_numpy(array) for array in inputs], epochs, batch, rate, seed
    )
    content = to_onnx(net.eval())
    return open_model(content, "mlp", transform, name=name, version=version)


def _train(
    net: "torch.nn.Module",
    inputs: "list[torch.Tensor]",
    epochs: int,
    batch: int,
    rate: float,
    seed: int,
) -> None:
    """Train a net on codes, numbers and targets, in place."""
    import torch

    codes, numbers, wanted = inputs
    steps = epochs * -(-len(wanted) // batch)
    optimizer = torch.optim.AdamW(net.parameters(), lr=rate, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, rate, steps)
    for epoch in range(epochs):
        chance = torch.Generator().manual_seed(seed + epoch)
        order = torch.randperm(len(wanted), generator=chance)
        for at in range(0, len(wanted), batch):
            rows = order[at : at + batch]
            loss = torch.nn.functional.binary_cross_entropy_with_logits(
                net(codes[rows], numbers[rows]), wanted[rows]
            )
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            schedule.step()

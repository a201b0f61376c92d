"""The network, the start of a run that trains it, and its file."""

import json
import logging
import warnings
from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from flightline.features import CATEGORICAL, NUMERIC
from flightline.training.core import Tensors, Training
from flightline.training.data import labels
from flightline.training.transform import Transform

if TYPE_CHECKING:
    import torch


def make_mlp(
    sizes: Sequence[int], hidden: Sequence[int] = (512, 256), dropout: float = 0.3
) -> "torch.nn.Module":
    """Make the network: it takes codes [n, 3] and numbers [n, 25], returns logits [n].

    Parameters
    ----------
    sizes : sequence of int
        How many codes each categorical feature has.
    hidden : sequence of int
        The widths of the hidden layers.
    dropout : float
        The share of hidden values that are set to zero in training.
    """
    import torch
    from torch import nn

    dims = [min(8, (size + 1) // 2) for size in sizes]
    widths = [sum(dims) + len(NUMERIC), *hidden]
    layers: list[nn.Module] = []
    for wide, narrow in pairwise(widths):
        layers += [nn.Linear(wide, narrow), nn.ReLU(), nn.Dropout(dropout)]

    class MLP(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.embed = nn.ModuleList(map(nn.Embedding, sizes, dims))
            self.layers = nn.Sequential(*layers, nn.Linear(widths[-1], 1))

        def forward(self, categorical: Any, numeric: Any) -> Any:
            parts = [e(categorical[:, i]) for i, e in enumerate(self.embed)]
            return self.layers(torch.cat([*parts, numeric], 1)).squeeze(1)

    return MLP()


def tensors(transform: Transform, table: pd.DataFrame) -> Tensors:
    """Return codes, numbers and labels of a table as tensors."""
    import torch

    late = labels(table).astype(np.float32)
    arrays = (transform.codes(table), transform.numbers(table), late)
    return tuple(torch.from_numpy(np.ascontiguousarray(array)) for array in arrays)


def start_training(
    sizes: Sequence[int],
    rows: int,
    *,
    seed: int = 0,
    epochs: int = 4,
    batch: int = 1024,
    rate: float = 2e-3,
    decay: float = 0.01,
    **shape: Any,
) -> Training:
    """Start a run: a fresh network, AdamW, a warm-up and a cosine to zero.

    Parameters
    ----------
    sizes, **shape
        As for `make_mlp`.
    rows, epochs, batch : int
        Training rows, rounds over them, and rows a step.
    seed : int
        Of the weights, of dropout and of the order of the rows.
    rate, decay : float
        The largest learning rate, and the weight decay.
    """
    import torch

    if rows < 1 or epochs < 1 or batch < 1:
        raise ValueError(
            f"rows={rows}, epochs={epochs}, batch={batch}: all at least 1."
        )
    torch.manual_seed(seed)
    network, steps = make_mlp(sizes, **shape), epochs * -(-rows // batch)
    settings = json.dumps(
        {
            "sizes": list(sizes),
            "rows": rows,
            "epochs": epochs,
            "batch": batch,
            "rate": rate,
            "decay": decay,
            **shape,
        },
        sort_keys=True,
    )

    def factor(step: int) -> float:
        cosine = (1 + np.cos(np.pi * min(1, step / steps))) / 2
        return float(min((step + 1) / max(1, steps // 10), cosine))

    optimizer = torch.optim.AdamW(network.parameters(), lr=rate, weight_decay=decay)
    scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, factor)
    return Training(
        network, optimizer, scheduler, seed, batch, steps, settings=settings
    )


def to_onnx(network: "torch.nn.Module") -> bytes:
    """Export a network, with a sigmoid behind it, without traces of this machine."""
    import torch

    class Scored(torch.nn.Module):
        def forward(self, categorical: Any, numeric: Any) -> Any:
            return torch.sigmoid(network(categorical, numeric))

    scored, rows = Scored(), torch.export.Dim("rows")
    scored.add_module("network", network.eval())
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    shapes = (2, len(CATEGORICAL)), (2, len(NUMERIC))
    example = torch.zeros(shapes[0], dtype=torch.int64), torch.zeros(shapes[1])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        program: Any = torch.onnx.export(
            scored.eval(), example, dynamo=True, verbose=False, opset_version=20,
            dynamic_shapes=({0: rows}, {0: rows}),
            input_names=["categorical", "numeric"], output_names=["score"],
        )  # fmt: skip
    model = program.model_proto
    graph = model.graph
    values = [*graph.input, *graph.output, *graph.value_info, *graph.initializer]
    for part in (model, graph, *graph.node, *values):
        part.ClearField("metadata_props")
    return bytes(model.SerializeToString(deterministic=True))

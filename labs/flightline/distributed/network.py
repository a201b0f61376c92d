"""The network that is trained, and the precision that it computes in."""

import torch
from torch import Tensor, nn

from flightline.distributed.plan import Plan

FLOATS = {"float32": torch.float32, "float64": torch.float64}
FLOATS["bfloat16"] = torch.float32  # mixed precision: parameters stay in 32 bits


class Block(nn.Module):
    """Two linear layers around a ReLU, added to the input."""

    def __init__(self, width: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.up, self.down = nn.Linear(width, width), nn.Linear(width, width)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        """Return the input plus what the two layers make of it."""
        y: Tensor = self.down(self.dropout(torch.relu(self.up(x))))
        return x + y


class Network(nn.Module):
    """A stem, some blocks of one width, and a head that gives one score a row."""

    def __init__(
        self, inputs: int, width: int, depth: int, dropout: float = 0.0
    ) -> None:
        super().__init__()
        self.stem = nn.Linear(inputs, width)
        self.blocks = nn.ModuleList(Block(width, dropout) for _ in range(depth))
        self.head = nn.Linear(width, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Return one score a row: the logarithm of the odds of being late."""
        x = self.stem(x)
        for block in self.blocks:
            x = block(x)
        scores: Tensor = self.head(x)
        return scores.squeeze(1)


def build_model(inputs: int, plan: Plan) -> Network:
    """Return the network with the weights of the plan's seed: alike on every rank.

    Parameters
    ----------
    inputs : int
        Columns of the inputs.
    plan : Plan

    Returns
    -------
    Network
    """
    torch.manual_seed(plan.seed)
    model = Network(inputs, plan.width, plan.depth, plan.dropout)
    return model.to(FLOATS[plan.precision])


def autocast(device: torch.device, precision: str) -> torch.autocast:
    """Return the context of mixed precision: bfloat16 where it is safe, or none.

    Parameters
    ----------
    device : torch.device
    precision : str
        "float32" and "float64" switch it off, "bfloat16" on.

    Returns
    -------
    torch.autocast

    Raises
    ------
    ValueError
        If the precision is another one.
    """
    if precision not in FLOATS:
        raise ValueError(f"precision is {precision!r}; use one of {list(FLOATS)}.")
    on = precision == "bfloat16"
    return torch.autocast(device.type, torch.bfloat16, enabled=on)

"""What to train and how: the same on every rank, and known to every checkpoint."""

import math
from dataclasses import asdict, dataclass

STRATEGIES = ("ddp", "fsdp", "ring", "alone")
PRECISIONS = ("float32", "float64", "bfloat16")
FREE = ("data", "steps", "keep_every", "report_every")
"""Fields that may change when a training goes on: they decide no weight."""


@dataclass(frozen=True)
class Plan:
    """What to train and how; the same on every rank.

    `batch` counts the rows of a step over all ranks. `strategy` is "ddp", "fsdp",
    "ring" (our own all-reduce) or "alone" (no exchange: the ceiling, no training of
    one model). `keep_every` writes a checkpoint after so many steps; 0 for none.

    Raises
    ------
    ValueError
        If a number is out of its range, or a strategy or precision is unknown.
    """

    data: str
    width: int = 256
    depth: int = 2
    dropout: float = 0.0
    batch: int = 512
    steps: int = 100
    lr: float = 0.001
    seed: int = 7
    strategy: str = "ddp"
    accumulate: int = 1
    precision: str = "float32"
    keep_every: int = 0
    report_every: int = 10

    def __post_init__(self) -> None:
        """Refuse a plan that nobody can carry out."""
        for name in ("width", "depth", "batch", "steps", "accumulate", "report_every"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name}={getattr(self, name)}: give at least 1.")
        if self.keep_every < 0 or self.seed < 0:
            raise ValueError("keep_every and seed: give 0 or more.")
        if not (math.isfinite(self.lr) and self.lr > 0):
            raise ValueError(f"lr={self.lr}: give a number above 0.")
        if not 0 <= self.dropout < 1:
            raise ValueError(f"dropout={self.dropout}: give 0 to below 1.")
        if self.strategy not in STRATEGIES:
            known = ", ".join(STRATEGIES)
            raise ValueError(f"strategy is {self.strategy!r}; use one of {known}.")
        if self.precision not in PRECISIONS:
            known = ", ".join(PRECISIONS)
            raise ValueError(f"precision is {self.precision!r}; use one of {known}.")

    def identity(self, data: str) -> dict[str, str | int | float]:
        """Return what must be the same for a training to be this one.

        Parameters
        ----------
        data : str
            What `data_digest` returns.

        Returns
        -------
        dict
            All fields that decide weights, and the digest of the data.
        """
        return {k: v for k, v in asdict(self).items() if k not in FREE} | {"data": data}

"""A small network that learns which of January's flights arrive late."""

import torch

from labkit import data

BATCH = 512
COLUMNS = ["day", "sched_dep_time", "sched_arr_time", "distance"]


class Network:
    """Four columns of the timetable in, two hidden layers of 256, one logit out.

    Attributes
    ----------
    inputs, late : torch.Tensor
        One row per flight that arrived; float32.
    net : torch.nn.Sequential
        The network.
    params : int
        Its parameters.
    """

    def __init__(self) -> None:
        flights = data.load_flights([1]).dropna(subset=["arr_delay"])
        self.inputs = torch.tensor(flights[COLUMNS].to_numpy("float32") / 2400)
        self.late = torch.tensor((flights["arr_delay"] >= 15).to_numpy("float32"))
        self.net = torch.nn.Sequential(
            torch.nn.Linear(len(COLUMNS), 256),
            torch.nn.ReLU(),
            torch.nn.Linear(256, 256),
            torch.nn.ReLU(),
            torch.nn.Linear(256, 1),
        )
        self.params = sum(weight.numel() for weight in self.net.parameters())
        self.adam = torch.optim.AdamW(self.net.parameters())
        self._loss = torch.nn.BCEWithLogitsLoss()
        self._first = torch.arange(BATCH)

    def _train(self, rows: torch.Tensor) -> None:
        self.adam.zero_grad()
        logits = self.net(self.inputs[rows]).squeeze(1)
        self._loss(logits, self.late[rows]).backward()
        self.adam.step()

    def step(self) -> None:
        """Take one training step on the first 512 flights."""
        self._train(self._first)

    def epoch(self) -> None:
        """Train on every flight once, in a random order, 512 at a time."""
        for rows in torch.split(torch.randperm(len(self.inputs)), BATCH):
            self._train(rows)

    def answer(self, flights: int) -> torch.Tensor:
        """Return the logits of the first flights."""
        with torch.no_grad():
            scores: torch.Tensor = self.net(self.inputs[:flights])
        return scores

"""What is live: versions by label, who answers for whom, and how that changes."""

import asyncio
import inspect
import json
import logging
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import pandas as pd

from flightline import training
from flightline.serving import trees
from flightline.serving.core import shortest_wait
from flightline.serving.rows import Rows

LOGGER = logging.getLogger("flightline.serving")
POLL_S = 0.05


class Predictor(Protocol):
    """A model that scores a table; `predict` may also be a coroutine function.

    A model whose attribute `takes_rows` is true gets `Rows`, without a data frame.
    """

    @property
    def name(self) -> str:
        """Which model this is."""

    @property
    def version(self) -> str:
        """Which training run it comes from."""

    @property
    def precision(self) -> str:
        """How its numbers are stored, such as fp32 or int8."""

    def predict(self, table: pd.DataFrame) -> Any:
        """Return one probability a row of a table with the columns FEATURES."""


Score = Callable[[Rows], Any]


def scorer_of(model: Predictor) -> Score:
    """Return what scores rows: the quickest way that gives the model's own scores."""
    if isinstance(model, training.Predictor) and model.kind == "lightgbm":
        found = trees.library()
        if found is not None:
            quick = trees.SingleRow(found, model)
            return lambda rows: quick(rows) if len(rows) == 1 else model.predict(rows)
    return lambda rows: model.predict(given(model, rows))


def given(model: Predictor, rows: Rows) -> "Rows | pd.DataFrame":
    """Return the rows as a model takes them: as they are, or as a table."""
    spared = getattr(model, "takes_rows", isinstance(model, training.Predictor))
    return rows if spared else rows.frame()


async def score_one(scorer: Score, rows: Rows) -> float:
    """Return the score of the only row; a ValueError if it is no probability."""
    found = scorer(rows)
    score = float((await found if inspect.isawaitable(found) else found)[0])
    if not 0 <= score <= 1:
        raise ValueError(f"the score is {score}.")
    return score


def route(entity: str, weights: Mapping[str, float], salt: str = "flightline") -> str:
    """Choose the version that answers for an entity, by weight, always the same one.

    Each version draws a waiting time for the entity, exponential with its weight as
    the rate; the shortest wins (weighted rendezvous hashing). A change of one weight
    moves entities to or from that version alone.

    Parameters
    ----------
    entity : str
        Such as a flight_id.
    weights : mapping of str to float
        A weight for each version, zero or more, in any unit.
    salt : str
        Another salt is another, independent assignment.

    Returns
    -------
    str
        A version with a positive weight.

    Raises
    ------
    ValueError
        If no weight is positive.
    """
    if not any(weight > 0 for weight in weights.values()):
        raise ValueError(f"No version has a positive weight: {dict(weights)}.")
    return shortest_wait(entity, weights, salt)


@dataclass(frozen=True)
class Deployment:
    """What is live: models by label, their weights, and who only listens.

    A deployment never changes. To swap a version, put another one in its place.

    Parameters
    ----------
    models : mapping of str to Predictor
        By label, such as A, B, C.
    weights : mapping of str to float
        For the labels that answer.
    shadows : tuple of str
        Labels that score each request too, for the log alone.

    Raises
    ------
    ValueError
        If a label has no model, or no weight is positive and finite.
    """

    models: Mapping[str, Predictor]
    weights: Mapping[str, float]
    shadows: tuple[str, ...] = ()
    scorers: Mapping[str, Score] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        scorers = {label: scorer_of(model) for label, model in self.models.items()}
        object.__setattr__(self, "scorers", scorers)
        if unknown := sorted({*self.weights, *self.shadows} - set(self.models)):
            raise ValueError(f"No model is loaded for {', '.join(unknown)}.")
        weights = list(self.weights.values())
        numbers = all(
            isinstance(weight, int | float) and not isinstance(weight, bool)
            for weight in weights
        )
        if not numbers or not all(0 <= weight < math.inf for weight in weights):
            raise ValueError(f"Weights {dict(self.weights)}: give finite numbers.")
        if not any(weights):
            raise ValueError(f"Weights {dict(self.weights)}: one must be positive.")

    def labels(self, entity: str, first: str = "") -> Iterator[str]:
        """Yield who should answer for an entity, then who should if that one fails.

        Parameters
        ----------
        entity : str
            What is routed by weight.
        first : str
            The label that something else decided on, such as an experiment; empty, or
            not loaded, leaves the choice to the weights.
        """
        left = {label: weight for label, weight in self.weights.items() if weight}
        if first in self.models:
            left.pop(first, None)
            yield first
        while left:
            label = route(entity, left) if len(left) > 1 else next(iter(left))
            yield label
            left.pop(label)  # the entities of a version that fails go to the others


def deployment(
    rollout: Mapping[str, Any],
    folder: Path,
    loaded: Mapping[str, Predictor] | None = None,
) -> Deployment:
    """Load what a rollout names, each file checked against its digest.

    Parameters
    ----------
    rollout : mapping
        `models` (label: name, or folder/name below `folder`), `weights`, `shadows`.
    folder : Path
        The folder of the models.
    loaded : mapping, optional
        Models that come from elsewhere, by the names that a rollout may use.

    Returns
    -------
    Deployment

    Raises
    ------
    Damaged
        If a file is not what its digest says; nothing changes then.
    ValueError, OSError
        If the rollout is none, or a model or a label does not exist.
    """
    names, weights = rollout_parts(rollout)
    models: dict[str, Predictor] = {}
    for label, name in names.items():
        path = folder / name
        if not path.resolve().is_relative_to(folder.resolve()):
            raise ValueError(f"the rollout names {name!r}, outside of {folder}.")
        models[label] = (loaded or {}).get(name) or training.load_model(
            path.parent, path.name
        )
    return Deployment(models, weights, tuple(rollout.get("shadows", ())))


def rollout_parts(rollout: object) -> tuple[dict[str, str], dict[str, float]]:
    """Return names and weights of a rollout; a ValueError says what is wrong."""
    form = '{"models": {"A": "name"}, "weights": {"A": 1.0}, "shadows": []}'
    if not isinstance(rollout, Mapping):
        raise ValueError(f"a rollout looks like {form}, not {type(rollout).__name__}.")
    for part in ("models", "weights"):
        if not isinstance(rollout.get(part), Mapping):
            raise ValueError(f"the rollout has no {part}. It looks like {form}.")
    names = rollout["models"]
    if not names or not all(isinstance(name, str) and name for name in names.values()):
        raise ValueError(f"the rollout names no models by text. It looks like {form}.")
    shadows = rollout.get("shadows", ())
    if not isinstance(shadows, list | tuple):
        raise ValueError(f"the rollout's shadows are no list. It looks like {form}.")
    return dict(names), dict(rollout["weights"])


class Live(Protocol):
    """What a rollout changes: a service with a deployment."""

    live: Deployment

    def deploy(self, deployment: Deployment) -> None:
        """Put another deployment in its place."""

    def refused(self, error: Exception) -> None:
        """Count a rollout that was refused."""


async def follow(
    service: Live,
    path: Path,
    folder: Path,
    *,
    seen: bytes = b"",
    load: Callable[[Mapping[str, Any], Path], Deployment] = deployment,
) -> None:
    """Deploy each new version of the rollout file; keep what is live if it is bad.

    Parameters
    ----------
    service : Live
        What is deployed to.
    path, folder : Path
        The rollout, and the folder of the models.
    seen : bytes
        The content that is live already. The caller hands over what it loaded: a file
        that changed since then, during the start, is followed like any other change.
    load : callable
        What makes a deployment of a rollout.
    """
    while True:
        try:
            text = await asyncio.to_thread(path.read_bytes)
        except OSError as error:
            text = f"unreadable: {error}".encode()
        if text != seen:
            seen = text  # whatever comes of it, it is looked at once
            try:
                rollout = json.loads(text)
                new = await asyncio.to_thread(load, rollout, folder)
            except Exception as error:  # a bad rollout never stops the service
                service.refused(error)
                LOGGER.error("rollout refused: %s: %s", type(error).__name__, error)
            else:
                service.deploy(new)
                LOGGER.info("rollout: %s", json.dumps(rollout))
        await asyncio.sleep(POLL_S)

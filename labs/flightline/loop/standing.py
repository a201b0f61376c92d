"""Who answers, and who is on trial: added up from the decisions of the journal."""

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, is_dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from flightline import serving, training
from flightline.loop.policy import Model

FILE = "delay"
"""What a model is called in its own folder."""

Said = tuple[pd.Timestamp, str, Mapping[str, object]]


@dataclass(frozen=True)
class Standing:
    """Who answers from a moment on.

    Attributes
    ----------
    champion : Model
        It answers.
    since : Timestamp
        When it began to.
    challenger : Model, optional
        It is on trial: it answers a part, and hears the rest.
    tried_since : Timestamp, optional
        When the trial began.
    former : Model, optional
        Who answered before the champion.
    """

    champion: Model
    since: pd.Timestamp
    challenger: Model | None = None
    tried_since: pd.Timestamp | None = None
    former: Model | None = None

    def promoted(self, model: Model, at: pd.Timestamp) -> "Standing":
        """Return the standing after another model took over."""
        if model == self.champion:
            return replace(self, challenger=None, tried_since=None)
        return Standing(model, at, former=self.champion)

    def tried(self, model: Model, at: pd.Timestamp) -> "Standing":
        """Return the standing after a trial began."""
        return replace(self, challenger=model, tried_since=at)

    def without_trial(self) -> "Standing":
        """Return the standing after a trial was ended without a promotion."""
        return replace(self, challenger=None, tried_since=None)


def standing_of(decisions: Iterable[Said]) -> Standing | None:
    """Add up decisions to who answers after them; without any, nobody.

    Parameters
    ----------
    decisions : iterable of (at, kind, body)
        As `journal.read_decisions` returns them.

    Returns
    -------
    Standing or None

    Raises
    ------
    ValueError
        If a decision does not say who answers after it.
    """
    found: Standing | None = None
    for at, _, body in decisions:
        after = body.get("after")
        try:
            found = _read(after) if isinstance(after, Mapping) else None
        except (KeyError, ValueError) as error:
            raise ValueError(f"{_untold(at)} It lacks {error}.") from None
        if found is None:
            raise ValueError(_untold(at))
    return found


def _untold(at: pd.Timestamp) -> str:
    """Say that a decision is not whole."""
    return f"the decision of {at} does not say who answers after it."


def to_body(standing: Standing, **more: object) -> dict[str, object]:
    """Return what the journal keeps of a decision: what was found, and who is left."""
    return {
        **{name: plain(value) for name, value in more.items()},
        "after": plain(standing),
    }


def plain(value: object) -> object:
    """Return a value as JSON holds it: moments as texts, dataclasses as mappings."""
    if isinstance(value, pd.Timestamp):
        return value.tz_convert("UTC").as_unit("us").isoformat()
    if isinstance(value, pd.Timedelta):
        return str(value)
    if is_dataclass(value) and not isinstance(value, type):
        parts = {name: getattr(value, name) for name in value.__dataclass_fields__}
        return {"is": type(value).__name__, **{n: plain(v) for n, v in parts.items()}}
    if isinstance(value, Mapping):
        return {str(name): plain(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None if math.isnan(value) else str(value)
    if value is None or isinstance(value, bool | int | float | str):
        return value
    kind = value if hasattr(value, "__qualname__") else type(value)
    return f"{kind.__module__}.{kind.__qualname__}"


def _model(body: object) -> Model | None:
    """Read a model back."""
    if not isinstance(body, Mapping):
        return None
    return Model(str(body["name"]), moment(body["cut_off"]))


def moment(text: object) -> pd.Timestamp:
    """Read a moment back."""
    return pd.Timestamp(str(text)).as_unit("us")


def _read(body: Mapping[str, object]) -> Standing:
    """Read a standing back."""
    champion = _model(body["champion"])
    if champion is None:
        raise ValueError("a decision names no champion.")
    tried = body["tried_since"]
    return Standing(
        champion,
        moment(body["since"]),
        _model(body["challenger"]),
        None if tried is None else moment(tried),
        _model(body["former"]),
    )


def deployed(standing: Standing, models: Path) -> serving.Deployment:
    """Load the models of a standing as a deployment of the service.

    Parameters
    ----------
    standing : Standing
    models : Path
        The folder of the models, one folder each.

    Returns
    -------
    serving.Deployment
        During a trial both models also hear every request, so that they can be
        compared on the same ones; who answers is for `canary.Trial.answers` to say.

    Raises
    ------
    training.Damaged
        If a file is missing or changed; the message names it.
    """
    return serving.deployment(rollout_of(standing, 0.5), models)


def rollout_of(standing: Standing, share: float) -> dict[str, object]:
    """Return a standing as the rollout that `python -m flightline.serving` follows."""
    names = {"champion": f"{standing.champion.name}/{FILE}"}
    weights, shadows = {"champion": 1.0}, list[str]()
    if standing.challenger is not None:
        names["challenger"] = f"{standing.challenger.name}/{FILE}"
        weights = {"champion": 1 - share, "challenger": share}
        shadows = ["champion", "challenger"]
    return {"models": names, "weights": weights, "shadows": shadows}


def write_rollout(path: Path, standing: Standing, share: float) -> None:
    """Write the rollout in one step, if it is not there already."""
    content = json.dumps(rollout_of(standing, share), indent=1).encode() + b"\n"
    if not path.is_file() or path.read_bytes() != content:
        training.write_atomic(path, content)

"""What to train, and the metrics of what was trained."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from flightline.training.data import labels, split
from flightline.training.fits import fit
from flightline.training.metrics import METRICS
from flightline.training.predictors import Predictor


@dataclass(frozen=True)
class Recipe:
    """What to train: the kind, the seed, how many training rows, the settings."""

    kind: str = "lightgbm"
    seed: int = 0
    rows: int | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)


def train_recipe(recipe: Recipe, table: pd.DataFrame, **more: Any) -> Predictor:
    """Train what a recipe says on a training table; `more` goes to `fit`."""
    parts = split(table)
    rows = parts["train"]
    if recipe.rows is not None:
        if not 0 < recipe.rows <= len(rows):
            raise ValueError(f"rows={recipe.rows}, of {len(rows)}: take 1 to all.")
        rows = rows.sample(recipe.rows, random_state=recipe.seed)
    wanted = {"seed": recipe.seed, **recipe.settings, **more}
    return fit(recipe.kind, rows, parts["tune"], **wanted)


def measure(model: Predictor, table: pd.DataFrame) -> dict[str, float]:
    """Return each metric in June (`tune_auc` ...) and July (`test_auc` ...)."""
    found: dict[str, float] = {}
    for part in ("tune", "test"):
        rows = split(table)[part]
        score, late = model.predict(rows), labels(rows)
        found |= {
            f"{part}_{name}": metric(score, late) for name, metric in METRICS.items()
        }
    return found

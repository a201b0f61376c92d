"""Metrics of scores against labels: each takes weights, refuses what it cannot judge.

Labels are 0 and 1, or numbers between: a label of 0.3 counts as 0.3 of a late flight
and 0.7 of a punctual one. A score or a label that is NaN is a `ValueError`, because
every comparison with it is false and the answer would look like one.
"""

import numpy as np
import pandas as pd

from flightline.training.core import Floats, Metric
from flightline.training.data import days, labels
from flightline.training.intervals import interval
from flightline.training.predictors import Predictor


def _checked(
    score: Floats, late: Floats, weight: Floats | None, *, chances: bool
) -> tuple[Floats, Floats, Floats]:
    """Return scores, labels and weights as float64, or say what is wrong with them."""
    found = [np.asarray(part, np.float64) for part in (score, late)]
    even = np.ones(len(found[0])) if weight is None else weight
    found.append(np.asarray(even, np.float64))
    names = ("score", "late", "weight")
    if len({part.shape for part in found}) > 1 or found[0].ndim != 1:
        shapes = ", ".join(f"{n} {p.shape}" for n, p in zip(names, found, strict=True))
        raise ValueError(f"one value a row is needed: {shapes}.")
    if not len(found[0]):
        raise ValueError("there is no row to judge.")
    for name, part in zip(names, found, strict=True):
        if bad := int(np.isnan(part).sum()):
            raise ValueError(f"{name} is NaN in {bad} of {len(part)} rows.")
    for name, part in zip(names[not chances :], found[not chances :], strict=True):
        top = np.inf if name == "weight" else 1.0
        if ((part < 0) | (part > top)).any():
            odd = part[(part < 0) | (part > top)][0]
            raise ValueError(f"{name} holds {odd:g}, outside 0 to {top:g}.")
    return found[0], found[1], found[2]


def auc(score: Floats, late: Floats, weight: Floats | None = None) -> float:
    """Return the area under the ROC curve; ties count one half.

    Parameters
    ----------
    score : array of float64 [n]
        Any numbers that rank the rows, infinite ones too.
    late : array of float64 [n]
        Labels from 0 to 1.
    weight : array of float64 [n], optional
        How often each row counts; once by default.

    Returns
    -------
    float
        NaN if only one class has weight.

    Raises
    ------
    ValueError
        For NaN, other labels, other shapes, or no row.
    """
    score, late, weight = _checked(score, late, weight, chances=False)
    order = np.argsort(score, kind="stable")  # fast where rows are sorted already
    ranked = score[order]
    group = np.append(0, np.cumsum(ranked[1:] > ranked[:-1]))
    positive = np.bincount(group, (weight * late)[order])
    negative = np.bincount(group, (weight * (1 - late))[order])
    below = np.cumsum(negative) - negative / 2
    pairs = positive.sum() * negative.sum()
    return float(positive @ below / pairs) if pairs > 0 else np.nan


def log_loss(score: Floats, late: Floats, weight: Floats | None = None) -> float:
    """Return the mean log-loss; scores are kept 1e-12 away from 0 and 1.

    Parameters and errors as for `auc`; a score outside 0 to 1 is one, too.
    """
    score, late, weight = _checked(score, late, weight, chances=True)
    chance = np.clip(score, 1e-12, 1 - 1e-12)
    loss = -(late * np.log(chance) + (1 - late) * np.log1p(-chance))
    return float(np.average(loss, weights=weight)) if weight.sum() > 0 else np.nan


def calibration_error(
    score: Floats, late: Floats, weight: Floats | None = None
) -> float:
    """Return the expected calibration error (ECE), over ten bins of equal count.

    Parameters and errors as for `auc`; a score outside 0 to 1 is one, too.
    """
    score, late, weight = _checked(score, late, weight, chances=True)
    edges = np.quantile(score, np.arange(1, 10) / 10)
    group = np.searchsorted(edges, score, side="right")
    gap = np.bincount(group, weight * (score - late))
    return float(np.abs(gap).sum() / weight.sum()) if weight.sum() > 0 else np.nan


METRICS: dict[str, Metric] = {
    "auc": auc,
    "log_loss": log_loss,
    "ece": calibration_error,
}


def lead(scores: Floats, late: Floats, weight: Floats) -> float:
    """Return how far the AUC of the first scores is above that of the second."""
    return auc(scores[0], late, weight) - auc(scores[1], late, weight)


def evaluate(
    model: Predictor, table: pd.DataFrame, *, draws: int = 200, seed: int = 0
) -> pd.DataFrame:
    """Measure a model, with intervals from days drawn anew.

    Parameters
    ----------
    model : Predictor
        The model.
    table : DataFrame
        Rows with features, labels and `sched_dep_utc`.
    draws, seed : int
        As in `interval`.

    Returns
    -------
    DataFrame
        Rows `auc`, `log_loss` and `ece`; columns `value`, `low` and `high`.
    """
    score = model.predict(table)
    order = np.argsort(score, kind="stable")
    score, late, day = score[order], labels(table)[order], days(table)[order]
    even, rows = np.ones(len(late)), {}
    for name, metric in METRICS.items():
        ends = interval(metric, score, late, day, draws=draws, seed=seed)
        rows[name] = (metric(score, late, even), *ends)
    return pd.DataFrame(rows, index=["value", "low", "high"]).T

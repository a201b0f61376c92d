"""Estimates of performance without labels, from the scores alone."""

import numpy as np
import pandas as pd
from scipy import special

from flightline.drift.columns import KINDS, Floats, as_floats, kind_of

ESTIMATED = ["share", "log_loss", "auc"]
"""What scores alone say about their labels, if they are calibrated."""


def estimated(scored: pd.DataFrame, *, score: str = "score") -> pd.Series:
    """Estimate what labels would say about a model, before there are any.

    Parameters
    ----------
    scored : DataFrame
        With scores; nulls are left out. Labels are not looked at.
    score : str
        The column of the scores, which are probabilities.

    Returns
    -------
    Series of float64
        By ESTIMATED: the share of positives, the log-loss in nats and the AUC that
        labels would give on average, if they came out as the scores promise. The AUC is
        null if no score is above 0, or none below 1.

    Raises
    ------
    ValueError
        If the scores are missing, all null, or no probabilities.

    Notes
    -----
    All of it assumes that the scores are still calibrated: that of the rows with a
    score of 0.3, three in ten are positive. Then a change of the rows, such as more
    flights that are hard to tell, shows up here as it will in the labels. If the
    relation of inputs and label has changed instead, the same inputs get the same
    scores and these estimates the same values, however wrong the model is by now.
    They never replace labels; they fill the wait for them.

    Examples
    --------
    >>> estimated(pd.DataFrame({"score": [0.5, 0.5]})).round(2).to_dict()
    {'share': 0.5, 'log_loss': 0.69, 'auc': 0.5}
    """
    value = np.sort(_probabilities(scored, score))
    uncertain = special.entr(value) + special.entr(1 - value)
    found = [value.mean(), uncertain.mean(), _expected_auc(value)]
    return pd.Series(found, ESTIMATED, np.float64, "estimated")


def _probabilities(scored: pd.DataFrame, score: str) -> Floats:
    """Return the known scores, and refuse what are no probabilities."""
    if score not in scored:
        raise ValueError(f"{score!r} is missing: estimates are made from scores.")
    kind = kind_of(scored[score])
    if kind != "number":
        raise ValueError(f"{score!r} holds {KINDS[kind]}: it must be probabilities.")
    value = as_floats(scored[score])
    value = value[~np.isnan(value)]
    if value.min() < 0 or value.max() > 1:
        raise ValueError(
            f"{score!r} must be probabilities: found {value.min()} to {value.max()}."
        )
    return value


def _expected_auc(value: Floats) -> float:
    """Return how often a positive has the higher score, over the pairs expected.

    Of two rows, the first is positive and the second is not with p(1 - q); rows of one
    score are a draw. A row makes no pair with itself.
    """
    levels, first = np.unique(value, return_index=True)
    rows = np.diff(np.append(first, len(value)))
    positive, negative = rows * levels, rows * (1 - levels)
    below = np.cumsum(negative) - negative
    itself = rows * levels * (1 - levels)
    pairs = positive.sum() * negative.sum() - itself.sum()
    if not pairs > 0:
        return float("nan")
    won = positive @ below + (positive @ negative - itself.sum()) / 2
    return float(won / pairs)

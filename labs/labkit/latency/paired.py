"""Compare two scores of the same flights, with an interval that respects days."""

import numpy as np
import numpy.typing as npt
from flightline import training

Doubles = npt.NDArray[np.float64]
Ranks = list[npt.NDArray[np.int64]]


def auc_difference(
    first: npt.ArrayLike,
    second: npt.ArrayLike,
    late: npt.ArrayLike,
    day: npt.ArrayLike,
    *,
    draws: int = 300,
    seed: int = 0,
) -> dict[str, float]:
    """Return the AUC of the second score minus the first's, with a 95% interval.

    Both scores meet the same draws, and whole days are drawn: flights of one day
    share its weather.

    Parameters
    ----------
    first, second : array_like of float [n]
    late : array_like of 0 or 1 [n]
    day : array_like [n]
        The unit that is drawn.
    draws, seed
        Of the bootstrap.

    Returns
    -------
    dict
        `value`, `low` and `high`.
    """

    def gap(both: Ranks, yes: Doubles, weight: Doubles) -> float:
        before, after = (_auc(rank, yes, weight) for rank in both)
        return after - before

    yes = np.asarray(late, float)
    ranks = [np.unique(np.asarray(s), return_inverse=True)[1] for s in (first, second)]
    place = np.unique(np.asarray(day), return_inverse=True)[1]
    low, high = training.interval(gap, ranks, yes, place, draws=draws, seed=seed)
    return {"value": gap(ranks, yes, np.ones(len(yes))), "low": low, "high": high}


def _auc(rank: npt.NDArray[np.int64], yes: Doubles, weight: Doubles) -> float:
    """Return a weighted AUC; ties count one half."""
    late = np.bincount(rank, weight * yes)
    other = np.bincount(rank, weight * (1 - yes))
    below = np.cumsum(other) - other / 2
    return float(late @ below / (late.sum() * other.sum()))

"""An interval for a metric that respects days."""

import numpy as np

from flightline.training.core import Floats, Integers, Metric, day_interval


def interval(
    metric: Metric,
    score: object,
    late: Floats,
    day: Integers,
    *,
    draws: int = 200,
    seed: int = 0,
) -> tuple[float, float]:
    """Return a 95% interval of a metric, from whole days drawn with replacement.

    Parameters
    ----------
    metric : callable
        Called with scores, labels and one weight for each row.
    score : object
        Passed on to the metric as it is: one score for each row, or several models.
    late : array of float64 [n]
        The labels.
    day : array of int64 [n]
        The day of each row; any numbers, in any order.
    draws, seed : int
        How many rounds, and the seed of the generator.

    Returns
    -------
    low, high : float
        The 2.5% and the 97.5% quantile of the metric over the rounds.

    Raises
    ------
    ValueError
        If there is no row, a day for only some of the rows, fewer than two draws, or
        a draw in which the metric is NaN.

    Notes
    -----
    With few days the interval is too narrow: for a mean of ten independent days by
    about a fifth. With two it means nothing.
    """
    day = np.asarray(day)
    if not len(day) or len(day) != len(late):
        raise ValueError(f"{len(late)} rows and {len(day)} days: name a day for each.")
    if draws < 2:
        raise ValueError(f"draws={draws}: an interval takes at least two.")

    def known(score: object, late: Floats, weight: Floats) -> float:
        value = metric(score, late, weight)
        if np.isnan(value):
            raise ValueError(
                "the metric is NaN in a draw of days: perhaps too few days have late "
                "flights, or punctual ones. Take more days, or a larger slice."
            )
        return value

    return day_interval(known, score, late, day, draws, seed)

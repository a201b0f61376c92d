"""An interval that holds at all times together: look whenever you like."""

from typing import SupportsIndex

import numpy as np
import numpy.typing as npt
from scipy import special

from flightline.decisions.inputs import Floats, number, numbers, rate, spread, whole

BURN_IN = 14
"""First value at which the estimated variance is trusted."""

BEST_AT = 14.0
"""Number of values at which the interval is tuned to be narrow."""


def sequence_bounds(
    counts: npt.ArrayLike, alpha: float = 0.05, best_at: float = BEST_AT
) -> Floats:
    """Return how many standard errors a confidence sequence reaches from its mean.

    Parameters
    ----------
    counts : array_like of float
        Values so far, each at least 1.
    alpha : float
        The chance to miss the truth at any time, above 0 and at most 0.5.
    best_at : float
        The number of values at which it is narrow; it holds at all others too. Choose
        it before the experiment.

    Returns
    -------
    array of float64, as `counts`
        Compare the mean over its standard error with it. It grows without end.

    Raises
    ------
    ValueError
        If a count is below 1, or `alpha` or `best_at` is out of its range.

    Notes
    -----
    The normal mixture: |S| < sqrt((V + r) log((V + r) / (alpha² r))) for the sum S and
    its variance V (Howard, Ramdas, McAuliffe and Sekhon 2021). With n values, V is n
    variances, and r is chosen from the lower branch of Lambert's W so that the bound is
    lowest at `best_at`.

    Examples
    --------
    >>> sequence_bounds([7, 14, 28]).round(2).tolist()
    [3.08, 3.04, 3.06]
    """
    alpha, best_at = rate(alpha), number(best_at, "best_at")
    count = numbers(counts, "counts")
    if (count < 1).any() or best_at < 1:
        raise ValueError(f"best_at={best_at:g}, counts {count}: each starts at 1.")
    r = best_at / (-special.lambertw(-(alpha**2) / np.e, -1).real - 1)
    grown = 1 + count / r
    return np.asarray(np.sqrt((1 + r / count) * (np.log(grown) - 2 * np.log(alpha))))


def confidence_sequence(
    values: npt.ArrayLike,
    alpha: float = 0.05,
    *,
    best_at: float = BEST_AT,
    burn_in: SupportsIndex = BURN_IN,
    sd: float | None = None,
) -> tuple[Floats, Floats]:
    """Return an interval for the mean after each value, valid at all times together.

    Parameters
    ----------
    values : array_like of float, shape (..., n)
        In the order in which they came: the difference of each day, say. They are
        independent and have one mean. Several experiments may stand in rows.
    alpha : float
        The chance that any of the intervals misses the mean, above 0 and at most 0.5.
    best_at : float
        As in `sequence_bounds`.
    burn_in : int
        The first number of values at which an estimated variance is trusted; from 2
        on. Before, the interval is all numbers. The default keeps alpha = .05 over
        1,000 normal values; a smaller alpha needs a later start.
    sd : float, optional
        The standard deviation of one value, if it is known; there is no burn-in then,
        and the promise holds exactly for normal values. By default it is estimated from
        the values so far, and the promise is asymptotic.

    Returns
    -------
    low, high : arrays of float64, as `values`
        You may stop at any of them, for any reason.

    Raises
    ------
    ValueError
        If there are no values, one of them is no finite number, `burn_in` values or
        more have no variance, or a parameter is out of its range.

    Notes
    -----
    Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas 2024 for the estimated variance.
    Without effect, 26% of runs of 28 normal values leave an interval of 95% at some
    time if the first look is at the second value, 6% at the seventh, 2% at the 14th.
    While the values so far are all equal, the interval stays all numbers.

    Examples
    --------
    >>> low, high = confidence_sequence([1.0, -1.0] * 50, sd=1.0)
    >>> round(float(high[-1]), 2)
    0.32
    """
    array = numbers(values, "values")
    burn_in = whole(burn_in, "burn_in", 2)
    if array.ndim == 0 or not array.size:
        raise ValueError(f"values have the shape {array.shape}: give a value a day.")
    count = np.arange(1, array.shape[-1] + 1, dtype=np.float64)
    means = array.cumsum(axis=-1) / count
    if sd is None:
        errors = _errors(array, count, burn_in)
    else:
        errors = spread(sd, "sd") / np.sqrt(count)
    reach = sequence_bounds(count, alpha, best_at) * errors
    return means - reach, means + reach


def _errors(values: Floats, count: Floats, burn_in: int) -> Floats:
    """Return the standard error of each mean; infinite where there is none yet."""
    known = burn_in <= len(count)
    if known and (np.ptp(values, axis=-1) == 0).any():
        raise ValueError(
            f"values have no variance: all {len(count)} are equal. Is the difference "
            "of the arms always the same?"
        )
    centred = values - values[..., :1]  # equal values give an exact 0
    squares = (centred**2).cumsum(axis=-1) - centred.cumsum(axis=-1) ** 2 / count
    variance = np.maximum(squares, 0) / np.maximum(count - 1, 1)
    trusted = (count >= burn_in) & (variance > 0)
    return np.where(trusted, np.sqrt(variance / count), np.inf)

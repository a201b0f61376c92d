"""Thresholds with a known rate of false alarms."""

from typing import NamedTuple

import numpy as np
from scipy import stats

from flightline import decisions
from flightline.drift.columns import Floats
from flightline.drift.core import chance_threshold


def must_be_a_rate(alpha: float) -> None:
    """Refuse a false-alarm rate that always alarms, or never."""
    if not 0 < alpha < 1:
        raise ValueError(f"alpha={alpha} is not strictly between 0 and 1.")


def psi_threshold(n: float, m: float, bins: int = 10, alpha: float = 0.05) -> float:
    """Return the PSI that samples without drift exceed with probability alpha.

    Parameters
    ----------
    n, m : float
        Rows of the reference and of the current sample.
    bins : int
        Bins really in use, the one for nulls included, if it is.
    alpha : float
        The false-alarm rate.

    Returns
    -------
    float
        The upper quantile of chi-squared with bins - 1 degrees of freedom, times
        1/n + 1/m. Trust it from about 50 rows a bin in the smaller sample.

    Raises
    ------
    ValueError
        If there are no rows, fewer than two bins, or alpha is not strictly between 0
        and 1.

    Examples
    --------
    >>> round(psi_threshold(500, 500), 3)
    0.068
    """
    if not (n > 0 and m > 0):
        raise ValueError(f"n={n} and m={m}: both samples need rows.")
    if bins < 2:
        raise ValueError(f"bins={bins}: with one bin there is nothing to compare.")
    must_be_a_rate(alpha)
    return chance_threshold(n, m, bins, alpha)


def holm(pvalues: np.typing.ArrayLike) -> Floats:
    """Adjust p-values, so that the chance of any false alarm is at most alpha.

    Parameters
    ----------
    pvalues : array_like of float
        One for each feature; a null stands for no test, and stays.

    Returns
    -------
    array of float64
        Compare each with alpha. At most 1.

    Raises
    ------
    ValueError
        If a p-value is outside of 0 to 1.

    Notes
    -----
    The same as `multipletests(..., method="holm")` of statsmodels, which collects the
    garbage of the whole process each time: that takes longer than a whole report.

    Examples
    --------
    >>> holm([0.04, 0.01, 0.5]).tolist()
    [0.08, 0.03, 0.5]
    """
    raw = np.asarray(pvalues, np.float64)
    adjusted = np.full(len(raw), np.nan)
    tested = ~np.isnan(raw)
    adjusted[tested] = decisions.holm_adjusted(raw[tested])
    return adjusted


class Limits(NamedTuple):
    """What a number stays within, and how often chance alone leaves it."""

    low: float
    high: float
    false_alarm: float


def rank_limits(history: np.typing.ArrayLike, alpha: float = 0.05) -> Limits:
    """Set limits for the next value of a series from the values that it had.

    Parameters
    ----------
    history : array_like of float
        At least two values that could have come in any order; nulls are left out.
    alpha : float
        The highest false-alarm rate that is wanted.

    Returns
    -------
    Limits
        The r-th smallest and the r-th largest of k values, and the probability
        2r/(k + 1) that the next lies outside. r is the largest rank that keeps alpha,
        and at least 1: with a short history the rate is above alpha.

    Raises
    ------
    ValueError
        If fewer than two values are known, or alpha is no probability.

    Examples
    --------
    >>> rank_limits([3, 1, 2, 5, 4], alpha=0.4).high
    5.0
    """
    values = np.sort(np.asarray(history, np.float64))
    size = int((~np.isnan(values)).sum())
    if size < 2 or not 0 < alpha < 1:
        raise ValueError(
            f"{size} known values, alpha={alpha}: two and a rate are needed."
        )
    rank = min(max(int(alpha * (size + 1) / 2 + 1e-9), 1), size // 2)
    return Limits(
        float(values[rank - 1]), float(values[size - rank]), 2 * rank / (size + 1)
    )


def rows_needed(
    drift: float, bins: int = 10, alpha: float = 0.05, power: float = 0.8
) -> int:
    """Return how many rows each sample needs to see a drift of this size.

    Parameters
    ----------
    drift : float
        The true PSI, without noise; above 0.
    bins : int
        Bins in use.
    alpha : float
        The false-alarm rate.
    power : float
        The chance of an alarm that is wanted, above alpha and below 1.

    Returns
    -------
    int
        The smallest number of rows, the same in both samples. Below about 50 rows a bin
        it is rough: for a drift of 1 it says 32, where the power is nearer to 0.7.

    Raises
    ------
    ValueError
        If `drift` is not above 0, or `power` is not between alpha and 1.
    """
    if not drift > 0:
        raise ValueError(f"drift={drift}: no number of rows can see what is not there.")
    if not alpha < power < 1:
        raise ValueError(f"power={power} must lie between alpha={alpha} and 1.")

    def sees(rows: int) -> bool:
        """Tell whether so many rows are enough."""
        limit = psi_threshold(rows, rows, bins, alpha) / (2 / rows)
        return bool(stats.ncx2.sf(limit, bins - 1, drift * rows / 2) >= power)

    high = 2
    while not sees(high):
        high *= 2
    low = high // 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if sees(middle) else (middle, high)
    return high

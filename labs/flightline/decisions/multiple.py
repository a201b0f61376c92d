"""Many metrics, one decision: which discoveries stand."""

import numpy as np
import numpy.typing as npt

from flightline.decisions.core import survivors
from flightline.decisions.inputs import Floats, numbers, rate

Flags = npt.NDArray[np.bool_]


def bonferroni(pvalues: npt.ArrayLike, alpha: float = 0.05) -> Flags:
    """Return which p-values are at most alpha over their number.

    Parameters
    ----------
    pvalues : array_like of float, shape (tests,)
        Between 0 and 1, in any order; nullable and Arrow arrays as well.
    alpha : float
        The chance of any false discovery, above 0 and below 1.

    Returns
    -------
    array of bool, shape (tests,)
        In the given order. It holds for correlated metrics of any kind.

    Raises
    ------
    ValueError
        If a p-value is null or outside of 0 to 1, or alpha is no such rate.

    Examples
    --------
    >>> bonferroni([0.03, 0.01]).tolist()
    [False, True]
    """
    p = _checked(pvalues, alpha)
    return np.asarray(p <= alpha / max(len(p), 1))


def holm(pvalues: npt.ArrayLike, alpha: float = 0.05) -> Flags:
    """Return which p-values stand if the smallest is tested first (Holm 1979).

    Parameters
    ----------
    pvalues, alpha : array_like of float, float
        As in `bonferroni`.

    Returns
    -------
    array of bool, shape (tests,)
        In the given order. It finds all that Bonferroni finds, and keeps the same
        promise, for correlated metrics of any kind.

    Raises
    ------
    ValueError
        As `bonferroni`.

    Examples
    --------
    >>> holm([0.03, 0.01]).tolist()
    [True, True]
    """
    p = _checked(pvalues, alpha)
    order = np.argsort(p, kind="stable")
    passed = p[order] <= alpha / np.arange(len(p), 0, -1)
    found = np.zeros(len(p), bool)
    found[order] = np.logical_and.accumulate(passed)
    return found


def benjamini_hochberg(pvalues: npt.ArrayLike, alpha: float = 0.05) -> Flags:
    """Return which discoveries stand, if a share alpha of them may be false.

    Parameters
    ----------
    pvalues, alpha : array_like of float, float
        As in `bonferroni`; alpha is the expected share of false discoveries.

    Returns
    -------
    array of bool, shape (tests,)
        In the given order: true for the smallest p-values up to the largest rank k
        with p <= alpha k / tests, even if a smaller rank fails.

    Raises
    ------
    ValueError
        As `bonferroni`.

    Notes
    -----
    Benjamini and Hochberg 1995. The promise holds for independent metrics, and for
    positively correlated ones (two-sided tests of them in practice, not in theory).
    Metrics that may be correlated in any way need `holm`. It does not promise that any
    single discovery is true, nor that a metric left out is unchanged.

    Examples
    --------
    >>> benjamini_hochberg([0.9, 0.04, 0.035, 0.03], 0.05).tolist()
    [False, False, False, False]
    >>> benjamini_hochberg([0.045, 0.04, 0.035, 0.03], 0.05).tolist()
    [True, True, True, True]
    """
    return survivors(_checked(pvalues, alpha), alpha)


def holm_adjusted(pvalues: npt.ArrayLike) -> Floats:
    """Return p-values that can be compared with alpha, whatever their number.

    Parameters
    ----------
    pvalues : array_like of float, shape (tests,)
        As in `bonferroni`.

    Returns
    -------
    array of float64, shape (tests,)
        At most 1, in the given order.

    Raises
    ------
    ValueError
        If a p-value is null or outside of 0 to 1.

    Examples
    --------
    >>> holm_adjusted([0.03, 0.01]).tolist()
    [0.03, 0.02]
    """
    p = _checked(pvalues, 0.05)
    order = np.argsort(p, kind="stable")
    steps = p[order] * np.arange(len(p), 0, -1)
    adjusted = np.empty(len(p))
    adjusted[order] = np.minimum(np.maximum.accumulate(steps), 1)
    return adjusted


def _checked(pvalues: npt.ArrayLike, alpha: float) -> Floats:
    """Return p-values in one row, or refuse them."""
    rate(alpha, most=1 - 1e-12)
    p = numbers(pvalues, "pvalues")
    if p.ndim != 1:
        raise ValueError(f"pvalues have the shape {p.shape}: give them in one row.")
    wrong = (p < 0) | (p > 1)
    if wrong.any():
        place = int(np.flatnonzero(wrong)[0])
        raise ValueError(
            f"pvalues holds {int(wrong.sum())} of {len(p)} values outside of 0 to 1 "
            f"(first: {p[place]:g} at position {place}). Are these z or percent?"
        )
    return p

"""Ratio metrics: a numerator over a denominator that varies too (delta method)."""

from typing import TypeAlias

import numpy as np
import pandas as pd

from flightline.experiments.core import Floats
from flightline.experiments.effects import (
    Arm,
    Effect,
    NotEstimable,
    must_have_units,
    variance,
    welch,
)
from flightline.experiments.values import LARGEST, Values, as_floats, must_align

Pairs: TypeAlias = (
    pd.DataFrame | tuple[Values, Values] | list[Values] | np.typing.NDArray[np.generic]
)
"""Numerator and denominator of each unit."""


def ratio_effect(treated: Pairs, control: Pairs, alpha: float = 0.05) -> Effect:
    """Estimate the difference of two ratios of sums.

    Parameters
    ----------
    treated, control : DataFrame, pair of columns, or array [units, 2]
        One row for each unit that was assigned: first the numerator, such as its
        warnings that were right, then the denominator, such as its warnings. A table
        has these two columns alone. A unit in which either is missing is left out; one
        whose denominator is 0 stays.
    alpha : float
        One minus the coverage of the interval.

    Returns
    -------
    Effect
        Of sum over sum, which is not the mean of the units' ratios.

    Raises
    ------
    NotEstimable
        If an arm is empty, has no outcome yet or one only, its denominators sum to 0,
        or nothing varies.
    ValueError
        If there are not two columns of equal length, a denominator is negative, or a
        ratio is too large to square.

    Notes
    -----
    The variance of a unit is that of (numerator - ratio * denominator) over the mean
    denominator. Deng, Knoblich and Lu, *Applying the delta method in metric analytics*,
    KDD 2018.

    Examples
    --------
    >>> treated = pd.DataFrame({"right": [3, 1, 4], "warned": [4, 2, 4]})
    >>> control = pd.DataFrame({"right": [1, 1, 2], "warned": [4, 2, 4]})
    >>> round(ratio_effect(treated, control).estimate, 3)
    0.4
    """
    pairs = ((treated, "treated"), (control, "control"))
    return welch(*(_arm(pair, name) for pair, name in pairs), alpha=alpha)


def _arm(pair: Pairs, name: str) -> Arm:
    """Return the ratio of an arm, and the variance of a unit in it."""
    above, below = _columns(pair, name)
    known = ~(np.isnan(above) | np.isnan(below))
    must_have_units(int(known.sum()), len(known), name)
    above, below = above[known], below[known]
    if (below < 0).any():
        raise ValueError(f"{name} has a denominator below 0; a ratio needs amounts.")
    if not below.sum() > 0:
        raise NotEstimable("nothing to divide by", f"{name}'s denominators are all 0.")
    ratio = float(above.mean() / below.mean())
    rest = above - ratio * below
    scale = max(float(np.abs(above).max()), abs(ratio) * float(below.max()))
    if np.abs(rest).max() <= 1e-13 * scale:  # the same ratio in each unit
        return Arm(ratio, 0.0, len(rest))
    each = rest / below.mean()
    if not max(abs(ratio), np.abs(each).max()) < LARGEST:
        raise ValueError(
            f"{name}'s ratio is {ratio:.3g}, too large to square: change a unit."
        )
    return Arm(ratio, variance(each), len(rest))


def _columns(pair: Pairs, name: str) -> tuple[Floats, Floats]:
    """Return numerator and denominator, however they were given."""
    if isinstance(pair, pd.DataFrame):
        columns = [pair.iloc[:, place] for place in range(pair.shape[1])]
    elif isinstance(pair, np.ndarray):
        columns = list(pair.T) if pair.ndim == 2 else []
    else:
        columns = list(pair) if isinstance(pair, tuple | list) else []
    if len(columns) != 2:
        raise ValueError(
            f"{name} needs a numerator and a denominator for each unit: a table of two "
            "columns, a pair of columns, or an array [units, 2]."
        )
    above, below = (f"{name}'s numerator", f"{name}'s denominator")
    must_align({above: columns[0], below: columns[1]})
    return as_floats(columns[0], above), as_floats(columns[1], below)

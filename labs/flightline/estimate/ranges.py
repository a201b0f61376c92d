"""Values that are not known exactly: carried through an estimate, and ranked."""

import math
from collections.abc import Callable, Mapping
from functools import partial
from typing import NamedTuple, Self

import numpy as np

from flightline.estimate.checks import MOST_ROWS, count, number, positive, within
from flightline.estimate.core import draw, swing_ends


class _Triple(NamedTuple):
    low: float
    likely: float
    high: float


class Range(_Triple):
    """A value that is not known exactly.

    Parameters
    ----------
    low, likely, high : float
        The lowest, the likeliest and the highest value, in this order.

    Raises
    ------
    ValueError
        If the three are not in order, or one is not finite.

    Examples
    --------
    >>> Range(0.2, 0.4, 0.5).likely
    0.4
    """

    __slots__ = ()

    def __new__(cls, low: float, likely: float, high: float) -> Self:
        """Refuse values out of order."""
        number(low=low, likely=likely, high=high)
        made = super().__new__(cls, low, likely, high)
        if not -math.inf < low <= likely <= high < math.inf:
            raise ValueError(f"{made} must be finite, and low <= likely <= high.")
        return made


class Swing(NamedTuple):
    """What an estimate becomes at both ends of one assumption."""

    name: str
    at_low: float
    at_high: float
    factor: float


def monte_carlo(
    function: Callable[..., float],
    assumptions: Mapping[str, object],
    *,
    draws: int = 2_000,
    seed: int = 0,
    by_factor: bool = True,
) -> np.ndarray:
    """Evaluate an estimate on random draws of its assumptions.

    Three numbers leave open how often what lies between them occurs. The draw is a
    triangle with its tip at the likely value, and its scale is yours to choose: with
    wide ranges it moves the result more than most of the assumptions do.

    Parameters
    ----------
    function : callable
        Takes the assumptions by name and returns a number.
    assumptions : mapping of str to float or Range
        A `Range` is drawn; anything else is passed on.
    draws : int
        How many times, at least 1.
    seed : int
        The same seed gives the same draws.
    by_factor : bool
        Whether a range above zero is drawn on a log scale: twice as much is as far
        from the likely value as half of it. A range that reaches zero, and every range
        if this is false, is drawn in its own unit.

    Returns
    -------
    numpy.ndarray
        One result per draw.

    Raises
    ------
    ValueError
        If `draws` is not a whole number from 1.
    """
    count(most=MOST_ROWS, draws=draws)
    unsure, sure = _parted(assumptions)
    if not unsure:
        return np.full(draws, float(function(**sure)))
    return draw(partial(function, **sure), unsure, draws, seed, by_factor)


def _parted(
    assumptions: Mapping[str, object],
) -> tuple[dict[str, Range], dict[str, object]]:
    """Part what varies from what does not; a range of one value does not."""
    unsure, sure = {}, {}
    for name, value in assumptions.items():
        if isinstance(value, Range) and value.low < value.high:
            unsure[name] = value
        else:
            sure[name] = value.low if isinstance(value, Range) else value
    return unsure, sure


def interval(values: np.ndarray, coverage: float = 0.9) -> Range:
    """Summarise draws: their median, and the interval that holds a share of them.

    Parameters
    ----------
    values : numpy.ndarray
        Results of `monte_carlo`, at least one.
    coverage : float
        Share of the draws inside the interval.

    Returns
    -------
    Range
        The lower end, the median and the upper end.
    """
    within(0, 1, coverage=coverage)
    count(number_of_values=len(values))
    ends = [(1 - coverage) / 2, 0.5, (1 + coverage) / 2]
    return Range(*np.quantile(values, ends).tolist())


def sensitivity(
    function: Callable[..., float], assumptions: Mapping[str, object]
) -> list[Swing]:
    """Rank the uncertain assumptions by how far each one moves the estimate.

    Parameters
    ----------
    function : callable
        Takes the assumptions by name and returns a number above zero.
    assumptions : mapping of str to float or Range
        Each `Range` is moved in turn; every other one stays at its likely value.

    Returns
    -------
    list of Swing
        One for each range, the one with the largest factor first. The factor is the
        larger of the two results over the smaller one.
    """
    unsure, sure = _parted(assumptions)

    def above_zero(**given: float) -> float:
        value = function(**sure, **given)
        positive(estimate=value)
        return value

    ends = swing_ends(above_zero, unsure)
    return [Swing(name, *two, max(two) / min(two)) for name, two in ends.items()]

"""The effect of a treatment on a mean, with its interval (Welch)."""

import sys
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy import stats

from flightline.experiments.core import Floats
from flightline.experiments.values import Values, as_floats, must_be_a_rate

SMALLEST = sys.float_info.min
"""A p-value below it would be rounded to 0; it is given as this number."""


class NotEstimable(ValueError):
    """There is no estimate, and no number stands in for it.

    Parameters
    ----------
    state : str
        What a table shows in its place, in few words, such as "empty arm".
    advice : str
        Which arm or column, and what to do.
    """

    def __init__(self, state: str, advice: str) -> None:
        super().__init__(f"{state}: {advice}")
        self.state = state


@dataclass(frozen=True)
class Effect:
    """The difference that a treatment makes.

    Parameters
    ----------
    estimate : float
        Treated minus control, in the unit of the metric.
    low, high : float
        Its two-sided interval.
    pvalue : float
        Two-sided, for no difference; above 0.
    se : float, optional
        The standard error of the estimate.
    n : int, optional
        The units behind it, those without an outcome left out.
    """

    estimate: float
    low: float
    high: float
    pvalue: float
    se: float | None = None
    n: int | None = None

    def __str__(self) -> str:
        """Return estimate, interval and p-value in one line."""
        interval = f"{self.low:+.4g} to {self.high:+.4g}"
        return f"{self.estimate:+.4g} ({interval}), p = {self.pvalue:.2g}"


class Arm(NamedTuple):
    """What a comparison needs of an arm: a mean, the variance of a unit, its units."""

    mean: float
    variance: float
    units: int


def mean_effect(treated: Values, control: Values, alpha: float = 0.05) -> Effect:
    """Estimate the difference of two means, with Welch's interval.

    Parameters
    ----------
    treated, control : array_like
        The metric of each unit that was assigned, one row a unit: numbers or truth
        values of any type. Units without an outcome are left out before anything is
        counted.
    alpha : float
        One minus the coverage of the interval.

    Returns
    -------
    Effect
        As `scipy.stats.ttest_ind(treated, control, equal_var=False)`.

    Raises
    ------
    NotEstimable
        If an arm is empty, has no outcome yet or one only, or nothing varies.
    ValueError
        If a column holds no finite numbers, or alpha is no probability.

    Notes
    -----
    Rows must be the units that were assigned. Where an arm was drawn for a whole day
    and the rows are flights, use `clustered_effect`.

    Examples
    --------
    >>> print(mean_effect([3, 4, 5], [1, 2, 3]))
    +2 (-0.267 to +4.267), p = 0.07
    """
    arms = [arm_mean(v, n) for v, n in ((treated, "treated"), (control, "control"))]
    return welch(*arms, alpha=alpha)


def arm_mean(values: Values, name: str) -> Arm:
    """Return the mean of an arm; one without two outcomes has no variance."""
    numbers = as_floats(values, name)
    known = numbers[~np.isnan(numbers)]
    must_have_units(len(known), len(numbers), name)
    return Arm(float(known.mean()), variance(known), len(known))


def must_have_units(known: int, rows: int, name: str) -> None:
    """Refuse an arm that is empty, waits for its outcomes, or has one only."""
    if not rows:
        raise NotEstimable("empty arm", f"{name} has no units.")
    if not known:
        raise NotEstimable(
            "no outcome yet", f"none of the {rows} units of {name} has one."
        )
    if known < 2:
        raise NotEstimable("one unit", f"{name} has one outcome; a variance takes two.")


def variance(values: Floats) -> float:
    """Return the variance of units, exactly 0 where all are equal."""
    return float(values.var(ddof=1)) if np.ptp(values) else 0.0


def welch(treated: Arm, control: Arm, *, alpha: float) -> Effect:
    """Compare two arms whose variances may differ."""
    parts = np.array([arm.variance / arm.units for arm in (treated, control)])
    if not parts.sum() > 0:
        raise NotEstimable(
            "constant metric", "no unit differs from another of its arm."
        )
    shares = parts / parts.sum()
    free = np.array([treated.units - 1, control.units - 1])
    return with_interval(
        treated.mean - control.mean,
        float(np.sqrt(parts.sum())),
        float(1 / (shares**2 / free).sum()),
        alpha=alpha,
        units=treated.units + control.units,
    )


def with_interval(
    estimate: float, se: float, freedom: float, *, alpha: float, units: int
) -> Effect:
    """Return an estimate with its interval by Student's t.

    Parameters
    ----------
    estimate, se : float
        And its standard error, above 0.
    freedom : float
        Degrees of freedom.
    alpha : float
        One minus the coverage.
    units : int
        The units behind it.

    Returns
    -------
    Effect

    Raises
    ------
    NotEstimable
        If the standard error is 0.
    ValueError
        If alpha is no probability.
    """
    must_be_a_rate("alpha", alpha)
    if not se > 0:
        raise NotEstimable("constant metric", "nothing varies, so nothing is judged.")
    half = float(stats.t.isf(alpha / 2, freedom)) * se
    pvalue = float(2 * stats.t.sf(abs(estimate) / se, freedom))
    return Effect(
        estimate,
        estimate - half,
        estimate + half,
        max(pvalue, SMALLEST),
        se,
        units,
    )

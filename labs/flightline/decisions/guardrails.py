"""Guardrails: a metric is safe only if a loss beyond its margin is excluded."""

import math
from dataclasses import dataclass
from typing import SupportsIndex

from scipy import stats

from flightline.decisions.core import no_worse
from flightline.decisions.inputs import number, one_of, rate, spread, whole

BETTER = ("higher", "lower")
"""Which way a metric is good."""


def non_inferior(
    estimate: float, se: float, margin: float, alpha: float = 0.05
) -> bool:
    """Tell whether a loss larger than the margin is excluded.

    Parameters
    ----------
    estimate : float
        Treatment less control, in the unit of the metric; a loss is negative. For a
        metric where lower is better change its sign, or use `Guardrail`.
    se : float
        Standard error of the estimate, above 0, by the unit that was assigned.
    margin : float
        The largest loss that would be accepted, as a positive number in the same unit,
        chosen before the experiment.
    alpha : float
        The chance, one-sided, to call a loss of just the margin safe.

    Returns
    -------
    bool
        False means *not shown*: it is worse, or there was too little data. "Not
        significantly worse" is no such test, as it is passed by having few data.

    Raises
    ------
    ValueError
        If a number is not finite, `se` or `margin` is not above 0, or alpha is no rate
        up to 0.5.

    Examples
    --------
    >>> non_inferior(-0.001, 0.0005, margin=0.002)
    True
    >>> non_inferior(-0.001, 0.005, margin=0.002)
    False
    """
    estimate, se = number(estimate, "estimate"), spread(se)
    return no_worse(estimate, se, _tolerated(margin), rate(alpha))


def days_to_show(
    margin: float,
    sd: float,
    *,
    truth: float = 0.0,
    alpha: float = 0.05,
    power: float = 0.8,
) -> int:
    """Return how many days it takes to show that a metric is safe.

    Parameters
    ----------
    margin : float
        As in `non_inferior`.
    sd : float
        Standard deviation of the difference of one day, in the same unit.
    truth : float
        The true difference that you suppose; a loss is negative.
    alpha, power : float
        The one-sided error, and the chance of success that is wanted, above alpha.

    Returns
    -------
    int
        By the normal approximation; below some 20 days it is rough.

    Raises
    ------
    ValueError
        If the supposed loss reaches the margin, which no number of days can disprove;
        if a parameter is out of its range.

    Examples
    --------
    >>> days_to_show(0.01, sd=0.0273)
    47
    """
    margin, truth = _tolerated(margin), number(truth, "truth")
    sd, alpha, power = spread(sd, "sd"), rate(alpha), number(power, "power")
    if not alpha < power < 1:
        raise ValueError(f"power={power:g} must lie between alpha={alpha:g} and 1.")
    if truth <= -margin:
        raise ValueError(
            f"truth={truth:g} is a loss of the margin {margin:g} or more: no number of "
            "days shows that it is safe."
        )
    z = float(stats.norm.isf(alpha) + stats.norm.ppf(power))
    root = z * sd / (margin + truth)
    if root > 1e6:
        raise ValueError(
            f"margin={margin:g} is too small beside sd={sd:g}: no experiment lasts a "
            "million million days. Are both in one unit?"
        )
    return max(2, math.ceil(root**2))


@dataclass(frozen=True)
class Guardrail:
    """A metric that must not lose more than its margin, and what was measured.

    Parameters
    ----------
    estimate, se : float
        Treatment less control, and its standard error, in `unit`.
    margin : float
        The largest loss that would be accepted, as a positive number.
    unit : str
        Of the metric, such as "points per flight". A change in percent and one in
        points are two units.
    margin_unit : str, optional
        Of the margin, if it was written down elsewhere; it must be the same.
    better : {"higher", "lower"}
        Which way the metric is good; where lower is, a loss is a rise.
    alpha : float
        One-sided.
    days : int, optional
        How many days the standard error comes from; by default it counts as known.

    Raises
    ------
    ValueError
        If the units differ, or a number is out of its range.
    """

    estimate: float
    se: float
    margin: float
    unit: str = ""
    margin_unit: str | None = None
    better: str = "higher"
    alpha: float = 0.05
    days: SupportsIndex | None = None

    def __post_init__(self) -> None:
        """Check all of it, once."""
        number(self.estimate, "estimate")
        spread(self.se)
        _tolerated(self.margin)
        rate(self.alpha)
        one_of(self.better, "better", BETTER)
        if self.days is not None:
            whole(self.days, "days", 2)
        if self.margin_unit is not None and self.margin_unit != self.unit:
            raise ValueError(
                f"the margin is in {self.margin_unit!r} and the metric in "
                f"{self.unit!r}: state both in one unit."
            )

    @property
    def gain(self) -> float:
        """The estimate with the sign that makes a loss negative."""
        return self.estimate if self.better == "higher" else -self.estimate

    @property
    def reach(self) -> float:
        """From the estimate to its one-sided bound."""
        if self.days is None:
            return float(stats.norm.isf(self.alpha) * self.se)
        freedom = whole(self.days, "days", 2) - 1
        return float(stats.t.isf(self.alpha, freedom) * self.se)

    @property
    def state(self) -> str:
        """Whether it is "safe", "harmed" (a loss beyond the margin), or "unknown"."""
        if self.gain - self.reach > -self.margin:
            return "safe"
        return "harmed" if self.gain + self.reach < -self.margin else "unknown"

    def __str__(self) -> str:
        """Say what was found, with its numbers."""
        unit = f" {self.unit}" if self.unit else ""
        said = {
            "safe": "is shown to lose less than",
            "harmed": "loses more than",
            "unknown": "is not shown to lose less than",
        }[self.state]
        low = self.gain - self.reach
        return (
            f"{said} {self.margin:.4g}{unit} (gain {self.gain:+.4g}, at worst "
            f"{low:+.4g})"
        )


def _tolerated(margin: float) -> float:
    """Return a margin, or refuse one that is no positive number."""
    margin = number(margin, "margin")
    if margin <= 0:
        raise ValueError(
            f"margin={margin:g}: a margin is the size of the loss that you would "
            "accept, a positive number in the unit of the metric."
        )
    return margin

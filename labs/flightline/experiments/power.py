"""How many units an experiment needs, what it can see, and how long it takes."""

import math

import numpy as np
from scipy import optimize, stats

from flightline.experiments.core import units_needed
from flightline.experiments.experiment import number_of
from flightline.experiments.values import must_be_a_rate

MANY = 10_000_000
"""Units of an arm from which Student's t is the normal distribution."""

FAR = 5.0
"""Standard errors from which the wrong direction is as good as never found; SciPy has
no number for it there."""

CERTAIN = 1e9
"""Standard errors beyond which nothing is left to find out."""


def sample_size(
    *,
    effect: float,
    sd: float,
    alpha: float = 0.05,
    power: float = 0.8,
    design_effect: float = 1.0,
) -> int:
    """Return how many units each of two equal arms needs.

    Parameters
    ----------
    effect : float
        The difference that must not be missed, in the unit of the metric; not 0.
    sd : float
        The standard deviation of a unit's metric. Where days are assigned, that of the
        means of days.
    alpha : float
        The rate of false positives, two-sided.
    power : float
        The chance to find the effect if it is there, above alpha.
    design_effect : float
        How many rows carry as much as one independent row, from `design_effect`; 1
        where the rows are the units that were assigned.

    Returns
    -------
    int
        Units of one arm, at least 2: the smallest number for which the t test has the
        power, times the design effect, rounded up.

    Raises
    ------
    ValueError
        If the effect is 0, the standard deviation or the design effect is not above 0,
        alpha is no probability, or power does not lie between alpha and 1.

    Notes
    -----
    The normal formula, 2 (z sd / effect)², is one or two units smaller. Beyond ten
    million units the two are taken as the same.

    Examples
    --------
    >>> sample_size(effect=0.5, sd=1)
    64
    """
    _must_be_a_plan(effect, sd, alpha, design_effect)
    _must_be_above(power, alpha)
    try:
        with np.errstate(over="ignore"):
            normal = units_needed(abs(effect), sd, alpha, power)
    except OverflowError as error:
        raise ValueError(
            f"effect={effect} is too small beside sd={sd}: no number of units finds it."
        ) from error
    independent = normal if normal > MANY else _smallest(effect / sd, alpha, power)
    return math.ceil(independent * design_effect - 1e-9)


def _smallest(size: float, alpha: float, power: float) -> int:
    """Return the fewest units whose t test has the power, by bisection."""

    def enough(units: int) -> bool:
        return power_of(effect=size, sd=1, units=units, alpha=alpha) >= power

    low, high = 1, 2
    while not enough(high):
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high


def proportion_size(
    *,
    before: float,
    after: float,
    alpha: float = 0.05,
    power: float = 0.8,
    design_effect: float = 1.0,
) -> int:
    """Return how many units each arm needs to see a share move.

    Parameters
    ----------
    before, after : float
        The share in control, and the share that must not be missed, each between 0
        and 1.
    alpha, power, design_effect : float
        As in `sample_size`.

    Returns
    -------
    int
        For Welch's test on zeros and ones, whose variance is that of both shares. Other
        formulas differ by a few units in ten thousand.

    Raises
    ------
    ValueError
        If a share does not lie between 0 and 1, or as in `sample_size`.

    Examples
    --------
    >>> proportion_size(before=0.10, after=0.11)
    14749
    """
    for name, share in (("before", before), ("after", after)):
        must_be_a_rate(name, share)
    sd = math.sqrt((before * (1 - before) + after * (1 - after)) / 2)
    return sample_size(
        effect=after - before,
        sd=sd,
        alpha=alpha,
        power=power,
        design_effect=design_effect,
    )


def power_of(
    *,
    effect: float,
    sd: float,
    units: float,
    alpha: float = 0.05,
    design_effect: float = 1.0,
) -> float:
    """Return the chance that a t test finds an effect.

    Parameters
    ----------
    effect, sd, alpha, design_effect : float
        As in `sample_size`; an effect of 0 is found at the rate alpha.
    units : float
        Units of each arm; divided by the design effect, at least 2.

    Returns
    -------
    float
        Both directions counted.

    Raises
    ------
    ValueError
        As in `sample_size`, or if there are fewer than 2 independent units.

    Examples
    --------
    >>> round(power_of(effect=0.5, sd=1, units=64), 3)
    0.801
    """
    _must_be_a_plan(number_of(effect, "effect") or 1.0, sd, alpha, design_effect)
    independent = number_of(units, "units") / design_effect
    if not 2 <= independent < math.inf:
        raise ValueError(
            f"units={units} with a design effect of {design_effect:g} are worth "
            f"{independent:.3g} independent ones; each arm needs 2 at least."
        )
    shift = min(abs(effect / sd) * math.sqrt(independent / 2), CERTAIN)
    if independent > MANY:
        limit = stats.norm.isf(alpha / 2)
        return float(stats.norm.sf(limit - shift) + stats.norm.cdf(-limit - shift))
    freedom = 2 * independent - 2
    limit = stats.t.isf(alpha / 2, freedom)
    found = stats.nct.sf(limit, freedom, shift)
    if shift < FAR:
        found += stats.nct.cdf(-limit, freedom, shift)
    return float(found)


def detectable_effect(
    *,
    sd: float,
    units: float,
    alpha: float = 0.05,
    power: float = 0.8,
    design_effect: float = 1.0,
) -> float:
    """Return the smallest effect that is found with the power that is wanted.

    Parameters
    ----------
    sd, units, alpha, power, design_effect : float
        As in `power_of` and `sample_size`.

    Returns
    -------
    float
        Above 0, in the unit of the metric.

    Raises
    ------
    ValueError
        As in `power_of` and `sample_size`.

    Examples
    --------
    >>> round(detectable_effect(sd=1, units=64), 3)
    0.499
    """
    _must_be_a_plan(1.0, sd, alpha, design_effect)
    _must_be_above(power, alpha)

    def short(effect: float) -> float:
        found = power_of(
            effect=effect, sd=1, units=units, alpha=alpha, design_effect=design_effect
        )
        return power - found

    high = 1.0
    while short(high) > 0:
        high *= 2
    return float(optimize.brentq(short, 0, high, xtol=1e-12 * high)) * sd


def duration(units: int, *, daily: float, share: float = 0.5) -> int:
    """Return how many whole weeks it takes to fill an arm.

    Parameters
    ----------
    units : int
        Units that each arm needs.
    daily : float
        New units of a day, before any is left outside. Units that come back count
        once: two weeks of returning users are not twice the users of one.
    share : float
        The part of them that the smallest arm gets: its weight times the traffic.

    Returns
    -------
    int
        Weeks, rounded up, at least 1: each weekday is then in the experiment as often.

    Raises
    ------
    ValueError
        If units or daily is not above 0, or the share does not lie in (0, 1].

    Examples
    --------
    >>> duration(14_749, daily=2_000)
    3
    """
    for name, value in (("units", units), ("daily", daily), ("share", share)):
        number_of(value, name)
    if not (units > 0 and daily > 0 and 0 < share <= 1):
        raise ValueError(
            f"units={units}, daily={daily}, share={share}: units and daily must be "
            "above 0, the share above 0 and at most 1."
        )
    weeks = units / daily / share / 7
    if not weeks < math.inf:
        raise ValueError(
            f"units={units} take for ever at daily={daily}, share={share}."
        )
    return max(math.ceil(weeks - 1e-9), 1)


def _must_be_a_plan(
    effect: float, sd: float, alpha: float, design_effect: float
) -> None:
    """Refuse numbers with which no experiment can be planned."""
    must_be_a_rate("alpha", alpha)
    if number_of(effect, "effect") == 0:
        raise ValueError(f"effect={effect}: name a difference other than 0.")
    for name, value in (("sd", sd), ("design_effect", design_effect)):
        if not number_of(value, name) > 0:
            raise ValueError(f"{name}={value} must be above 0 and finite.")


def _must_be_above(power: float, alpha: float) -> None:
    """Refuse a power that chance alone has, and one that no experiment has."""
    if not alpha < number_of(power, "power") < 1:
        raise ValueError(f"power={power} must lie between alpha={alpha} and 1.")

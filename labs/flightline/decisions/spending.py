"""Bounds for looks at any time: alpha is spent as information comes in."""

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
from scipy import optimize, special

from flightline.decisions.inputs import Floats, number, numbers, one_of, rate
from flightline.decisions.recursion import Inside, leaves, start, stays, widest

SPENDING = ("obrien_fleming", "pocock")
"""Types of spending."""

CLOSEST = 1e-4
"""The least information that a look must add, as a share of the plan."""


def _late(times: Floats, alpha: float) -> Floats:
    """Return what both sides have spent, alpha / 2 for each."""
    return np.asarray(4 * special.ndtr(special.ndtri(alpha / 4) / np.sqrt(times)))


def _evenly(times: Floats, alpha: float) -> Floats:
    """Return what both sides have spent, alpha / 2 for each."""
    return np.asarray(alpha * np.log1p(np.expm1(1.0) * times))


CURVES: dict[str, Callable[[Floats, float], Floats]] = {
    "obrien_fleming": _late,
    "pocock": _evenly,
}


def spent(
    times: npt.ArrayLike, alpha: float = 0.05, kind: str = "obrien_fleming"
) -> Floats:
    """Return how much of alpha may be spent up to each look.

    Parameters
    ----------
    times : array_like of float, shape (looks,)
        Information as a share of the plan (days so far over days planned): rising,
        above 0 and at most 1. Each look adds at least 0.0001.
    alpha : float
        The chance to cross any bound without an effect, above 0 and at most 0.5.
    kind : {"obrien_fleming", "pocock"}
        Little at first, or about evenly.

    Returns
    -------
    array of float64, shape (looks,)
        Both sides together, alpha / 2 for each; alpha itself at time 1.

    Raises
    ------
    ValueError
        If the times do not rise, lie outside of 0 to 1, or are too close; if `kind` or
        `alpha` is wrong.

    Notes
    -----
    Lan and DeMets 1983. To spend the two-sided total on one curve gives other bounds
    (4.383 instead of 4.877 at the first of five looks).

    Examples
    --------
    >>> spent([0.5, 1.0]).round(4).tolist()
    [0.0031, 0.05]
    """
    one_of(kind, "kind", SPENDING)
    return CURVES[kind](_rising(times), rate(alpha))


def spending_bounds(
    times: npt.ArrayLike, alpha: float = 0.05, kind: str = "obrien_fleming"
) -> Floats:
    """Return the bounds of |Z| for looks at any times.

    Parameters
    ----------
    times : array_like of float, shape (looks,)
        As in `spent`. They may be odd and more than planned, as long as none is chosen
        for what was seen; the last need not be 1.
    alpha, kind : float, str
        As in `spent`.

    Returns
    -------
    array of float64, shape (looks,)
        Each depends on the looks up to it alone. Infinite if what may be spent is too
        small for a double.

    Raises
    ------
    ValueError
        As `spent`.

    Examples
    --------
    >>> spending_bounds([0.2, 0.4, 0.6, 0.8, 1.0]).round(3).tolist()
    [4.877, 3.357, 2.68, 2.29, 2.031]
    """
    times, alpha = _rising(times), rate(alpha)
    return _bounds(times, spent(times, alpha, kind), alpha)


def next_bound(
    past: Sequence[float] | Floats,
    now: float,
    alpha: float = 0.05,
    kind: str = "obrien_fleming",
    *,
    final: bool = False,
) -> float:
    """Return the bound of |Z| at this look, given when you have looked before.

    Parameters
    ----------
    past : sequence of float
        Information at the looks so far, as a share of the plan; may be empty.
    now : float
        Information at this look.
    alpha, kind : float, str
        As in `spent`.
    final : bool
        Spend all that is left, whatever `now` is, beyond 1 as well: for an experiment
        that ends earlier or later than planned for reasons that have nothing to do
        with its result.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        If information goes backwards or stands still; if it is beyond the plan and the
        look is not final; if everything was spent at an earlier look.

    Examples
    --------
    >>> round(next_bound([0.2, 0.4], 0.6), 3)
    2.68
    >>> round(next_bound([0.5], 1.1, final=True), 3)
    1.97
    """
    past, now = numbers(past, "past"), number(now, "now")
    if len(past) and past[-1] >= 1:
        raise ValueError(
            f"now={now:g}: all of alpha was spent at the look at {past[-1]:g}. No "
            "later look may decide; plan a new experiment."
        )
    if not final:
        return float(spending_bounds(np.append(past, now), alpha, kind)[-1])
    before = spent(past, alpha, kind) if len(past) else np.empty(0)
    times = _steps(np.append(past, now))
    return float(_bounds(times, np.append(before, rate(alpha)), alpha)[-1])


def _bounds(times: Floats, may_spend: Floats, alpha: float) -> Floats:
    """Return the bound of each look, one after the other."""
    inside, limit = start(), widest(alpha)
    found = np.empty(len(times))
    new = np.diff(may_spend, prepend=0.0)
    for look, (time, share) in enumerate(zip(times, new, strict=True)):
        found[look] = _bound(inside, time, share)
        inside = stays(inside, time, found[look], limit)
    return found


def _bound(inside: Inside, time: float, share: float) -> float:
    """Return the bound that spends this share at this look."""
    highest = -special.ndtri(share / 2)  # as if no look had come before
    if share <= 0 or not np.isfinite(highest):
        return np.inf

    def excess(bound: float) -> float:
        """Return by which factor too many leave, as a logarithm."""
        return float(np.log(max(leaves(inside, time, bound), 1e-320) / share))

    if excess(highest) >= 0:
        return float(highest)
    return float(optimize.brentq(excess, 0.0, highest, xtol=1e-9))


def _rising(times: npt.ArrayLike) -> Floats:
    """Return information that rises and stays within the plan, or refuse it."""
    array = _steps(times)
    if array[-1] > 1 + 1e-9:
        raise ValueError(
            f"times end at {array[-1]:g}, beyond the plan (1). More information than "
            "planned can be spent once: next_bound(..., final=True)."
        )
    return np.minimum(array, 1.0)


def _steps(times: npt.ArrayLike) -> Floats:
    """Return information that rises from 0, or refuse it."""
    array = numbers(times, "times")
    if array.ndim != 1 or not len(array):
        raise ValueError(f"times have the shape {array.shape}: give one for each look.")
    steps = np.diff(array, prepend=0.0)
    if (steps < CLOSEST - 1e-9).any():
        look = int(np.flatnonzero(steps < CLOSEST - 1e-9)[0])
        before = array[look - 1] if look else 0.0
        raise ValueError(
            f"look {look + 1} is at {array[look]:g} after {before:g}: information must "
            f"grow by at least {CLOSEST:g} of the plan from look to look, from 0 on. "
            "Is it a share of the plan, and in order?"
        )
    return array

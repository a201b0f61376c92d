"""Rules that stop an experiment, behind one interface, for many runs at once."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple, SupportsIndex

import numpy as np
import numpy.typing as npt
from scipy import special, stats

from flightline.decisions.boundaries import boundaries
from flightline.decisions.inputs import LARGEST, Floats, numbers, rate, whole
from flightline.decisions.sequence import sequence_bounds
from flightline.decisions.spending import spending_bounds


class Stopped(NamedTuple):
    """When each run stopped, and what it said.

    Parameters
    ----------
    day : array of int
        Day of the decision, from 1 on; the last day if nothing was said.
    said : array of int
        1 for better, -1 for worse, 0 if the rule does not tell.
    """

    day: npt.NDArray[np.int64]
    said: npt.NDArray[np.int64]


Rule = Callable[[npt.ArrayLike, npt.ArrayLike], Stopped]
"""Of estimates and standard errors, shape (..., days): what the dashboard shows."""


def normal_scores(estimates: npt.ArrayLike, ses: npt.ArrayLike) -> Floats:
    """Return z such that its tail is that of the t statistic of so many days.

    Parameters
    ----------
    estimates, ses : array_like of float, shape (..., days)
        Mean of the days so far, and its standard error from these days. A null on the
        first day, where there is no standard error yet, stays.

    Returns
    -------
    array of float64, shape (..., days)
        What may be compared with bounds of |Z|; null where the standard error is, or
        where both are 0.

    Notes
    -----
    A standard error from seven days is itself uncertain: the ratio exceeds 1.96 in 10%
    of experiments without an effect, not in 5%. The tail is that of Student's t with
    one degree of freedom less than days.

    Examples
    --------
    >>> z = normal_scores([[0.0] * 6 + [2.4469]], [[1.0] * 7])
    >>> round(float(z[0, -1]), 2)
    1.96
    """
    estimate, se = _shown(estimates, ses)
    with np.errstate(divide="ignore", invalid="ignore"):
        t = estimate / se
    freedom = np.maximum(np.arange(t.shape[-1]), 1.0)
    tail = stats.t.sf(np.abs(t), freedom)
    return np.asarray(np.sign(t) * -special.ndtri(np.maximum(tail, 1e-300)))


@dataclass(frozen=True)
class Crossing:
    """Stop at the first day on which the statistic exceeds its bound.

    Parameters
    ----------
    bounds : tuple of float
        Of |Z|, one a day; infinite on days without a look.
    known : bool
        Take the standard errors as known. By default they come from the days so far,
        and `normal_scores` allows for it.
    """

    bounds: tuple[float, ...]
    known: bool = False

    def __call__(self, estimates: npt.ArrayLike, ses: npt.ArrayLike) -> Stopped:
        """Return when each run stopped and what it said.

        Parameters
        ----------
        estimates, ses : array_like of float, shape (..., days)
            As in `normal_scores`.

        Returns
        -------
        Stopped
            Arrays of shape (...).

        Raises
        ------
        ValueError
            If the shapes differ, the days are not as many as the bounds, or there is
            no variance on a day with a look.
        """
        estimate, se = _shown(estimates, ses)
        bounds = np.asarray(self.bounds, np.float64)
        if estimate.shape[-1] != len(bounds):
            raise ValueError(
                f"{estimate.shape[-1]} days were given, and the rule looks at "
                f"{len(bounds)}: it may not see more or fewer."
            )
        _varied(se, np.isfinite(bounds))
        if self.known:
            with np.errstate(divide="ignore", invalid="ignore"):
                z = estimate / se
        else:
            z = normal_scores(estimate, se)
        crossed = np.abs(z) > bounds
        stops = crossed.any(axis=-1)
        look = np.where(stops, crossed.argmax(axis=-1), len(bounds) - 1)
        at = np.take_along_axis(estimate, look[..., None], axis=-1)[..., 0]
        said = np.where(stops, np.sign(at), 0).astype(np.int64)
        return Stopped(look + 1, said)


@dataclass(frozen=True)
class Sign:
    """Say what the estimate looks like on the last day, whatever its error."""

    def __call__(self, estimates: npt.ArrayLike, ses: npt.ArrayLike) -> Stopped:
        """Return the last day and the sign of its estimate.

        Parameters
        ----------
        estimates, ses : array_like of float, shape (..., days)
            As in `normal_scores`; the errors are not used.

        Returns
        -------
        Stopped
            Arrays of shape (...).
        """
        estimate, _ = _shown(estimates, ses)
        said = np.sign(estimate[..., -1]).astype(np.int64)
        return Stopped(np.full_like(said, estimate.shape[-1]), said)


def rules(
    days: SupportsIndex = 28,
    alpha: float = 0.05,
    *,
    every: SupportsIndex = 7,
    first: SupportsIndex = 7,
) -> dict[str, Rule]:
    """Return the rules that stop an experiment of so many days.

    Parameters
    ----------
    days : int
        The horizon.
    alpha : float
        The two-sided error that each of them promises or claims.
    every : int
        Days between the looks of the rules that look weekly; it divides `days`.
    first : int
        First day on which the daily rules look, from 2 on.

    Returns
    -------
    dict of str to Rule
        `fixed`: one look at the end, the control. `peek daily`: the fixed bound on each
        day. `pocock` and `obrien_fleming`: equal looks. `spending daily`: spending of
        O'Brien and Fleming's type on each day. `sequence`: a confidence sequence,
        tuned to half of the horizon. `bayes`: the probability of a gain above
        1 - alpha / 2 or below alpha / 2 on each day, with a flat prior. `sign`:
        whatever looks better at the end.

    Raises
    ------
    ValueError
        If a number of days or alpha is out of its range.

    Examples
    --------
    >>> [name for name in rules(28)][:3]
    ['fixed', 'peek daily', 'pocock']
    """
    days, every = whole(days, "days", 2), whole(every, "every")
    first, alpha = whole(first, "first", 2), rate(alpha)
    if first > days or days % every:
        raise ValueError(
            f"days={days} is not a multiple of every={every}, or ends before "
            f"first={first}."
        )
    z = float(-special.ndtri(alpha / 2))
    daily = np.arange(first, days + 1)
    weekly = np.arange(every, days + 1, every)
    looks = len(weekly)
    spend = spending_bounds(daily / days, alpha)
    wide = sequence_bounds(daily, alpha, best_at=days / 2)
    return {
        "fixed": Crossing(_on([days], [z], days)),
        "peek daily": Crossing(_on(daily, z, days)),
        "pocock": Crossing(_on(weekly, boundaries("pocock", looks, alpha), days)),
        "obrien_fleming": Crossing(
            _on(weekly, boundaries("obrien_fleming", looks, alpha), days)
        ),
        "spending daily": Crossing(_on(daily, spend, days)),
        "sequence": Crossing(_on(daily, wide, days), known=True),
        "bayes": Crossing(_on(daily, z, days), known=True),
        "sign": Sign(),
    }


def _on(looks: npt.ArrayLike, bounds: npt.ArrayLike, days: int) -> tuple[float, ...]:
    """Return a bound for each day: infinite on days without a look."""
    found = np.full(days, np.inf)
    found[np.asarray(looks) - 1] = bounds
    return tuple(found.tolist())


def _shown(estimates: npt.ArrayLike, ses: npt.ArrayLike) -> tuple[Floats, Floats]:
    """Return estimates and standard errors of one shape, or refuse them."""
    estimate = numbers(estimates, "estimates")
    se = numbers(ses, "ses", nulls=True)
    if estimate.shape != se.shape or estimate.ndim == 0 or not estimate.shape[-1]:
        raise ValueError(
            f"estimates {estimate.shape} and ses {se.shape}: give one of each a day."
        )
    if (se < 0).any():
        raise ValueError(f"ses holds {se[se < 0][0]:g}: none is below 0.")
    return estimate, se


def _varied(se: Floats, looks: npt.NDArray[np.bool_]) -> None:
    """Refuse a look without variance: 0, or null after the first day."""
    flat = ~(se[..., looks] > 1 / LARGEST)
    if flat.any():
        raise ValueError(
            f"ses: {int(flat.sum())} looks have no variance (0 or null). Are all "
            "differences equal, or does a rule look on the first day?"
        )

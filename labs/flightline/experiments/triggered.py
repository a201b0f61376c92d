"""Analysis of the units that the treatment can have changed."""

from typing import NamedTuple

import numpy as np
from scipy import stats

from flightline.experiments.clustered import read_rows
from flightline.experiments.effects import (
    SMALLEST,
    Effect,
    NotEstimable,
    mean_effect,
    with_interval,
)
from flightline.experiments.values import Booleans, Values, as_flags, must_align


class Triggered(NamedTuple):
    """The effect where decisions differ, and what it is for all traffic.

    `share` of the units are triggered; `balance` is the p-value of a share that is the
    same in both arms; `among` is the effect in them, `overall` that effect diluted to
    all units, and `direct` the same effect from all units without the trigger.
    """

    share: float
    balance: float
    among: Effect
    overall: Effect
    direct: Effect


def triggered_effect(
    values: Values, treated: Values, triggered: Values, *, alpha: float = 0.05
) -> Triggered:
    """Compare the arms where their decisions differ, and dilute the effect.

    Parameters
    ----------
    values : array_like, [units]
        The metric of each unit that was assigned; units without one are left out.
    treated : array_like of bool, [units]
        Whether its arm is the treatment.
    triggered : array_like of bool, [units]
        Whether the other arm would have decided otherwise. Both arms log it, from both
        policies: a trigger that only the treatment sees selects its units.
    alpha : float
        One minus the coverage of the intervals.

    Returns
    -------
    Triggered
        `overall` is share times `among`, the share's own error included.

    Raises
    ------
    NotEstimable
        If an arm is empty or has no outcome yet, fewer than two of its units are
        triggered, or nothing varies among them.
    ValueError
        If the columns do not align, or hold something else.

    Notes
    -----
    It holds if an untriggered unit gets the same in both arms. A small `balance` says
    that the trigger depends on the arm: do not read the effect then. Kohavi, Tang and
    Xu, *Trustworthy Online Controlled Experiments*, 2020, on triggering.
    """
    must_align({"values": values, "treated": treated, "triggered": triggered})
    flags = as_flags(triggered, "triggered")
    rows = read_rows(values, treated, None)
    flags = flags[rows.unit]
    if not flags.any():
        raise NotEstimable("nothing triggered", "the arms decide the same everywhere.")
    on, off = flags & rows.treated, flags & ~rows.treated
    among = mean_effect(rows.values[on], rows.values[off], alpha)
    return Triggered(
        float(flags.mean()),
        same_share(flags, rows.treated),
        among,
        _diluted(among, flags, alpha),
        mean_effect(rows.values[rows.treated], rows.values[~rows.treated], alpha),
    )


def same_share(marked: Booleans, treated: Booleans) -> float:
    """Return the p-value for the same share of marked units in both arms.

    Parameters
    ----------
    marked, treated : arrays of bool, [units]
        Both arms have units.

    Returns
    -------
    float
        By chi-squared, without correction; 1 where all are marked, or none.
    """
    if marked.all() or not marked.any():
        return 1.0
    counts = [
        [int((marked & arm).sum()), int((~marked & arm).sum())]
        for arm in (treated, ~treated)
    ]
    return max(float(stats.chi2_contingency(counts, correction=False).pvalue), SMALLEST)


def _diluted(among: Effect, triggered: Booleans, alpha: float) -> Effect:
    """Return share times effect, with the errors of both."""
    units, share = len(triggered), float(triggered.mean())
    assert among.se is not None
    by_share = among.estimate**2 * share * (1 - share) / units
    return with_interval(
        share * among.estimate,
        float(np.sqrt((share * among.se) ** 2 + by_share)),
        float(triggered.sum() - 2),
        alpha=alpha,
        units=units,
    )

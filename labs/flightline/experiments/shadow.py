"""Both policies on the same units: the paired comparison that needs no experiment."""

import numpy as np

from flightline.experiments.clustered import effect_of
from flightline.experiments.effects import Effect, must_have_units
from flightline.experiments.values import (
    Values,
    as_codes,
    as_floats,
    must_align,
    must_be_a_rate,
)


def shadow_effect(
    new: Values, old: Values, cluster: Values | None = None, *, alpha: float = 0.05
) -> Effect:
    """Estimate the difference of two policies that both scored every unit.

    Parameters
    ----------
    new, old : array_like, [units]
        What each policy earns, or would have earned, on the same unit; a unit in which
        either is missing is left out of both.
    cluster : array_like, [units], optional
        What ties units together, such as the day. Without it the interval speaks of
        these units and days alone; with it, of other days like them.
    alpha : float
        One minus the coverage of the interval.

    Returns
    -------
    Effect
        New minus old, with the error of the mean difference by cluster; `n` counts
        clusters.

    Raises
    ------
    NotEstimable
        If there are no units, no outcome yet, fewer than two clusters, or no difference
        varies.
    ValueError
        If the columns do not align, or hold something else.

    Notes
    -----
    It holds where a decision changes nothing but its own reward. Where a warning
    changes what people do, the policy that only looks on is judged by outcomes that the
    other one made: then it takes an experiment.
    """
    must_be_a_rate("alpha", alpha)
    columns = {"new": new, "old": old}
    if cluster is not None:
        columns["cluster"] = cluster
    must_align(columns)
    gain = as_floats(new, "new") - as_floats(old, "old")
    unit = np.arange(len(gain))
    if cluster is not None:
        unit = as_codes(cluster, "cluster")[0]
    known = ~np.isnan(gain)
    must_have_units(len(np.unique(unit[known])), len(gain), "the shadow")
    kept = gain[known]
    mean = float(kept.mean()) if np.ptp(kept) else float(kept[0])
    return effect_of(mean, (kept - mean) / len(kept), unit[known], alpha, 1)

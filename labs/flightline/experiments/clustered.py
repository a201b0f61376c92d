"""Errors that follow the unit that was assigned, where the rows are smaller."""

from typing import NamedTuple

import numpy as np
import pandas as pd

from flightline.experiments.core import Floats
from flightline.experiments.effects import Effect, NotEstimable, with_interval
from flightline.experiments.values import (
    Booleans,
    Integers,
    Values,
    as_codes,
    as_flags,
    as_floats,
    must_align,
)


class Rows(NamedTuple):
    """Rows with an outcome: their values, their arm, and the unit of each."""

    values: Floats
    treated: Booleans
    unit: Integers

    def part(self, mask: Booleans) -> "Rows":
        """Return some of the rows."""
        return Rows(self.values[mask], self.treated[mask], self.unit[mask])


class Clusters(NamedTuple):
    """How alike the rows of a cluster are, and what that costs."""

    clusters: int
    size: float
    icc: float
    design_effect: float


def clustered_effect(
    values: Values, treated: Values, cluster: Values, *, alpha: float = 0.05
) -> Effect:
    """Estimate the difference of two means of rows, with errors by cluster.

    Parameters
    ----------
    values : array_like, [rows]
        The metric of each row, such as a flight; rows without one are left out.
    treated : array_like of bool, [rows]
        Whether its arm is the treatment.
    cluster : array_like, [rows]
        The unit that was assigned, such as the day; never null.
    alpha : float
        One minus the coverage of the interval.

    Returns
    -------
    Effect
        `n` counts clusters. Equal to least squares on a constant and the arm with
        `cov_type="cluster"` and `use_t=True` in statsmodels: a sandwich with the usual
        correction for few clusters, and as many degrees of freedom as clusters less 1.

    Raises
    ------
    NotEstimable
        If an arm is empty, has no outcome yet, or has rows of one cluster only; or if
        nothing varies between clusters.
    ValueError
        If the columns do not align, or hold something else.

    Notes
    -----
    With few clusters the interval is a little short: with a dozen of equal size, count
    on t by Welch over their means instead.
    """
    rows = read_rows(values, treated, cluster)
    must_have_clusters(rows)
    estimate, pull = difference(rows.values, rows.treated)
    return effect_of(estimate, pull, rows.unit, alpha)


def read_rows(values: Values, treated: Values, cluster: Values | None) -> Rows:
    """Return the rows with an outcome; without clusters each is its own unit."""
    columns = {"values": values, "treated": treated}
    if cluster is not None:
        columns["cluster"] = cluster
    must_align(columns)
    numbers, flags = as_floats(values, "values"), as_flags(treated, "treated")
    units = np.arange(len(numbers))
    if cluster is not None:
        units = as_codes(cluster, "cluster")[0]
    known = ~np.isnan(numbers)
    for name, arm in (("treated", flags), ("control", ~flags)):
        if not arm.any():
            raise NotEstimable("empty arm", f"{name} has no rows.")
        if not known[arm].any():
            raise NotEstimable(
                "no outcome yet",
                f"none of the {int(arm.sum())} rows of {name} has one.",
            )
    return Rows(numbers[known], flags[known], units[known])


def must_have_clusters(rows: Rows) -> None:
    """Refuse an arm of one cluster: its error would count as 0."""
    for name, arm in (("treated", rows.treated), ("control", ~rows.treated)):
        if len(np.unique(rows.unit[arm])) < 2:
            raise NotEstimable(
                "one unit", f"the rows of {name} belong to one unit; it takes two."
            )


def difference(values: Floats, treated: Booleans) -> tuple[float, Floats]:
    """Return the difference of means, and how far each row pulls it.

    Parameters
    ----------
    values : array of float64, [rows]
    treated : array of bool, [rows]
        Both arms have rows.

    Returns
    -------
    tuple of float and array of float64, [rows]
        The pulls of all rows sum to 0; the sum of their squares, after those of a
        cluster are added, is the variance of the difference.
    """
    pull = np.zeros(len(values))
    means = []
    for arm, sign in ((treated, 1), (~treated, -1)):
        mine = values[arm]
        mean = mine.mean() if np.ptp(mine) else mine[0]
        pull[arm] = sign * (mine - mean) / len(mine)
        means.append(float(mean))
    return means[0] - means[1], pull


def effect_of(
    estimate: float, pull: Floats, unit: Integers, alpha: float, parameters: int = 2
) -> Effect:
    """Return an estimate with the interval that its units' pulls give it.

    Parameters
    ----------
    estimate : float
    pull : array of float64, [rows]
        As `difference` returns it.
    unit : array of int64, [rows]
        The number of each row's unit; at least two differ.
    alpha : float
    parameters : int
        Means that were estimated.
    """
    by_unit = np.bincount(np.unique(unit, return_inverse=True)[1], weights=pull)
    units, rows = len(by_unit), len(pull)
    spread = float(np.abs(by_unit).max())
    if spread <= 1e-13 * float(np.abs(pull).sum()):
        raise NotEstimable("constant metric", "no unit differs from another.")
    few = units / (units - 1) * (rows - 1) / max(rows - parameters, 1)
    se = spread * float(np.sqrt(few * ((by_unit / spread) ** 2).sum()))
    return with_interval(estimate, se, units - 1, alpha=alpha, units=units)


def design_effect(values: Values, cluster: Values) -> Clusters:
    """Measure how alike the rows of a cluster are.

    Parameters
    ----------
    values : array_like, [rows]
        The metric without the treatment; rows without one are left out.
    cluster : array_like, [rows]
        What will be assigned as a whole, such as the day; never null.

    Returns
    -------
    Clusters
        The number of `clusters`; the mean `size` of the cluster that a row is in; the
        intraclass correlation `icc` by analysis of variance, which chance can make
        negative; and `design_effect`, 1 + (size - 1) icc, at least 1: how many rows
        carry as much as one independent row, where clusters are assigned.

    Raises
    ------
    NotEstimable
        If nothing varies.
    ValueError
        If there are fewer than two clusters, or no cluster has two rows; if the columns
        do not align, or hold something else.

    Examples
    --------
    >>> round(design_effect([1, 1, 2, 2, 4, 4.5], list("aabbcc")).design_effect, 2)
    1.99
    """
    must_align({"values": values, "cluster": cluster})
    numbers, codes = as_floats(values, "values"), as_codes(cluster, "cluster")[0]
    known = ~np.isnan(numbers)
    groups = pd.Series(numbers[known]).groupby(codes[known])
    size = groups.size().to_numpy(np.float64)
    if len(size) < 2 or size.max() < 2:
        raise ValueError(
            f"{len(size)} clusters, the largest of {int(size.max(initial=0))} rows: it "
            "takes two clusters, and two rows in one of them."
        )
    icc = _intraclass(numbers[known], groups.mean().to_numpy(), size, codes[known])
    typical = float((size**2).sum() / size.sum())
    return Clusters(len(size), typical, icc, max(1 + (typical - 1) * icc, 1.0))


def _intraclass(values: Floats, means: Floats, size: Floats, codes: Integers) -> float:
    """Return the intraclass correlation by a one-way analysis of variance."""
    if not np.ptp(values) > 0:
        raise NotEstimable("constant metric", "all rows are equal.")
    place = np.unique(codes, return_inverse=True)[1]
    rows, clusters = size.sum(), len(size)
    between = (size * (means - values.mean()) ** 2).sum() / (clusters - 1)
    within = ((values - means[place]) ** 2).sum() / (rows - clusters)
    balanced = (rows - (size**2).sum() / rows) / (clusters - 1)
    return float((between - within) / (between + (balanced - 1) * within))

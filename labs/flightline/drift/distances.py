"""Distances between two samples, and tests whether chance explains them.

The entropies, the chi-squared test and the exact Kolmogorov-Smirnov test are SciPy's;
nulls, bins and whole tables are ours.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import special, stats
from scipy.spatial import distance

from flightline.drift.bins import (
    Pair,
    Reference,
    each_pair,
    paired,
    shares,
)
from flightline.drift.columns import Floats, Values, known_floats
from flightline.drift.core import psi_of_counts

EXACT = 20_000
"""Up to so many pairs of rows, n times m, the p-value of `ks` is exact."""

MANY = 50_000
"""From so many effective rows on, nm / (n + m), `ks` takes the limit."""


def psi_of(pair: Pair) -> Floats:
    """Return the PSI of counts, along the last axis."""
    return psi_of_counts(*pair)


def _answer(reference: Reference, values: list[float], name: str) -> float | pd.Series:
    """Return one number for one sample, and a Series by column for a table."""
    if isinstance(reference, pd.DataFrame | Mapping):
        return pd.Series(values, [str(c) for c in reference], np.float64, name)
    return float(values[0])


def psi(reference: Reference, current: Values, bins: int = 10) -> float | pd.Series:
    """Measure how far the current sample is from the reference, in any direction.

    Parameters
    ----------
    reference, current, bins
        As in `counts`: the reference makes the bins, nulls have one of their own, and
        a bin that is empty on one side counts half a row there. Categories that the
        reference lacks share one bin; `report` counts them apart.

    Returns
    -------
    float, or Series of float64 by column
        The sum over bins of (q - p) log(q / p), with shares p before and q after. It is
        0 for equal shares, and has no upper limit.

    Raises
    ------
    ValueError
        As in `counts`.

    Examples
    --------
    >>> round(psi(["a", "a", "b", "b"], ["a", "b", "b", "b"]), 3)
    0.275
    """
    found = [float(psi_of(pair)) for pair in each_pair(reference, current, bins)]
    return _answer(reference, found, "psi")


def kl(reference: Reference, current: Values, bins: int = 10) -> float | pd.Series:
    """Return the Kullback-Leibler divergence of the current sample, in nats.

    Parameters
    ----------
    reference, current, bins
        As in `psi`.

    Returns
    -------
    float, or Series of float64 by column
        The sum of q log(q / p). The other direction is PSI minus this.

    Raises
    ------
    ValueError
        As in `counts`.

    Examples
    --------
    >>> round(kl(["a", "a", "b", "b"], ["a", "b", "b", "b"]), 3)
    0.131
    """
    found = []
    for pair in each_pair(reference, current, bins):
        p, q = shares(pair)
        found.append(float(special.rel_entr(q, p).sum()))
    return _answer(reference, found, "kl")


def js(reference: Reference, current: Values, bins: int = 10) -> float | pd.Series:
    """Return the Jensen-Shannon distance, from 0 to sqrt(log 2).

    Parameters
    ----------
    reference, current, bins
        As in `psi`, but an empty bin stays empty.

    Returns
    -------
    float, or Series of float64 by column
        The root of the mean divergence of both samples from their middle.

    Raises
    ------
    ValueError
        As in `counts`.
    """
    found = [
        float(np.nan_to_num(distance.jensenshannon(*pair)))
        for pair in each_pair(reference, current, bins)
    ]
    return _answer(reference, found, "js")


class Test(NamedTuple):
    """A statistic, and how often chance alone makes it as large."""

    statistic: float
    pvalue: float


def _tests(reference: Reference, found: Sequence[Test]) -> Test | pd.DataFrame:
    """Return one test for one sample, and a table by column for a table."""
    if not isinstance(reference, pd.DataFrame | Mapping):
        return found[0]
    return pd.DataFrame(found, [str(n) for n in reference], columns=list(Test._fields))


def chi2(reference: Reference, current: Values, bins: int = 10) -> Test | pd.DataFrame:
    """Test whether both samples fill the bins alike (Pearson's chi-squared).

    Parameters
    ----------
    reference, current, bins
        As in `psi`, but no bin is filled up. Both samples count as random.

    Returns
    -------
    Test, or DataFrame by column
        `statistic` and `pvalue`. With a single bin in use there is nothing to test:
        0 and 1. The p-value is that of large samples: with many rare categories it is
        too small. `report` pools them.

    Raises
    ------
    ValueError
        As in `counts`.
    """
    found = []
    for pair in each_pair(reference, current, bins):
        table = np.stack(pair)[:, (pair.before + pair.after) > 0]
        if table.shape[1] < 2:
            found.append(Test(0.0, 1.0))
            continue
        both = stats.chi2_contingency(table, correction=False)
        found.append(Test(float(both.statistic), float(both.pvalue)))
    return _tests(reference, found)


def _numbers(
    reference: Reference, current: Values, what: str
) -> list[tuple[Floats, Floats]]:
    """Return the sorted numbers of both samples, for each column."""
    pairs = []
    for column, found in paired(reference, current, 2):
        if column.levels is not None:
            raise ValueError(f"{column.name!r} is a category: no {what}. Use chi2.")
        pairs.append((np.sort(column.known), np.sort(known_floats(found))))
        if not all(map(len, pairs[-1])):
            raise ValueError(f"{column.name!r} has only nulls on one side: no {what}.")
    return pairs


def ks(reference: Reference, current: Values) -> Test | pd.DataFrame:
    """Test numbers for any difference of distribution (Kolmogorov and Smirnov).

    Parameters
    ----------
    reference, current
        As in `psi`; categories have no order, and are refused. Nulls are left out:
        watch them with `chi2`, or with `quality`.

    Returns
    -------
    Test, or DataFrame by column
        `statistic`: the largest gap of the two cumulative shares; `pvalue`: two-sided,
        and on the safe side if values are tied. It is exact for small samples (n times
        m up to EXACT), then that of large ones; from MANY effective rows on it is the
        limit with a correction.

    Raises
    ------
    ValueError
        If a column is a category, or holds no number in one of the samples.

    Examples
    --------
    >>> ks([1, 2, 3], [4, 5, 6])
    Test(statistic=1.0, pvalue=0.1)
    """
    sides = _numbers(reference, current, "ks")
    return _tests(reference, [_ks(one, two) for one, two in sides])


def _ks(one: Floats, two: Floats) -> Test:
    """Test two sorted samples."""
    if len(one) * len(two) <= EXACT:
        exact = stats.ks_2samp(one, two, method="exact")
        return Test(float(exact.statistic), round(float(exact.pvalue), 15))
    gap, size = largest_gap(one, two), len(one) * len(two) / (len(one) + len(two))
    if size < MANY:
        tail = stats.kstwo.sf(gap, max(round(size), 1))
    else:  # the tail of large samples takes time that grows with the rows
        tail = special.kolmogorov(np.sqrt(size) * gap + 1 / (6 * np.sqrt(size)))
    return Test(gap, float(np.clip(tail, 0, 1)))


def largest_gap(one: Floats, two: Floats) -> float:
    """Return the largest gap of the cumulative shares of two sorted samples."""
    gaps = []
    for values, other in ((one, two), (two, one)):
        last = np.append(values[1:] != values[:-1], True)
        below = np.searchsorted(other, values[last], side="right") / len(other)
        gaps.append(np.abs((np.flatnonzero(last) + 1) / len(values) - below).max())
    return float(max(gaps))


def wasserstein(reference: Reference, current: Values) -> float | pd.Series:
    """Return how far values moved on average, in the unit of the column.

    Parameters
    ----------
    reference, current
        As in `ks`. Infinite values are refused: they are infinitely far away.

    Returns
    -------
    float, or Series of float64 by column
        The area between the two cumulative shares.

    Raises
    ------
    ValueError
        As in `ks`, or if a value is infinite.
    """
    areas = []
    for one, two in _numbers(reference, current, "wasserstein"):
        if np.isinf([one[0], one[-1], two[0], two[-1]]).any():
            raise ValueError("wasserstein: infinite values. Drop or mend them first.")
        areas.append(float(stats.wasserstein_distance(one, two)))
    return _answer(reference, areas, "wasserstein")

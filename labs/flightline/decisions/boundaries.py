"""Bounds for a number of equal looks that is fixed in advance."""

from typing import SupportsIndex

import numpy as np
from scipy import optimize, special

from flightline.decisions.core import z_bounds
from flightline.decisions.inputs import Floats, one_of, rate, whole
from flightline.decisions.recursion import crossings
from flightline.decisions.spending import spending_bounds

KINDS = ("pocock", "obrien_fleming", "lan_demets")
"""Kinds of bounds that `boundaries` knows."""

MOST_LOOKS = 365
"""A look a day for a year; who looks more often needs a confidence sequence."""


def boundaries(kind: str, looks: SupportsIndex, alpha: float = 0.05) -> Floats:
    """Return the bounds of |Z| that keep a two-sided error over equal looks.

    Parameters
    ----------
    kind : {"pocock", "obrien_fleming", "lan_demets"}
        Pocock: the same bound at each look. O'Brien-Fleming: falls with the root of
        the look. Lan-DeMets: what spending of O'Brien and Fleming's type gives at
        equal looks, alpha / 2 for each side.
    looks : int
        How often you will look, from 1 to 365. All of them are equally far apart, and
        neither their number nor their distance may depend on what was seen: for other
        times there is `spending_bounds`.
    alpha : float
        The chance to cross any bound without an effect, above 0 and at most 0.5.

    Returns
    -------
    array of float64, shape (looks,)
        Stop at look k if the estimate over its standard error exceeds bound k in size.
        An infinite bound (Lan-DeMets, first of several hundred looks) stops nothing.

    Raises
    ------
    ValueError
        If the kind is not known, or `looks` or `alpha` is out of its range.

    Notes
    -----
    Pocock 1977; O'Brien and Fleming 1979; Lan and DeMets 1983. The bounds are meant
    for a known variance: with a standard error from few days compare
    `normal_scores` with them, not the t statistic.

    Examples
    --------
    >>> boundaries("pocock", 5).round(3).tolist()
    [2.413, 2.413, 2.413, 2.413, 2.413]
    >>> boundaries("obrien_fleming", 5).round(3).tolist()
    [4.562, 3.226, 2.634, 2.281, 2.04]
    """
    one_of(kind, "kind", KINDS)
    looks, alpha = whole(looks, "looks"), rate(alpha)
    if looks > MOST_LOOKS:
        raise ValueError(
            f"looks={looks} is more than {MOST_LOOKS}: use confidence_sequence, which "
            "holds at any number of looks."
        )
    times = np.arange(1, looks + 1) / looks
    if kind == "lan_demets":
        return spending_bounds(times, alpha)
    least, most = -special.ndtri([alpha / 2, alpha / 2 / looks])
    if looks == 1:
        return np.array([least])
    if alpha >= 1e-6 and most * np.sqrt(looks) <= 20:  # 64 nodes are enough
        return z_bounds(kind, looks, alpha)
    shape = np.ones(looks) if kind == "pocock" else 1 / np.sqrt(times)

    def excess(size: float) -> float:
        """Return by which factor too many cross, as a logarithm."""
        return float(np.log(crossings(size * shape, times, alpha).sum() / alpha))

    if excess(least) <= 0:  # the last look alone counts
        return np.asarray(least * shape)
    return np.asarray(optimize.brentq(excess, least, most, xtol=1e-9) * shape)

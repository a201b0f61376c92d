"""Whether an effect fades as units get used to the treatment."""

import itertools
from collections.abc import Sequence

import numpy as np
import pandas as pd

from flightline.experiments.clustered import (
    Rows,
    difference,
    effect_of,
    must_have_clusters,
    read_rows,
)
from flightline.experiments.core import Floats
from flightline.experiments.effects import Effect, NotEstimable
from flightline.experiments.values import Booleans, Values, as_floats, must_align

WEEKS = (0.0, 7.0, 14.0, 28.0)
"""The edges of the ages of exposure, in days."""


def by_age(
    values: Values,
    treated: Values,
    age: Values,
    *,
    cluster: Values | None = None,
    edges: Sequence[float] = WEEKS,
    alpha: float = 0.05,
) -> pd.DataFrame:
    """Estimate the effect by age of exposure, and whether it changes.

    Parameters
    ----------
    values : array_like, [rows]
        The metric; rows without one are left out.
    treated : array_like of bool, [rows]
        Whether the row's arm is the treatment.
    age : array_like, [rows]
        Days since the row's unit was first exposed, from 0; not since the start of the
        experiment, where new units come every day.
    cluster : array_like, [rows], optional
        The unit, where it comes more than once; its rows are then not independent.
    edges : sequence of float
        Ages at which a row of the table begins, rising; the last one ends it.
    alpha : float
        One minus the coverage of each interval.

    Returns
    -------
    DataFrame
        One row for each span of ages, such as "0 to 7", and at last "change": the last
        span less the first, with an interval of its own. Columns `units`, `estimate`,
        `low`, `high`, `pvalue`, and `state`, which says why numbers are null.

    Raises
    ------
    NotEstimable
        If an arm is empty or has no outcome yet.
    ValueError
        If the columns do not align, an age is missing or negative, or the edges do not
        rise.

    Notes
    -----
    A change can be novelty, but also a season: look at control as well. The flights
    that the course replays get used to nothing; where it shows novelty, it is simulated
    with `simulated_novelty`, and says so.
    """
    cuts = np.asarray(edges, np.float64)
    if len(cuts) < 3 or not np.isfinite(cuts).all() or (np.diff(cuts) <= 0).any():
        raise ValueError(f"edges={edges}: three rising ages at least.")
    must_align({"values": values, "age": age})
    place = read_rows(values, treated, None).unit
    rows = read_rows(values, treated, cluster)
    ages = _ages(age)[place]
    spans = list(itertools.pairwise(cuts))
    masks = [(ages >= low) & (ages < high) for low, high in spans]
    names = [f"{low:g} to {high:g}" for low, high in spans]
    found = [_row(rows, [mask], alpha) for mask in masks]
    found.append(_row(rows, [masks[-1], masks[0]], alpha))
    return pd.DataFrame(found, index=pd.Index([*names, "change"], name="age"))


def _ages(age: Values) -> Floats:
    """Return the ages, and refuse those that are none."""
    ages = as_floats(age, "age")
    wrong = ~(ages >= 0)
    if wrong.any():
        raise ValueError(
            f"age is missing or below 0 in {int(wrong.sum())} of {len(ages)} rows "
            f"(first: row {int(np.argmax(wrong))}): count days from the first exposure."
        )
    return ages


def _row(rows: Rows, masks: list[Booleans], alpha: float) -> dict[str, object]:
    """Return the effect of a span, or of one span less another."""
    numbers = ("estimate", "low", "high", "pvalue")
    try:
        effect = _effect(rows, masks, alpha)
    except NotEstimable as why:
        return {"units": 0, **dict.fromkeys(numbers, np.nan), "state": why.state}
    said = {name: getattr(effect, name) for name in numbers}
    return {"units": effect.n, **said, "state": ""}


def _effect(rows: Rows, masks: list[Booleans], alpha: float) -> Effect:
    """Add up the pulls of the rows of each span; the second is subtracted."""
    estimate, pull = 0.0, np.zeros(len(rows.values))
    for mask, sign in zip(masks, (1, -1), strict=False):
        part = rows.part(mask)
        must_have_clusters(part)
        mine, pulls = difference(part.values, part.treated)
        estimate += sign * mine
        pull[mask] += sign * pulls
    used = np.logical_or.reduce(masks)
    return effect_of(estimate, pull[used], rows.unit[used], alpha, 2 * len(masks))


def simulated_novelty(
    age: np.typing.ArrayLike, extra: float = 1.0, fades: float = 7.0
) -> Floats:
    """Return by how much a simulated effect is larger while it is new.

    Parameters
    ----------
    age : array_like
        Days since the first exposure.
    extra : float
        What is added on the first day, as a part of the lasting effect.
    fades : float
        Days until a third of it is left (1/e).

    Returns
    -------
    array of float64
        The factor of the lasting effect, 1 + extra exp(-age / fades). An assumption to
        try an analysis with, measured on nobody.

    Examples
    --------
    >>> simulated_novelty([0, 7]).round(2).tolist()
    [2.0, 1.37]
    """
    return np.asarray(1 + extra * np.exp(-np.asarray(age, np.float64) / fades))

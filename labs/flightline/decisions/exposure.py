"""Novelty: whether the effect changes with the time since a unit was exposed."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats

from flightline.decisions.inputs import SMALLEST, Floats, numbers, rate

EXPOSURE = ["values", "estimate", "low", "high"]
"""Columns of what `by_exposure` returns."""


class Trend(NamedTuple):
    """How much the effect changes per day of exposure.

    Parameters
    ----------
    slope, low, high : float
        Change of the effect per day, with its interval.
    pvalue : float
        Two-sided, against no change.
    """

    slope: float
    low: float
    high: float
    pvalue: float


def by_exposure(
    differences: npt.ArrayLike, ages: npt.ArrayLike, alpha: float = 0.05
) -> pd.DataFrame:
    """Estimate the effect by the time since exposure.

    Parameters
    ----------
    differences : array_like of float, shape (n,)
        Treatment less control of one day, or of one day of one cohort.
    ages : array_like of float, shape (n,)
        Days (or weeks) since exposure, from 0 on.
    alpha : float
        One less the coverage of each interval.

    Returns
    -------
    DataFrame
        Indexed by `age`, rising: number of `values`, their mean `estimate`, and `low`
        and `high` by Student's t; null at an age with one value.

    Raises
    ------
    ValueError
        If the lengths differ, there is nothing, a value is no finite number, an age
        is below 0, or alpha is no rate.
    """
    values, age = _read(differences, ages)
    rate(alpha)
    groups = pd.Series(values).groupby(pd.Index(age, name="age"))
    table = pd.DataFrame({"values": groups.size(), "estimate": groups.mean()})
    freedom = np.maximum(table["values"] - 1, 1)
    reach = stats.t.isf(alpha / 2, freedom) * groups.sem()
    table["low"] = table["estimate"] - reach
    table["high"] = table["estimate"] + reach
    return table[EXPOSURE]


def exposure_trend(
    differences: npt.ArrayLike, ages: npt.ArrayLike, alpha: float = 0.05
) -> Trend:
    """Test whether the effect changes with the time since exposure.

    Parameters
    ----------
    differences, ages, alpha : array_like of float, array_like of float, float
        As in `by_exposure`.

    Returns
    -------
    Trend
        A straight line by least squares. A falling one is what novelty looks like; so
        is a season, unless cohorts that began on different days are compared.

    Raises
    ------
    ValueError
        As `by_exposure`; also with fewer than three values, ages that are all equal, or
        values that lie on a line exactly.

    Notes
    -----
    The values are taken as independent. Days that depend on each other make the
    interval too narrow: give means of weeks then.
    """
    values, age = _read(differences, ages)
    rate(alpha)
    if len(values) < 3 or np.ptp(age) == 0:
        raise ValueError(
            f"{len(values)} values at {len(np.unique(age))} ages: a trend needs three "
            "values and two ages."
        )
    line = stats.linregress(age, values)
    if not line.stderr > 1e-14 * np.abs(values).max():
        raise ValueError("differences have no variance around their line.")
    reach = stats.t.isf(alpha / 2, len(values) - 2) * line.stderr
    slope = float(line.slope)
    pvalue = max(float(line.pvalue), SMALLEST)
    return Trend(slope, slope - reach, slope + reach, pvalue)


def _read(differences: npt.ArrayLike, ages: npt.ArrayLike) -> tuple[Floats, Floats]:
    """Return values and ages of one length, or refuse them."""
    values, age = numbers(differences, "differences"), numbers(ages, "ages")
    if values.ndim != 1 or values.shape != age.shape or not len(values):
        raise ValueError(
            f"differences {values.shape} and ages {age.shape}: give one age for each."
        )
    if (age < 0).any():
        raise ValueError(f"ages holds {age.min():g}: exposure starts at 0.")
    return values, age

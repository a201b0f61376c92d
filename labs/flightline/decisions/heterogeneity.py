"""Effects by segment: named, corrected, and asked whether they differ at all."""

import numpy as np
import pandas as pd
from scipy import stats

from flightline.decisions.inputs import LARGEST, SMALLEST, Floats, numbers, rate
from flightline.decisions.multiple import holm_adjusted

SEGMENT_EFFECT = [
    "days",
    "estimate",
    "low",
    "high",
    "pvalue",
    "adjusted",
    "found",
    "apart",
    "apart_adjusted",
    "differs",
]
"""Columns of what `segments` returns."""

LEAST_DAYS = 3
"""Fewer days of a segment say nothing about its spread."""


def segments(daily: pd.DataFrame, alpha: float = 0.05) -> pd.DataFrame:
    """Estimate the effect in each segment, corrected for their number.

    Parameters
    ----------
    daily : DataFrame
        A row per day and a column per segment: treatment less control. A null is a day
        on which a segment had no units in one of the arms. Days are the units, so that
        it may be correlated between segments.
    alpha : float
        The chance of any false finding, for each of the two questions.

    Returns
    -------
    DataFrame
        Indexed by segment: `days`; `estimate` with `low` and `high`, which hold for all
        segments together; the t test's `pvalue`, its Holm-`adjusted` one, and whether
        an effect is `found`. Then whether it `differs` from the others: `apart` is the
        mean difference, paired by day, to the mean of the other segments (null if there
        is one alone), `apart_adjusted` its p-value after Holm.

    Raises
    ------
    ValueError
        If there is no column, a name comes twice, a column is no number, or a segment
        has fewer than three days or no variance.

    Notes
    -----
    A segment that is found while another is not does not differ from it: only
    `differs` says so. The largest of many estimates is too large on average.
    """
    rate(alpha)
    names, values = _read(daily)
    own = [
        _test(column, f"segment {name!r}")
        for name, column in zip(names, values, strict=True)
    ]
    table = pd.DataFrame(own, index=pd.Index(names, name="segment"))
    reach = stats.t.isf(alpha / 2 / len(names), table["days"] - 1) * table.pop("se")
    table["low"] = table["estimate"] - reach
    table["high"] = table["estimate"] + reach
    table["adjusted"] = holm_adjusted(table["pvalue"])
    table["found"] = table["adjusted"] <= alpha
    apart, pvalues = _apart(names, values)
    table["apart"] = apart
    table["apart_adjusted"] = pvalues
    table["differs"] = table["apart_adjusted"] <= alpha
    return table[SEGMENT_EFFECT]


def _read(daily: pd.DataFrame) -> tuple[list[str], list[Floats]]:
    """Return names and columns of a table, checked."""
    if not isinstance(daily, pd.DataFrame) or not len(daily.columns):
        raise ValueError("daily has no segments: give a table, a column for each.")
    names = [str(name) for name in daily.columns]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"daily has a segment twice: {', '.join(twice)}.")
    values = [
        numbers(daily.iloc[:, place], f"segment {name!r}", nulls=True)
        for place, name in enumerate(names)
    ]
    return names, values


def _test(column: Floats, what: str) -> dict[str, float]:
    """Return days, mean, standard error and p-value of one column."""
    known = column[~np.isnan(column)]
    if len(known) < LEAST_DAYS:
        raise ValueError(f"{what} has {len(known)} days: {LEAST_DAYS} are needed.")
    mean, se = float(known.mean()), float(stats.sem(known))
    if np.ptp(known) == 0 or not se > 1 / LARGEST:
        raise ValueError(f"{what} has no variance: all {len(known)} days are equal.")
    pvalue = max(float(2 * stats.t.sf(abs(mean / se), len(known) - 1)), SMALLEST)
    return {"days": len(known), "estimate": mean, "se": se, "pvalue": pvalue}


def _apart(names: list[str], values: list[Floats]) -> tuple[Floats, Floats]:
    """Return the difference of each segment to the others, and its adjusted p-value."""
    if len(names) == 1:
        return np.array([np.nan]), np.array([np.nan])
    table = np.array(values)
    found = []
    for place, name in enumerate(names):
        others = np.delete(table, place, axis=0)
        known = (~np.isnan(others)).any(axis=0)
        means = np.full(table.shape[1], np.nan)
        means[known] = np.nanmean(others[:, known], axis=0)
        found.append(_test(table[place] - means, f"segment {name!r} less the others"))
    apart = np.array([one["estimate"] for one in found])
    return apart, holm_adjusted([one["pvalue"] for one in found])

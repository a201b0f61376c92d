# Do not edit: exported from labs/12_drift.ipynb.
# Change the lab, then run `make export`.

"""Lab 12: monitoring and drift."""

__all__ = [
    "Floats",
    "Integers",
    "bin_counts",
    "chance_threshold",
    "day_counts",
    "deal_days",
    "extreme_days",
    "mature",
    "next_step",
    "psi_of_counts",
    "quantile_cuts",
]

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


def quantile_cuts(values: pd.Series, bins: int = 10) -> Floats:
    """Return the upper ends of all bins but the last, at the quantiles of `values`."""
    at = np.arange(1, bins) / bins
    cuts = np.unique(np.quantile(values.dropna(), at, method="inverted_cdf"))
    return np.asarray(cuts[cuts < values.max()])


def bin_counts(values: pd.Series, cuts: Floats) -> Integers:
    """Count values by bin: up to each cut, above the last one, and null."""
    bins = np.searchsorted(cuts, values, side="left")
    bins = np.where(values.isna(), len(cuts) + 1, bins)
    return np.bincount(bins, minlength=len(cuts) + 2)


def psi_of_counts(before: npt.ArrayLike, now: npt.ArrayLike) -> Floats:
    """Return the PSI of counts in the same bins; the last axis is the bin."""
    sides = np.broadcast_arrays(before, now)
    used = sides[0] + sides[1] > 0
    filled = [np.where(used, np.maximum(side, 0.5), np.nan) for side in sides]
    p, q = (side / np.nansum(side, axis=-1, keepdims=True) for side in filled)
    return np.asarray(np.nansum((q - p) * np.log(q / p), axis=-1))


def chance_threshold(n: float, m: float, bins: int = 10, alpha: float = 0.05) -> float:
    """Return the PSI that samples of n and m rows exceed by chance, at rate alpha."""
    return float((1 / n + 1 / m) * stats.chi2.ppf(1 - alpha, bins - 1))


def day_counts(values: pd.Series, days: pd.Series, cuts: Floats) -> Integers:
    """Count values by day and bin: [days, bins], the days in sorted order."""
    return np.stack([bin_counts(day, cuts) for _, day in values.groupby(days)])


def deal_days(counts: Integers, current_days: int, draws: int, seed: int = 0) -> Floats:
    """Deal whole days out at random; return the PSI of each deal, [draws]."""
    rng = np.random.default_rng(seed)
    chosen = np.tile(np.arange(len(counts)) < current_days, (draws, 1))
    now = rng.permuted(chosen, axis=1) @ counts
    return psi_of_counts(counts.sum(axis=0) - now, now)


def extreme_days(reference: pd.DataFrame, current: pd.DataFrame, name: str) -> int:
    """Count the days of `current` with more nulls in a column than any day before."""
    tables = (reference, current)
    before, now = (t[name].isna().groupby(t["date"]).mean() for t in tables)
    return int((now > before.max()).sum())


def mature(scored: pd.DataFrame, now: pd.Timestamp, wait: pd.Timedelta) -> pd.DataFrame:
    """Return the rows that are old enough, with the labels known by now.

    Needs `prediction_time`, `label_time` (null: never known) and `late` (boolean).
    """
    old = scored[scored["prediction_time"] <= now - wait]
    return old.assign(late=old["late"].where(old["label_time"] <= now))


def next_step(broken: bool, drifted: bool, worse: bool | None) -> str:
    """Decide: continue, investigate or retrain. `worse` is None without labels."""
    if broken:
        return "investigate"
    if worse is None:
        return "investigate" if drifted else "continue"
    return "retrain" if worse else "continue"

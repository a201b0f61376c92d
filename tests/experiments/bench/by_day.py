"""Designs that assign days: who is paired with whom, and what is subtracted before."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats

Floats = npt.NDArray[np.float64]
Booleans = npt.NDArray[np.bool_]
Pairs = npt.NDArray[np.int64]


class Days(NamedTuple):
    """Means of the days in order: rewards of both policies, and what was known."""

    a: Floats
    b: Floats
    score_a: Floats
    score_b: Floats


def days_of(flights: pd.DataFrame) -> Days:
    """Return the mean of each day."""
    columns = ["reward_a", "reward_b", "score_a", "score_b"]
    means = flights.groupby("day")[columns].mean()
    return Days(*(means[name].to_numpy() for name in columns))


def adjacent(days: int) -> Pairs:
    """Return pairs of neighbours: [pairs, 2]."""
    return np.arange(days // 2 * 2).reshape(-1, 2)


def halves(days: int, runs: int, rng: np.random.Generator) -> Booleans:
    """Deal half of the days to the treatment: [runs, days]."""
    return rng.permuted(np.tile(np.arange(days) % 2 == 0, (runs, 1)), axis=1)


def coins(pairs: Pairs, runs: int, rng: np.random.Generator) -> Booleans:
    """Throw a coin for each pair: which of its days is treated: [runs, days]."""
    arms = np.zeros((runs, int(pairs.max()) + 1), np.bool_)
    first = rng.random((runs, len(pairs))) < 0.5
    arms[:, pairs[:, 0]], arms[:, pairs[:, 1]] = first, ~first
    return arms


def less(values: Floats, covariate: Floats) -> Floats:
    """Return each run's values less what a covariate explains, as `cuped` does."""
    centred = covariate - covariate.mean()
    rest = values - values.mean(axis=1, keepdims=True)
    theta = rest @ centred / (centred @ centred)
    return np.asarray(values - theta[:, None] * centred)


def unpaired(values: Floats, arms: Booleans) -> Floats:
    """Return p-values of Welch's test on days."""
    sides = [np.where(arm, values, np.nan) for arm in (arms, ~arms)]
    test = stats.ttest_ind(*sides, axis=1, equal_var=False, nan_policy="omit")
    return np.asarray(test.pvalue)


def paired(pairs: Pairs) -> Callable[[Floats, Booleans], Floats]:
    """Return the paired t test of some pairs."""

    def test(values: Floats, arms: Booleans) -> Floats:
        sign = np.where(arms[:, pairs[:, 0]], 1, -1)
        gaps = sign * (values[:, pairs[:, 0]] - values[:, pairs[:, 1]])
        return np.asarray(stats.ttest_1samp(gaps, 0, axis=1).pvalue)

    return test

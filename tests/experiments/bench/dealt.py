"""Arms dealt out to units thousands of times, and what each analysis then says.

Every estimate and error here is a product of the dealt arms and a few sums of each
unit, so that 4,000 experiments on 84,059 flights take seconds. The benches hold the
first of them against the package.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats
from statsmodels.stats.proportion import proportion_confint

Floats = npt.NDArray[np.float64]
Booleans = npt.NDArray[np.bool_]

UNITS: dict[str, list[str]] = {
    "flight": ["flight_id"],
    "day": ["day"],
    "origin and day": ["origin", "day"],
    "hour and day": ["hour", "day"],
    "carrier and flight number": ["number"],
}
"""What may be assigned, and the columns that name it."""

PORTION = 100
"""Experiments that are dealt at once."""


class Sums(NamedTuple):
    """Of each unit: rows, sum and sum of squares of a metric."""

    rows: Floats
    total: Floats
    squares: Floats


def unit_of(flights: pd.DataFrame, unit: str) -> npt.NDArray[np.int64]:
    """Return the number of the unit that each flight belongs to."""
    return flights.groupby(UNITS[unit], sort=False).ngroup().to_numpy()


def sums_of(values: pd.Series, units: npt.NDArray[np.int64]) -> Sums:
    """Add up a metric by unit."""
    x = values.to_numpy(np.float64)
    return Sums(*(np.bincount(units, w) for w in (np.ones(len(x)), x, x**2)))


def deals(units: int, runs: int, seed: int = 0) -> Iterator[Booleans]:
    """Throw a coin for each unit, run by run, in portions: [runs, units]."""
    rng = np.random.default_rng(seed)
    for start in range(0, runs, PORTION):
        size = min(PORTION, runs - start), units
        yield rng.random(size, dtype=np.float32) < 0.5


def by_rows(arms: Booleans, treated: Sums, control: Sums) -> Floats:
    """Return p-values of Welch's test on rows, whatever was assigned."""
    sides = [_moments(a, s) for a, s in ((arms, treated), (~arms, control))]
    (mean, part, size), (other, rest, count) = sides
    freedom = (part + rest) ** 2 / (part**2 / (size - 1) + rest**2 / (count - 1))
    z = (mean - other) / np.sqrt(part + rest)
    return np.asarray(2 * stats.t.sf(np.abs(z), freedom))


def _moments(arms: Booleans, sums: Sums) -> tuple[Floats, Floats, Floats]:
    """Return the mean, its squared error, and the rows of an arm, run by run."""
    rows, total, squares = (arms.astype(np.float64) @ np.stack(sums, 1)).T
    mean = total / rows
    return mean, (squares - rows * mean**2) / (rows - 1) / rows, rows


def by_units(arms: Booleans, treated: Sums, control: Sums) -> Floats:
    """Return p-values with errors by unit, as `experiments.clustered_effect` does."""
    units = arms.shape[1]
    sides = [_pulls(a, s) for a, s in ((arms, treated), (~arms, control))]
    (mean, part, size), (other, rest, count) = sides
    rows = size + count
    few = units / (units - 1) * (rows - 1) / (rows - 2)
    z = (mean - other) / np.sqrt(few * (part + rest))
    return np.asarray(2 * stats.t.sf(np.abs(z), units - 1))


def _pulls(arms: Booleans, sums: Sums) -> tuple[Floats, Floats, Floats]:
    """Return the mean, the sum of the squared pulls of units, and the rows."""
    n, s, _ = sums
    columns = np.stack([n, s, s**2, s * n, n**2], 1)
    rows, total, ss, sn, nn = (arms.astype(np.float64) @ columns).T
    mean = total / rows
    spread = ss - 2 * mean * sn + mean**2 * nn
    return mean, spread / rows**2, rows


Test = Callable[[Booleans, Sums, Sums], Floats]


def rejects(test: Test, treated: Sums, control: Sums, runs: int) -> int:
    """Count the experiments in which a test finds a difference at 0.05."""
    portions = deals(len(control.rows), runs)
    return sum(int((test(arms, treated, control) < 0.05).sum()) for arms in portions)


def wilson(found: int, runs: int) -> str:
    """Return a rate with its interval by Wilson."""
    low, high = proportion_confint(found, runs, method="wilson")
    return f"{found / runs:.3f} ({low:.3f} to {high:.3f})"

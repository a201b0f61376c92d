# Do not edit: exported from labs/10_experiments.ipynb.
# Change the lab, then run `make export`.

"""Lab 10: designing an online experiment."""

__all__ = ["Floats", "adjusted", "arm_of", "srm_of_counts", "uniform", "units_needed"]

import hashlib
import math
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
from scipy import stats

Floats = npt.NDArray[np.float64]


def uniform(unit_id: str, salt: str) -> float:
    """Return a number in [0, 1) that depends on the unit and the salt alone."""
    digest = hashlib.sha256(f"{salt}|{unit_id}".encode()).digest()
    return int.from_bytes(digest[:6], "big") / 2**48


def arm_of(
    unit_id: str, salt: str, weights: Mapping[str, float], traffic: float = 1.0
) -> str:
    """Return the arm of a unit, or "" while it is outside of the traffic."""
    if uniform(unit_id, f"{salt}|traffic") >= traffic:
        return ""
    place = uniform(unit_id, f"{salt}|arm") * math.fsum(weights.values())
    for arm in sorted(weights):
        if place < weights[arm]:
            return arm
        place -= weights[arm]
    return arm


def units_needed(
    effect: float, sd: float, alpha: float = 0.05, power: float = 0.8
) -> int:
    """Return how many units each arm needs to find an effect, two-sided."""
    z = float(stats.norm.ppf(1 - alpha / 2) + stats.norm.ppf(power))
    return math.ceil(2 * (z * sd / effect) ** 2)


def srm_of_counts(counts: Mapping[str, int], weights: Mapping[str, float]) -> float:
    """Return the p-value of chi-squared for the sizes of the arms."""
    seen = np.array([counts.get(arm, 0) for arm in weights], float)
    share = np.array(list(weights.values()), float) / sum(weights.values())
    expected = seen.sum() * share
    surprise = ((seen - expected) ** 2 / expected).sum()
    return float(stats.chi2.sf(surprise, len(seen) - 1))


def adjusted(values: npt.ArrayLike, covariate: npt.ArrayLike) -> Floats:
    """Return the values less what a covariate from before explains (CUPED)."""
    values, covariate = np.asarray(values, float), np.asarray(covariate, float)
    centred = covariate - covariate.mean()
    theta = (values - values.mean()) @ centred / (centred @ centred)
    return np.asarray(values - theta * centred)

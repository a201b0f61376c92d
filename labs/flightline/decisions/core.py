# Do not edit: exported from labs/11_decisions.ipynb.
# Change the lab, then run `make export`.

"""Lab 11: deciding honestly."""

__all__ = ["Floats", "crossing", "no_worse", "step_after", "survivors", "z_bounds"]

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
from scipy import optimize, stats

Floats = npt.NDArray[np.float64]


def crossing(bounds: npt.ArrayLike, nodes: int = 64) -> float:
    """Return how often |Z| passes its bound at any of the equal looks, by chance."""
    looks = np.arange(1, np.size(bounds) + 1)
    edges = np.asarray(bounds, float) * np.sqrt(looks)  # of the sum S
    x, weight = np.polynomial.legendre.leggauss(nodes)  # on -1 to 1
    at = np.zeros(1)  # before the first look, S is zero
    inside = np.ones(1)  # and all of its weight is inside
    for edge in edges:
        step = stats.norm.pdf(edge * x[:, None] - at)
        inside = edge * weight * (step @ inside)
        at = edge * x
    return float(1 - inside.sum())


def z_bounds(kind: str, looks: int, alpha: float = 0.05) -> Floats:
    """Return the two-sided bounds of |Z| at equal looks: pocock or obrien_fleming."""
    k = np.arange(1, looks + 1)
    shape = {"pocock": np.ones(looks), "obrien_fleming": np.sqrt(looks / k)}[kind]
    size = optimize.brentq(lambda c: crossing(c * shape) - alpha, 0.5, 5)
    return np.asarray(size * shape)


def survivors(pvalues: npt.ArrayLike, alpha: float = 0.05) -> npt.NDArray[np.bool_]:
    """Return which discoveries stand at a false discovery rate (Benjamini-Hochberg)."""
    p = np.asarray(pvalues, float)
    order = np.argsort(p)
    below = p[order] <= alpha * np.arange(1, len(p) + 1) / len(p)
    found = np.zeros(len(p), bool)
    if below.any():
        found[order[: np.flatnonzero(below)[-1] + 1]] = True
    return found


def no_worse(estimate: float, se: float, margin: float, alpha: float = 0.05) -> bool:
    """Tell whether a loss as large as the margin is excluded, at one-sided alpha."""
    return bool(estimate - stats.norm.ppf(1 - alpha) * se > -margin)


def step_after(low: float, high: float, guards: Mapping[str, bool], cost: float) -> str:
    """Decide from an interval, guardrails shown to hold, and a cost: one of three."""
    if high < cost:
        return "kill"
    return "ship" if low > cost and all(guards.values()) else "iterate"

"""Lab 11: deciding honestly (contract; the lab exports it)."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
from scipy import optimize, stats

__all__ = ["Floats", "crossing", "no_worse", "step_after", "survivors", "z_bounds"]

Floats = npt.NDArray[np.float64]


def crossing(bounds: npt.ArrayLike, nodes: int = 64) -> float:
    """Return how often |Z| exceeds its bound at any of the equal looks, no effect.

    The sum S = Z sqrt(k) grows by independent normal steps; its density inside of the
    bounds is carried from look to look on Gauss-Legendre nodes.
    """
    edges = np.asarray(bounds, float) * np.sqrt(np.arange(1, len(bounds) + 1))
    x, w = np.polynomial.legendre.leggauss(nodes)
    inside = edges[0] * w * stats.norm.pdf(edges[0] * x)
    at = edges[0] * x
    for edge in edges[1:]:
        step = stats.norm.pdf(edge * x[:, None] - at)
        inside, at = edge * w * (step @ inside), edge * x
    return float(1 - inside.sum())


def z_bounds(kind: str, looks: int, alpha: float = 0.05) -> Floats:
    """Return the two-sided bounds of |Z| at equal looks: pocock or obrien_fleming."""
    k = np.arange(1, looks + 1)
    shape = {"pocock": np.ones(looks), "obrien_fleming": np.sqrt(looks / k)}[kind]
    size = optimize.brentq(lambda c: crossing(c * shape) - alpha, 0.5, 10)
    return np.asarray(size * shape)


def survivors(pvalues: npt.ArrayLike, alpha: float = 0.05) -> npt.NDArray[np.bool_]:
    """Return which discoveries stand at a false discovery rate (Benjamini-Hochberg)."""
    p = np.asarray(pvalues, float)
    order = np.argsort(p)
    passed = np.flatnonzero(p[order] <= alpha * np.arange(1, len(p) + 1) / len(p))
    found = np.zeros(len(p), bool)
    if len(passed):
        found[order[: passed[-1] + 1]] = True
    return found


def no_worse(estimate: float, se: float, margin: float, alpha: float = 0.05) -> bool:
    """Tell whether a loss larger than the margin is excluded, at one-sided alpha."""
    return bool(estimate - stats.norm.ppf(1 - alpha) * se > -margin)


def step_after(
    low: float, high: float, guards: Mapping[str, bool], cost: float
) -> str:
    """Decide from an interval, guardrails that are safe or not, and a cost: ship, iterate or kill."""
    if low > cost and all(guards.values()):
        return "ship"
    return "kill" if high < cost else "iterate"

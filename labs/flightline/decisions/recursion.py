"""The chance that a statistic has not crossed its bounds yet, look by look.

The sum S(t) = Z(t) sqrt(t) grows by independent normal steps of variance t - s. Its
density inside of the bounds is carried from look to look on Gauss-Legendre nodes, and
what leaves is a tail of each step (Armitage, McPherson and Rowe 1969). Tails, and not
one minus the rest, keep their relative precision for error rates far below 1e-16.
"""

from functools import cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import special

from flightline.decisions.inputs import Floats

SPACING = 0.6
"""Widest gap between nodes, in standard deviations of a step: errors below 1e-10."""


class Inside(NamedTuple):
    """Where the sum is if no bound was crossed: places, their mass, and the time."""

    at: Floats
    mass: Floats
    time: float


def start() -> Inside:
    """Return the sum before the first look: all of it at 0."""
    return Inside(np.zeros(1), np.ones(1), 0.0)


def leaves(inside: Inside, time: float, bound: float) -> float:
    """Return the chance of |Z| above the bound at this look, and never before."""
    edge, sd = bound * np.sqrt(time), np.sqrt(time - inside.time)
    above = special.ndtr((inside.at - edge) / sd)
    below = special.ndtr((-inside.at - edge) / sd)
    return float(inside.mass @ (above + below))


def stays(inside: Inside, time: float, bound: float, widest: float) -> Inside:
    """Return the sum after a look that crossed nothing.

    Parameters
    ----------
    inside : Inside
        After the look before.
    time : float
        Information now.
    bound : float
        Of |Z|; it may be infinite.
    widest : float
        A |Z| beyond which there is nothing that counts.

    Returns
    -------
    Inside
    """
    edge, sd = min(bound, widest) * np.sqrt(time), np.sqrt(time - inside.time)
    x, weights = _nodes(max(24, int(np.ceil(np.pi * edge / (SPACING * sd)))))
    at = edge * x
    steps = np.exp(-0.5 * ((at[:, None] - inside.at) / sd) ** 2) @ inside.mass
    mass = edge * weights * steps / (sd * np.sqrt(2 * np.pi))
    return Inside(at, mass, time)


def widest(alpha: float) -> float:
    """Return the |Z| beyond which the chance is a billionth of alpha."""
    return float(min(-special.ndtri(alpha * 1e-9 / 2), 37.5))  # a double ends there


def crossings(bounds: Floats, times: Floats, alpha: float) -> Floats:
    """Return the chance of the first crossing at each look, without effect.

    Parameters
    ----------
    bounds : array of float64, shape (looks,)
        Of |Z|.
    times : array of float64, shape (looks,)
        Information, rising.
    alpha : float
        The size of the answer that is asked for: it sets the precision.

    Returns
    -------
    array of float64, shape (looks,)
    """
    inside, limit = start(), widest(alpha)
    found = np.empty(len(bounds))
    for look, (bound, time) in enumerate(zip(bounds, times, strict=True)):
        found[look] = leaves(inside, time, bound)
        inside = stays(inside, time, bound, limit)
    return found


@cache
def _nodes(count: int) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return Gauss-Legendre nodes and weights on -1 to 1."""
    x, weights = np.polynomial.legendre.leggauss(count)
    return x, weights

"""Caches, tables and logs."""

import numpy as np
from scipy.optimize import brentq

from flightline.estimate.checks import (
    MOST_ROWS,
    count,
    in_python_numbers,
    positive,
    within,
)


@in_python_numbers
def zipf_shares(keys: int, exponent: float) -> np.ndarray:
    """Return the share of requests that each key gets under Zipf's law.

    Parameters
    ----------
    keys : int
        Number of different keys.
    exponent : float
        0: all alike. Near 1: a few keys get most requests.

    Returns
    -------
    numpy.ndarray
        Shares, the largest first, that add up to 1.
    """
    count(most=MOST_ROWS, keys=keys)
    within(0, 10, exponent=exponent)
    weights = np.arange(1, keys + 1, dtype=float) ** -exponent
    return np.asarray(weights / weights.sum())


def cache_hit_rate(shares: np.ndarray, size: int, policy: str = "lru") -> float:
    """Estimate the share of requests that a cache answers.

    Requests are independent of each other, and nothing expires.

    Parameters
    ----------
    shares : numpy.ndarray
        Share of the requests for each key; above zero, and they add up to 1.
    size : int
        Keys that the cache holds, at least 1.
    policy : str
        "static": the most wanted keys, always. "lru": the most recently used ones, by
        Che's approximation.

    Returns
    -------
    float
        Between 0 and 1.
    """
    count(size=size)
    positive(smallest_of_shares=float(np.min(shares)))
    within(1 - 1e-6, 1 + 1e-6, sum_of_shares=float(np.sum(shares)))
    if policy not in ("static", "lru"):
        raise ValueError(f'policy is {policy!r}; use "static" or "lru".')
    if size >= len(shares):
        return 1.0
    if policy == "static":
        return float(np.sort(shares)[::-1][:size].sum())

    def excess(age: float) -> float:
        return float(-np.expm1(-shares * age).sum() - size)

    age = brentq(excess, 0, 50 / float(np.min(shares)))
    return float(-(shares * np.expm1(-shares * age)).sum())


@in_python_numbers
def storage_bytes(
    *, rows: float, row_bytes: float, copies: int = 1, ratio: float = 1
) -> float:
    """Return the size of a table or a log on disk.

    Parameters
    ----------
    rows : float
        Of a feature table: entities, times the versions kept of each. Of a log: events
        a second, times the seconds of its retention.
    row_bytes : float
        Bytes of a row before compression. Times events a second it is the traffic.
    copies : int
        Replicas.
    ratio : float
        Raw bytes over stored bytes.

    Returns
    -------
    float
        Bytes.
    """
    positive(rows=rows, row_bytes=row_bytes, ratio=ratio)
    count(copies=copies)
    return rows * row_bytes * copies / ratio

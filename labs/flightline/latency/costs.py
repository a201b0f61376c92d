"""What batches and caches cost and give, by arithmetic; which choices nothing beats."""

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from flightline.latency import core
from flightline.latency.core import BatchCost

Doubles = npt.NDArray[np.float64]


def _times(name: str, values: npt.ArrayLike) -> Doubles:
    """Return a list of numbers as float64; refuse NaN, infinity, and an empty list."""
    found = np.asarray(values, np.float64)
    if found.ndim != 1 or not found.size or not np.isfinite(found).all():
        raise ValueError(
            f"{name}: {found.size} numbers in {found.ndim} dimensions. Give a list of "
            "at least one finite number."
        )
    return found


def fit_batch_cost(rows: Sequence[float], ms: Sequence[float]) -> BatchCost:
    """Fit `t(n) = a + b * n` to measured batches, by least relative squares.

    Parameters
    ----------
    rows : sequence of int
        Sizes from 1 on, at least two different ones.
    ms : sequence of float
        The time of each in milliseconds, positive.

    Returns
    -------
    BatchCost
        Its `a_ms` may come out below zero where the times are no straight line.

    Raises
    ------
    ValueError
        If there are not two sizes, a time is not positive, or there is not one time for
        each size.

    Examples
    --------
    >>> law = fit_batch_cost([1, 10, 100], [3.0, 12.0, 102.0])
    >>> round(law.a_ms, 3), round(law.b_ms, 3), round(law.per_s(8))
    (2.0, 1.0, 800)
    """
    sizes, took = _times("rows", rows), _times("ms", ms)
    if len(sizes) != len(took):
        raise ValueError(
            f"{len(sizes)} sizes and {len(took)} times: measure one time for each size."
        )
    if len(set(sizes)) < 2 or not (sizes >= 1).all() or not (took > 0).all():
        raise ValueError(
            "measure at least two sizes, of one row or more, and positive times."
        )
    return core.fit_batch_cost(sizes.tolist(), took.tolist())


def batched_response(
    arrival_ms: npt.ArrayLike, cost: BatchCost, most_rows: int, wait_ms: float
) -> Doubles:
    """Simulate one model behind a batcher, and return how long each request takes.

    A batch starts when the model is free and either most_rows requests wait or the
    first of them has waited wait_ms. It takes those that have come by then, the oldest
    first. `MicroBatcher` keeps the same rule.

    Parameters
    ----------
    arrival_ms : array_like of float [n]
        When requests come, in order.
    cost : BatchCost
        What a batch of some rows takes.
    most_rows : int
        The largest batch.
    wait_ms : float
        How long the first row of a batch waits for others; 0 takes what is there.

    Returns
    -------
    array of float64 [n]
        Milliseconds from arrival to answer.

    Raises
    ------
    ValueError
        If arrivals are not in order, or a limit makes no sense.

    Examples
    --------
    >>> cost = BatchCost(a_ms=4, b_ms=1)
    >>> batched_response([0, 1, 2, 10], cost, most_rows=8, wait_ms=3).tolist()
    [10.0, 9.0, 8.0, 8.0]
    """
    arrival = _times("arrival_ms", arrival_ms)
    if (late := np.flatnonzero(np.diff(arrival) < 0)).size:
        raise ValueError(
            f"arrival {late[0] + 1} is earlier than the one before it. Sort them."
        )
    if most_rows < 1 or most_rows != math.floor(most_rows) or not wait_ms >= 0:
        raise ValueError(
            f"most_rows={most_rows}, wait_ms={wait_ms}: give at least one row, and a "
            "wait from 0 on."
        )
    return core.batched_response(arrival, cost, int(most_rows), wait_ms)


def mixed_quantile(
    hit_ms: npt.ArrayLike, miss_ms: npt.ArrayLike, hit_rate: float, q: float
) -> float:
    """Return a quantile of the latency behind a cache.

    Parameters
    ----------
    hit_ms, miss_ms : array_like of float
        Times of hits and of misses, at least one each; how many does not matter.
    hit_rate : float
        The share of requests that hit, from 0 to 1.
    q : float
        Such as 0.99.

    Returns
    -------
    float
        The least time that a share `q` of the requests does not exceed.

    Raises
    ------
    ValueError
        If a share is not between 0 and 1, or a time is missing.

    Examples
    --------
    >>> mixed_quantile([1.0], [10.0], hit_rate=0.98, q=0.99)
    10.0
    """
    if not 0 <= hit_rate <= 1 or not 0 <= q <= 1:
        raise ValueError(f"hit_rate={hit_rate}, q={q}: shares lie between 0 and 1.")
    hits, misses = _times("hit_ms", hit_ms), _times("miss_ms", miss_ms)
    return float(core.mixed_quantile(hits, misses, hit_rate, q))


def frontier(
    table: pd.DataFrame, less: Sequence[str], more: Sequence[str]
) -> npt.NDArray[np.bool_]:
    """Mark the rows that no other row beats: at least as good everywhere, once better.

    Parameters
    ----------
    table : DataFrame
        Any dtypes that can be compared, unsigned ones too.
    less, more : sequences of str
        Columns of which less, or more, is better; at least one in all.

    Returns
    -------
    array of bool, one per row

    Raises
    ------
    ValueError
        If a column is missing or named twice, or a value in one is.

    Examples
    --------
    >>> found = pd.DataFrame({"ms": [1, 2, 2], "auc": [0.7, 0.8, 0.6]})
    >>> frontier(found, less=["ms"], more=["auc"]).tolist()
    [True, True, False]
    """
    names = [*less, *more]
    if not names or len(set(names)) < len(names):
        raise ValueError(f"less={list(less)}, more={list(more)}: name each once.")
    for name in names:
        if (times := list(table.columns).count(name)) != 1:
            raise ValueError(f"the table has {times} columns {name!r}; it needs one.")
    if missing := [name for name in names if table[name].isna().any()]:
        raise ValueError(f"values are missing in {', '.join(missing)}. Leave them out.")
    # Ranks, not values: they keep the order, and can be negated (-1 as uint8 is 255).
    ranks = {
        name: np.unique(table[name].to_numpy(), return_inverse=True)[1]
        for name in names
    }
    return np.asarray(core.frontier(pd.DataFrame(ranks), less, more), np.bool_)

"""Serve requests one by one: what theory is held against."""

import numpy as np
import numpy.typing as npt

from flightline.estimate.checks import (
    MOST_ROWS,
    count,
    in_python_numbers,
    seconds,
    within,
)
from flightline.estimate.core import Floats, serve_in_order
from flightline.estimate.tails import response_tail


def simulate_queue(
    arrival_s: npt.ArrayLike, service_s: npt.ArrayLike, servers: int = 1
) -> Floats:
    """Serve requests in the order of arrival, each at the server that is free first.

    Parameters
    ----------
    arrival_s : array_like of float
        Times of arrival in seconds, ascending.
    service_s : array_like of float
        Seconds of service, one for each arrival.
    servers : int
        Servers that share the queue.

    Returns
    -------
    numpy.ndarray
        Response time of each request in seconds.

    Raises
    ------
    ValueError
        If the times do not ascend or are no numbers, or there is not one service for
        each.
    """
    count(servers=servers)
    came, takes = seconds("arrival_s", arrival_s), seconds("service_s", service_s)
    if came.shape != takes.shape or not np.all(np.diff(came) >= 0):
        raise ValueError("arrival_s must ascend, with one service_s for each.")
    if np.any(takes < 0):
        raise ValueError("service_s must not be negative.")
    if servers > 1:
        return serve_in_order(came, takes, servers)
    done = np.cumsum(takes)  # one server needs no loop
    start = np.maximum.accumulate(came - done + takes)
    return np.asarray(start + done - came)


@in_python_numbers
def simulate_seconds(
    quantile: float,
    *,
    qps: float,
    service_s: float,
    servers: int = 1,
    model: str = "M/D/1",
    batch: int = 1,
    requests: int = 200_000,
    seed: int = 0,
) -> float:
    """Estimate what `response_seconds` returns by serving random requests.

    Parameters
    ----------
    quantile, qps, service_s, servers, model, batch
        As `response_seconds` takes them.
    requests : int
        How many requests to draw, at least one batch.
    seed : int
        The same seed gives the same requests.

    Returns
    -------
    float
        Seconds.
    """
    response_tail(
        0, qps=qps, service_s=service_s, servers=servers, model=model, batch=batch
    )
    within(0, 1, quantile=quantile)
    count(most=MOST_ROWS, requests=requests)
    count(batches_of_requests=requests // batch)
    rng, shared = np.random.default_rng(seed), model == "M/M/c"
    gap_s = 1 / qps if shared else servers / qps
    came = np.cumsum(rng.exponential(gap_s, requests // batch * batch))
    ready = came[batch - 1 :: batch]
    fixed = np.full(len(ready), service_s)
    takes = fixed if model == "M/D/1" else rng.exponential(fixed)
    done = ready + simulate_queue(ready, takes, servers if shared else 1)
    return float(np.quantile(np.repeat(done, batch) - came, quantile))

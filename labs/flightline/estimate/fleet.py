"""How many servers, and in which batches."""

import math
from functools import partial

from flightline.estimate.checks import (
    count,
    in_python_numbers,
    number,
    positive,
    within,
)
from flightline.estimate.core import smallest_fleet
from flightline.estimate.tails import FULL_BATCH, MODELS, late_share

MOST_FLEETS = 100_000
"""How many fleets a search with batches tries, one by one."""


@in_python_numbers
def fleet_size(
    *,
    qps: float,
    service_s: float,
    target_s: float,
    quantile: float = 0.99,
    model: str = "M/D/1",
    batch: int = 1,
    peak: float = 1,
    hit_rate: float = 0,
    spare: int = 1,
) -> int:
    """Return the smallest number of servers that keeps a response-time target.

    Parameters
    ----------
    qps : float
        Requests a second, on average over the day.
    service_s : float
        Seconds to serve one batch; one request if `batch` is 1.
    target_s, quantile : float
        The share `quantile` of the requests must be answered within `target_s`.
    model, batch
        As `response_tail` takes them.
    peak : float
        Busiest rate over average rate, at least 1.
    hit_rate : float
        Share of the requests that a cache answers; below 1.
    spare : int
        Servers on top, for failures and deployments.

    Returns
    -------
    int
        Servers, the spare ones included.

    Raises
    ------
    ValueError
        If an input is impossible, or no number of servers keeps the target.
    """
    positive(qps=qps, service_s=service_s, target_s=target_s)
    count(most=FULL_BATCH, batch=batch)
    _must_be_a_demand(quantile, model, peak, hit_rate, spare)
    asked = partial(late_share, model=model, batch=batch)
    load = qps * peak * (1 - hit_rate)
    within(0, 1e9, busy_servers_of_qps_and_service_s=load * service_s / batch)
    if batch > 1:
        late = partial(asked, target_s, qps=load, service_s=service_s)
        start = math.floor(load * service_s / batch) + 1
        # with so many servers a first request waits twice the target for its batch
        stop = math.ceil(2 * target_s * load / (batch - 1)) + 1
        if stop - start > MOST_FLEETS:
            raise ValueError(
                f"qps is {qps}: too many fleets to search. Ask for a tenth of qps, and "
                "take ten times the servers: each server gets the same load."
            )
        for servers in range(start, stop):
            if late(servers=servers) <= 1 - quantile:
                return servers + int(spare)
        raise ValueError(f"target_s is {target_s}: no number of servers will do.")
    return smallest_fleet(
        asked,
        qps=qps,
        service_s=service_s,
        target_s=target_s,
        quantile=quantile,
        peak=peak,
        hit_rate=hit_rate,
        spare=int(spare),
    )


def _must_be_a_demand(
    quantile: float, model: str, peak: float, hit_rate: float, spare: int
) -> None:
    """Refuse what no fleet can be asked for."""
    number(spare=spare)
    within(1e-9, 1 - 1e-9, quantile=quantile)
    within(0, 1 - 1e-9, hit_rate=hit_rate)
    within(1, 1e9, peak=peak)
    count(spare_and_1=spare + 1)
    if model not in MODELS:
        raise ValueError(f"model is {model!r}; use one of {MODELS}.")


@in_python_numbers
def best_batch(
    *,
    qps: float,
    target_s: float,
    fixed_s: float,
    per_item_s: float,
    largest: int = 32,
    quantile: float = 0.99,
    model: str = "M/D/1",
    peak: float = 1,
    hit_rate: float = 0,
    spare: int = 1,
) -> tuple[int, int]:
    """Choose the batch that keeps the target with the fewest servers.

    Parameters
    ----------
    qps, target_s, quantile, model, peak, hit_rate, spare
        As `fleet_size` takes them.
    fixed_s, per_item_s : float
        `a` and `b` of the batch cost `t(n) = a + b n`, in seconds.
    largest : int
        The largest batch to try.

    Returns
    -------
    tuple of int
        Requests per batch, and servers: the fewest, and among equals the smallest
        batch.

    Raises
    ------
    ValueError
        If an input is impossible, or no batch keeps the target.
    """
    within(0, math.inf, fixed_s=fixed_s, per_item_s=per_item_s)
    positive(qps=qps, target_s=target_s, fixed_s_and_per_item_s=fixed_s + per_item_s)
    count(most=FULL_BATCH, largest=largest)
    _must_be_a_demand(quantile, model, peak, hit_rate, spare)
    found = []
    for batch in range(1, largest + 1):
        try:
            servers = fleet_size(
                qps=qps,
                service_s=fixed_s + per_item_s * batch,
                target_s=target_s,
                quantile=quantile,
                model=model,
                batch=batch,
                peak=peak,
                hit_rate=hit_rate,
                spare=spare,
            )
        except ValueError:  # no number of servers will do
            continue
        found.append((servers, batch))
    if not found:
        raise ValueError(f"target_s is {target_s}: no batch up to {largest} will do.")
    servers, batch = min(found)
    return batch, servers

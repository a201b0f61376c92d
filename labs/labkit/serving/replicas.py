"""Replicas behind a load balancer: the same requests, routed by different policies.

`queue_up` computes response times exactly, request by request. `sleep_through` lets
replicas really sleep their service times, in one event loop, so that what was computed
can be held against a clock.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pandas as pd

from labkit.serving.http_load import in_thread

Policy = Callable[[Sequence[int], int, np.random.Generator], int]


def at_random(loads: Sequence[int], turn: int, chance: np.random.Generator) -> int:
    """Send the request to any replica."""
    return int(chance.integers(len(loads)))


def round_robin(loads: Sequence[int], turn: int, chance: np.random.Generator) -> int:
    """Send the requests around, to each replica in turn."""
    return turn % len(loads)


def two_choices(loads: Sequence[int], turn: int, chance: np.random.Generator) -> int:
    """Look at two replicas, chosen at random, and take the one with fewer requests."""
    one = int(chance.integers(len(loads)))
    other = int(chance.integers(len(loads) - 1))
    other += other >= one
    return other if loads[other] < loads[one] else one


POLICIES: dict[str, Policy] = {
    "random": at_random,
    "round robin": round_robin,
    "two choices": two_choices,
}


def requests(
    count: int, replicas: int, utilisation: float, seed: int = 8
) -> tuple[np.ndarray, np.ndarray]:
    """Draw arrival times and service times, in units of the mean service time.

    Parameters
    ----------
    count : int
        How many requests.
    replicas : int
        How many replicas share them.
    utilisation : float
        Share of the time that a replica is busy, below 1.
    seed : int

    Returns
    -------
    arrival, service : numpy.ndarray
        Gaps between arrivals and service times are both exponential.
    """
    chance = np.random.default_rng(seed)
    gaps = chance.exponential(1 / (utilisation * replicas), count)
    return np.cumsum(gaps), chance.exponential(1.0, count)


def queue_up(
    policy: Policy,
    arrival: np.ndarray,
    service: np.ndarray,
    replicas: int,
    seed: int = 1,
) -> np.ndarray:
    """Return the response time of each request, computed; each replica is a queue.

    Parameters
    ----------
    policy : callable
        Takes the number of requests at each replica, the number of the request and
        a random generator; returns the replica.
    arrival, service : numpy.ndarray
        As `requests` draws them.
    replicas : int
        How many.
    seed : int
        For the policy's own choices.
    """
    chance = np.random.default_rng(seed)
    ends: list[deque[float]] = [deque() for _ in range(replicas)]
    out = np.empty(len(arrival))
    for turn, now in enumerate(arrival.tolist()):
        for queue in ends:
            while queue and queue[0] <= now:
                queue.popleft()
        queue = ends[policy([len(queue) for queue in ends], turn, chance)]
        end = max(now, queue[-1] if queue else now) + float(service[turn])
        queue.append(end)
        out[turn] = end - now
    return out


def sleep_through(
    policies: Mapping[str, Policy],
    arrival: np.ndarray,
    service: np.ndarray,
    replicas: int,
    mean_s: float = 0.02,
    seed: int = 1,
) -> pd.DataFrame:
    """Let replicas sleep their service times; return response times by policy.

    All policies run side by side on the same requests, each with replicas of its own.

    Parameters
    ----------
    policies : mapping of str to callable
        As for `queue_up`.
    arrival, service, replicas, seed
        As for `queue_up`.
    mean_s : float
        How many seconds one mean service time is.

    Returns
    -------
    DataFrame
        A column a policy, a row a request, in mean service times.
    """

    async def world(policy: Policy) -> list[float]:
        chance, loads = np.random.default_rng(seed), [0] * replicas
        locks = [asyncio.Lock() for _ in range(replicas)]
        start, out = time.perf_counter(), [0.0] * len(arrival)

        async def serve(turn: int, due: float) -> None:
            at = policy(loads, turn, chance)
            loads[at] += 1
            async with locks[at]:
                await asyncio.sleep(service[turn] * mean_s)
            loads[at] -= 1
            out[turn] = (time.perf_counter() - due) / mean_s

        tasks = []
        for turn, moment in enumerate(arrival * mean_s):
            left = start + moment - time.perf_counter()
            if left > 0:
                await asyncio.sleep(left)
            tasks.append(asyncio.create_task(serve(turn, start + moment)))
        await asyncio.gather(*tasks)
        return out

    async def all_worlds() -> list[list[float]]:
        return await asyncio.gather(*(world(each) for each in policies.values()))

    return pd.DataFrame(dict(zip(policies, in_thread(all_worlds()), strict=True)))

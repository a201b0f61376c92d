# Do not edit: exported from labs/02_estimate.ipynb.
# Change the lab, then run `make export`.

"""Lab 02: a calculator that is held against reality."""

__all__ = [
    "Estimate",
    "Floats",
    "broken_assumption",
    "draw",
    "roofline_seconds",
    "run_days",
    "serve_in_order",
    "smallest_fleet",
    "swing_ends",
    "tokens_in_step",
]

import heapq
import math
from bisect import bisect_left
from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt


def run_days(
    flops: float,
    *,
    accelerators: float,
    peak_tflops: float,
    mfu: float,
    goodput: float = 1.0,
) -> float:
    """Return the days of a training run: its operations over their speed.

    `peak_tflops` is the peak of one accelerator, in 10^12 operations a second.
    """
    flop_s = accelerators * peak_tflops * 1e12 * mfu * goodput
    return flops / flop_s / 86_400


def tokens_in_step(
    *, step_s: float, batch: int, params: float, peak_tflops: float, mfu: float
) -> int:
    """Return how many tokens each example of a training step may have."""
    flops = step_s * peak_tflops * 1e12 * mfu
    return int(flops / (6 * params * batch))


Estimate = Callable[..., float]
Floats = npt.NDArray[np.float64]


def draw(
    estimate: Estimate,
    assumptions: Mapping[str, float | tuple[float, float, float]],
    draws: int = 2_000,
    seed: int = 0,
    by_factor: bool = True,
) -> Floats:
    """Evaluate an estimate on random draws; a triple is low, likely and high."""
    rng = np.random.default_rng(seed)
    drawn = {}
    for name, value in assumptions.items():
        if isinstance(value, tuple):
            in_logs = by_factor and value[0] > 0
            low, likely, high = np.log(value) if in_logs else value
            values = rng.triangular(low, likely, high, draws)
            values = np.exp(values) if in_logs else values
            drawn[name] = values.clip(value[0], value[2]).tolist()
    results = []
    for row in zip(*drawn.values(), strict=True):
        chosen = dict(zip(drawn, row, strict=True))
        results.append(estimate(**{**assumptions, **chosen}))
    return np.array(results)


def swing_ends(
    estimate: Estimate,
    assumptions: Mapping[str, float | tuple[float, float, float]],
) -> dict[str, tuple[float, float]]:
    """Return the estimate at both ends of each range, the widest factor first."""
    ranges = {n: v for n, v in assumptions.items() if isinstance(v, tuple)}
    middle = {**assumptions, **{n: likely for n, (_, likely, _) in ranges.items()}}
    ends = {}
    for name, (low, _, high) in ranges.items():
        at_low = estimate(**{**middle, name: low})
        at_high = estimate(**{**middle, name: high})
        ends[name] = (at_low, at_high)
    widest_first = sorted(ends, key=lambda n: min(ends[n]) / max(ends[n]))
    return {name: ends[name] for name in widest_first}


def roofline_seconds(
    flops: float, moved_bytes: float, *, flop_s: float, bytes_s: float
) -> float:
    """Return the least time of some work: arithmetic or memory, whichever is slower."""
    return max(flops / flop_s, moved_bytes / bytes_s)


def serve_in_order(arrival_s: Floats, service_s: Floats, servers: int = 1) -> Floats:
    """Return the response time of each request; the queue is shared by all servers."""
    free_at = [-math.inf] * servers
    response_s = np.empty(len(arrival_s))
    for k, (came, takes) in enumerate(zip(arrival_s, service_s, strict=True)):
        done = max(came, heapq.heappop(free_at)) + takes
        heapq.heappush(free_at, done)
        response_s[k] = done - came
    return response_s


def smallest_fleet(
    late_share: Callable[..., float],
    *,
    qps: float,
    service_s: float,
    target_s: float,
    quantile: float = 0.99,
    peak: float = 1.0,
    hit_rate: float = 0.0,
    spare: int = 1,
) -> int:
    """Return the fewest servers that keep a response time, and the spare ones."""
    load = qps * peak * (1 - hit_rate)

    def will_do(servers: int) -> bool:
        late = late_share(target_s, qps=load, service_s=service_s, servers=servers)
        return late <= 1 - quantile

    start = math.floor(load * service_s) + 1
    stop = math.ceil(load * service_s / (1 - quantile)) + 2
    found = start + bisect_left(range(start, stop), True, key=will_do)
    if found >= stop:
        raise ValueError(f"target_s is {target_s}: no number of servers will do.")
    return found + spare


def broken_assumption(arrival_s: Floats, service_s: Floats) -> str:
    """Name what broke a plan: overloaded, bursty, uneven, or nothing: as planned."""
    gaps_s = np.diff(arrival_s)
    if np.sum(service_s) >= gaps_s.sum():
        return "overloaded"
    if gaps_s.var() > 1.5 * gaps_s.mean() ** 2:
        return "bursty"
    if np.var(service_s) > 0.5 * np.mean(service_s) ** 2:
        return "uneven"
    return "as planned"

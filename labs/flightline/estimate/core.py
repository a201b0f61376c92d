# Do not edit: exported from labs/02_estimate.ipynb.
# Change the lab, then run `make export`.

"""Lab 02: a calculator that is held against reality."""

__all__ = [
    "MODELS",
    "STATE_BYTES",
    "Range",
    "Swing",
    "all_reduce_bytes",
    "best_batch",
    "cache_hit_rate",
    "cost_per_million_usd",
    "cost_usd",
    "fill_tail",
    "fleet_size",
    "flops_per_token",
    "goodput",
    "interval",
    "longest_sequence",
    "monte_carlo",
    "queue_fault",
    "response_seconds",
    "response_tail",
    "sensitivity",
    "simulate_queue",
    "simulate_seconds",
    "step_seconds",
    "storage_bytes",
    "training_days",
    "training_memory",
    "training_steps",
    "zipf_shares",
]

import math
from bisect import bisect_left
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from scipy.optimize import brentq


def _positive(**values: float) -> None:
    """Refuse values that are not positive and finite."""
    for name, value in values.items():
        if not 0 < value < math.inf:
            raise ValueError(f"{name} is {value}; it must be positive and finite.")


def _within(low: float, high: float, **values: float) -> None:
    """Refuse values outside an interval; an infinite or missing value is outside."""
    for name, value in values.items():
        if not (low <= value <= high and math.isfinite(value)):
            raise ValueError(f"{name} is {value}; it must lie from {low} to {high}.")


def _count(**values: float) -> None:
    """Refuse values that are not whole numbers of at least 1."""
    for name, value in values.items():
        if not (1 <= value < math.inf and value == int(value)):
            raise ValueError(f"{name} is {value}; it must be a whole number from 1.")


@dataclass(frozen=True)
class Range:
    """A value that is not known exactly.

    Parameters
    ----------
    low, likely, high : float
        The lowest, the likeliest and the highest value, in this order.

    Raises
    ------
    ValueError
        If the three are not in order, or one is not finite.

    Examples
    --------
    >>> Range(0.2, 0.4, 0.5).likely
    0.4
    """

    low: float
    likely: float
    high: float

    def __post_init__(self) -> None:
        """Refuse values out of order."""
        if not -math.inf < self.low <= self.likely <= self.high < math.inf:
            raise ValueError(f"{self} must be finite, and low <= likely <= high.")


class Swing(NamedTuple):
    """What an estimate becomes at both ends of one assumption."""

    name: str
    at_low: float
    at_high: float
    factor: float


def flops_per_token(
    params: float, *, layers: float = 0, width: float = 0, seq_len: float = 0
) -> float:
    """Count the floating-point operations that train on one token.

    Forward and backward, without recomputation: `6 N + 12 L d T` (PaLM, appendix B).

    Parameters
    ----------
    params : float
        Parameters of the model, without embeddings that are only looked up.
    layers, width, seq_len : float
        Layers, model width and tokens per example; 0 leaves attention out.

    Returns
    -------
    float
        Floating-point operations per token.

    Examples
    --------
    >>> flops_per_token(100e6)
    600000000.0
    """
    _positive(params=params)
    _within(0, 1e12, layers=layers, width=width, seq_len=seq_len)
    return 6 * params + 12 * layers * width * seq_len


def training_days(
    *,
    params: float,
    examples: float,
    accelerators: float,
    peak_tflops: float,
    mfu: float,
    tokens_per_example: float = 1,
    epochs: float = 1,
    goodput: float = 1,
    layers: float = 0,
    width: float = 0,
) -> float:
    """Estimate how many days a training run takes.

    Parameters
    ----------
    params, layers, width : float
        The model, as `flops_per_token` takes it.
    examples, tokens_per_example : float
        Size of the data. Examples that are rows of a table have one token each.
    accelerators : float
        How many work on the run.
    peak_tflops : float
        Peak of one accelerator in 10^12 FLOP/s, dense, for the number format used.
    mfu : float
        Share of that peak that does useful work, above 0 and at most 1.
    epochs : float
        Passes over the data.
    goodput : float
        Share of the time not lost to failures and checkpoints, above 0 and at most 1.

    Returns
    -------
    float
        Days from start to end.

    Raises
    ------
    ValueError
        If an input is impossible; the message names it.
    """
    _positive(examples=examples, tokens_per_example=tokens_per_example, epochs=epochs)
    _positive(accelerators=accelerators, peak_tflops=peak_tflops)
    _positive(mfu=mfu, goodput=goodput)
    _within(0, 1, mfu=mfu, goodput=goodput)
    seq_len = tokens_per_example
    per_token = flops_per_token(params, layers=layers, width=width, seq_len=seq_len)
    work = per_token * examples * tokens_per_example * epochs
    return work / (accelerators * peak_tflops * 1e12 * mfu * goodput) / 86_400


def cost_usd(machines: float, hours: float, usd_per_hour: float) -> float:
    """Return the price of machines that are rented by the hour.

    Parameters
    ----------
    machines, hours, usd_per_hour : float
        How many, how long, and the price of one of them.

    Returns
    -------
    float
        US dollars.
    """
    _positive(machines=machines, hours=hours)
    _within(0, math.inf, usd_per_hour=usd_per_hour)
    return machines * hours * usd_per_hour


def monte_carlo(
    function: Callable[..., float],
    assumptions: Mapping[str, Any],
    *,
    draws: int = 2_000,
    seed: int = 0,
) -> np.ndarray:
    """Evaluate an estimate on random draws of its assumptions.

    Parameters
    ----------
    function : callable
        Takes the assumptions by name and returns a number.
    assumptions : mapping of str to float or Range
        A `Range` is drawn from the triangular distribution; anything else is passed on.
    draws : int
        How many times, at least 1.
    seed : int
        The same seed gives the same draws.

    Returns
    -------
    numpy.ndarray
        One result per draw.
    """
    _count(draws=draws)
    rng = np.random.default_rng(seed)
    unsure = {k: v for k, v in assumptions.items() if isinstance(v, Range)}
    drawn = {
        k: rng.triangular(v.low, v.likely, v.high, draws)
        if v.low < v.high
        else np.full(draws, v.low)
        for k, v in unsure.items()
    }
    rows = ({k: float(v[i]) for k, v in drawn.items()} for i in range(draws))
    return np.array([function(**{**assumptions, **row}) for row in rows])


def interval(values: np.ndarray, coverage: float = 0.9) -> Range:
    """Summarise draws: their median, and the interval that holds a share of them.

    Parameters
    ----------
    values : numpy.ndarray
        Results of `monte_carlo`, at least one.
    coverage : float
        Share of the draws inside the interval.

    Returns
    -------
    Range
        The lower end, the median and the upper end.
    """
    _within(0, 1, coverage=coverage)
    _count(number_of_values=len(values))
    ends = [(1 - coverage) / 2, 0.5, (1 + coverage) / 2]
    return Range(*np.quantile(values, ends).tolist())


def sensitivity(
    function: Callable[..., float], assumptions: Mapping[str, Any]
) -> list[Swing]:
    """Rank the uncertain assumptions by how far each one moves the estimate.

    Parameters
    ----------
    function : callable
        Takes the assumptions by name and returns a number above zero.
    assumptions : mapping of str to float or Range
        Each `Range` is moved in turn; every other one stays at its likely value.

    Returns
    -------
    list of Swing
        One for each range, the one with the largest factor first. The factor is the
        larger of the two results over the smaller one.
    """
    unsure = {k: v for k, v in assumptions.items() if isinstance(v, Range)}
    middle = {**assumptions, **{k: v.likely for k, v in unsure.items()}}
    swings = []
    for name, value in unsure.items():
        ends = [function(**{**middle, name: end}) for end in (value.low, value.high)]
        _positive(smallest_estimate=min(ends))
        swings.append(Swing(name, ends[0], ends[1], max(ends) / min(ends)))
    return sorted(swings, key=lambda swing: -swing.factor)


def training_steps(
    *,
    examples: float,
    global_batch: int | None = None,
    batch_per_device: int | None = None,
    devices: int = 1,
    epochs: float = 1,
) -> int:
    """Count the optimizer steps of a run.

    Parameters
    ----------
    examples : float
        Examples in one epoch.
    global_batch, batch_per_device : int
        The batch of one step over all devices, or on each device. Give exactly one.
    devices : int
        Devices that share a step.
    epochs : float
        Passes over the data.

    Returns
    -------
    int
        Steps, rounded up.
    """
    _positive(examples=examples, epochs=epochs)
    if (global_batch is None) == (batch_per_device is None):
        raise ValueError("Give global_batch or batch_per_device, exactly one of them.")
    batch = global_batch or (batch_per_device or 0) * devices
    _count(devices=devices, batch=batch)
    return math.ceil(examples * epochs / batch)


def all_reduce_bytes(params: float, devices: int, bytes_each: int = 2) -> float:
    """Return the bytes that each device sends when a ring adds up the gradients.

    Parameters
    ----------
    params : float
        Parameters, one gradient each.
    devices : int
        Devices in the ring; a single device sends nothing.
    bytes_each : int
        2 for 16-bit gradients, 4 for 32-bit ones.

    Returns
    -------
    float
        Bytes per device and step: `2 (n - 1) / n` times the gradients' bytes.
    """
    _positive(params=params, bytes_each=bytes_each)
    _count(devices=devices)
    return 2 * (devices - 1) / devices * params * bytes_each


def step_seconds(
    *, compute_s: float, sent_bytes: float, bandwidth_gb_s: float, overlap: float = 0
) -> float:
    """Estimate one data-parallel step: compute, and the exchange that does not hide.

    Parameters
    ----------
    compute_s : float
        Seconds that a device computes.
    sent_bytes : float
        Bytes that each device sends, as `all_reduce_bytes` returns them.
    bandwidth_gb_s : float
        What a device can send, in 10^9 bytes a second.
    overlap : float
        Share of the exchange that runs behind the compute. However large, no more
        hides than the compute lasts.

    Returns
    -------
    float
        Seconds per step.
    """
    _positive(compute_s=compute_s, bandwidth_gb_s=bandwidth_gb_s)
    _within(0, math.inf, sent_bytes=sent_bytes)
    _within(0, 1, overlap=overlap)
    exchange_s = sent_bytes / (bandwidth_gb_s * 1e9)
    return compute_s + max(exchange_s * (1 - overlap), exchange_s - compute_s)


STATE_BYTES = {"mixed": (2, 2, 12), "float32": (4, 4, 8)}


def training_memory(
    *,
    params: float,
    precision: str = "mixed",
    batch: float = 0,
    seq_len: float = 0,
    width: float = 0,
    layers: float = 0,
    heads: float = 0,
    recompute: bool = False,
) -> dict[str, float]:
    """Estimate the memory of training with Adam on one device.

    Parameters
    ----------
    params : float
        Parameters on this device.
    precision : str
        "mixed": 16-bit parameters and gradients; 32-bit parameters and both moments
        in the optimizer. "float32": 32 bits throughout.
    batch : float
        Examples per device in one forward pass; 0 leaves the activations out.
    seq_len, width, layers, heads : float
        The transformer whose 16-bit activations are kept.
    recompute : bool
        Keep only the input of each layer and compute the rest again.

    Returns
    -------
    dict of str to float
        Bytes of `parameters`, `gradients`, `optimizer` and `activations`.
    """
    _positive(params=params)
    if precision not in STATE_BYTES:
        raise ValueError(f"precision is {precision!r}; use one of {list(STATE_BYTES)}.")
    _within(0, 1e12, batch=batch, seq_len=seq_len, width=width)
    _within(0, 1e12, layers=layers, heads=heads)
    state = [params * size for size in STATE_BYTES[precision]]
    per_token = 2 * width if recompute else 34 * width + 5 * heads * seq_len
    held = [*state, layers * batch * seq_len * per_token]
    names = ("parameters", "gradients", "optimizer", "activations")
    return dict(zip(names, held, strict=True))


def goodput(
    *,
    checkpoint_s: float,
    mtbf_s: float,
    restart_s: float = 0,
    interval_s: float | None = None,
) -> float:
    """Return the share of time that makes progress when failures come at random.

    A piece of work and its checkpoint must pass without a failure. Each failure costs
    the time since the last checkpoint, and a restart.

    Parameters
    ----------
    checkpoint_s, restart_s : float
        Seconds to write a checkpoint, and to start again after a failure.
    mtbf_s : float
        Mean seconds between failures of the whole job.
    interval_s : float, optional
        Seconds of work between checkpoints; by default Young's
        `sqrt(2 * checkpoint_s * mtbf_s)`.

    Returns
    -------
    float
        Between 0 and 1.
    """
    _positive(checkpoint_s=checkpoint_s, mtbf_s=mtbf_s)
    work_s = math.sqrt(2 * checkpoint_s * mtbf_s) if interval_s is None else interval_s
    _positive(interval_s=work_s)
    _within(0, math.inf, restart_s=restart_s)
    _within(0, 50 * mtbf_s, interval_s_with_checkpoint=work_s + checkpoint_s)
    return work_s / (mtbf_s + restart_s) / math.expm1((work_s + checkpoint_s) / mtbf_s)


MODELS = ("M/D/1", "M/M/1", "M/M/c")


def _md1_wait_tail(wait: float, busy: float) -> float:
    """Return P(waiting time > wait) of M/D/1, with the wait in service times.

    Erlang's series for short waits. Beyond 8 service times it loses digits, and the
    exponential tail is right to 1e-6.
    """
    if wait <= 8:
        powers = [busy * (k - wait) for k in range(int(wait) + 1)]
        terms = [u**k / math.factorial(k) * math.exp(-u) for k, u in enumerate(powers)]
        return max(0.0, 1 - (1 - busy) * sum(terms))
    high = 1.0
    while busy * math.expm1(high) <= high:
        high *= 2
    decay = brentq(lambda z: busy * math.expm1(z) / z - 1, 1e-9, high)
    return float((1 - busy) / (busy * math.exp(decay) - 1) * math.exp(-decay * wait))


def _all_busy(erlangs: float, servers: int) -> float:
    """Return Erlang's C: the share of requests that find all servers busy."""
    blocked = 1.0
    for n in range(1, servers + 1):
        blocked = erlangs * blocked / (n + erlangs * blocked)
    return blocked / (1 - erlangs / servers * (1 - blocked))


def _not_full(expected: np.ndarray, batch: int) -> np.ndarray:
    """Return the share of requests that still wait when so many are expected."""
    chance, total = np.exp(-expected), np.zeros_like(expected)
    for arrived in range(batch - 1):
        total += (batch - 1 - arrived) * chance
        chance = chance * expected / (arrived + 1)
    return total / batch


def fill_tail(t_s: float, *, qps: float, batch: int) -> float:
    """Return the share of requests that wait longer than a time for a full batch.

    A request at place j of its batch waits for `batch - j` further Poisson arrivals.

    Parameters
    ----------
    t_s : float
        The time in seconds.
    qps : float
        Requests a second that fill one batch after the other.
    batch : int
        Requests per batch; with 1 nothing waits.

    Returns
    -------
    float
        Between 0 and 1.
    """
    _within(0, 1e12, t_s=t_s)
    _positive(qps=qps)
    _count(batch=batch)
    return float(_not_full(np.array(float(qps * t_s)), batch))


def _batch_tail(left_s: float, qps: float, service_s: float, batch: int) -> float:
    """Return P(fill + wait > left) of full batches at one server.

    Batches wait as requests do in M/D/c with c = batch. Erlang's C says how many wait;
    the waits fall off at that queue's rate. Fill and wait are taken as independent.
    """
    erlangs, high = qps * service_s, 1.0
    while high <= batch * math.log1p(high / erlangs):
        high *= 2
    decay = brentq(lambda z: z - batch * math.log1p(z / erlangs), 1e-9, high)
    edges = np.linspace(0, left_s, 201)
    waiting = _not_full(qps * edges, batch)
    filled_at = np.append(0, (edges[1:] + edges[:-1]) / 2)
    late = -np.diff(waiting, prepend=1) @ np.exp(
        -decay * (left_s - filled_at) / service_s
    )
    return float(waiting[-1] + _all_busy(erlangs, batch) * late)


def response_tail(
    t_s: float,
    *,
    qps: float,
    service_s: float,
    servers: int = 1,
    model: str = "M/D/1",
    batch: int = 1,
) -> float:
    """Return the share of requests whose response takes longer than a time.

    Arrivals are Poisson. The response is the wait for a full batch, the wait in the
    queue and the service.

    Parameters
    ----------
    t_s : float
        The time in seconds.
    qps : float
        Requests a second, over all servers.
    service_s : float
        Mean seconds to serve one batch; one request if `batch` is 1.
    servers : int
        "M/D/1" and "M/M/1" split the requests at random over that many servers, each
        with a queue of its own. "M/M/c" keeps one queue for all.
    model : str
        "M/D/1": fixed service time. "M/M/1", "M/M/c": exponential service time.
    batch : int
        Requests per batch, only with "M/D/1". Above 1 the result is an approximation:
        the p99 that follows from it is within a tenth of a simulation's.

    Returns
    -------
    float
        Between 0 and 1.

    Raises
    ------
    ValueError
        If an input is impossible, among them a utilisation of 1 or more.
    """
    _within(0, 1e12, t_s=t_s)
    _positive(qps=qps, service_s=service_s)
    _count(servers=servers, batch=batch)
    if model not in MODELS[: 1 if batch > 1 else 3]:
        raise ValueError(
            f"model is {model!r}; use M/D/1, or one of {MODELS} unbatched."
        )
    busy, time = qps * service_s / servers / batch, t_s / service_s
    if busy >= 1:
        raise ValueError(f"utilisation is {busy:.3g}, not below 1. Add servers.")
    if model == "M/M/1":
        return math.exp(-(1 - busy) * time)
    if model == "M/M/c":
        waits, slack = _all_busy(busy * servers, servers), servers * (1 - busy) - 1
        gap = time if abs(slack) < 1e-9 else -math.expm1(-slack * time) / slack
        return math.exp(-time) * (1 + waits * gap)
    if time < 1:
        return 1.0
    if batch > 1:
        return _batch_tail(t_s - service_s, qps / servers, service_s, batch)
    return _md1_wait_tail(time - 1, busy)


def response_seconds(quantile: float, *, service_s: float, **load: Any) -> float:
    """Return the response time that a share of the requests stays within.

    Parameters
    ----------
    quantile : float
        The share, such as 0.99 for the p99; above 0 and below 1.
    service_s : float
        Mean seconds to serve one batch; one request without batches.
    **load
        `qps`, `servers`, `model` and `batch`, as `response_tail` takes them.

    Returns
    -------
    float
        Seconds.
    """
    _within(1e-9, 1 - 1e-9, quantile=quantile)

    def excess(t_s: float) -> float:
        return response_tail(t_s, service_s=service_s, **load) - (1 - quantile)

    high = service_s
    while excess(high) > 0:
        high *= 2
    if high == service_s and load.get("model", "M/D/1") == "M/D/1":
        return service_s
    return float(brentq(excess, 0 if high == service_s else high / 2, high, xtol=1e-12))


def simulate_queue(
    arrival_s: np.ndarray, service_s: np.ndarray, servers: int = 1
) -> np.ndarray:
    """Serve requests in the order of arrival, each at the server that is free first.

    Parameters
    ----------
    arrival_s : numpy.ndarray
        Times of arrival in seconds, ascending.
    service_s : numpy.ndarray
        Seconds of service, one for each arrival.
    servers : int
        Servers that share the queue.

    Returns
    -------
    numpy.ndarray
        Response time of each request in seconds.
    """
    _count(servers=servers)
    if len(arrival_s) != len(service_s) or np.any(np.diff(arrival_s) < 0):
        raise ValueError("arrival_s must ascend, with one service_s for each.")
    if servers == 1:
        done = np.cumsum(service_s)
        start = np.maximum.accumulate(arrival_s - done + service_s)
        return np.asarray(start + done - arrival_s)
    free, response = [-math.inf] * servers, np.empty(len(arrival_s))
    for k, (came, takes) in enumerate(zip(arrival_s, service_s, strict=True)):
        first = free.index(min(free))
        free[first] = max(free[first], came) + takes
        response[k] = free[first] - came
    return response


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
        How many requests to draw.
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
    rng, shared = np.random.default_rng(seed), model == "M/M/c"
    gap_s = 1 / qps if shared else servers / qps
    came = np.cumsum(rng.exponential(gap_s, requests // batch * batch))
    ready = came[batch - 1 :: batch]
    fixed = np.full(len(ready), service_s)
    takes = fixed if model == "M/D/1" else rng.exponential(fixed)
    done = ready + simulate_queue(ready, takes, servers if shared else 1)
    return float(np.quantile(np.repeat(done, batch) - came, quantile))


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
    _positive(qps=qps, service_s=service_s, target_s=target_s)
    _within(1e-9, 1 - 1e-9, quantile=quantile)
    _within(0, 1 - 1e-9, hit_rate=hit_rate)
    _within(1, 1e9, peak=peak)
    _count(batch=batch, spare_and_1=spare + 1)
    load = qps * peak * (1 - hit_rate)

    def will_do(servers: int) -> bool:
        given: dict[str, Any] = {"model": model, "batch": batch, "servers": servers}
        late = response_tail(target_s, qps=load, service_s=service_s, **given)
        return late <= 1 - quantile

    start = math.floor(load * service_s / batch) + 1
    if batch == 1:
        stop = math.ceil(load * service_s / (1 - quantile)) + 2
        found = start + bisect_left(range(start, stop), True, key=will_do)
    else:
        stop = math.ceil(2 * target_s * load / (batch - 1)) + 1
        found = next((n for n in range(start, stop) if will_do(n)), stop)
    if found >= stop:
        raise ValueError(f"target_s is {target_s}: no number of servers will do.")
    return found + spare


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
    _count(keys=keys)
    _within(0, 10, exponent=exponent)
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
    _count(size=size)
    _positive(least_share=float(np.min(shares)))
    _within(1 - 1e-6, 1 + 1e-6, sum_of_shares=float(np.sum(shares)))
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
    _positive(rows=rows, row_bytes=row_bytes, ratio=ratio)
    _count(copies=copies)
    return rows * row_bytes * copies / ratio


def cost_per_million_usd(servers: float, usd_per_hour: float, qps: float) -> float:
    """Return the price of a million requests.

    Parameters
    ----------
    servers, usd_per_hour : float
        Size of the fleet, price of one server.
    qps : float
        Requests a second on average: idle hours are paid for too.

    Returns
    -------
    float
        US dollars.
    """
    _positive(qps=qps)
    return cost_usd(servers, 1e6 / qps / 3600, usd_per_hour)


def longest_sequence(
    *,
    step_s: float,
    batch: int,
    params: float,
    peak_tflops: float,
    mfu: float,
    layers: float = 0,
    width: float = 0,
) -> int:
    """Return the most tokens per example that fit in a training step.

    Parameters
    ----------
    step_s : float
        Seconds that a step may take on one accelerator.
    batch : int
        Examples in the step.
    params, layers, width : float
        The model, as `flops_per_token` takes it.
    peak_tflops, mfu : float
        The accelerator, as `training_days` takes it.

    Returns
    -------
    int
        Tokens per example; 0 if not even one fits.
    """
    _positive(step_s=step_s, params=params, peak_tflops=peak_tflops, mfu=mfu)
    _within(0, 1, mfu=mfu)
    _within(0, 1e12, layers=layers, width=width)
    _count(batch=batch)
    flops = step_s * peak_tflops * 1e12 * mfu / batch
    linear, square = 6 * params, 12 * layers * width
    # of the two forms of the root, this one also holds without attention
    return int(2 * flops / (linear + math.sqrt(linear**2 + 4 * square * flops)))


def queue_fault(arrival_s: np.ndarray, service_s: np.ndarray) -> str:
    """Name the assumption of M/D/1 that a server's record breaks first.

    Parameters
    ----------
    arrival_s : numpy.ndarray
        Times of arrival in seconds, ascending, at least two different ones.
    service_s : numpy.ndarray
        Seconds of service, one for each arrival.

    Returns
    -------
    str
        "overloaded", "bursty", "uneven" or "as planned".
    """
    _count(arrivals_but_one=len(arrival_s) - 1)
    _within(len(arrival_s), len(arrival_s), length_of_service_s=len(service_s))
    gaps_s = np.diff(arrival_s)
    _within(0, math.inf, shortest_gap_s=float(gaps_s.min()))
    _positive(span_s=float(gaps_s.sum()), service_s=float(np.min(service_s)))
    if np.sum(service_s) >= gaps_s.sum():
        return "overloaded"
    if gaps_s.var() > 1.5 * gaps_s.mean() ** 2:
        return "bursty"
    if np.var(service_s) > 0.5 * np.mean(service_s) ** 2:
        return "uneven"
    return "as planned"


def best_batch(
    *,
    qps: float,
    target_s: float,
    fixed_s: float,
    per_item_s: float,
    largest: int = 32,
    **fleet: Any,
) -> tuple[int, int]:
    """Choose the batch that keeps the target with the fewest servers.

    Parameters
    ----------
    qps, target_s : float
        As `fleet_size` takes them.
    fixed_s, per_item_s : float
        `a` and `b` of the batch cost `t(n) = a + b n`, in seconds.
    largest : int
        The largest batch to try.
    **fleet
        Passed on to `fleet_size`.

    Returns
    -------
    tuple of int
        Requests per batch, and servers.

    Raises
    ------
    ValueError
        If no batch keeps the target.
    """
    _within(0, math.inf, fixed_s=fixed_s, per_item_s=per_item_s)
    _count(largest=largest)
    found = []
    for batch in range(1, largest + 1):
        given = {"target_s": target_s, "batch": batch, **fleet}
        try:
            service_s = fixed_s + per_item_s * batch
            servers = fleet_size(qps=qps, service_s=service_s, **given)
        except ValueError:
            continue
        found.append((servers, batch))
    if not found:
        raise ValueError(f"target_s is {target_s}: no batch up to {largest} will do.")
    servers, batch = min(found)
    return batch, servers

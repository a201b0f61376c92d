"""How long requests take: the tail of the response time, by queueing theory."""

import math

import numpy as np
from scipy.optimize import brentq
from scipy.special import gammaincc, gammaln

from flightline.estimate.checks import count, in_python_numbers, positive, within

MODELS = ("M/D/1", "M/M/1", "M/M/c")
FULLEST = 1 - 1e-6
"""The highest utilisation that is computed. A queue this full takes about a million
services to settle: whatever the formula says, nobody will see it."""


FULL_BATCH = 10_000
"""The largest batch that is computed."""


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
    arriving = servers * math.log(erlangs) - erlangs - float(gammaln(servers + 1))
    blocked = math.exp(arriving) / float(gammaincc(servers + 1, erlangs))
    return blocked / (1 - erlangs / servers * (1 - blocked))


def _not_full(expected: np.ndarray, batch: int) -> np.ndarray:
    """Return the share of requests that still wait when so many are expected."""
    chance, total = np.exp(-expected), np.zeros_like(expected)
    for arrived in range(batch - 1):
        total += (batch - 1 - arrived) * chance
        chance = chance * expected / (arrived + 1)
    return total / batch


@in_python_numbers
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
    within(0, math.inf, t_s=t_s)
    positive(qps=qps)
    count(most=FULL_BATCH, batch=batch)
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


def _shared_tail(time: float, busy: float, servers: int) -> float:
    """Return P(response > time) of M/M/c, with the time in mean service times."""
    waits = _all_busy(busy * servers, servers)
    slack = servers * (1 - busy) - 1
    served_late = math.exp(-time)
    if abs(slack * time) < 1:  # the difference below would lose its digits
        gap = time if abs(slack) < 1e-9 else -math.expm1(-slack * time) / slack
        return served_late * (1 + waits * gap)
    return served_late + waits * (served_late - math.exp(-(1 + slack) * time)) / slack


@in_python_numbers
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
        If an input is impossible, among them a utilisation above `FULLEST`.
    """
    within(0, math.inf, t_s=t_s)
    positive(qps=qps, service_s=service_s)
    count(servers=servers)
    count(most=FULL_BATCH, batch=batch)
    if model not in MODELS[: 1 if batch > 1 else 3]:
        raise ValueError(
            f"model is {model!r}; use M/D/1, or one of {MODELS} unbatched."
        )
    busy, time = qps * service_s / servers / batch, t_s / service_s
    if busy > FULLEST:
        raise ValueError(
            f"utilisation is {busy:.9g}, above {FULLEST}: a queue this full never "
            "settles. Add servers."
        )
    if model == "M/M/1":
        return math.exp(-(1 - busy) * time)
    if model == "M/M/c":
        return _shared_tail(time, busy, servers)
    if time < 1:
        return 1.0
    if batch > 1:
        return _batch_tail(t_s - service_s, qps / servers, service_s, batch)
    return _md1_wait_tail(time - 1, busy)


@in_python_numbers
def late_share(
    t_s: float,
    *,
    qps: float,
    service_s: float,
    servers: int = 1,
    model: str = "M/D/1",
    batch: int = 1,
) -> float:
    """Return `response_tail`, or 1 where the servers are too full to settle.

    A search over fleets may start next to the fullest one, which is no error there.

    Parameters
    ----------
    t_s, qps, service_s, servers, model, batch
        As `response_tail` takes them.

    Returns
    -------
    float
        Between 0 and 1; 1 if the utilisation is above `FULLEST`.

    Raises
    ------
    ValueError
        If an input is impossible; the message names it.
    """
    positive(qps=qps, service_s=service_s)
    count(servers=servers)
    count(most=FULL_BATCH, batch=batch)
    if qps * service_s / servers / batch > FULLEST:
        return 1.0
    return response_tail(
        t_s, qps=qps, service_s=service_s, servers=servers, model=model, batch=batch
    )


@in_python_numbers
def response_seconds(
    quantile: float,
    *,
    qps: float,
    service_s: float,
    servers: int = 1,
    model: str = "M/D/1",
    batch: int = 1,
) -> float:
    """Return the response time that a share of the requests stays within.

    Parameters
    ----------
    quantile : float
        The share, such as 0.99 for the p99; above 0 and below 1.
    qps, service_s, servers, model, batch
        As `response_tail` takes them.

    Returns
    -------
    float
        Seconds.

    Raises
    ------
    ValueError
        As `response_tail` does.
    """
    within(1e-9, 1 - 1e-9, quantile=quantile)
    positive(qps=qps, service_s=service_s)

    def excess(t_s: float) -> float:
        tail = response_tail(
            t_s,
            qps=qps,
            service_s=service_s,
            servers=servers,
            model=model,
            batch=batch,
        )
        return tail - (1 - quantile)

    high = service_s
    while excess(high) > 0:
        high *= 2
    if high == service_s and model == "M/D/1":
        return service_s
    low = 0 if high == service_s else high / 2
    return float(brentq(excess, low, high, xtol=1e-12 * high))

"""Call a function as a server would be called, and time every answer.

Two ways to send requests differ in what they hide. A *closed loop* sends the next
request when the last one is answered: it measures the service, and never a queue. An
*open loop* sends requests at times fixed beforehand, as independent users do; an answer
that is late makes the next ones late, and every one of these waits counts.
"""

import time
from collections.abc import Callable, Sequence

import numpy as np


def call_seconds(answer: Callable[[], object], calls: int) -> np.ndarray:
    """Call a function in a closed loop and return how long each call took.

    Parameters
    ----------
    answer : callable
        What serves one request. It is called once more, unmeasured, to warm up.
    calls : int
        How many calls are measured, at least 1.

    Returns
    -------
    numpy.ndarray
        Seconds of each call, in order.

    Raises
    ------
    ValueError
        If `calls` is less than 1.
    """
    if calls < 1:
        raise ValueError(f"calls is {calls}; measure at least one call.")
    answer()
    marks = [time.perf_counter()]
    for _ in range(calls):
        answer()
        marks.append(time.perf_counter())
    return np.diff(marks)


def open_loop(
    answer: Callable[[], object], arrival_s: Sequence[float] | np.ndarray
) -> np.ndarray:
    """Call a function at given times, one call after the other.

    A request that comes while an earlier one is served waits for its turn. Its
    response time counts from the moment it was due, so the wait is part of it.

    Parameters
    ----------
    answer : callable
        What serves one request. It is called once more, unmeasured, to warm up.
    arrival_s : sequence of float
        When the requests are due, in seconds after the start, ascending.

    Returns
    -------
    numpy.ndarray
        Response time of each request in seconds, in order.

    Raises
    ------
    ValueError
        If the times are negative or do not ascend.
    """
    due = np.asarray(arrival_s, dtype=float)
    if len(due) and (due[0] < 0 or np.any(np.diff(due) < 0)):
        raise ValueError("arrival_s must start at zero or later, and ascend.")
    answer()
    response_s = np.empty(len(due))
    start = time.perf_counter()
    for number, moment in enumerate(start + due):
        while time.perf_counter() < moment:
            pass  # to sleep would add the time that waking up takes
        answer()
        response_s[number] = time.perf_counter() - moment
    return response_s

"""What a server's record says about the plan that it was sized by."""

import math

import numpy as np
import numpy.typing as npt

from flightline.estimate.checks import positive, seconds, within
from flightline.estimate.core import broken_assumption


def queue_fault(arrival_s: npt.ArrayLike, service_s: npt.ArrayLike) -> str:
    """Name the assumption of M/D/1 that a server's record breaks first.

    It sees the record alone. Calls that are slower than planned, but still fit into the
    time, are "as planned" to it: hold the mean of `service_s` against the plan as well.

    Parameters
    ----------
    arrival_s : array_like of float
        Times of arrival in seconds, ascending, at least two different ones.
    service_s : array_like of float
        Seconds of service, one for each arrival.

    Returns
    -------
    str
        "overloaded", "bursty", "uneven" or "as planned".

    Raises
    ------
    ValueError
        If the record is too short, out of order, or holds what is no time.
    """
    came, takes = seconds("arrival_s", arrival_s), seconds("service_s", service_s)
    if came.size < 2 or came.size != takes.size:
        raise ValueError(
            f"arrival_s has {came.size} times and service_s {takes.size}; give two "
            "arrivals or more, and one service_s for each."
        )
    gaps_s = np.diff(came)
    within(0, math.inf, shortest_gap_of_arrival_s=float(gaps_s.min()))
    positive(span_s_of_arrival_s=float(gaps_s.sum()), service_s=float(takes.min()))
    positive(longest_service_s=float(takes.max()))
    return broken_assumption(came, takes)

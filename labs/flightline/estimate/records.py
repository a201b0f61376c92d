"""What a server's record says about the plan that it was sized by."""

import math

import numpy as np
import numpy.typing as npt

from flightline.estimate.checks import count, positive, within
from flightline.estimate.core import broken_assumption


def queue_fault(arrival_s: npt.ArrayLike, service_s: npt.ArrayLike) -> str:
    """Name the assumption of M/D/1 that a server's record breaks first.

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
    came, takes = np.asarray(arrival_s, float), np.asarray(service_s, float)
    count(arrivals_but_one=came.size - 1)
    within(came.size, came.size, length_of_service_s=takes.size)
    gaps_s = np.diff(came)
    within(0, math.inf, shortest_gap_s=float(gaps_s.min()))
    positive(span_s=float(gaps_s.sum()), service_s=float(takes.min()))
    positive(longest_service_s=float(takes.max()))
    return broken_assumption(came, takes)

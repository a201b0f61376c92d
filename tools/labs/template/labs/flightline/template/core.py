# Do not edit: exported from labs/00_template.ipynb.
# Change the lab, then run `make export`.

"""The share of late flights."""

__all__ = ["LATE_MIN", "late_share", "mean_late"]

import numpy as np
import numpy.typing as npt

LATE_MIN = 15.0


def late_share(delays_min: npt.NDArray[np.float64]) -> float:
    """Return the share of late flights among those that arrived.

    Parameters
    ----------
    delays_min : ndarray of float, shape (n_flights,)
        Arrival delays in minutes; NaN for a flight that never arrived.

    Returns
    -------
    float
        Between 0 and 1; NaN if no flight arrived.

    Examples
    --------
    >>> late_share(np.array([0.0, 15.0]))
    0.5
    """
    arrived = delays_min[~np.isnan(delays_min)]
    if arrived.size == 0:
        return float("nan")
    return float(np.mean(arrived >= LATE_MIN))


def mean_late(delays_min: npt.NDArray[np.float64]) -> float:
    """Return the mean delay of the late flights.

    Parameters
    ----------
    delays_min : ndarray of float, shape (n_flights,)
        Arrival delays in minutes; NaN for a flight that never arrived.

    Returns
    -------
    float
        In minutes; 0 if no flight was late.
    """
    late = delays_min[delays_min >= LATE_MIN]
    return float(late.mean()) if late.size else 0.0

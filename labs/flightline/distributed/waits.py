"""Find the rank that all others wait for."""

import numpy as np


def straggler(wait_s: np.ndarray, factor: float = 3.0) -> int | None:
    """Name the rank that the others wait for, if there is one.

    Parameters
    ----------
    wait_s : numpy.ndarray
        Seconds that each rank waited in the exchange: one row a step, one column a
        rank, at least two columns.
    factor : float
        How many times as long the others must wait.

    Returns
    -------
    int or None
        The rank with the smallest median wait, which may be zero; None if the median
        of the others' medians is zero, or less than `factor` times as long.

    Examples
    --------
    >>> straggler(np.array([[5.0, 5.0, 0.1], [4.0, 5.0, 0.1]]))
    2
    """
    waits = np.median(wait_s, axis=0)
    slowest = int(np.argmin(waits))
    others = float(np.median(np.delete(waits, slowest)))
    return slowest if others >= factor * waits[slowest] and others > 0 else None

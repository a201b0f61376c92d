"""How far a search for settings is from the best there is."""

from collections.abc import Sequence

import numpy as np

from flightline.training.core import Floats


def regret(losses: Sequence[float], best: float) -> Floats:
    """Return, after each trial, how far the best loss so far is from the best there is.

    Parameters
    ----------
    losses : sequence of float
        In the order of the trials; NaN for a trial that was pruned. Not changed.
    best : float
        The smallest loss that any configuration has.

    Returns
    -------
    array of float64
        One value a trial; NaN until the first loss.

    Raises
    ------
    ValueError
        If a loss is below `best`.
    """
    found = np.asarray(losses, np.float64)
    if (found < best).any():
        raise ValueError(f"a loss of {np.nanmin(found)} is below best={best}.")
    return np.fmin.accumulate(found) - best

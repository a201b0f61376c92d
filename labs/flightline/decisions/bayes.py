"""Bayesian stopping, given so that you can measure what it does not protect from.

A posterior says how probable a gain is, if the prior is how effects are really spread.
It makes no promise on how often a useless change is shipped, however often you look.
"""

import numpy as np
import numpy.typing as npt
from scipy import special

from flightline.decisions.inputs import LARGEST, Floats, number, numbers


def probability_better(
    estimates: npt.ArrayLike,
    ses: npt.ArrayLike,
    *,
    prior_mean: float = 0.0,
    prior_sd: float = np.inf,
    beyond: float = 0.0,
) -> Floats:
    """Return how probable it is that the effect is above a value.

    Parameters
    ----------
    estimates, ses : array_like of float, same shape
        Estimates and their standard errors, each above 0, taken as known.
    prior_mean, prior_sd : float
        Of the normal prior; an infinite spread is the flat prior, which believes that
        most effects are huge.
    beyond : float
        The value, such as what a shipped change costs.

    Returns
    -------
    array of float64, of the same shape

    Raises
    ------
    ValueError
        If a number is not finite, a standard error or the spread of the prior is not
        above 0, or the shapes differ.

    Examples
    --------
    >>> probability_better([0.0196], [0.01]).round(3).tolist()
    [0.975]
    >>> probability_better([0.0196], [0.01], prior_sd=0.01).round(3).tolist()
    [0.917]
    """
    estimate, se = numbers(estimates, "estimates"), numbers(ses, "ses")
    prior_mean, beyond = number(prior_mean, "prior_mean"), number(beyond, "beyond")
    prior_sd = number(prior_sd, "prior_sd", infinite=True)
    if estimate.shape != se.shape:
        raise ValueError(f"estimates {estimate.shape} and ses {se.shape} differ.")
    if (se < 1 / LARGEST).any() or prior_sd < 1 / LARGEST:
        raise ValueError("ses and prior_sd must be above 0: is there no variance?")
    sd = 1 / np.hypot(1 / se, 1 / prior_sd)
    weight = (sd / se) ** 2  # of the data
    mean = weight * estimate + (1 - weight) * prior_mean
    return np.asarray(special.ndtr((mean - beyond) / sd))

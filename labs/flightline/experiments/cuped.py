"""Less variance by what was known before: CUPED."""

import numpy as np

from flightline.experiments.core import Floats, adjusted
from flightline.experiments.effects import NotEstimable
from flightline.experiments.values import Values, as_floats, must_align


def cuped(values: Values, covariate: Values) -> Floats:
    """Subtract from a metric what a covariate from before the exposure explains.

    Parameters
    ----------
    values : array_like, [units]
        The metric of the units of all arms together, none missing.
    covariate : array_like, [units]
        A number of the same units, in the same order, that the treatment cannot have
        changed, such as the incumbent's score. None missing.

    Returns
    -------
    array of float64, [units]
        values - theta (covariate - its mean), with one theta over all units. The mean
        stays. The arms are then compared as ever, for example by `mean_effect`.

    Raises
    ------
    NotEstimable
        If the covariate is constant, or explains the metric to the last digit: it is
        then the outcome itself under another name.
    ValueError
        If the lengths or the indexes differ, a value is missing, or there are fewer
        than three units.

    Notes
    -----
    A theta for each arm would let the arms differ in how they are adjusted. What is
    left of the variance is 1 - r², r the correlation. Deng, Xu, Kohavi and Walker,
    *Improving the sensitivity of online controlled experiments by utilizing
    pre-experiment data*, WSDM 2013.

    Examples
    --------
    >>> cuped([1.0, 2.0, 6.0], [1.0, 2.0, 3.0]).round(9).tolist()
    [3.5, 2.0, 3.5]
    """
    columns = {"values": values, "covariate": covariate}
    must_align(columns)
    outcome, before = (_all_known(column, name) for name, column in columns.items())
    if len(outcome) < 3:
        raise ValueError(f"{len(outcome)} units: theta takes three at least.")
    if not np.ptp(before) > 0:
        raise NotEstimable(
            "constant covariate",
            f"it is {before[0]:g} everywhere, and explains nothing.",
        )
    before = before - before[0]  # differences keep the digits of a large offset
    result = adjusted(outcome, before / np.abs(before).max())
    if np.ptp(outcome) and result.std() < 1e-9 * outcome.std():
        raise NotEstimable(
            "covariate is the outcome",
            "it explains all of the metric. Take one from before the exposure.",
        )
    return result


def _all_known(column: Values, name: str) -> Floats:
    """Return the numbers of a column, and refuse one with a hole."""
    numbers = as_floats(column, name)
    missing = np.isnan(numbers)
    if missing.any():
        raise ValueError(
            f"{name} is missing in {int(missing.sum())} of {len(missing)} rows (first: "
            f"row {int(np.argmax(missing))}). Drop these units from both columns; do "
            "not fill an outcome."
        )
    return numbers

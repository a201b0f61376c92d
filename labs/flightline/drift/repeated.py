"""Repeated looks, and days that resemble each other.

Whoever looks every day gets thirty chances of a false alarm in a month, and days that
follow each other are not as many as they seem. `alpha_per_look` shares a rate over the
looks, `effective_days` says what a run of days is worth, and `runs` makes blocks of
days that may be dealt out instead of single ones.
"""

import numpy as np
import pandas as pd

from flightline.drift.columns import Integers, as_floats


def alpha_per_look(alpha: float, looks: int) -> float:
    """Share a rate of false alarms over several looks (Bonferroni).

    Parameters
    ----------
    alpha : float
        The chance of any false alarm in all looks that is wanted.
    looks : int
        How many looks there will be, decided before the first.

    Returns
    -------
    float
        The alpha of each look. The chance of any false alarm is then at most alpha,
        however the looks overlap or depend on each other.

    Raises
    ------
    ValueError
        If there is no look, or alpha is not strictly between 0 and 1.

    Examples
    --------
    >>> alpha_per_look(0.05, 10)
    0.005
    """
    _must_be_looks(alpha, looks)
    return alpha / looks


def any_alarm(alpha: float, looks: int) -> float:
    """Return the chance of any false alarm in several looks that share nothing.

    Parameters
    ----------
    alpha : float
        The rate of each look.
    looks : int
        How many. Looks at rows that overlap resemble each other, and alarm together:
        for them the chance is smaller than this, and at least alpha.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        As in `alpha_per_look`.

    Examples
    --------
    >>> round(any_alarm(0.05, 30), 2)
    0.79
    """
    _must_be_looks(alpha, looks)
    return float(-np.expm1(looks * np.log1p(-alpha)))


def _must_be_looks(alpha: float, looks: int) -> None:
    """Refuse what is no rate, or no number of looks."""
    if not 0 < alpha < 1 or looks < 1:
        raise ValueError(
            f"alpha={alpha}, looks={looks}: a rate between 0 and 1 and at least one "
            "look are needed."
        )


def effective_days(daily: pd.Series | np.typing.ArrayLike) -> float:
    """Return how many independent days a run of consecutive days is worth.

    Parameters
    ----------
    daily : Series or array of float
        One number a day, such as the mean of a feature, in order of time; four days or
        more, without nulls.

    Returns
    -------
    float
        The days, over the time that a change lasts: 1 plus twice the sum of the
        autocorrelations, up to the first pair of them that is not positive. From 1 to
        the number of days. A constant is worth one day.

    Raises
    ------
    ValueError
        If there are fewer than four days, or a number is null or infinite.

    Notes
    -----
    A short run cannot know of changes that last as long as itself: for a month whose
    days resemble each other, the answer is too high rather than too low. Take a longer
    history where there is one. Where the sum ends is Geyer's rule for Markov chains
    (the initial positive sequence).
    """
    values = as_floats(pd.Series(daily))
    size = len(values)
    if size < 4 or not np.isfinite(values).all():
        raise ValueError(f"{size} days: at least four are needed, without nulls.")
    values = values / (np.abs(values).max() or 1.0)
    rest = values - values.mean()
    if not np.abs(rest).max() > 1e-12:
        return 1.0
    lagged = np.correlate(rest, rest, "full")[size - 1 :]
    pairs = (lagged / lagged[0])[: size // 2 * 2].reshape(-1, 2).sum(axis=1)
    until = int(np.argmax(np.append(pairs, 0) <= 0))
    lasts = 2 * float(pairs[:until].sum()) - 1
    return float(np.clip(size / max(lasts, 1.0), 1, size))


def runs(days: pd.Series, length: int) -> Integers:
    """Join consecutive days into runs, to be dealt out as blocks.

    Parameters
    ----------
    days : Series
        The day of each row: anything that sorts in the order of time. A day without
        rows does not count.
    length : int
        How many days make a run; the last may be shorter. Choose it longer than what
        ties one day to the next: a spell of weather lasts a week, not a day.

    Returns
    -------
    array of int64
        For `report(..., blocks=...)`, as a column of each sample. Fewer blocks mean
        fewer deals that differ: with 4 runs of 12 there are 495, and none of 2 of 4
        makes a p-value below 0.17.

    Raises
    ------
    ValueError
        If `length` is below 1, or a day is null.

    Examples
    --------
    >>> runs(pd.Series(["07-01", "07-01", "07-02", "07-03"]), 2).tolist()
    [0, 0, 0, 1]
    """
    if length < 1 or days.isna().any():
        raise ValueError(f"length={length} must be 1 or more, and no day null.")
    if isinstance(days.dtype, pd.CategoricalDtype) and not days.dtype.ordered:
        days = days.astype(object)  # its levels may stand in any order
    return np.asarray(pd.factorize(days, sort=True)[0] // length, np.int64)

"""The values at some places of a sorted array, without sorting it."""

import numpy as np

from flightline.drift.columns import Floats, Integers

SLICES = 4_096
"""How many slices of equal width the numbers are put into."""

AT_ONCE = 8_192
"""How many numbers are put into slices in one go, so that they stay in the cache."""


def at_places(values: Floats, places: Integers) -> Floats:
    """Return the values that stand at some places once all are sorted.

    Parameters
    ----------
    values : array of float64
        At least one; nulls come last.
    places : array of int64
        From 0 to one less than the number of values.

    Returns
    -------
    array of float64
        The same as `np.sort(values)[places]`. The counts of the slices say in which
        slice a place lies, and only the values of that slice are sorted further: one
        pass for all places, where NumPy's `partition` makes one for each.

    Examples
    --------
    >>> at_places(np.array([3.0, 1.0, 2.0]), np.array([0, 2])).tolist()
    [1.0, 3.0]
    """
    if len(values) <= 4 * SLICES:
        return np.asarray(np.partition(values, places)[places])
    slices, filled = _in_slices(values)
    until = np.cumsum(filled)
    group, found = np.searchsorted(until, places, side="right"), np.empty(len(places))
    for k in np.unique(group):
        place = places[group == k] - (until[k] - filled[k])
        found[group == k] = np.partition(values[slices == k], place)[place]
    return found


def _in_slices(values: Floats) -> tuple[np.typing.NDArray[np.uint16], Integers]:
    """Put numbers into slices that keep their order, and count each slice.

    A sample says where most numbers lie; the outer slices are open. If they lie nowhere
    in particular (a constant, infinities), all fall into one slice.
    """
    low, high = _middle(values)
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        scale = SLICES / np.subtract(high, low)
    if not 0 < scale < np.inf:
        low, high, scale = 0.0, 0.0, np.float64(1)
    slices, filled = np.empty(len(values), np.uint16), np.zeros(SLICES + 1, np.int64)
    for start in range(0, len(values), AT_ONCE):
        some = slice(start, start + AT_ONCE)
        inside = np.maximum(np.fmin(values[some], high), low)  # a null is at the end
        slices[some] = (inside - low) * scale
        filled += np.bincount(slices[some], minlength=len(filled))
    return slices, filled


def _middle(values: Floats) -> tuple[float, float]:
    """Return the ends of the middle 98% of a sample."""
    sample = np.sort(values[:: len(values) // SLICES])
    known = int(np.count_nonzero(~np.isnan(sample)))
    if not known:
        return 0.0, 0.0
    return float(sample[known // 100]), float(sample[known - 1 - known // 100])

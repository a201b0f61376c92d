"""Exact sums of windows: running sums in whole numbers, each result rounded once."""

import numpy as np

from flightline.point_in_time.inputs import Floats, Whole
from flightline.point_in_time.keys import Integers
from flightline.point_in_time.lines import SAFE_BITS

Values = Whole | Floats
FLOAT_BITS = 53


Parts = tuple[list[Integers], int, int]
"""Whole numbers (int64, or Python's as objects), bits of the lower part, the power."""


def _whole_parts(values: Values) -> Parts:
    """Write values as whole numbers times a power of two, so that sums are exact."""
    bits = len(values).bit_length()
    if not len(values):
        return [np.empty(0, np.int64)], 0, 0
    if values.dtype.kind != "f":
        largest = max(abs(int(values.min())), abs(int(values.max())))
        fits = largest.bit_length() + bits <= SAFE_BITS
        return [values.astype(np.int64 if fits else object)], 0, 0
    if max(-values.min(), values.max()) < 2.0 ** (SAFE_BITS - bits):
        whole = values.astype(np.int64)
        if (whole == values).all():
            return [whole], 0, 0
    return _binary_parts(values.astype(np.float64), bits)


def _binary_parts(values: Floats, bits: int) -> Parts:
    """Split floats, not all 0, by their binary digits; sums need so many bits more.

    One part of int64 if the sum of all fits into it; two, `upper * 2**width + lower`,
    as long as one addition of floats still rounds their sum rightly; else one part of
    Python's integers, which have no end and take their time.
    """
    mantissa, exponent = np.frexp(values)
    digits = np.ldexp(mantissa, FLOAT_BITS).astype(np.int64)
    zeros = np.frexp((digits & -digits).astype(np.float64))[1].astype(np.int64) - 1
    lowest = exponent - FLOAT_BITS + zeros  # the power of the last binary digit
    there = values != 0
    low, high = int(lowest[there].min()), int(exponent[there].max())
    needed = high - low + bits
    if needed <= SAFE_BITS:
        return [np.ldexp(values, -low).astype(np.int64)], 0, low
    width = min(SAFE_BITS - bits, FLOAT_BITS - 1)
    if needed <= width + FLOAT_BITS - 1:
        upper = np.trunc(np.ldexp(values, -low - width))
        lower = np.ldexp(values - np.ldexp(upper, low + width), -low)
        return [upper.astype(np.int64), lower.astype(np.int64)], width, low
    odd = np.where(there, digits >> np.maximum(zeros, 0), 0).astype(object)
    shift = np.where(there, lowest - low, 0).astype(object)
    return [np.asarray(odd << shift)], 0, low


def _rounded(whole: int, power: int) -> float:
    """Return `whole * 2**power` as the nearest float."""
    try:
        return whole / (1 << -power) if power < 0 else float(whole << power)
    except OverflowError:
        return float(np.copysign(np.inf, whole))


def _running(part: Integers, order: Integers) -> Integers:
    """Add up the values of rows in an order, from 0 on."""
    running = np.zeros(len(order) + 1, part.dtype)
    np.cumsum(part[order], out=running[1:])
    return running


class Sums:
    """The sums of windows: the true sum of each, rounded once.

    Parameters
    ----------
    values : array of int64, uint64 or float64
        Finite, one value per row.
    came, went : array of int64
        The rows in the order they come in, and go out.

    Examples
    --------
    >>> rows = np.arange(3)
    >>> sums = Sums(np.array([0.1, 1e300, 0.2]), rows, rows)
    >>> sums.between(np.array([1, 3]), np.array([0, 2])).tolist()
    [0.1, 0.2]
    """

    def __init__(self, values: Values, came: Integers, went: Integers) -> None:
        parts, self._width, self._power = _whole_parts(values)
        self._came = [_running(part, came) for part in parts]
        self._went = self._came
        if went is not came:
            self._went = [_running(part, went) for part in parts]

    def between(self, until: Integers, gone: Integers) -> Floats:
        """Return one sum per window, of the rows that came and have not gone.

        Parameters
        ----------
        until, gone : array of int64
            For each window, how many rows have come in, and how many have gone out.

        Returns
        -------
        array of float64
            0 for an empty window.
        """
        upper, *lower = (
            came[until] - went[gone]
            for came, went in zip(self._came, self._went, strict=True)
        )
        if upper.dtype == object:
            return np.array([_rounded(total, self._power) for total in upper], float)
        total = upper.astype(np.float64)
        for part in lower:
            carry = part >> self._width
            rest = part - (carry << self._width)
            total = np.ldexp((upper + carry).astype(np.float64), self._width) + rest
        if not self._power:
            return total
        with np.errstate(over="ignore"):  # a sum beyond the largest float is infinite
            return np.asarray(np.ldexp(total, self._power), np.float64)

"""Rows and questions on one line, sorted by key and time.

What a question may see are the rows of its key that stand before it on the line: a
place, counted, not a comparison with every row. `numpy.lexsort` and
`numpy.searchsorted` do that in a few lines, and on a year of flights took two to three
times as long: here, times that come in order are not sorted again, keys are sorted by
counting, and rows and questions in order are merged in one pass.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from flightline.point_in_time.keys import Codes, Integers

SAFE_BITS = 62
"""How large a whole number may be, so that adding two of them does not overflow."""

DIGIT_BITS = 15
"""NumPy sorts whole numbers of 16 bits, with a sign, by counting them."""

CHUNK = 2**16
"""How many questions are answered at a time: what they need stays in the cache."""


def in_order(codes: Codes, *times: Integers) -> Integers:
    """Return the positions of rows by key, then by times; equal rows keep their order.

    Parameters
    ----------
    codes : array of whole numbers
        Keys, from -1 on.
    *times : arrays of int64
        The first decides, then the second.

    Returns
    -------
    array of int64
        As `numpy.lexsort((*times[::-1], codes))` returns it, sooner.

    Examples
    --------
    >>> in_order(np.array([1, 0, 1]), np.array([7, 8, 6])).tolist()
    [1, 2, 0]
    """
    order: Integers | None = None  # as they stand
    if len(times) > 1 or (times[0][1:] < times[0][:-1]).any():
        order = np.lexsort(times[::-1])
    bits = (int(codes.max(initial=0)) + 1).bit_length()
    for shift in range(0, bits, DIGIT_BITS):
        digits = codes if order is None else codes[order]
        if bits > DIGIT_BITS:
            digits = (digits + 1) >> shift & (2**DIGIT_BITS - 1)
        by_digit = np.argsort(digits.astype(np.int16, copy=False), kind="stable")
        order = by_digit if order is None else order[by_digit]
    assert order is not None  # there is one digit at least
    return order


def both_in_order(
    codes: Codes, times: Integers, at_codes: Codes, at: Integers
) -> tuple[Integers, Integers]:
    """Return `in_order` of rows and of questions; once, if they are the same."""
    order = in_order(codes, times)
    if np.array_equal(codes, at_codes) and np.array_equal(times, at):
        return order, order
    return order, in_order(at_codes, at)


def parts(order: Integers) -> Iterator[Integers]:
    """Cut an order into pieces: what is asked at a time stays in the cache."""
    for start in range(0, len(order), CHUNK):
        yield order[start : start + CHUNK]


def _count_up_to(places: Integers, asked: Integers) -> Integers:
    """Do what `numpy.searchsorted` does on the right side, for questions in order."""
    same = np.searchsorted(places, asked[0])
    low, high = np.searchsorted(places, asked[[0, -1]], side="right")
    near = places[low:high]
    if 16 * len(asked) < len(near):
        found: Integers = np.searchsorted(near, asked, side="right") + low
        return found
    if np.array_equal(places[same : same + len(asked)], asked):  # rows ask themselves
        runs = np.flatnonzero(asked[1:] != asked[:-1]) + 1
        ends = np.append(runs + same, high)
        return np.repeat(ends, np.diff(runs, prepend=0, append=len(asked)))
    merged = np.concatenate([near, asked]).argsort(kind="stable")  # two runs: a merge
    rows_before = np.flatnonzero(merged >= len(near))
    rows_before -= np.arange(-low, len(asked) - low)
    return rows_before


class Line(NamedTuple):
    """The places of rows on the line, in order, and how a question finds its own."""

    places: Integers
    first: int
    last: int
    instants: Integers | None

    def count_up_to(self, codes: Codes, at: Integers) -> Integers:
        """Count for each question the rows of its key up to its time.

        The rows of the keys before count too: they drop out of the difference of two
        counts, or of two running sums, with the same key.

        Parameters
        ----------
        codes, at : array of whole numbers, one value per question
            Keys (a negative one stands before all rows) and times, in their order.

        Returns
        -------
        array of int64
            One count per question.
        """
        if self.instants is not None:
            at = np.searchsorted(self.instants, at, side="right")
        asked = np.clip(at, self.first - 1, self.last)
        asked -= self.first
        asked += np.multiply(codes, self.last - self.first + 2, dtype=np.int64)
        return _count_up_to(self.places, asked)


def line_up(codes: Codes, times: Integers, keys: int) -> Line:
    """Give rows that are in order by key and time their places on the line.

    Parameters
    ----------
    codes, times : array of whole numbers, one value per row
        Keys (none negative) and times.
    keys : int
        How many keys there are, of rows and questions.

    Returns
    -------
    Line
        That counts the rows up to a question.

    Examples
    --------
    >>> line = line_up(np.array([0, 1, 1]), np.array([5, 5, 7]), keys=2)
    >>> line.count_up_to(np.array([0, 1, 1]), np.array([4, 6, 7])).tolist()
    [0, 2, 3]
    """
    instants, first, last = None, 0, 0
    if len(times):
        first, last = int(times.min()), int(times.max())
    if (keys + 1) * (last - first + 2) > 2**SAFE_BITS:  # too wide for one number: ranks
        instants, first, last = np.sort(times), 0, len(times)
        times = np.searchsorted(instants, times, side="right")
    places = np.multiply(codes, last - first + 2, dtype=np.int64)
    places += times
    places -= first
    return Line(places, first, last, instants)

"""Bins: where numbers are cut, which levels a category has, and how many rows fall in.

A reference makes the bins once (`profile`), and any number of samples is counted in
them. Each column has its own counts; only `counts` and `block_counts` put them side by
side, padded to the widest.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple, TypeAlias

import numpy as np
import pandas as pd

from flightline.drift.columns import (
    Floats,
    Integers,
    Kind,
    Values,
    as_floats,
    as_frame,
    difference,
    kind_of,
    must_be_compared,
)
from flightline.drift.selection import at_places


def cut_points(values: Floats, bins: int) -> Floats:
    """Cut numbers into bins of about equally many.

    Parameters
    ----------
    values : array of float64
        Nulls are left out. Infinite values are allowed.
    bins : int
        At most so many bins; the outer two are open.

    Returns
    -------
    array of float64
        The upper ends of all bins but the last; a bin includes its upper end. A value
        that fills a bin or more gets a bin of its own. A constant gets the bins below,
        at and above it.

    Raises
    ------
    ValueError
        If `bins` is below 2.

    Examples
    --------
    >>> cut_points(np.array([0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 2.0]), 4).tolist()
    [0.0]
    """
    if bins < 2:
        raise ValueError(f"bins={bins} cannot tell two samples apart. Use 10.")
    known = np.count_nonzero(values <= np.inf)
    if not known:
        return np.array([], np.float64)
    low, high = np.fmin.reduce(values), np.fmax.reduce(values)
    if low == high:
        return np.array([np.nextafter(low, -np.inf), low])
    ends = at_places(values, -(-np.arange(1, bins) * known // bins) - 1)
    heavy = np.append(ends[1:][ends[1:] == ends[:-1]], ends[ends == high])
    below = [values[values < v].max() for v in np.unique(heavy) if v > low]
    cuts = np.unique(np.append(ends, below))
    return np.asarray(cuts[cuts < high])


@dataclass(frozen=True)
class Column:
    """What is kept of one column of the reference: its bins, and its numbers.

    Parameters
    ----------
    name : str
        Of the column.
    levels : Index or None
        The values of a category; its bins are these, and one for all unseen values.
        None for a number.
    cuts : array of float64
        The upper ends of all bins of a number but the last.
    values : array of float64
        The numbers of the reference, null as NaN.
    counts : array of int64
        The rows of the reference by bin. The last bin holds the nulls.
    """

    name: str
    levels: pd.Index | None
    cuts: Floats
    values: Floats
    counts: Integers

    @property
    def kind(self) -> Kind:
        """What the column holds in the reference."""
        if not self.counts[:-1].any():
            return "empty"
        return "number" if self.levels is None else "category"

    @property
    def known(self) -> Floats:
        """The numbers of the reference, without nulls."""
        return self.values[~np.isnan(self.values)]

    def codes(self, found: pd.Series) -> Integers:
        """Return the bin of every value of a column of this kind."""
        if self.levels is None:
            values = as_floats(found)
            bins = np.searchsorted(self.cuts, values, side="left")
            return np.where(np.isnan(values), len(self.cuts) + 1, bins)
        codes, values = pd.factorize(found)
        known = self.levels.get_indexer(pd.Index(values).astype(object))
        unseen, null = len(self.levels), len(self.levels) + 1
        return np.asarray(np.append(np.where(known < 0, unseen, known), null)[codes])

    def label(self, position: int) -> str:
        """Name a bin."""
        if position == len(self.counts) - 1:
            return "null"
        if self.levels is not None:
            unseen = position == len(self.levels)
            return "unseen values" if unseen else str(self.levels[position])
        low, high = np.append(-np.inf, self.cuts), np.append(self.cuts, np.inf)
        return f"({low[position]:.4g}, {high[position]:.4g}]"


class Pair(NamedTuple):
    """Counts of two samples in the same bins; the last axis is the bin."""

    before: Integers
    after: Integers


Reference: TypeAlias = Values | Mapping[str, Column]


def profile(reference: Values, bins: int = 10) -> dict[str, Column]:
    """Bin each column of the reference once, to compare many samples with it.

    Parameters
    ----------
    reference : DataFrame, Series or array
        At least one row. Numbers are cut at quantiles; booleans, texts and other
        values are categories.
    bins : int
        The most bins of a number, besides the one for nulls.

    Returns
    -------
    dict of str to Column
        In the order of the columns. Every function here takes it for the reference.

    Raises
    ------
    ValueError
        If there is no row, a column stands twice, holds times (dates as texts as well)
        or lists, or `bins` is below 2.
    """
    made = _binned(reference, bins)
    return {n: replace(one, values=one.values.copy()) for n, one in made.items()}


def _binned(reference: Values, bins: int) -> dict[str, Column]:
    """Bin each column; its values may still be those of the table."""
    table = as_frame(reference, "reference")
    return {str(n): _bin_column(str(n), found, bins) for n, found in table.items()}


def _bin_column(name: str, column: pd.Series, bins: int) -> Column:
    """Bin one column."""
    none, kind = np.array([], np.float64), must_be_compared(column)
    if kind == "number":
        values = as_floats(column)
        cuts = cut_points(values, bins)
        return Column(name, None, cuts, values, _in_bins(cuts, values))
    levels = pd.Index(pd.factorize(column)[1]).astype(object)
    made = Column(name, levels, none, none, np.array([], np.int64))
    return replace(made, counts=count(made, column))


def _in_bins(cuts: Floats, values: Floats) -> Integers:
    """Count numbers in bins; the last is that of the nulls."""
    until = [np.count_nonzero(values <= cut) for cut in (*cuts, np.inf)]
    return np.diff([0, *until, len(values)])


def count(column: Column, found: pd.Series) -> Integers:
    """Count the values of a column in the bins."""
    if column.levels is None:
        return _in_bins(column.cuts, as_floats(found))
    return np.bincount(column.codes(found), minlength=len(column.levels) + 2)


def paired(
    reference: Reference, current: Values, bins: int = 10
) -> list[tuple[Column, pd.Series]]:
    """Return each column of the reference with its column of the current sample.

    Parameters
    ----------
    reference, current, bins
        As in `counts`.

    Returns
    -------
    list of (Column, Series)
        A column that was null takes the kind that it has now.

    Raises
    ------
    ValueError
        As in `counts`.
    """
    made = reference if isinstance(reference, Mapping) else _binned(reference, bins)
    table = as_frame(current, "current sample")
    if not isinstance(current, pd.DataFrame) and len(made) == 1:
        table = table.set_axis(list(made), axis=1)
    for name, column in made.items():
        if fault := difference(name, column.kind, table):
            raise ValueError(f"{name!r}: {fault}.")
    return [awake(column, table[name]) for name, column in made.items()]


def awake(column: Column, found: pd.Series) -> tuple[Column, pd.Series]:
    """Give a column that was null, or is, the kind of the other sample."""
    now = kind_of(found)
    if now == "empty":
        return column, pd.Series(np.nan, found.index, dtype=np.float64)
    if column.kind != "empty" or (column.levels is None) == (now == "number"):
        return column, found
    rows, none = int(column.counts.sum()), np.array([], np.float64)
    levels = None if now == "number" else pd.Index([], dtype=object)
    filled = np.array([0, rows], np.int64)
    return Column(column.name, levels, none, none, filled), found


def each_pair(reference: Reference, current: Values, bins: int = 10) -> Iterator[Pair]:
    """Count two samples in the bins of the first, column after column."""
    for column, found in paired(reference, current, bins):
        yield Pair(column.counts, count(column, found))


def counts(reference: Reference, current: Values, bins: int = 10) -> Pair:
    """Count two samples in the bins of the first.

    Parameters
    ----------
    reference : DataFrame, Series, array, or what `profile` returned
        The sample that makes the bins.
    current : of the same kind
        A table may hold more columns than the reference; they are left out.
    bins : int
        As in `profile`; not used if the reference is one.

    Returns
    -------
    Pair of arrays of int64
        `before` and `after`, each [columns, bins]. A column's bins are followed by one
        for nulls; further places, up to the widest column, hold 0. The distances and
        the report do without these places: a table may have one column of many levels.

    Raises
    ------
    ValueError
        If there is no row, a column is missing, or it is a number in one sample and
        a category in the other.
    """
    pairs = list(each_pair(reference, current, bins))
    width = max(len(pair.before) for pair in pairs)
    whole = Pair(*(np.zeros((len(pairs), width), np.int64) for _ in range(2)))
    for row, pair in enumerate(pairs):
        for side, found in zip(whole, pair, strict=True):
            side[row, : len(found)] = found
    return whole


def shares(pair: Pair) -> tuple[Floats, Floats]:
    """Turn counts into shares; a bin that is empty on one side counts half a row.

    Parameters
    ----------
    pair : Pair
        What `counts` returned, or any counts with the bins on the last axis.

    Returns
    -------
    tuple of two arrays of float64
        Shares before and after, which add up to 1 in each row. A bin that is empty on
        both sides has share 0 in both.
    """
    used = (pair.before + pair.after) > 0
    filled = [np.where(used, np.maximum(side, 0.5), 0.0) for side in pair]
    before, after = (side / side.sum(axis=-1, keepdims=True) for side in filled)
    return before, after


def log_ratio(above: Floats, below: Floats) -> Floats:
    """Return log(above / below), and 0 where one of them is 0."""
    used = (above > 0) & (below > 0)
    return np.asarray(np.log(np.where(used, above, 1.0) / np.where(used, below, 1.0)))


def bins_used(pair: Pair) -> Integers:
    """Return, for each column, the number of bins that hold a row on either side."""
    return np.asarray(((pair.before + pair.after) > 0).sum(axis=-1))

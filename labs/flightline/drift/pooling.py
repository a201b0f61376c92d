"""Rare bins in one: bins of two samples that together decide which are too small."""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from flightline.drift.bins import Column, Pair, count
from flightline.drift.columns import Booleans, Floats, Integers

LEAST = 5
"""The fewest rows that a bin may expect in the smaller sample before it is pooled."""


def expected(pair: Pair) -> Floats:
    """Return the rows that each bin expects in the smaller sample, without drift."""
    both = (pair.before + pair.after).astype(np.float64)
    sizes = [side.sum(axis=-1, keepdims=True) for side in pair]
    return np.asarray(both * np.minimum(*sizes) / (sizes[0] + sizes[1]))


def is_rare(pair: Pair, least: float = LEAST) -> Booleans:
    """Mark the bins in use that expect too few rows in the smaller sample.

    Both samples together decide, so that it does not matter which row came when.
    """
    return ((pair.before + pair.after) > 0) & (expected(pair) < least)


def pool(pair: Pair, *more: Integers, least: float = LEAST) -> list[Integers]:
    """Merge, for each column, the bins that expect too few rows into one.

    Parameters
    ----------
    pair : Pair
        What `counts` returned.
    *more : arrays of int64, [..., columns, bins]
        Further counts to merge in the same way.
    least : float
        The fewest rows that a bin may expect in the smaller sample, without drift.

    Returns
    -------
    list of arrays
        Before, after, and the further ones, of the same totals. Of the merged bins,
        the first holds the sum and the others 0.
    """
    rare = is_rare(pair, least)
    first = rare & (np.cumsum(rare, axis=-1) == 1)
    merged = []
    for one in (*pair, *more):
        total = np.where(rare, one, 0).sum(axis=-1, keepdims=True)
        merged.append(np.where(first, total, np.where(rare, 0, one)))
    return merged


@dataclass(frozen=True)
class Shared:
    """One column of two samples, in bins that both samples make.

    Parameters
    ----------
    column : Column
        Of a category, the levels of both samples; those of the reference first.
    seen : int
        How many levels the reference has.
    raw : Pair
        The counts, [bins].
    place : array of int64
        The bin after pooling, for each bin.
    pair : Pair
        The counts after pooling, [pooled bins].
    """

    column: Column
    seen: int
    raw: Pair
    place: Integers
    pair: Pair

    def is_unseen(self) -> Booleans:
        """Mark the bins of levels that the reference does not have."""
        bins = np.arange(len(self.place))
        if self.column.levels is None:
            return np.zeros(len(bins), np.bool_)
        return (bins >= self.seen) & (bins < len(bins) - 1)


def in_shared_bins(column: Column, found: pd.Series) -> Shared:
    """Count a column in the levels of both samples, and pool the rare ones.

    Parameters
    ----------
    column : Column
        Of the reference.
    found : Series
        The same column of the current sample, as `paired` returns it.

    Returns
    -------
    Shared
        If the reference alone made the levels, all values that it happens to lack would
        fall into one bin of the current sample, and many levels would always drift.
    """
    seen = 0
    if column.levels is not None:
        seen, known = len(column.levels), column.counts
        values = pd.Index(pd.factorize(found)[1]).astype(object)
        new = values[column.levels.get_indexer(values) < 0]
        filled = np.insert(known, seen, np.zeros(len(new), np.int64))
        levels = column.levels.append(new) if len(new) else column.levels
        column = replace(column, levels=levels, counts=filled)
    raw = Pair(column.counts, count(column, found))
    rare, used = is_rare(raw), (raw.before + raw.after) > 0
    kept = used & ~rare
    place = np.where(kept, np.cumsum(kept) - 1, kept.sum())
    size = int(kept.sum() + rare.any())
    before, after = (
        np.bincount(place, weights=side, minlength=size)[:size].astype(np.int64)
        for side in raw
    )
    return Shared(column, seen, raw, place, Pair(before, after))

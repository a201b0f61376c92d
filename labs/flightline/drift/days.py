"""Days instead of rows: counts by block, and blocks dealt out at random.

The rows of one day share a storm, a strike, a timetable. They are not independent, and
a threshold for independent rows alarms far too often. Whole days, dealt out at random,
show what chance does.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from flightline.drift.bins import Column, Pair, paired
from flightline.drift.columns import Floats, Integers, is_null, kind_of
from flightline.drift.distances import psi_of

AT_ONCE = 4_000_000
"""How many places of blocks are dealt in one go; it bounds the memory."""


def must_name_blocks(table: pd.DataFrame, blocks: str) -> None:
    """Refuse a table without the column of blocks, or with nulls in it."""
    if blocks not in table or is_null(table[blocks]).any():
        raise ValueError(f"blocks={blocks!r} must be a column without nulls.")
    if kind_of(table[blocks]) == "nested":
        raise ValueError(f"blocks={blocks!r} holds nested values, not days.")


def block_counts(
    reference: Mapping[str, Column], current: pd.DataFrame, blocks: str
) -> Integers:
    """Count the rows of each block in the bins of a reference.

    Parameters
    ----------
    reference : dict of str to Column
        What `profile` returned.
    current : DataFrame
        With its columns, and one that names the block of each row, such as the date.
    blocks : str
        The name of that column; it has no nulls.

    Returns
    -------
    array of int64, [blocks, columns, bins]
        The blocks in order of appearance; the bins padded to the widest column.

    Raises
    ------
    ValueError
        As in `counts`, or if `blocks` is no column without nulls.
    """
    must_name_blocks(current, blocks)
    which = pd.factorize(current[blocks])[0]
    found = [
        by_block(which, column.codes(values), len(column.counts))
        for column, values in paired(reference, current)
    ]
    width = max(one.shape[1] for one in found)
    padded = [np.pad(one, ((0, 0), (0, width - one.shape[1]))) for one in found]
    return np.stack(padded, axis=1)


def by_block(which: Integers, codes: Integers, width: int) -> Integers:
    """Count the rows of each block, numbered from 0, by bin: [blocks, bins]."""
    blocks = int(which.max()) + 1
    place = which * width + codes
    return np.bincount(place, minlength=blocks * width).reshape(blocks, width)


def block_null(
    before: Integers, after: Integers, draws: int = 1999, seed: int = 0
) -> Floats:
    """Return the PSI of blocks that are dealt out at random, column by column.

    Parameters
    ----------
    before, after : arrays of int64, [blocks, columns, bins]
        What `block_counts` returned for the two samples.
    draws : int
        How often the blocks are dealt out again, as many to each side as there are.
    seed : int
        Of the random numbers.

    Returns
    -------
    array of float64, [draws, columns]
        PSI without drift, whatever ties the rows of a block together.
    """
    blocks = np.concatenate([before, after])
    columns = [blocks[:, k] for k in range(blocks.shape[1])]
    return deal_blocks(columns, len(after), draws, seed)


def deal_blocks(
    columns: Sequence[Integers], size: int, draws: int, seed: int
) -> Floats:
    """Deal blocks out at random, the same deal for every column.

    Parameters
    ----------
    columns : sequence of arrays of int64, [blocks, bins]
        The counts of both samples; each column may have its own bins.
    size : int
        How many blocks the current sample gets.
    draws, seed : int
        As in `block_null`.

    Returns
    -------
    array of float64, [draws, columns]
    """
    rng, blocks = np.random.default_rng(seed), len(columns[0])
    step = max(AT_ONCE // blocks, 1)
    dealt = np.zeros((draws, len(columns)))
    for start in range(0, draws, step):
        many = min(step, draws - start)
        places = np.tile(np.arange(blocks), (many, 1))
        mine = (rng.permuted(places, axis=1) < size).astype(np.float64)
        for k, column in enumerate(columns):
            whole = column[:, column.sum(axis=0) > 0]
            new = np.rint(mine @ whole.astype(np.float64)).astype(np.int64)
            dealt[start : start + many, k] = psi_of(Pair(whole.sum(axis=0) - new, new))
    return dealt


def deal_rows(pair: Pair, draws: int, seed: int) -> Floats:
    """Return the PSI of rows that are dealt out at random.

    Parameters
    ----------
    pair : Pair
        Counts of one column, [bins].
    draws, seed : int
        As in `block_null`.

    Returns
    -------
    array of float64, [draws]
        PSI without drift, for independent rows, however few a bin has.
    """
    both, size = pair.before + pair.after, int(pair.after.sum())
    rng = np.random.default_rng(seed)
    new = rng.multivariate_hypergeometric(both, size, draws, method="marginals")
    return psi_of(Pair(both - new, new))

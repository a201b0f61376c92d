"""Which of many costs and gains nothing beats."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd


def frontier(
    table: pd.DataFrame, less: Sequence[str], more: Sequence[str]
) -> npt.NDArray[np.bool_]:
    """Mark the rows that no other row beats: at least as good everywhere, once better.

    Parameters
    ----------
    table : DataFrame
        Any dtypes that can be compared, unsigned ones too.
    less, more : sequences of str
        Columns of which less, or more, is better; at least one in all.

    Returns
    -------
    array of bool, one per row

    Raises
    ------
    ValueError
        If a column is missing or named twice, or a value in one is.
    """
    names = [*less, *more]
    if not names or len(set(names)) < len(names):
        raise ValueError(f"less={list(less)}, more={list(more)}: name each once.")
    if unknown := [name for name in names if name not in table]:
        raise ValueError(f"the table has no column {', '.join(unknown)}.")
    if missing := [name for name in names if table[name].isna().any()]:
        raise ValueError(f"values are missing in {', '.join(missing)}. Leave them out.")
    columns = [(table[name].to_numpy(), name in less) for name in names]
    kept = np.ones(len(table), bool)
    for place in range(len(table)):
        as_good, better = np.ones(len(table), bool), np.zeros(len(table), bool)
        for values, low in columns:  # compared, never negated: -1 as uint8 is 255
            mine = values[place]
            as_good &= values <= mine if low else values >= mine
            better |= values < mine if low else values > mine
        kept[place] = not (as_good & better).any()
    return kept

"""Compare tables that came out of different engines, cell by cell."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd


def agree(left: pd.DataFrame, right: pd.DataFrame, columns: Sequence[str]) -> bool:
    """Return whether all cells of the columns are equal, nulls included.

    Parameters
    ----------
    left, right : DataFrame
        Rows in the same order; the index does not matter.
    columns : sequence of str
        Columns of times, numbers or text, in both.

    Returns
    -------
    bool
        False also where the numbers of rows differ.
    """
    if len(left) != len(right):
        return False
    pairs = ((left[name].array, right[name].array) for name in columns)
    return all(
        bool(np.all((a == b) | (pd.isna(a) & pd.isna(b))))
        for a, b in map(_comparable, pairs)
    )


def _comparable(
    pair: tuple[pd.api.extensions.ExtensionArray, pd.api.extensions.ExtensionArray],
) -> tuple[npt.NDArray[np.generic], npt.NDArray[np.generic]]:
    """Return two columns as plain arrays; times of any zone as instants in UTC."""
    a, b = (
        np.asarray(side.tz_convert("UTC").tz_localize(None)).astype("datetime64[us]")
        if isinstance(getattr(side, "dtype", None), pd.DatetimeTZDtype)
        else np.asarray(side)
        for side in pair
    )
    return a, b

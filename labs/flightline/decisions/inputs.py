"""Read what a caller gave, and refuse by name what cannot be decided on."""

import math
import operator
import sys
from typing import Any, SupportsIndex

import numpy as np
import numpy.typing as npt
import pandas as pd

Floats = npt.NDArray[np.float64]

SMALLEST = sys.float_info.min
"""A p-value below it would be rounded to 0; it is given as this number."""

LARGEST = 1e140
"""Numbers above it cannot be squared and summed; spreads below 1 / it are none."""

RAREST = 1e-100
"""The smallest error rate that anything here is asked for."""


def rate(alpha: float, name: str = "alpha", most: float = 0.5) -> float:
    """Return an error rate above 0 and at most `most`, or refuse it."""
    alpha = number(alpha, name)
    if not RAREST <= alpha <= most:
        raise ValueError(f"{name}={alpha:g} must lie between {RAREST:g} and {most:g}.")
    return alpha


def number(value: float, name: str, infinite: bool = False) -> float:
    """Return one number as a float, or refuse what is none."""
    wrong = isinstance(value, bool | np.bool_ | str | bytes | complex)
    try:
        read = math.nan if wrong else float(value)
    except (TypeError, ValueError, OverflowError):
        read = math.nan
    if math.isnan(read) or (math.isinf(read) and not infinite):
        raise ValueError(f"{name}={value!r} is no finite number.")
    if LARGEST < abs(read) < math.inf:
        raise ValueError(f"{name}={read:g} is too large to be computed with.")
    return read


def spread(se: float, name: str = "se") -> float:
    """Return a standard error above 0, or refuse it."""
    se = number(se, name)
    if se < 1 / LARGEST:
        raise ValueError(
            f"{name}={se:g}: without variance nothing can be tested. Are all values "
            "equal, or was a variance expected to be a standard error?"
        )
    return se


def whole(value: SupportsIndex, name: str, least: int = 1) -> int:
    """Return a whole number that is large enough, or refuse it."""
    try:
        read = operator.index(value)
    except TypeError:
        read = least - 1
    if isinstance(value, bool | np.bool_) or read < least:
        raise ValueError(f"{name}={value!r} is no whole number from {least} on.")
    return read


def one_of(value: str, name: str, choices: tuple[str, ...]) -> str:
    """Return a name that is known, or say which are."""
    if not isinstance(value, str) or value not in choices:
        raise ValueError(f"{name}={value!r} is none of {', '.join(choices)}.")
    return value


def numbers(values: npt.ArrayLike, name: str, nulls: bool = False) -> Floats:
    """Return numbers as float64, whatever holds them.

    Parameters
    ----------
    values : array_like
        Of any shape if it is an array of NumPy or lists of numbers; a Series or an
        array of pandas may be nullable or Arrow's.
    name : str
        For the message.
    nulls : bool
        Whether a null may stay, as NaN.

    Returns
    -------
    array of float64

    Raises
    ------
    ValueError
        For texts, truth values, complex numbers, rows of unequal length, infinite or
        huge numbers, and nulls that may not stay, with their number and first place.
    """
    array = _plain(values, name)
    wrong = np.isinf(array) if nulls else ~np.isfinite(array)
    if wrong.any():
        place = ", ".join(str(index) for index in np.argwhere(wrong)[0]) or "0"
        raise ValueError(
            f"{name} holds {int(wrong.sum())} of {array.size} values that are no "
            f"finite number (first: {array[wrong][0]} at position {place}). Find out "
            "why they are missing before you leave them out."
        )
    if (np.abs(array) > LARGEST).any():
        raise ValueError(f"{name} holds numbers above {LARGEST:g}: which unit is it?")
    return array


def _plain(values: npt.ArrayLike, name: str) -> Floats:
    """Return values as float64 with NaN for each kind of null."""
    given: Any = values
    if isinstance(given, pd.DataFrame):
        raise ValueError(f"{name} is a table: give one column of it.")
    if isinstance(given, pd.Series | pd.Index | pd.api.extensions.ExtensionArray):
        given = pd.Series(given).to_numpy(dtype=object, na_value=np.nan)
    elif isinstance(given, np.ma.MaskedArray):
        given = given.tolist()  # None where it is masked
    elif isinstance(given, dict | set | frozenset | str | bytes):
        raise ValueError(f"{name} is a {type(given).__name__}: give an array.")
    try:
        array = np.asarray(given)
        if array.dtype == object:
            array = _objects(array, name)
        if array.dtype.kind not in "iuf":
            raise ValueError(f"it holds {array.dtype}")
        return array.astype(np.float64)
    except (TypeError, ValueError, OverflowError) as error:
        raise ValueError(
            f"{name} holds something else than numbers: {error}."
        ) from None


def _objects(array: npt.NDArray[np.object_], name: str) -> npt.NDArray[Any]:
    """Return an array of objects as numbers; text and truth values are none."""
    flat = [np.nan if one is None or one is pd.NA else one for one in array.ravel()]
    for place, one in enumerate(flat):
        if isinstance(one, bool | np.bool_ | str | bytes | complex):
            raise ValueError(f"{one!r} stands at position {place}")
    return np.array([float(one) for one in flat], np.float64).reshape(array.shape)

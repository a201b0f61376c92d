"""What a column of an experiment holds: numbers, flags or labels, and nothing else."""

from collections.abc import Iterable, Mapping
from typing import TypeAlias

import numpy as np
import pandas as pd

from flightline.experiments.core import Floats
from flightline.experiments.experiment import number_of

Booleans: TypeAlias = np.typing.NDArray[np.bool_]
Integers: TypeAlias = np.typing.NDArray[np.int64]
Values: TypeAlias = pd.Series | np.typing.ArrayLike

NUMBERS = {"integer", "floating", "mixed-integer-float", "decimal", "boolean", "empty"}
"""What a column of objects may hold to count as numbers."""

LARGEST = 1e140
"""Numbers above it cannot be squared and summed."""


def must_be_a_rate(name: str, value: float) -> None:
    """Refuse a probability that always happens, or never, and what is no number."""
    value = number_of(value, name)
    if not 0 < value < 1:
        raise ValueError(f"{name}={value} is not strictly between 0 and 1.")


def as_column(values: Values, name: str) -> pd.Series:
    """Return values as one column, and refuse a table or a single number."""
    if isinstance(values, pd.Series):
        return values
    shape = getattr(values, "shape", (0,))
    single = isinstance(values, str | bytes | Mapping)
    if len(shape) != 1 or single or not isinstance(values, Iterable):
        raise ValueError(f"{name} must be one column of values, not {_said(values)}.")
    try:
        return pd.Series(values if hasattr(values, "shape") else list(values))
    except (OverflowError, TypeError, ValueError) as error:
        raise ValueError(f"{name} cannot be read as a column: {error}") from error


def _said(values: object) -> str:
    """Name what was given instead of a column."""
    shape = getattr(values, "shape", None)
    kind = type(values).__name__
    return f"a {kind} of shape {shape}" if shape else f"a {kind}"


def as_floats(values: Values, name: str) -> Floats:
    """Return the numbers of a column, null as NaN; a truth value counts as 0 or 1.

    Parameters
    ----------
    values : array_like
        One column: of any number type, nullable or Arrow, truth values, or objects and
        categories that are numbers.
    name : str
        What an error calls it.

    Returns
    -------
    array of float64

    Raises
    ------
    ValueError
        If it holds texts, times, nested or complex values, an infinite number, or one
        beyond 1e140.
    """
    column = as_column(values, name)
    dtype = column.dtype
    plain = pd.api.types.is_numeric_dtype(dtype) and dtype.kind != "c"
    if not (plain or pd.api.types.is_bool_dtype(dtype)):
        column = column.astype(object)
        inside = pd.api.types.infer_dtype(column, skipna=True)
        if inside not in NUMBERS:
            raise ValueError(f"{name} holds {inside} values ({dtype}), not numbers.")
    try:
        numbers = column.to_numpy(dtype=np.float64, na_value=np.nan)
    except (OverflowError, TypeError, ValueError) as error:
        raise ValueError(f"{name} cannot be read as numbers: {error}") from error
    beyond = np.abs(numbers) > LARGEST
    if beyond.any():
        raise ValueError(
            f"{name} holds {numbers[beyond][0]:g} in {int(beyond.sum())} of "
            f"{len(numbers)} rows (first: row {int(np.argmax(beyond))}): infinite, or "
            "too large to square. Drop these rows, or change the unit."
        )
    return np.asarray(numbers)


def as_flags(values: Values, name: str) -> Booleans:
    """Return truth values, or the numbers 0 and 1, and refuse nulls and others."""
    numbers = as_floats(values, name)
    wrong = ~np.isin(numbers, (0.0, 1.0))
    if wrong.any():
        raise ValueError(
            f"{name} must be true or false in each row; {int(wrong.sum())} of "
            f"{len(wrong)} rows are not (first: row {int(np.argmax(wrong))})."
        )
    return np.asarray(numbers == 1)


def as_codes(values: Values, name: str) -> tuple[Integers, pd.Index]:
    """Return the number of each row's label, and the labels; no label may be null."""
    column = as_column(values, name)
    missing = np.asarray(column.isna(), np.bool_)
    if missing.any():
        raise ValueError(
            f"{name} is missing in {int(missing.sum())} of {len(column)} rows (first: "
            f"row {int(np.argmax(missing))}). Drop these rows, or name them."
        )
    try:
        codes, labels = pd.factorize(column.reset_index(drop=True))
    except (TypeError, NotImplementedError) as error:  # the latter from Arrow
        raise ValueError(f"{name} holds nested values, not labels.") from error
    return np.asarray(codes, np.int64), pd.Index(labels)


def must_align(columns: Mapping[str, Values]) -> None:
    """Refuse columns that do not tell of the same rows.

    Parameters
    ----------
    columns : mapping of str to array_like
        Each with its name. Two that carry an index must carry the same, in the same
        order; one without an index goes by place.

    Raises
    ------
    ValueError
        If the lengths or the indexes differ.
    """
    series = {name: as_column(values, name) for name, values in columns.items()}
    sizes = {name: len(one) for name, one in series.items()}
    if len(set(sizes.values())) > 1:
        said = ", ".join(f"{name} has {size}" for name, size in sizes.items())
        raise ValueError(f"the columns differ in length: {said} rows.")
    indexed = [n for n, values in columns.items() if isinstance(values, pd.Series)]
    for name in indexed[1:]:
        if not series[name].index.equals(series[indexed[0]].index):
            raise ValueError(
                f"{indexed[0]} and {name} have different indexes: their rows may not "
                "be the same units. Join them by the unit, or pass arrays."
            )

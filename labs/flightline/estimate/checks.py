"""Refusals that name the value that is wrong, and numbers as they were written."""

from collections.abc import Callable
from fractions import Fraction
from functools import wraps
from numbers import Real
from typing import ParamSpec, TypeVar

import numpy as np
import numpy.typing as npt

P = ParamSpec("P")
R = TypeVar("R")

LEAST, MOST = 1e-30, 1e30
"""What a positive value lies between: products of a few such values stay finite."""
MOST_ROWS = 10**8
"""The most values that are held in memory at once."""


def number(**values: float) -> None:
    """Refuse what is no number, such as the text "3"."""
    for name, value in values.items():
        if not isinstance(value, Real):
            raise TypeError(f"{name} is {value!r}; it must be a number.")


def positive(**values: float) -> None:
    """Refuse values that are not positive and finite, or beyond `LEAST` and `MOST`."""
    number(**values)
    for name, value in values.items():
        if not LEAST <= value <= MOST:
            raise ValueError(
                f"{name} is {value}; it must be positive, from {LEAST:g} to {MOST:g}."
            )


def within(low: float, high: float, **values: float) -> None:
    """Refuse values outside an interval, or above `MOST`; a missing one is outside."""
    number(**values)
    high = min(high, MOST)
    for name, value in values.items():
        if not low <= value <= high:
            raise ValueError(f"{name} is {value}; it must lie from {low} to {high:g}.")


def count(most: float = MOST, **values: float) -> None:
    """Refuse values that are not whole numbers of at least 1."""
    number(**values)
    for name, value in values.items():
        if not (1 <= value <= most and value == int(value)):
            raise ValueError(
                f"{name} is {value}; it must be a whole number from 1 to {most:g}."
            )


def seconds(name: str, values: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Return times in seconds as an array of floats; refuse anything else."""
    found = np.asarray(values)
    if found.dtype.kind in "mM":  # their numbers may be nanoseconds
        raise ValueError(
            f"{name} holds {found.dtype}; give seconds, such as "
            "(times - times[0]) / np.timedelta64(1, 's')."
        )
    if found.dtype.kind == "O" and all(isinstance(one, Real) for one in found.flat):
        found = found.astype(float)  # nullable columns of pandas, and fractions
    if found.ndim != 1 or (found.size and found.dtype.kind not in "biuf"):
        raise ValueError(
            f"{name} must be a flat list of seconds; it has the shape {found.shape} "
            f"and the type {found.dtype}."
        )
    found = found.astype(float)
    lost = np.flatnonzero(~np.isfinite(found))
    if lost.size:
        raise ValueError(
            f"{name} is missing or infinite in {lost.size} of {found.size} places "
            f"(first: place {lost[0]}). Drop them or restore the time."
        )
    return found


def in_python_numbers(function: Callable[P, R]) -> Callable[P, R]:
    """Let a function compute with Python's numbers: NumPy's integers overflow.

    A narrow float is taken as it is written, as `exact` does.
    """

    def plain(value: object) -> object:
        if isinstance(value, np.integer):
            return int(value)
        return float(str(value)) if isinstance(value, np.floating) else value

    @wraps(function)
    def called(*args: P.args, **kwargs: P.kwargs) -> R:
        plain_args = [plain(value) for value in args]
        plain_kwargs = {name: plain(value) for name, value in kwargs.items()}
        return function(*plain_args, **plain_kwargs)  # type: ignore[arg-type]

    return called


def exact(value: float) -> Fraction:
    """Return a finite number as it is written: 1.1 is eleven tenths.

    A float that is printed as 1.1 is a little more than that. Where a result is rounded
    up or down, the difference can be a whole step.

    Examples
    --------
    >>> exact(1.1)
    Fraction(11, 10)
    """
    return Fraction(str(value + 0))

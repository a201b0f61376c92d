"""Refusals that name the value that is wrong, and numbers as they were written."""

import math
from fractions import Fraction


def positive(**values: float) -> None:
    """Refuse values that are not positive and finite."""
    for name, value in values.items():
        if not 0 < value < math.inf:
            raise ValueError(f"{name} is {value}; it must be positive and finite.")


def within(low: float, high: float, **values: float) -> None:
    """Refuse values outside an interval; an infinite or missing value is outside."""
    for name, value in values.items():
        if not (low <= value <= high and math.isfinite(value)):
            raise ValueError(f"{name} is {value}; it must lie from {low} to {high}.")


def count(**values: float) -> None:
    """Refuse values that are not whole numbers of at least 1."""
    for name, value in values.items():
        if not (1 <= value < math.inf and value == int(value)):
            raise ValueError(f"{name} is {value}; it must be a whole number from 1.")


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

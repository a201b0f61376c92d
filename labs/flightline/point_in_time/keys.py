"""Keys as numbers: equal values get the same one, whatever dtype holds them.

Kinds are looked at on the distinct values, not on every row. Keys that could never
match (text and bytes, booleans and numbers), or not for sure (whole numbers and floats
beyond 2**53), are refused by name: a join that finds nothing says nothing.
"""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from numbers import Integral, Real

import numpy as np
import numpy.typing as npt
import pandas as pd

Integers = npt.NDArray[np.int64]
Codes = npt.NDArray[np.int16 | np.int64]
"""Numbers of keys, as narrow as they fit; -1 is null, or not a key of the rows."""

SAMPLE = 10_000
"""How many rows tell whether the others repeat their objects."""

NUMBERS = {"whole numbers", "floats", "decimals"}
"""Kinds that may equal each other."""


def _kind(value: type) -> str:
    """Say what values of a type are, in the words of a message."""
    kinds: dict[str, type | tuple[type, ...]] = {
        "booleans": (bool, np.bool_),
        "whole numbers": Integral,
        "decimals": Decimal,
        "floats": Real,
        "texts": str,
        "bytes": bytes,
        "times": datetime,
        "dates": date,
        "durations": (timedelta, np.timedelta64),
    }
    for name, types in kinds.items():
        if issubclass(value, types):
            return name
    return value.__name__


def _kinds(values: pd.Index) -> set[str]:
    """Say what the values of an index are, whatever dtype holds them."""
    dtype = values.dtype
    if not len(values):
        return set()
    if isinstance(dtype, pd.StringDtype):
        return {"texts"}
    if not pd.api.types.is_object_dtype(dtype):
        for kind, test in {
            "booleans": pd.api.types.is_bool_dtype,
            "whole numbers": pd.api.types.is_integer_dtype,
            "floats": pd.api.types.is_float_dtype,
        }.items():
            if test(dtype):
                return {kind}
    if isinstance(dtype, pd.DatetimeTZDtype):
        return {"times with a zone"}
    if isinstance(dtype, np.dtype) and dtype.kind in "mM":
        return {"times" if dtype.kind == "M" else "durations"}
    scalars = values.to_numpy(dtype=object)
    kinds = {_kind(value) for value in set(map(type, scalars))}
    if "times" in kinds and any(getattr(t, "tzinfo", None) for t in scalars):
        kinds = kinds - {"times"} | {"times with a zone"}
    return kinds


def _plain(values: pd.Index) -> pd.Index:
    """Return the values of categories as an index of the values themselves."""
    if isinstance(values, pd.CategoricalIndex):
        return values.categories.take(values.codes)
    return values


def _precision(values: pd.Index) -> int:
    """Return the number from which on the floats of an index skip whole numbers."""
    dtype = getattr(values.dtype, "numpy_dtype", values.dtype)
    narrow = isinstance(dtype, np.dtype) and dtype.kind == "f"
    return int(2 ** (np.finfo(dtype).nmant + 1)) if narrow else 2**53


def _largest(values: pd.Index) -> float | int:
    """Return the largest size of the finite numbers of an index, 0 for none."""
    if pd.api.types.is_object_dtype(values.dtype):
        sizes = [abs(x) for x in values if isinstance(x, int | float)]
        sizes += [abs(x.item()) for x in values if isinstance(x, np.number)]
        return max((size for size in sizes if size < np.inf), default=0)
    plain = values.to_numpy()
    plain = plain[np.isfinite(plain.astype(np.float64))]
    return max(abs(plain.min().item()), abs(plain.max().item())) if len(plain) else 0


def _require_kinds(
    name: str, sides: Sequence[pd.Index], kinds: Sequence[set[str]], table: str
) -> None:
    """Raise a ValueError if the values of a key could never match, or not for sure."""
    groups = [{"numbers" if k in NUMBERS else k for k in side} for side in kinds]
    if not all(groups):
        return  # nothing but nulls: nothing is asked, or nothing is there
    first, second = (
        f"{' and '.join(sorted(kind))} ({side.dtype})"
        for kind, side in zip(kinds, sides, strict=True)
    )
    held = f"the key {name!r} holds {first} in entities and {second} in {table}"
    if not groups[0] & groups[1] or {"booleans", "numbers"} <= groups[0] | groups[1]:
        raise ValueError(f"{held}: these never match. Convert one of the columns.")
    if {"whole numbers", "floats"} <= kinds[0] | kinds[1]:
        limit = min(map(_precision, sides))
        for side, kind in zip(sides, kinds, strict=True):
            largest = _largest(side)
            # the limit itself, as a float, may once have been the number after it
            if largest > limit or (largest == limit and "floats" in kind):
                raise ValueError(
                    f"{held}, some beyond {limit:,}, where floats skip whole numbers. "
                    "Use whole numbers in both tables."
                )


def _comparable(sides: list[pd.Index], kinds: set[str]) -> list[pd.Index]:
    """Bring the values of a key to one dtype in which equal is equal, exactly."""
    first, second = (side.dtype for side in sides)
    plain = isinstance(first, np.dtype) and not pd.api.types.is_object_dtype(first)
    if first == second and plain:
        return sides
    if all(map(len, sides)) and kinds == {"whole numbers"}:
        ends = [int(end) for side in sides for end in (side.min(), side.max())]
        if all(-(2**63) <= end < 2**63 for end in ends):
            return [pd.Index(side.to_numpy(np.int64)) for side in sides]
    elif all(map(len, sides)) and kinds and kinds <= {"whole numbers", "floats"}:
        return [pd.Index(side.to_numpy(np.float64)) for side in sides]
    return [pd.Index(side.to_numpy(object), dtype=object) for side in sides]


def _addresses(column: pd.Series) -> Integers:
    """Return the address of the object in each row; none, if a column holds others."""
    if column.dtype != object or not len(column):
        return np.empty(0, np.intp)
    return np.frombuffer(np.ascontiguousarray(column.to_numpy()), np.intp)


def _same_objects(first: pd.Series, second: pd.Series) -> bool:
    """Return whether two columns hold the very same objects, row by row."""
    addresses = _addresses(first)
    return len(addresses) > 0 and np.array_equal(addresses, _addresses(second))


def _few(addresses: Integers) -> bool:
    """Return whether many rows hold the very same objects, judged by a sample."""
    sample = addresses[:: 1 + len(addresses) // SAMPLE]
    return len(addresses) > SAMPLE and 2 * len(pd.unique(sample)) < len(sample)


def _distinct(column: pd.Series) -> tuple[Integers, Integers, pd.Index]:
    """Find the distinct values of a column.

    Return a place for each row (-1 for null), the number of the value at each place (-1
    for null), and the values. Objects are told apart by their addresses first: those
    are whole numbers, and only one object of each address has to be looked at.
    """
    addresses = _addresses(column)
    if not _few(addresses):
        places, values = pd.factorize(column)
        return places, np.arange(len(values)), values
    places, held = pd.factorize(addresses)
    seen = 1 + int(np.argmax(places == len(held) - 1))  # up to the last new address
    row = np.empty(len(held), np.intp)
    row[places[:seen]] = np.arange(seen)
    return places, *pd.factorize(pd.Index(column.to_numpy()[row], dtype=object))


def _narrow(count: int) -> type[np.int16 | np.int64]:
    """Return a dtype that numbers of so many keys fit into."""
    return np.int16 if count < 2**15 else np.int64


def _look_up(
    name: str, entities: pd.DataFrame, rows: pd.DataFrame, table: str
) -> tuple[Codes, Codes, int]:
    """Return one key of both tables as numbers, and how many values there are."""
    try:
        asks, wanted, asked = _distinct(entities[name])
        codes, held, known = asks, wanted, asked
        if not _same_objects(entities[name], rows[name]):
            codes, held, known = _distinct(rows[name])
    except TypeError as error:
        raise ValueError(
            f"the key {name!r} holds values that cannot be looked up: {error}. "
            "Use texts or numbers."
        ) from error
    sides = [_plain(asked), _plain(known)]
    kinds = [_kinds(side) for side in sides]
    _require_kinds(name, sides, kinds, table)
    asked, known = _comparable(sides, kinds[0] | kinds[1])
    own = np.where(known.isna(), -1, np.arange(len(known)))
    found = np.where(asked.isna(), -1, known.get_indexer(asked))
    # a last one for null: -1 is the last place
    found, own = (
        np.append(numbers, -1)[np.append(which, -1)].astype(_narrow(len(known)))
        for numbers, which in ((found, wanted), (own, held))
    )
    return found[asks], own[codes], len(known)


def number_keys(
    entities: pd.DataFrame, rows: pd.DataFrame, by: Sequence[str], table: str
) -> tuple[Codes, Codes]:
    """Give each key of the rows a number, and the entities the numbers of theirs.

    Parameters
    ----------
    entities, rows : DataFrame
        With the key columns, of any dtype that holds single values: what is compared
        are the values, whether they are objects, categories, nullable or Arrow's.
    by : list of str
        The key columns; an empty list gives every row the number 0.
    table : str
        What the caller calls the rows, for the message.

    Returns
    -------
    at_codes, codes : array of int16 or int64
        A number for each entity and for each row; -1 is null, or not a key of the rows.

    Raises
    ------
    ValueError
        If the values of a key in one table could never equal those in the other (text
        and bytes, booleans and numbers), or are whole numbers in one and floats in the
        other, beyond what floats can tell apart.

    Examples
    --------
    >>> asks = pd.DataFrame({"k": ["b", None, "z"]})
    >>> number_keys(asks, pd.DataFrame({"k": ["a", "b"]}), ["k"], "features")
    (array([ 1, -1, -1], dtype=int16), array([0, 1], dtype=int16))
    """
    if not by:
        return np.zeros(len(entities), np.int16), np.zeros(len(rows), np.int16)
    at_codes, codes, size = _look_up(by[0], entities, rows, table)
    for name in by[1:]:
        *added, count = _look_up(name, entities, rows, table)
        size *= count
        at_codes, codes = (
            np.where((code < 0) | (more < 0), -1, code * np.int64(count) + more)
            for code, more in zip((at_codes, codes), added, strict=True)
        )
        if size > 2**20:  # keep the numbers small: only the pairs that occur
            seen = pd.Index(pd.unique(codes[codes >= 0]))
            size = len(seen)
            at_codes, codes = seen.get_indexer(at_codes), seen.get_indexer(codes)
    return at_codes, codes

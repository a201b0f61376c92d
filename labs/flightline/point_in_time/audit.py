"""Two checks of a table of features: serving agrees with it, and it does not leak."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pandas as pd

from flightline.point_in_time.inputs import (
    Flags,
    require_columns,
    same_clock,
    whole_numbers,
)

Numbers = npt.NDArray[np.number]

RANGE = {"i": (-(2.0**63), 2.0**63), "u": (0.0, 2.0**64)}
"""What fits into signed and unsigned whole numbers of 64 bits: below the second."""

LAST_DIGITS = 1e-12
"""How much, relative to the larger, two floats may differ by rounding."""


def _plain(column: pd.Series) -> pd.Series:
    """Return a column without its index, and without its categories."""
    if isinstance(column.dtype, pd.CategoricalDtype):
        values = column.cat.categories.array
        if values.dtype.kind in "iub":  # with room for null, whole numbers stay whole
            values = pd.array(values.to_numpy())
        return pd.Series(values.take(column.cat.codes.to_numpy(), allow_fill=True))
    return column.reset_index(drop=True)


def _is_real(column: pd.Series) -> bool:
    """Return whether a dtype holds booleans, whole numbers or floats."""
    tests = (
        pd.api.types.is_bool_dtype,
        pd.api.types.is_integer_dtype,
        pd.api.types.is_float_dtype,
    )
    return any(test(column.dtype) for test in tests)


def _numbers(column: pd.Series) -> tuple[Numbers, Flags]:
    """Return a column of numbers in a dtype of NumPy, and which are null."""
    dtype = column.dtype
    if not pd.api.types.is_float_dtype(dtype):
        return whole_numbers(column), column.isna().to_numpy(bool)
    floats = column.to_numpy(getattr(dtype, "numpy_dtype", dtype), na_value=np.nan)
    return floats, np.isnan(floats)


def _equals_whole(floats: Numbers, whole: Numbers, near: Flags) -> Flags:
    """Compare floats with whole numbers: exactly where they have no fraction."""
    wide, (least, above) = floats.astype(np.float64), RANGE[whole.dtype.kind]
    fits = (wide >= least) & (wide < above)
    same: Flags = np.where(fits, wide, 0).astype(whole.dtype) == whole
    return np.where(wide == np.rint(wide), fits & same, near)


def _equal_numbers(left: Numbers, right: Numbers) -> Flags:
    """Return which numbers are equal: whole ones exactly, others to the last digits."""
    floats = [side for side in (left, right) if side.dtype.kind == "f"]
    if not floats:
        return np.asarray(left == right, np.bool_)
    spacing = max(float(np.spacing(side.dtype.type(1))) for side in floats)
    a, b = left.astype(np.float64), right.astype(np.float64)
    size = np.maximum(np.abs(a), np.abs(b))
    with np.errstate(invalid="ignore", over="ignore"):
        near = np.abs(a - b) <= max(LAST_DIGITS, 4 * spacing) * size
    near = np.asarray((a == b) | (near & np.isfinite(size)), np.bool_)
    if len(floats) == 1:
        whole = right if floats[0] is left else left
        return _equals_whole(floats[0], whole, near)
    # below this size, two floats without a fraction are counts, or times, not rounded
    counts = (size < 1 / spacing) & (a == np.rint(a)) & (b == np.rint(b))
    return np.where(counts, a == b, near)


def _equal(left: object, right: object) -> bool:
    """Return whether two single values are equal; arrays by their items."""
    if isinstance(left, np.ndarray) or isinstance(right, np.ndarray):
        return np.array_equal(np.asarray(left), np.asarray(right))
    if isinstance(left, float) and isinstance(right, float):
        return bool(_equal_numbers(np.array([left]), np.array([right]))[0])
    return bool(left == right)


def _same(left: pd.Series, right: pd.Series) -> Flags:
    """Return for which rows two columns agree: equal values, or two nulls."""
    left, right = _plain(left), _plain(right)
    if _is_real(left) and _is_real(right):
        (a, no_a), (b, no_b) = _numbers(left), _numbers(right)
        return np.where(no_a | no_b, no_a & no_b, _equal_numbers(a, b))
    no_a, no_b = (side.isna().to_numpy(bool) for side in (left, right))
    both = np.flatnonzero(~(no_a | no_b))
    same: Flags = no_a & no_b
    pairs = zip(left.iloc[both].tolist(), right.iloc[both].tolist(), strict=True)
    same[both] = [_equal(a, b) for a, b in pairs]
    return same


def skew(offline: pd.DataFrame, served: pd.DataFrame) -> pd.Series:
    """Return the share of rows, for each column, whose two values differ.

    Parameters
    ----------
    offline, served : DataFrame
        The same rows (index) and columns.

    Returns
    -------
    Series of float64
        One share from 0 to 1 per column. Two nulls agree, of whatever dtype; a null and
        a value differ. Values are compared, not dtypes: a category equals the text that
        it stands for. Whole numbers (also in floats, up to 2**52), booleans, texts and
        times agree if they are equal; floats with a fraction agree up to a relative
        1e-12, or the last digits of the narrower dtype.

    Raises
    ------
    ValueError
        If rows or columns differ, or a column stands twice; it is named.

    Examples
    --------
    >>> offline = pd.DataFrame({"rate": [0.1 + 0.2, 0.5], "count": [1_000_001, 7]})
    >>> served = pd.DataFrame({"rate": [0.3, 0.5], "count": [1_000_002, 7]})
    >>> skew(offline, served).to_dict()
    {'rate': 0.0, 'count': 0.5}
    """
    for name in [*offline.columns, *served.columns]:
        if (name in offline.columns) != (name in served.columns):
            raise ValueError(
                f"the column {name!r} is in one table only. Add or drop it."
            )
    for table, frame in (("offline", offline), ("served", served)):
        require_columns(table, frame, [])
    if not offline.index.equals(served.index):
        raise ValueError("the rows differ: align the tables on one index first.")
    shares = dict.fromkeys(offline.columns, 0.0)
    for name in shares if len(offline) else []:
        shares[name] = float(np.mean(~_same(offline[name], served[name])))
    return pd.Series(shares, name="skew", dtype=np.float64)


def leaking_columns(
    build: Callable[[pd.DataFrame, pd.DataFrame], pd.DataFrame],
    entities: pd.DataFrame,
    events: pd.DataFrame,
    *,
    entity_time: str,
    available_time: str,
    cutoff: pd.Timestamp,
) -> list[str]:
    """Name the features that change when the events known after a cutoff are removed.

    Parameters
    ----------
    build : callable
        Takes entities and events, returns one row per entity, in their order.
    entities, events : DataFrame
        With the columns `entity_time` and `available_time`. An event whose time is null
        was never known. Entities are passed as they are: leave their outcomes out.
    cutoff : Timestamp
        With a time zone if the columns have one. Entities up to and including this
        time are asked about. Only leaks across the cutoff are found: try several.

    Returns
    -------
    list of str
        The columns that leak, in the order of the table; empty if none was caught.
        Two values differ as in `skew`: whole numbers exactly, of any size.

    Raises
    ------
    ValueError
        If a column is missing or holds no times, only some times have a zone, or
        `build` returns other columns or rows without the later events.

    Examples
    --------
    >>> hours = pd.to_datetime(["2013-07-02 10:00", "2013-07-02 14:00"])
    >>> asks, log = pd.DataFrame({"t": hours}), pd.DataFrame({"known": hours, "v": 1})
    >>> def build(asks, log):
    ...     return pd.DataFrame({"all": log["v"].sum(), "none": 0}, asks.index)
    >>> names = {"entity_time": "t", "available_time": "known"}
    >>> noon = pd.Timestamp("2013-07-02 12:00")
    >>> leaking_columns(build, asks, log, cutoff=noon, **names)
    ['all']
    """
    require_columns("entities", entities, [entity_time])
    require_columns("events", events, [available_time])
    moment = pd.Series([cutoff], name="cutoff")
    same_clock(entities[entity_time], [events[available_time], moment])
    asked = entities[(entities[entity_time] <= cutoff).to_numpy(bool)]
    known = events[(events[available_time] <= cutoff).to_numpy(bool)]
    changed = skew(build(asked, events), build(asked, known))
    return [str(name) for name in changed.index[changed > 0]]

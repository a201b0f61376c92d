"""What others bring: times with a zone, keys that can match, numbers that are numbers.

Each function returns plain columns, or names the column and the value that it refuses.
"""

import decimal
import numbers
from collections.abc import Sequence

import numpy as np
import pandas as pd

from flightline.features.core import CLOCKS
from flightline.features.names import Floats
from flightline.features.times import zoned
from flightline.features.views import view_of

EXACT = 2**53
"""Whole numbers from here on are not told apart as floats."""


def texts(rows: pd.DataFrame, name: str) -> list[str]:
    """Return a key as texts, or refuse what would never match one."""
    values: list[str] = rows[name].tolist()
    foreign = next((v for v in values if not isinstance(v, str)), None)
    if foreign is not None:
        raise ValueError(
            f"{name} holds {foreign!r}, and the store knows it as text: it would never "
            "match."
        )
    return values


def whole(rows: pd.DataFrame, name: str) -> list[int]:
    """Return a column of whole numbers, however they are kept, or refuse it."""
    column = rows[name]
    found = pd.to_numeric(column, errors="coerce").astype(np.float64)
    exact = found.eq(np.floor(found)) & found.abs().lt(EXACT)
    if pd.api.types.is_bool_dtype(column) or not exact.all():
        raise ValueError(f"{name} is {column.dtype}, not whole numbers.")
    return [int(number) for number in found]


def finite(rows: pd.DataFrame, name: str) -> Floats:
    """Return a column as float64 with NaN for null, or refuse what is no number."""
    column = rows[name]
    kind = column.dtype
    odd = pd.api.types.is_bool_dtype(kind) or pd.api.types.is_complex_dtype(kind)
    if odd or not pd.api.types.is_numeric_dtype(kind):
        column = column.astype(object)
        _refuse_foreign(column[column.notna()], name)
    found: Floats = column.to_numpy(np.float64, na_value=np.nan)
    if np.isinf(found).any():
        raise ValueError(f"{name} is infinite in row {np.isinf(found).argmax()}.")
    return found


def _refuse_foreign(values: pd.Series, name: str) -> None:
    """Refuse the first value that is a text, a boolean or anything but a number."""
    for value in values:
        real = isinstance(value, numbers.Real | decimal.Decimal)
        if isinstance(value, bool | np.bool_) or not real:
            raise ValueError(f"{name} holds {value!r}, which is no number.")


def complete(rows: pd.DataFrame, names: Sequence[str], what: str) -> None:
    """Refuse rows that lack a column, or name one twice."""
    lacking = [name for name in names if name not in rows]
    if lacking:
        raise ValueError(f"{what} lack the column {', '.join(lacking)}.")
    twice = rows.columns[rows.columns.duplicated()].intersection(names)
    if len(twice):
        raise ValueError(f"{what} name the column {twice[0]} twice.")


def present(rows: pd.DataFrame, names: Sequence[str], why: str) -> None:
    """Refuse the first column in which something is missing."""
    for name in names:
        null = rows[name].isna().to_numpy()
        if null.any():
            raise ValueError(
                f"{name} is missing in {null.sum()} of {len(rows)} rows (first: row "
                f"{null.argmax()}). {why}"
            )


def ordered(rows: pd.DataFrame, by: Sequence[str]) -> pd.DataFrame:
    """Return the keys and clocks of rows by position, or say why they have no order."""
    complete(rows, [*by, *CLOCKS], "the rows")
    clocks = {clock: zoned(rows, clock).array for clock in CLOCKS}
    present(rows, [*by, *CLOCKS], "Without it nobody knows what the row replaces.")
    return rows[list(by)].reset_index(drop=True).assign(**clocks)


def rows_of(view: str, rows: pd.DataFrame) -> pd.DataFrame:
    """Return rows in the types of a view, or say what is wrong with them.

    Parameters
    ----------
    view : str
        A name from VIEWS.
    rows : DataFrame
        With the keys, the features and the two clocks of the view, in any types that
        hold them.

    Returns
    -------
    DataFrame
        The same rows and columns: keys as text, flight numbers as int64, features as
        float64, clocks with a zone.

    Raises
    ------
    ValueError
        If there is no such view, a column is missing, named twice, or holds what the
        view cannot, or a row was known before its event.
    """
    what = view_of(view)
    clean = ordered(rows, what.keys)
    early = (clean["event_time"] > clean["available_at"]).to_numpy()
    if early.any():
        raise ValueError(
            f"event_time lies after available_at in {early.sum()} of {len(rows)} rows "
            f"(first: row {early.argmax()}). Nothing of these views is known before it "
            "happens, and such a row would keep out all that come until then."
        )
    complete(rows, what.features, f"the rows of {view}")
    plain = {name: finite(rows, name) for name in what.features}
    for key in what.keys:
        number = key == "flight"
        plain[key] = np.array(
            whole(rows, key) if number else texts(rows, key),
            dtype=np.int64 if number else object,
        )
    times = {clock: clean[clock].array for clock in CLOCKS}
    return rows.assign(**plain, **times)

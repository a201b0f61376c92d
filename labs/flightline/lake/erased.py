"""What was erased may not come back: the log keeps salted digests of such values."""

import hashlib
import secrets
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from numbers import Real

import numpy as np
import pandas as pd

from flightline.lake.log import Erased
from flightline.lake.times import Flags

ERASED = "was erased"


def spelling(value: object) -> str:
    """Return one text for one value, however it is stored.

    Parameters
    ----------
    value : object
        3, 3.0 and the decimal 3.00 are one number; an instant is one in any zone.

    Returns
    -------
    str
    """
    if isinstance(value, datetime) and value.tzinfo is not None:
        return value.astimezone(UTC).isoformat()
    if isinstance(value, (Real, Decimal)) and value == value // 1:
        return str(int(Decimal(str(value))))
    return str(value)


def spelled(values: pd.Series) -> pd.Series:
    """Return the spelling of each value; what is missing stays missing."""
    return values.astype(object).map(spelling, na_action="ignore")


def _digest(salt: str, text: str) -> str:
    """Return the salted digest of a text; half a character counts as it is."""
    return hashlib.sha256(f"{salt}:{text}".encode(errors="surrogatepass")).hexdigest()


def mark(column: str, value: object) -> Erased:
    """Describe a value without naming it.

    Few values are possible for an aircraft, so that whoever has the log can still try
    them all: the digest hides a value from a glance, not from a search.

    Parameters
    ----------
    column : str
        Where it stood.
    value : object
        What was erased.

    Returns
    -------
    Erased
    """
    salt = secrets.token_hex(8)
    return {"column": column, "salt": salt, "digest": _digest(salt, spelling(value))}


def is_erased(erased: Sequence[Erased], batch: pd.DataFrame) -> Flags:
    """Mark the rows of a batch that hold something erased.

    Parameters
    ----------
    erased : sequence of Erased
        As the log keeps it.
    batch : DataFrame
        Rows as delivered, or as cast.

    Returns
    -------
    array of bool, one a row
    """
    found: Flags = np.zeros(len(batch), bool)
    for each in erased:
        if each["column"] in batch:
            found |= _holds(batch[each["column"]], each)
    return found


def _holds(values: pd.Series, each: Erased) -> Flags:
    """Mark the values that are the erased one."""
    texts = spelled(values)
    distinct = texts.dropna().unique()
    gone = [t for t in distinct if _digest(each["salt"], t) == each["digest"]]
    found: Flags = texts.isin(gone).to_numpy(bool)
    return found


def shows_erased(erased: Sequence[Erased], batch: pd.DataFrame) -> Flags:
    """Mark the rows that show an erased text in any column.

    A row that breaks the contract may have its columns mixed up.

    Parameters
    ----------
    erased, batch
        As for `is_erased`.

    Returns
    -------
    array of bool, one a row
    """
    found: Flags = np.zeros(len(batch), bool)
    for each in erased:
        for name in batch:
            values = batch[name].astype(object)
            texts = values.where([isinstance(value, str) for value in values])
            found |= _holds(texts, each)
    return found

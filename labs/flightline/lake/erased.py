"""What was erased may not come back: the log keeps salted digests of such values."""

import hashlib
import secrets
from collections.abc import Sequence

import numpy as np
import pandas as pd

from flightline.lake.log import Erased
from flightline.lake.times import Flags

ERASED = "was erased"


def _digest(salt: str, value: object) -> str:
    """Return the salted digest of a value as text."""
    return hashlib.sha256(f"{salt}:{value}".encode()).hexdigest()


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
    return {"column": column, "salt": salt, "digest": _digest(salt, value)}


def is_erased(erased: Sequence[Erased], batch: pd.DataFrame) -> Flags:
    """Mark the rows of a batch that hold something erased.

    Parameters
    ----------
    erased : sequence of Erased
        As the log keeps it.
    batch : DataFrame
        Rows as delivered.

    Returns
    -------
    array of bool, one a row
    """
    found: Flags = np.zeros(len(batch), bool)
    for each in erased:
        if each["column"] in batch:
            values = batch[each["column"]].astype(object)
            distinct = values.dropna().unique()
            gone = [v for v in distinct if _digest(each["salt"], v) == each["digest"]]
            found |= values.isin(gone).to_numpy(bool)
    return found

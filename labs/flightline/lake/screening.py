"""Split a batch by its contract: what is good, and why the rest is not."""

import json
import warnings
from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa

from flightline.lake.casts import cast
from flightline.lake.columns import to_arrays
from flightline.lake.contracts import FAR, ORDER, TIMES, contract, keeps, key_of
from flightline.lake.events import COLUMNS
from flightline.lake.times import missing, require

if TYPE_CHECKING:
    from pandera.pandas import DataFrameSchema

WHOLE_ROW = {ORDER: "the event", FAR: "the event"}
"""Rules about a row as a whole, and what their reason begins with."""


def _reasons(cases: pd.DataFrame) -> dict[int, str]:
    """Turn pandera's failure cases into one text a row, by position."""
    rule = cases["check"].replace("not_nullable", "is missing")
    rule = rule.where(~rule.str.contains("dtype"), "has the wrong type")
    subject = rule.map(WHOLE_ROW).fillna(cases["column"])
    texts = (subject + " " + rule).groupby(cases["index"].astype(int))
    joined = texts.agg(lambda found: "; ".join(sorted(set(found))))
    return {int(row): str(text) for row, text in joined.items()}


def _validate(
    rows: pd.DataFrame, schema: "DataFrameSchema"
) -> tuple[pd.DataFrame, dict[int, str]]:
    """Return rows in the contract's types, and the reason for each bad position."""
    from pandera.errors import SchemaErrors

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)
            return schema.validate(rows, lazy=True), {}
    except SchemaErrors as error:
        cases = error.failure_cases
    if cases["index"].isna().all():
        what = f"{cases['column'].iloc[0]} fails {cases['check'].iloc[0]}"
        raise ValueError(f"The batch for {schema.name} as a whole: {what}.")
    return rows, _reasons(cases.dropna(subset=["index"]))


def reject(batch: pd.DataFrame, reasons: Mapping[int, str]) -> pd.DataFrame:
    """Describe rejected rows: position, reason, and the row as it was delivered.

    Parameters
    ----------
    batch : DataFrame
        The rows as delivered.
    reasons : mapping of int to str
        By position.

    Returns
    -------
    DataFrame
        `row`, `reason`, and `raw`, the row as JSON.
    """
    rows = sorted(reasons)
    raw = batch.iloc[rows].to_dict(orient="records") if rows else []
    return pd.DataFrame(
        {
            "row": pd.Series(rows, dtype="int64"),
            "reason": pd.Series([reasons[row] for row in rows], dtype=object),
            "raw": pd.Series([json.dumps(r, default=str) for r in raw], dtype=object),
        }
    )


def _gaps(column: pd.Series) -> dict[int, str]:
    """Name the rows in which a column has nothing."""
    rows = missing(column).nonzero()[0]
    return dict.fromkeys(map(int, rows), "is missing")


def _cast(
    batch: pd.DataFrame, schema: "DataFrameSchema", names: list[str]
) -> tuple[pd.DataFrame, dict[int, str]]:
    """Cast a batch; return the rows that survive, and why the others do not."""
    found: dict[int, set[str]] = {}
    columns: dict[str, pd.Series] = {}
    for name in names:
        wanted = getattr(schema.columns[name].dtype, "type", None)
        column, reasons = cast(batch[name], wanted)
        whole = isinstance(wanted, np.dtype) and wanted.kind in "iu"
        if whole or name in (key_of(schema), *TIMES):
            reasons = _gaps(column) | reasons
        for at, reason in reasons.items():
            found.setdefault(at, set()).add(f"{name} {reason}")
        columns[name] = column
    rows = pd.DataFrame(columns, pd.RangeIndex(len(batch)), copy=False)
    if found:
        rows = rows.drop(index=list(found))
        for name in names:  # whole numbers beside nothing came as objects
            wanted = getattr(schema.columns[name].dtype, "type", None)
            if isinstance(wanted, np.dtype) and wanted.kind in "iu":
                rows[name] = rows[name].astype(wanted)
    return rows, {at: "; ".join(sorted(texts)) for at, texts in found.items()}


class Screened(NamedTuple):
    """A batch by its contract: good rows as frame and in Arrow, and the others."""

    good: pd.DataFrame
    arrays: dict[str, pa.Array]
    bad: pd.DataFrame


def screen(
    batch: pd.DataFrame, schema: "DataFrameSchema"
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Split a batch into rows that keep the contract and rows that break it.

    Parameters
    ----------
    batch : DataFrame
        The rows as delivered; the index is ignored. Numbers and texts may be stored
        in any width or kind, if they equal themselves after the cast. A time needs a
        zone or an offset.
    schema : pandera.DataFrameSchema
        As `contract` returns it.

    Returns
    -------
    accepted : DataFrame
        The good rows in the contract's columns and types; the index is the
        position in the batch.
    rejected : DataFrame
        `row` (position in the batch), `reason`, and `raw`, the row as JSON.

    Raises
    ------
    ValueError
        If a column is missing, unknown or of another type: no row of such a batch
        can be trusted.
    """
    screened = sift(batch, schema)
    return screened.good, screened.bad


def _named(batch: pd.DataFrame, schema: "DataFrameSchema") -> list[str]:
    """Return the columns of a batch that its contract names; refuse others."""
    key_of(schema)
    names = [
        name
        for name, column in schema.columns.items()
        if column.required or name in batch
    ]
    require(batch, names, f"The batch for {schema.name}")
    if extra := [str(name) for name in batch.columns if name not in names]:
        raise ValueError(
            f"The batch for {schema.name} has the unknown column "
            f"{', '.join(sorted(extra))}. Drop it, or change the contract first."
        )
    return names


def _is_ours(schema: "DataFrameSchema") -> bool:
    """Return whether a contract is one of the course's."""
    return schema.name in COLUMNS and schema is contract(str(schema.name))


def _in_types(rows: pd.DataFrame, schema: "DataFrameSchema") -> bool:
    """Return whether every column has the type of its contract, and texts are texts."""
    for name in rows:
        column, wanted = rows[name], schema.columns[name].dtype.type
        if column.dtype != wanted:
            return False
        kind = pd.api.types.infer_dtype(column, skipna=True)
        if column.dtype == object and kind not in ("string", "empty"):
            return False
    return True


def sift(batch: pd.DataFrame, schema: "DataFrameSchema") -> Screened:
    """Split a batch as `screen` does, and keep the good rows in Arrow's types as well.

    Parameters
    ----------
    batch, schema
        As for `screen`.

    Returns
    -------
    Screened
    """
    names = _named(batch, schema)
    good, found = _cast(batch, schema, names)
    if _is_ours(schema) and _in_types(good, schema):
        with suppress(ValueError):  # what cannot be stored is named below
            arrays = to_arrays(good)
            if keeps(str(schema.name), arrays):
                return Screened(good, arrays, reject(batch, found))
    while True:
        checked, reasons = _validate(good, schema)
        if not reasons:
            return Screened(checked, to_arrays(checked), reject(batch, found))
        found |= reasons
        good = good.drop(index=list(reasons))

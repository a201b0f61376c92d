"""Read two tables for a comparison: Parquet with its types, CSV as text.

CSV has no types, and a guess from one file alone calls the code 1 to 8 a number until
an A arrives. Here both files decide: a column is numbers where all of its texts are.
"""

import re
from pathlib import Path

import pandas as pd

NULLS = {"", "NA", "N/A", "NaN", "nan", "null", "NULL", "None"}
"""Texts that stand for null beside numbers. In a text column only an empty one does."""

BOOLEANS = {"True", "true", "TRUE", "False", "false", "FALSE"}

CODE = re.compile(r"[+-]?\d+")
ZEROS = re.compile(r"[+-]?0\d+")

CODES = 50
"""A column of at most so many whole numbers may be a code, and a text in the end."""


def read(path: Path) -> pd.DataFrame:
    """Read a table from Parquet, or from CSV as texts.

    Parameters
    ----------
    path : path
        Ends in .parquet or .csv.

    Returns
    -------
    DataFrame
        Of a CSV file, texts alone: nothing is a null or a number yet.

    Raises
    ------
    ValueError
        If the file is not there, cannot be read, or is neither.
    """
    if path.suffix not in (".parquet", ".csv"):
        raise ValueError(f"{path.name}: write a .parquet or a .csv file.")
    try:
        if path.suffix == ".parquet":
            table = pd.read_parquet(path)
            return table.reset_index() if None not in table.index.names else table
        table = pd.read_csv(path, dtype=str, keep_default_na=False)
    except Exception as error:  # readers raise what they like for a file that is torn
        raise ValueError(f"{path.name} cannot be read: {error}") from error
    if not isinstance(table.index, pd.RangeIndex):
        raise ValueError(f"{path.name} has more values in a row than names of columns.")
    return table.fillna("")


def read_pair(reference: Path, current: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Read the two tables of a comparison.

    Parameters
    ----------
    reference, current : path
        As in `read`.

    Returns
    -------
    tuple of two DataFrames
        A column of two CSV files is numbers, or booleans, if all of its texts are in
        both; otherwise text in both. Numbers with decimals, or of many values, stay
        numbers where the other file has a text: that is a changed type. Beside a
        Parquet file, a column is text if it is there.

    Raises
    ------
    ValueError
        As in `read`.
    """
    paths = reference, current
    before, after = (read(path) for path in paths)
    texts = [path.suffix == ".csv" for path in paths]
    if all(texts):
        both = {name: _typed(before[name], after[name]) for name in before
                if name in after}  # fmt: skip
        return _with_types(before, {n: b for n, (b, _) in both.items()}), _with_types(
            after, {n: a for n, (_, a) in both.items()}
        )
    if texts[0]:
        return _with_types(before, _same_texts(before, after)), after
    if texts[1]:
        return before, _with_types(after, _same_texts(after, before))
    return before, after


def _same_texts(texts: pd.DataFrame, typed: pd.DataFrame) -> dict[str, pd.Series]:
    """Return the columns of a CSV file that are texts in a Parquet file."""
    return {
        name: _as_type(texts[name], "text")
        for name in texts
        if name in typed
        and pd.api.types.infer_dtype(typed[name].astype(object)) == "string"
    }


def _with_types(table: pd.DataFrame, typed: dict[str, pd.Series]) -> pd.DataFrame:
    """Return a table of texts with its types; columns without one decide alone."""
    return pd.DataFrame(
        {n: typed[n] if n in typed else _alone(table[n]) for n in table},
        index=table.index,
    )


def _alone(column: pd.Series) -> pd.Series:
    """Give a column of texts the type that fits it."""
    return _as_type(column, _fits(column))


def _typed(before: pd.Series, after: pd.Series) -> tuple[pd.Series, pd.Series]:
    """Give a column of two files one type, if one fits both."""
    was, now = _fits(before), _fits(after)
    if "empty" in (was, now):
        was = now = now if was == "empty" else was
    if was == "number" and now != "number" and not _may_be_codes(before):
        return _as_type(before, was), _as_type(after, now)
    common = was if was == now else "text"
    return _as_type(before, common), _as_type(after, common)


def _fits(column: pd.Series) -> str:
    """Return the narrowest type of texts: empty, boolean, number or text."""
    values = pd.Series(column.unique(), dtype=object).str.strip()
    known = values[values != ""]
    if known.empty:
        return "empty"
    if known.isin(BOOLEANS).all():
        return "boolean"
    known = known[~known.isin(NULLS)]
    if known.empty or known.str.fullmatch(ZEROS).any():
        return "text"
    return "number" if pd.to_numeric(known, errors="coerce").notna().all() else "text"


def _may_be_codes(column: pd.Series) -> bool:
    """Tell whether a column of numbers is few whole ones."""
    values = pd.Series(column.unique(), dtype=object).str.strip()
    known = values[~values.isin(NULLS)]
    return len(known) <= CODES and bool(known.str.fullmatch(CODE).all())


def _as_type(column: pd.Series, kind: str) -> pd.Series:
    """Return a column of texts as numbers, booleans, or texts with nulls."""
    stripped = column.str.strip()
    if kind == "number":
        return pd.to_numeric(stripped.mask(stripped.isin(NULLS)), errors="raise")
    if kind == "boolean":
        return (
            stripped.str.lower().map({"true": True, "false": False}).astype("boolean")
        )
    return column.mask(stripped == "", None)

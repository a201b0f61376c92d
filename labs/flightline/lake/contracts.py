"""What a row must be: columns, types, ranges, and the order of its times.

A contract is a pandera schema. Those of the course are built here from three tables
(`TEXTS`, `RANGES`, `YEARS`); for a table of your own, pass yours to `lake.append`.
"""

import re
from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from flightline.lake.events import COLUMNS, WEATHER
from flightline.lake.times import UTC, Flags

if TYPE_CHECKING:
    from pandera.pandas import Check, Column, DataFrameSchema

TEXTS = {
    "flight_id": r"\d{4}-\d\d-\d\d-\w\w-\d+-[A-Z]{3}",
    "carrier": r"\w\w",
    "tailnum": r"\w+",
    "origin": "EWR|JFK|LGA",
    "dest": "[A-Z]{3}",
}
RANGES = {
    "flight": (1, 9999),
    "distance": (1, 12_000),
    "air_time": (1, 1440),
    "dep_delay": (-180, 2880),
    "arr_delay": (-180, 2880),
    "temp": (-40, 130),
    "dewp": (-60, 100),
    "humid": (0, 100),
    "wind_dir": (0, 360),
    "wind_speed": (0, 200),
    "wind_gust": (0, 200),
    "precip": (0, 10),
    "pressure": (870, 1090),
    "visib": (0, 100),
}
WHOLE = ("flight", "distance")
OPTIONAL = ("tailnum", *WEATHER)
YEARS = (2000, 2099)
"""First and last year in which an event of the course may lie."""
ORDER = "is known before it happened"
FAR = "is more than a week from the date in flight_id"
TIMES = ("event_time", "available_at")


def _match(texts: pd.Series, pattern: str) -> pd.Series:
    """Mark the texts that match from end to end."""
    try:
        column = pa.array(texts, pa.string(), from_pandas=True)
    except (pa.ArrowInvalid, pa.ArrowTypeError, UnicodeEncodeError):  # no text
        found = [isinstance(t, str) and bool(re.fullmatch(pattern, t)) for t in texts]
        return pd.Series(found, texts.index, dtype=bool)
    matched = pc.match_substring_regex(column, f"^(?:{pattern})$").fill_null(False)
    return pd.Series(matched.to_numpy(zero_copy_only=False), texts.index)


def _first_of(year: int) -> pd.Timestamp:
    """Return the first moment of a year in UTC."""
    return pd.Timestamp(year, 1, 1, tz="UTC")


def _rule(name: str) -> "Check | None":
    """Return what the values of a column must keep."""
    from pandera.pandas import Check

    if name in TEXTS:
        return Check(lambda texts: _match(texts, TEXTS[name]), error="is malformed")
    if name in RANGES:
        low, high = RANGES[name]
        return Check.in_range(low, high, error=f"is outside {low} to {high}")
    first, last = _first_of(YEARS[0]), _first_of(YEARS[1] + 1)
    error = f"is outside the years {YEARS[0]} to {YEARS[1]}"
    return Check.in_range(first, last, include_max=False, error=error)


def _column(name: str) -> "Column":
    """Return the pandera column for a name that the course knows."""
    from pandera.pandas import Column

    kind = UTC
    if name in TEXTS:
        kind = "object"
    elif name in RANGES:
        kind = "int64" if name in WHOLE else "float64"
    return Column(kind, _rule(name), nullable=name in OPTIONAL)


def _in_order(rows: pd.DataFrame) -> pd.Series:
    """Mark the rows that were not known before they happened."""
    return ~(rows["available_at"] < rows["event_time"])


def _day(text: object) -> np.datetime64:
    """Return the date at the start of a flight's id, or NaT."""
    try:
        return np.datetime64(str(text), "D")
    except ValueError:
        return np.datetime64("NaT")


def _on_date(ids: pa.Array, events: pa.Array) -> Flags:
    """Mark the rows whose event lies within a week of the date in their key.

    A plan comes a day before, a landing may be four days late; a date that was
    computed wrongly (a narrow number, another order of day and month) is far off.
    """
    coded = pc.utf8_slice_codeunits(ids, 0, 10).dictionary_encode()
    days = [_day(text) for text in coded.dictionary.to_pylist()]
    places = coded.indices.fill_null(-1).to_numpy()  # a missing id finds the last, NaT
    day = np.array([*days, np.datetime64("NaT")], "M8[D]")[places]
    event = events.cast(pa.timestamp("s"), safe=False).to_numpy(zero_copy_only=False)
    far = np.abs(event - day.astype("M8[s]")) > np.timedelta64(7, "D")
    malformed = np.isnat(day) & ~np.asarray(ids.is_null())
    marked: Flags = ~(far | malformed)
    return marked


def _is_whole(text: str) -> bool:
    """Return whether a text can be written: it holds no half of a character."""
    return not any("\ud800" <= letter <= "\udfff" for letter in text)


def _dated(rows: pd.DataFrame) -> pd.Series:
    """Mark the rows of a frame whose event lies near the date in their key."""
    texts = rows["flight_id"].astype(object)
    texts = texts.where([isinstance(v, str) and _is_whole(v) for v in texts])
    ids = pa.array(texts, pa.string(), from_pandas=True)
    return pd.Series(_on_date(ids, pa.array(rows["event_time"])), rows.index)


@cache
def contract(table: str) -> "DataFrameSchema":
    """Return the contract of a table: columns, types, ranges, order of the times.

    Parameters
    ----------
    table : str
        schedule, departures, arrivals or weather.

    Returns
    -------
    pandera.DataFrameSchema
        Its metadata names the `key`: the column that says what an event is about.
        The types are exact; `screen` casts to them first, where nothing is lost.

    Raises
    ------
    ValueError
        If the table has no contract.
    """
    from pandera.pandas import Check, DataFrameSchema

    if table not in COLUMNS:
        known = ", ".join(COLUMNS)
        raise ValueError(f"No contract for {table!r}, only for {known}. Pass schema=.")
    names = [*COLUMNS[table], *TIMES]
    checks = [Check(_in_order, error=ORDER)]
    if "flight_id" in names:
        checks.append(Check(_dated, error=FAR))
    return DataFrameSchema(
        {name: _column(name) for name in names},
        checks,
        strict=True,
        name=table,
        metadata={"key": names[0]},
    )


def key_of(schema: "DataFrameSchema") -> str:
    """Return the column that says what an event is about; refuse a contract without.

    Parameters
    ----------
    schema : pandera.DataFrameSchema
        A contract.

    Returns
    -------
    str

    Raises
    ------
    ValueError
        If the contract names no key, or lacks the key, `event_time` or
        `available_at`, or if one of these times has no zone.
    """
    key = (schema.metadata or {}).get("key")
    if not isinstance(key, str):
        raise ValueError(
            f'The contract {schema.name} names no key. Give metadata={{"key": '
            '"flight_id"}, the column that says what an event is about.'
        )
    missing = [name for name in (key, *TIMES) if name not in schema.columns]
    if missing:
        raise ValueError(f"The contract {schema.name} lacks {', '.join(missing)}.")
    for name in TIMES:
        dtype = getattr(schema.columns[name].dtype, "type", None)
        if not isinstance(dtype, pd.DatetimeTZDtype):
            raise ValueError(
                f"The contract {schema.name} asks for {name} as {dtype}, without a "
                f"time zone. Use {UTC!r}."
            )
    return key


def _inside(name: str, column: pa.Array) -> bool:
    """Return whether every value of a column keeps its rule."""
    if column.null_count and name not in OPTIONAL:
        return False
    if column.null_count == len(column):
        return True
    if name in TEXTS:
        form = f"^(?:{TEXTS[name]})$"
        return bool(pc.all(pc.match_substring_regex(column, form)).as_py())
    low, high = RANGES.get(name) or (_first_of(YEARS[0]), _first_of(YEARS[1] + 1))
    ends = pc.min_max(column)
    least, most = ends["min"].as_py(), ends["max"].as_py()
    return bool(low <= least and (most <= high if name in RANGES else most < high))


def keeps(table: str, columns: Mapping[str, pa.Array]) -> bool:
    """Return whether every row of a batch keeps the course's contract.

    The rules are those of `contract`, asked of whole columns. It says whether anything
    is wrong; pandera, which is slower, then says what.

    Parameters
    ----------
    table : str
        schedule, departures, arrivals or weather.
    columns : mapping of pyarrow.Array
        In the types of the contract.

    Returns
    -------
    bool
    """
    if not len(columns[TIMES[0]]):
        return True
    if not all(_inside(name, columns[name]) for name in (*COLUMNS[table], *TIMES)):
        return False
    event, available = (columns[name] for name in TIMES)
    ordered = pc.all(pc.greater_equal(available, event)).as_py()
    if ordered is False or "flight_id" not in columns:
        return ordered is not False
    return bool(_on_date(columns["flight_id"], event).all())

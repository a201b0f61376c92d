"""Load the course's data: every file is checked against its digest as it is read.

What a reader gets is the same for every table. Whole numbers without nulls are
`int64`, wide enough for any arithmetic; numbers that may be missing are `float64`
with `NaN`; text is `object` holding `str`, or `None` where it is missing; instants
are `datetime64[us, UTC]`. The data card (`data/README.md`) describes every column.
"""

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from flightline.lake import SEALED_FROM, SEALED_UNTIL, is_sealed

DATA_DIR = Path(__file__).resolve().parents[2] / "data"
MODELS = DATA_DIR / "models"
SUMS = "SHA256SUMS"


class DataError(Exception):
    """A data file is not what it should be, or a request names what is not there."""


class FlightKey(NamedTuple):
    """What identifies one scheduled flight; no two rows share all five."""

    month: int
    day: int
    origin: str
    carrier: str
    flight: int


# The flight that every chapter follows; the data card tells its story.
RECURRING_FLIGHT = FlightKey(month=7, day=2, origin="JFK", carrier="B6", flight=523)


def load_flights(
    months: Iterable[int] | None = None, columns: Iterable[str] | None = None
) -> pd.DataFrame:
    """Load scheduled flights out of New York in 2013, up to 23 December.

    The last week is sealed: nothing of the course looks at it before the capstone.

    Parameters
    ----------
    months
        Numbers from 1 to 12, in any order; all twelve when None.
    columns
        The columns to read, in the order wanted; all fifteen when None.

    Returns
    -------
    pandas.DataFrame
        One row per scheduled flight, cancelled ones included, in the order of
        month, day, sched_dep_time, origin, carrier and flight; the index counts
        from 0. Times are local wall-clock times as HHMM, delays minutes.

    Raises
    ------
    DataError
        When a month or a column does not exist, or a file is missing or changed.

    Examples
    --------
    >>> load_flights(months=[7], columns=["carrier", "arr_delay"]).shape
    (29425, 2)
    """
    wanted = list(range(1, 13)) if months is None else sorted(set(months))
    unknown = [month for month in wanted if month not in range(1, 13)]
    if unknown or not wanted:
        raise DataError(f"months={unknown or wanted}: give numbers from 1 to 12.")
    return _flights(wanted, columns, sealed=False)


def load_sealed_week(columns: Iterable[str] | None = None) -> pd.DataFrame:
    """Load the flights of 24 to 30 December 2013: for the capstone, and only there.

    A model that is chosen by looking at these flights is judged too kindly on them, and
    no other week is left. A test finds every other use of this function.

    Parameters
    ----------
    columns
        As for `load_flights`.

    Returns
    -------
    pandas.DataFrame
        As `load_flights` returns it.

    Raises
    ------
    DataError
        When a column does not exist, or the file is missing or changed.
    """
    return _flights([SEALED_FROM[0]], columns, sealed=True)


def _flights(
    months: list[int], columns: Iterable[str] | None, *, sealed: bool
) -> pd.DataFrame:
    """Return the flights of some months: those of the sealed week, or the others."""
    only = None if columns is None else list(columns)
    parts = []
    for month in months:
        name = f"flights/2013-{month:02d}.parquet"
        date = _read(name, ["month", "day"]).to_pandas()
        kept = is_sealed(date) == sealed
        if sealed:
            kept &= date["day"] <= SEALED_UNTIL[1]
        parts.append(_read(name, only).filter(pa.array(kept)))
    return _frame(pa.concat_tables(parts))


def load_weather() -> pd.DataFrame:
    """Load hourly weather at EWR, JFK and LGA, by time_hour (UTC) and origin.

    Returns
    -------
    pandas.DataFrame
        One row per airport and hour. `time_hour` is the start of the hour in UTC;
        month, day and hour are the same instant on New York's clock.

    Raises
    ------
    DataError
        When the file is missing or changed.
    """
    return _frame(_read("weather.parquet"))


def load_planes() -> pd.DataFrame:
    """Load the registered aircraft, one row per tailnum, in its order.

    Returns
    -------
    pandas.DataFrame
        Many tail numbers of the flights have no row here; see the data card.

    Raises
    ------
    DataError
        When the file is missing or changed.
    """
    return _frame(_read("planes.parquet"))


def load_airports() -> pd.DataFrame:
    """Load airports with coordinates and time zones, one row per faa code.

    Returns
    -------
    pandas.DataFrame
        Four destinations have no row here; see the data card.

    Raises
    ------
    DataError
        When the file is missing or changed.
    """
    return _frame(_read("airports.parquet"))


def load_airlines() -> pd.DataFrame:
    """Load the names of the airlines, one row per carrier code.

    Returns
    -------
    pandas.DataFrame
        Columns carrier and name.

    Raises
    ------
    DataError
        When the file is missing or changed.
    """
    return _frame(_read("airlines.parquet"))


def recurring_flight() -> pd.DataFrame:
    """Load the one row of the flight that the whole course follows.

    Returns
    -------
    pandas.DataFrame
        The row of `RECURRING_FLIGHT`, with the columns and dtypes of
        `load_flights` and the index 0.

    Raises
    ------
    DataError
        When the file is missing or changed, or holds no such flight.
    """
    flights = load_flights(months=[RECURRING_FLIGHT.month])
    key = pd.Series(RECURRING_FLIGHT._asdict())
    row = flights[(flights[list(key.index)] == key).all(axis=1)]
    if len(row) != 1:
        raise DataError(f"{RECURRING_FLIGHT} matches {len(row)} flights, not one.")
    return row.reset_index(drop=True)


def _read(name: str, columns: list[str] | None = None) -> pa.Table:
    """Return the table in the file `name`, from the very bytes that were checked."""
    file = pq.ParquetFile(pa.BufferReader(_verified(name)))
    known = file.schema_arrow.names
    unknown = [column for column in columns or [] if column not in known]
    if unknown:
        raise DataError(
            f"data/{name} has no column {', '.join(map(repr, unknown))}. "
            f"It has: {', '.join(known)}."
        )
    table = file.read(columns=columns)
    return table if columns is None else table.select(columns)


def _verified(name: str) -> bytes:
    """Return the bytes of the file `name` if their digest is the recorded one."""
    expected = _digests().get(name)
    if expected is None:
        raise DataError(f"data/{SUMS} has no line for {name}. {_restore(SUMS)}")
    path = DATA_DIR / name
    if not path.is_file():
        raise DataError(f"data/{name} is missing. {_restore(name)}")
    content = path.read_bytes()
    found = hashlib.sha256(content).hexdigest()
    if found != expected:
        raise DataError(
            f"data/{name} has changed: its sha256 is {found[:12]}..., "
            f"data/{SUMS} says {expected[:12]}.... {_restore(name, SUMS)}"
        )
    return content


def _digests() -> dict[str, str]:
    """Return the recorded sha256 of each data file, by its name."""
    path = DATA_DIR / SUMS
    if not path.is_file():
        raise DataError(
            f"data/{SUMS} is missing, so that no data file can be checked. "
            f"{_restore(SUMS)}"
        )
    digests = {}
    for number, line in enumerate(path.read_text().splitlines(), start=1):
        digest, _, name = line.partition("  ")
        if len(digest) != 64 or not name:
            raise DataError(
                f"data/{SUMS}, line {number}, is not a digest, two spaces and a name. "
                f"{_restore(SUMS)}"
            )
        digests[name] = digest
    return digests


def _restore(*names: str) -> str:
    """Say how to bring data files back."""
    paths = " ".join(f"data/{name}" for name in names)
    return f"Restore it: git checkout -- {paths} (or python data/build.py)."


def _frame(table: pa.Table) -> pd.DataFrame:
    """Convert a table to the dtypes that this module promises."""
    fields = [
        field.with_type(pa.float64() if field.nullable else pa.int64())
        if pa.types.is_integer(field.type)
        else field
        for field in table.schema
    ]
    return table.cast(pa.schema(fields)).to_pandas()

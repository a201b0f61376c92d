"""Local clocks become instants: where a flight was due, left and landed, in UTC.

Everything here works by position. The index of a caller's table may repeat, and its
numbers may have any width: they are widened before anything is computed.
"""

import re
from collections.abc import Sequence
from datetime import datetime

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from flightline.lake import core

YEAR, NEW_YORK, UTC = 2013, "America/New_York", "datetime64[us, UTC]"
# Four destinations are absent from the airports table; all lie in one zone.
MISSING_ZONES = dict.fromkeys(("BQN", "SJU", "PSE", "STT"), "America/Puerto_Rico")
WHO = ["flight_id", "carrier", "flight", "tailnum", "origin", "dest"]
RAW = ["month", "day", "sched_dep_time", "dep_time", "sched_arr_time", "arr_time"]
RAW += ["dep_delay", "arr_delay", "air_time", "distance", *WHO[1:]]

Flags = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Moment = datetime | str  # a Timestamp is a datetime
NANOSECONDS = {"s": 10**9, "ms": 10**6, "us": 10**3, "ns": 1}
FINER = re.compile(r"[.,]\d{7}")  # Python would cut the seventh digit off
MOST = 2**53  # below it every whole number is a float, and no two are the same one


def require(frame: pd.DataFrame, columns: Sequence[str], name: str) -> None:
    """Raise a ValueError that names the columns a frame lacks, or has twice."""
    missing = [column for column in columns if column not in frame.columns]
    if missing:
        raise ValueError(
            f"{name} lacks the column {', '.join(missing)}. "
            f"It has: {', '.join(map(str, frame.columns))}."
        )
    doubled = frame.columns[frame.columns.duplicated()]
    if len(doubled):
        raise ValueError(f"{name} has two columns {doubled[0]!r}. Rename one.")


def _kind(column: pd.Series) -> str:
    """Return what pandas says of the values, `string` if there are only texts."""
    return str(pd.api.types.infer_dtype(column, skipna=False))


def missing(column: pd.Series) -> Flags:
    """Mark the missing values of a column; a column of texts alone is quick."""
    if column.dtype == object and _kind(column) == "string":
        return np.zeros(len(column), bool)
    found: Flags = column.isna().to_numpy(bool)
    return found


def is_timed(dtype: object) -> bool:
    """Return whether a type holds moments, with a zone or without; a date is none."""
    if isinstance(dtype, pd.ArrowDtype):
        return bool(pa.types.is_timestamp(dtype.pyarrow_dtype))
    return bool(pd.api.types.is_datetime64_any_dtype(dtype))


def instants(times: pd.Series, name: str) -> pd.DatetimeIndex:
    """Return a column of times as instants in UTC, in their own unit.

    Parameters
    ----------
    times : Series
        With any time zone; pandas' or Arrow's type.
    name : str
        What the message calls it.

    Returns
    -------
    DatetimeIndex
        Missing stays missing.

    Raises
    ------
    ValueError
        If the column holds no times, or times without a zone.
    """
    dtype = times.dtype
    if not is_timed(dtype) or times.dt.tz is None:
        raise ValueError(
            f"{name} holds {dtype}, and no times with a time zone. Give the zone that "
            "they were written in: .dt.tz_localize."
        )
    if isinstance(dtype, pd.ArrowDtype):
        stamps = times.to_numpy(f"M8[{dtype.pyarrow_dtype.unit}]")
        return pd.DatetimeIndex(stamps).tz_localize("UTC")
    return pd.DatetimeIndex(times).tz_convert("UTC")


def moment(value: Moment | None, name: str) -> pd.Timestamp | None:
    """Return a moment in UTC; refuse one without a time zone.

    Parameters
    ----------
    value : Timestamp or str or None
        A text is read as ISO 8601 alone, so that no day is taken for a month. None
        stays None.
    name : str
        What the message calls it.

    Returns
    -------
    Timestamp or None

    Raises
    ------
    ValueError
        If it is no moment, or has no zone.
    """
    if value is None:
        return None
    if not isinstance(value, (str, datetime)):
        raise ValueError(f"{name} is {value!r}, and no moment. Give a Timestamp.")
    try:
        given = datetime.fromisoformat(value) if isinstance(value, str) else value
        exact = not (isinstance(value, str) and FINER.search(value))
    except ValueError:
        exact = False
    if not exact:
        raise ValueError(
            f"{name} is {value!r}, and no moment in ISO 8601 down to microseconds. "
            "Write it like '2013-07-02T18:49Z'."
        )
    stamp = pd.Timestamp(given)
    if stamp is pd.NaT or stamp.tzinfo is None:
        raise ValueError(f"{name} is {value!r}, without a time zone. Give it in UTC.")
    return stamp.tz_convert("UTC")


def micro(stamp: pd.Timestamp | None) -> int | None:
    """Return a moment as microseconds since 1970, rounded down; None stays None."""
    if stamp is None:
        return None
    return int(stamp.tz_convert(None).as_unit("us").asm8.astype(np.int64))


def _refuse(column: pd.Series, bad: Flags, fault: str) -> None:
    """Raise a ValueError that counts the bad rows and names the first, if any."""
    if bad.any():
        at = int(bad.argmax())
        raise ValueError(
            f"{column.name} {fault} in {bad.sum()} rows "
            f"(first: row {column.index[at]}, {column.iloc[at]})."
        )


def numbers(column: pd.Series, *, whole: bool = False) -> Floats:
    """Return a column of numbers as floats; missing is NaN.

    Parameters
    ----------
    column : Series
        Integers or floats of any width, nullable or not, or all missing.
    whole : bool
        Refuse fractions.

    Returns
    -------
    array of float64

    Raises
    ------
    ValueError
        If the column holds no numbers, or one that a float cannot hold exactly.
    """
    dtype = column.dtype
    empty = bool(column.isna().all())
    number = pd.api.types.is_numeric_dtype(dtype) or empty
    number &= not pd.api.types.is_complex_dtype(dtype)
    if not number or pd.api.types.is_bool_dtype(dtype):
        raise ValueError(f"{column.name} holds {dtype}, and no numbers. Convert it.")
    if empty:
        return np.full(len(column), np.nan)
    values: Floats = column.to_numpy(np.float64, na_value=np.nan)
    _refuse(column, np.abs(values) >= MOST, "is too large to be exact")
    if whole:
        _refuse(column, ~np.isnan(values) & (values % 1 != 0), "is no whole number")
    return values


def clock_minutes(clock: pd.Series) -> pd.Series:
    """Turn clock readings hhmm into minutes after midnight.

    Parameters
    ----------
    clock : Series
        Readings such as 517 (05:17) or 2400 (midnight), of any numeric type; missing
        stays missing.

    Returns
    -------
    Series of float
        0 to 1439, with the index of `clock`; NaN where the reading is missing.

    Raises
    ------
    ValueError
        If a reading is no clock time; it names the first row.
    """
    value = numbers(clock)
    on_clock = (value >= 0) & (value <= 2400) & (value % 1 == 0) & (value % 100 < 60)
    wrong = ~np.isnan(value) & ~on_clock
    _refuse(clock, wrong, "is no clock time (hhmm, from 0 to 2400)")
    return core.clock_minutes(pd.Series(value, clock.index, name=clock.name))


def _zones(zone: pd.Series) -> pd.Series:
    """Return the names of time zones; refuse one that does not exist."""
    for name in pd.unique(zone.dropna()):
        try:
            pd.Timestamp(0, tz=name)
        except (KeyError, ValueError, TypeError, OSError):
            _refuse(zone, (zone == name).to_numpy(bool), "is no time zone")
    _refuse(zone, zone.isna().to_numpy(bool), "is missing")
    return zone.astype(object)


def next_clock(start_utc: pd.Series, clock: pd.Series, zone: pd.Series) -> pd.Series:
    """Find the first instant from `start_utc` on at which a clock shows `clock`.

    The clock is set to the local time at `start_utc` and runs on: it ignores a
    change between summer and winter time on the way.

    Parameters
    ----------
    start_utc : Series of datetime64[us, UTC]
        Where to start looking; missing gives missing.
    clock : Series
        Clock readings hhmm at the place; missing gives missing.
    zone : Series of str
        The time zone of the place, by name. All three are read by position.

    Returns
    -------
    Series of datetime64[us, UTC]
        With the index of `start_utc`. The wait is counted in elapsed minutes, 0 to
        1439, so that it exists and is unique also when clocks change.

    Raises
    ------
    ValueError
        If the lengths differ, the start has no time zone, a reading is no clock time,
        or a zone does not exist.
    """
    if not len(start_utc) == len(clock) == len(zone):
        sizes = f"{len(start_utc)}, {len(clock)} and {len(zone)}"
        raise ValueError(f"start_utc, clock and zone have {sizes} rows. Give as many.")
    start = pd.Series(instants(start_utc, "start_utc"))
    clock_minutes(clock)
    readings = pd.Series(numbers(clock))
    minute = start.dt.floor("min")  # a clock shows 23:51 from its first second on
    found = core.next_clock(minute, readings, _zones(zone)).astype(UTC)
    found = found.mask(found < start, start.astype(UTC))
    return found.set_axis(start_utc.index)


def _dates(flights: pd.DataFrame) -> pd.Series:
    """Return the date of each flight in New York; an impossible one raises."""
    month, day = (numbers(flights[name], whole=True) for name in ("month", "day"))
    parts = {"year": np.full(len(flights), YEAR), "month": month, "day": day}
    dates = pd.to_datetime(pd.DataFrame(parts), errors="coerce")
    wrong = dates.isna().to_numpy(bool)
    text = flights["month"].astype(str) + "/" + flights["day"].astype(str)
    _refuse(text.rename("month/day"), wrong, f"is no date of {YEAR}")
    if "year" in flights:
        other = numbers(flights["year"]) != YEAR
        _refuse(flights["year"], other, f"is not {YEAR}")
    return dates


def _local_departure(flights: pd.DataFrame, dates: pd.Series) -> pd.Series:
    """Return the scheduled departure in UTC; a skipped or doubled hour raises."""
    minutes = clock_minutes(flights["sched_dep_time"]).to_numpy()
    local = dates + pd.to_timedelta(minutes, unit="min")
    instant = local.dt.tz_localize(NEW_YORK, ambiguous="NaT", nonexistent="NaT")
    undecided = (local.notna() & instant.isna()).to_numpy(bool)
    fault = f"is skipped or doubled on New York's clock ({local[undecided].min()})"
    _refuse(flights["sched_dep_time"], undecided, fault)
    return instant.dt.tz_convert("UTC").astype(UTC)


def _flight_ids(flights: pd.DataFrame, dates: pd.Series) -> pd.Series:
    """Return date, carrier, number and origin as one key, unique in the year."""
    number = numbers(flights["flight"], whole=True)
    _refuse(flights["flight"], np.isnan(number), "is missing")
    names = {day: f"{day:%Y-%m-%d}-" for day in dates.unique()}
    carrier, origin = (
        flights[name].astype(object).reset_index(drop=True)
        for name in ("carrier", "origin")
    )
    middle = "-" + pd.Series(number.astype(np.int64)).astype(str) + "-"
    return dates.map(names) + carrier + middle + origin


def _later(start: pd.Series, minutes: pd.Series) -> pd.Series:
    """Return the instants some minutes later, by position."""
    wait = pd.to_timedelta(numbers(minutes), unit="min").as_unit("us")
    return (start + wait).astype(UTC)


def _zone_of(flights: pd.DataFrame, airports: pd.DataFrame) -> pd.Series:
    """Return the time zone of each destination; one without raises."""
    known = zip(airports["faa"], airports["tzone"], strict=True)
    zones = dict(known) | MISSING_ZONES
    zone = flights["dest"].astype(object).map(zones)
    if zone.isna().any():
        at = int(zone.isna().to_numpy().argmax())
        raise ValueError(
            f"dest {flights['dest'].iloc[at]!r} (row {flights.index[at]}) has no time "
            "zone. Add it to airports, or to MISSING_ZONES."
        )
    return zone.rename("tzone")


def flight_times(flights: pd.DataFrame, airports: pd.DataFrame) -> pd.DataFrame:
    """Give every flight its key and its exact instants in UTC.

    Parameters
    ----------
    flights : DataFrame
        Raw flights of 2013: month, day, local clock readings hhmm, minutes of delay.
        Numbers may have any width; the index may repeat.
    airports : DataFrame
        `faa` and `tzone`, for the clocks at the destinations.

    Returns
    -------
    DataFrame
        The flights in their own order and index, with `flight_id`,
        `sched_dep_utc`, `sched_arr_utc`, `dep_utc` (null: cancelled), `arr_utc`
        (null: no landing, or one without `arr_delay`, whose instant nothing
        confirms) and `cancelled`, which nobody knew before departure.

    Raises
    ------
    ValueError
        If a column is missing, a destination has no time zone, or a date or a clock
        reading is impossible; the message names the first row.
    """
    require(flights, RAW, "flights")
    require(airports, ["faa", "tzone"], "airports")
    zone, dates = _zone_of(flights, airports), _dates(flights)
    sched_dep = _local_departure(flights, dates)
    dep = _later(sched_dep, flights["dep_delay"])
    arr = next_clock(dep, flights["arr_time"], zone)
    confirmed = flights["arr_delay"].notna().to_numpy(bool)
    found = {
        "flight_id": _flight_ids(flights, dates),
        "sched_dep_utc": sched_dep,
        "sched_arr_utc": next_clock(sched_dep, flights["sched_arr_time"], zone),
        "dep_utc": dep,
        "arr_utc": arr.where(confirmed),
        "cancelled": flights["dep_time"].isna(),
    }
    return flights.assign(**{name: each.array for name, each in found.items()})

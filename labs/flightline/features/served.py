"""The log of what was served, and a training set from it.

For features that are computed when they are asked for, the log is the only record.
"""

import json
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pandas as pd

from flightline.features.checks import complete, present, zoned
from flightline.features.names import CATEGORICAL, FEATURES, NUMERIC

UNREADABLE = (ValueError, TypeError, KeyError, OverflowError, RecursionError)
"""How a line of a log may fail to be read."""


def log_served(
    path: Path | str, requests: pd.DataFrame, values: pd.DataFrame, at: pd.Timestamp
) -> None:
    """Append what was served to a log, as JSON Lines; a missing value is null.

    A line that an earlier writer left torn stays torn: the next one begins below it.

    Parameters
    ----------
    path : path
    requests, values : DataFrame
        The requests, and what `read_online` returned for them, row by row.
    at : Timestamp, with a zone
        When it was served.

    Raises
    ------
    ValueError
        If the two have different lengths, the time has no zone, a flight has no id, or
        a value is infinite.
    """
    complete(requests, ["flight_id"], "the requests")
    present(requests, ["flight_id"], "Without it no label finds the answer.")
    if len(requests) != len(values):
        raise ValueError(f"{len(values)} answers to {len(requests)} requests.")
    if at.tzinfo is None:
        raise ValueError(f"at={at} has no zone. Give it one: tz='UTC'.")
    plain = values.astype(object).where(values.notna(), None).to_dict("records")
    lines = [
        json.dumps(
            {"time": at.isoformat(), "flight_id": str(flight_id), "features": given},
            default=_plain,
            allow_nan=False,
        )
        for flight_id, given in zip(requests["flight_id"], plain, strict=True)
    ]
    with Path(path).open("ab+") as file:
        text = "".join(f"{line}\n" for line in lines)
        file.write(f"{_mend(file)}{text}".encode())


def _mend(file: BinaryIO) -> str:
    """Return a line end if the last line of an open file has none."""
    size = file.seek(0, 2)
    if not size:
        return ""
    file.seek(size - 1)
    return "" if file.read(1) == b"\n" else "\n"


def _plain(value: object) -> object:
    """Turn a number of NumPy into one of Python."""
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"{value!r} is no value of a feature.")


def read_log(path: Path | str) -> pd.DataFrame:
    """Read a log of what was served.

    Parameters
    ----------
    path : path
        What `log_served` wrote. Times may be spelled in any way of ISO 8601 that names
        a zone.

    Returns
    -------
    DataFrame
        `flight_id`, `time` (UTC) and the features, one row an answer, in the log's
        order. A line that is torn or foreign is left out: a warning names it, and the
        numbers of all such lines stand in `attrs["skipped"]`.
    """
    rows, skipped = [], {}
    for number, line in enumerate(Path(path).read_bytes().splitlines(), start=1):
        try:
            rows.append(_row(line))
        except UNREADABLE as error:
            skipped[number] = str(error) or type(error).__name__
    if skipped:
        first = next(iter(skipped))
        warnings.warn(
            f"{Path(path).name}: {len(skipped)} of {number} lines are left out (first: "
            f"line {first}, {skipped[first]}).",
            stacklevel=2,
        )
    table = pd.DataFrame(rows, columns=["flight_id", "time", *FEATURES])
    times = np.array(table["time"].tolist(), "M8[us]")
    table["time"] = pd.DatetimeIndex(times, tz="UTC")
    table = table.astype(dict.fromkeys(NUMERIC, np.float64))
    table.attrs["skipped"] = list(skipped)
    return table


def _row(line: bytes) -> dict[str, object]:
    """Return one line of the log as a row, or say what is wrong with it."""
    record = json.loads(line, parse_constant=_refuse)
    if not isinstance(record, Mapping) or not isinstance(record["features"], Mapping):
        raise ValueError("no record of an answer")
    time = pd.Timestamp(record["time"])
    if time is pd.NaT or time.tzinfo is None:
        raise ValueError(f"the time {record['time']!r} has no zone")
    given = record["features"]
    numbers = {name: _number(name, given.get(name)) for name in NUMERIC}
    texts = {name: _text(name, given.get(name)) for name in CATEGORICAL}
    if record["flight_id"] is None:
        raise ValueError("flight_id is null")
    utc = time.tz_convert("UTC").tz_localize(None).to_datetime64()
    return {"flight_id": str(record["flight_id"]), "time": utc, **texts, **numbers}


def _refuse(word: str) -> float:
    """Refuse NaN and Infinity, which JSON does not have and the log never writes."""
    raise ValueError(f"{word} is no number of JSON")


def _text(name: str, value: object) -> str | None:
    """Return a feature's text, or None for null."""
    if value is None or isinstance(value, str):
        return value
    raise ValueError(f"{name} is {value!r}, no text")


def _number(name: str, value: object) -> float:
    """Return a feature's number, NaN for null; a text is no number."""
    if value is None:
        return float("nan")
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"{name} is {value!r}, no number")
    number = float(value)
    if np.isinf(number):
        raise ValueError(f"{name} is infinite")
    return number


def rebuild(
    served: pd.DataFrame,
    late: pd.Series,
    label_time: pd.Series,
    *,
    until: pd.Timestamp,
) -> pd.DataFrame:
    """Build a training set from the log of what was served.

    Parameters
    ----------
    served : DataFrame
        `flight_id`, `time` and the features, one row an answer, as `read_log` returns.
    late, label_time : Series
        The label of each flight and when it was known, indexed by `flight_id`; null
        where there is none.
    until : Timestamp
        Labels known later are not used.

    Returns
    -------
    DataFrame
        Indexed by `flight_id`, sorted by the time of the last answer for each flight:
        the columns of the log (`time` included) of that answer, then `late`.

    Raises
    ------
    ValueError
        If a column is missing, a time has no zone, or a flight has two labels.
    """
    complete(served, ["flight_id", "time"], "the answers")
    if pd.Timestamp(until).tzinfo is None:
        raise ValueError(f"until={until} has no zone. Give it one: tz='UTC'.")
    label_time = zoned(label_time.to_frame("label_time"), "label_time")
    for name, labels in (("late", late), ("label_time", label_time)):
        if labels.index.has_duplicates:
            first = labels.index[labels.index.duplicated()][0]
            raise ValueError(f"{name} has two values for {first}.")
    last = served.sort_values("time", kind="stable").drop_duplicates(
        "flight_id", keep="last"
    )
    last = last.set_index("flight_id")
    labels = late.reindex(last.index)
    known = labels.notna() & (label_time.reindex(last.index) <= until)
    return last.assign(late=labels)[known]

"""The log of what was served, a daily check of it, and a training set from it.

For features that are computed when they are asked for, the log is the only record.
"""

import fcntl
import json
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pandas as pd

from flightline.features.checks import complete, finite, present, texts
from flightline.features.names import CATEGORICAL, FEATURES, NUMERIC
from flightline.features.times import in_zone, zoned
from flightline.point_in_time import skew

UNREADABLE = (ValueError, TypeError, KeyError, OverflowError, RecursionError)
"""How a line of a log may fail to be read."""


def log_served(
    path: Path | str, requests: pd.DataFrame, values: pd.DataFrame, at: pd.Timestamp
) -> None:
    """Append what was served to a log, as JSON Lines; a missing value is null.

    One writer appends at a time. A line that an earlier one left torn stays torn: the
    next one begins below it.

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
        `read_log` would not read a value: it is infinite, of another kind, or no
        feature's.
    """
    complete(requests, ["flight_id"], "the requests")
    present(requests, ["flight_id"], "Without it no label finds the answer.")
    if len(requests) != len(values):
        raise ValueError(f"{len(values)} answers to {len(requests)} requests.")
    when = in_zone("at", at)
    plain = _readable(values).to_dict("records")
    lines = [
        json.dumps(
            {"time": when.isoformat(), "flight_id": flight_id, "features": given},
            allow_nan=False,
        )
        for flight_id, given in zip(texts(requests, "flight_id"), plain, strict=True)
    ]
    with Path(path).open("ab+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)  # it goes when the file is closed
        text = "".join(f"{line}\n" for line in lines)
        file.write(f"{_mend(file)}{text}".encode())


def _mend(file: BinaryIO) -> str:
    """Return a line end if the last line of an open file has none."""
    size = file.seek(0, 2)
    if not size:
        return ""
    file.seek(size - 1)
    return "" if file.read(1) == b"\n" else "\n"


def _readable(values: pd.DataFrame) -> pd.DataFrame:
    """Return answers as texts, floats and None, or refuse what no reader would take."""
    complete(values, values.columns, "the answers")
    foreign = [name for name in values if name not in FEATURES]
    if foreign:
        raise ValueError(f"the answers hold {foreign[0]!r}, which is no feature.")
    plain = {}
    for name in values:
        if name in CATEGORICAL:
            column = values[name].astype(object)
            plain[name] = column.where(column.notna(), None)
            for value in plain[name]:
                _text(name, value)
        else:
            numbers = pd.Series(finite(values, name), values.index).astype(object)
            plain[name] = numbers.where(numbers.notna(), None)
    return pd.DataFrame(plain, index=values.index)


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
    labels = {name: _text(name, given.get(name)) for name in CATEGORICAL}
    if not isinstance(record["flight_id"], str) or not record["flight_id"]:
        raise ValueError(f"flight_id is {record['flight_id']!r}, no name of a flight")
    utc = time.tz_convert("UTC").tz_localize(None).to_datetime64()
    return {"flight_id": record["flight_id"], "time": utc, **labels, **numbers}


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


def skew_by_day(served: pd.DataFrame, offline: pd.DataFrame) -> pd.DataFrame:
    """Compare what was served with the same rows computed again: a row a day.

    Parameters
    ----------
    served : DataFrame
        `time` (with a zone) and the features, one row an answer, as `read_log` returns.
    offline : DataFrame
        The features of the same rows (index), computed again at each answer's time.
        Its columns are compared.

    Returns
    -------
    DataFrame
        Indexed by `day` (UTC): `answers`; `skew rate`, the share of cells that differ
        as in `point_in_time.skew`; the feature that differs most often, `worst`, and
        its own share, `worst rate`. Where all agree, `worst` is empty.

    Raises
    ------
    ValueError
        If a column is missing, the rows differ, or a time is missing or has no zone.
    """
    complete(served, ["time", *offline.columns], "the answers")
    present(served, ["time"], "Without it the answer belongs to no day.")
    if not served.index.equals(offline.index):
        raise ValueError("the rows differ: align the tables on one index first.")
    days = zoned(served, "time").dt.tz_convert("UTC").dt.strftime("%Y-%m-%d").to_numpy()
    found = {}
    for day in np.unique(days):
        rates = skew(offline[days == day], served.loc[days == day, offline.columns])
        worst = rates.max() if len(rates) else 0.0
        found[day] = {
            "answers": int((days == day).sum()),
            "skew rate": float(rates.mean()) if len(rates) else 0.0,
            "worst": rates.idxmax() if worst > 0 else "",
            "worst rate": worst,
        }
    columns = ["answers", "skew rate", "worst", "worst rate"]
    return pd.DataFrame.from_dict(found, orient="index", columns=columns).rename_axis(
        "day"
    )


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
    until = in_zone("until", until)
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

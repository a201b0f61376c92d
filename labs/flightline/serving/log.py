"""The prediction log: one line an answer, written before the answer goes out."""

import json
import logging
import os
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
from pydantic_core import to_json

LOGGER = logging.getLogger("flightline.serving")
LOG_FIELDS = ["time", "request_id", "flight_id", "model", "version", "precision"]
LOG_FIELDS += ["score", "late", "source", "latency_ms", "shadow", "features"]


def plain(value: object) -> object:
    """Return a number of NumPy as Python's own; what JSON does not know is None."""
    if hasattr(value, "item"):
        return value.item()
    return None


class PredictionLog:
    """Append one JSON line an answer. The line is written when `append` returns.

    The file is opened for appending and each line is a single write, so that several
    workers share one file, and a worker that is killed loses nothing that it wrote.
    A line end comes before each record too: whatever was torn before it, by whichever
    worker, stays alone on its line. The system holds the line then; it is not forced
    to the disk, and a machine that loses its power may lose the last seconds.

    Parameters
    ----------
    path : Path or str
        The file; it is made if it is not there.
    """

    def __init__(self, path: Path | str) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o640)

    def append(self, record: Mapping[str, Any]) -> None:
        """Write one record; an OSError says that it is not in the log."""
        line = b"\n%b\n" % to_json(record, inf_nan_mode="null", fallback=plain)
        if os.write(self._file, line) != len(line):
            raise OSError("The prediction log took only a part of the line.")

    def close(self) -> None:
        """Close the file."""
        os.close(self._file)


def _instant(text: object) -> datetime:
    """Read the time of a line; without an offset it is UTC, as the log writes it."""
    if not isinstance(text, str):
        raise ValueError(f"the time is {text!r}")
    time = datetime.fromisoformat(text)
    return time.replace(tzinfo=UTC) if time.tzinfo is None else time


def read_log(path: Path | str) -> pd.DataFrame:
    """Read a prediction log.

    Parameters
    ----------
    path : Path or str
        JSON Lines, as `PredictionLog` writes them.

    Returns
    -------
    DataFrame
        One row an answer, in the order written, with LOG_FIELDS; `features` holds
        dicts. Empty lines are skipped, and so are lines that hold no record with a
        time: torn ones, those not yet whole, what is no UTF-8. A warning counts them.
    """
    records, times, bad = [], [], []
    for number, line in enumerate(Path(path).read_bytes().splitlines(), start=1):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
            time = _instant(record["time"])
        except (ValueError, TypeError, KeyError, RecursionError):
            bad.append(number)
            continue
        records.append(record)
        times.append(time)
    if bad:
        LOGGER.warning(
            "%s: %d lines hold no record and are skipped (first: line %d)",
            *(Path(path).name, len(bad), bad[0]),
        )
    table = pd.DataFrame(records, columns=LOG_FIELDS)
    return table.assign(time=pd.to_datetime(times, utc=True))

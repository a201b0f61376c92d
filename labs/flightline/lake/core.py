# Do not edit: exported from labs/03_lake.ipynb.
# Change the lab, then run `make export`.

"""Lab 03: ingestion and the lake."""

__all__ = [
    "Conflict",
    "Entry",
    "batch_digest",
    "choose_wait",
    "clock_minutes",
    "draft",
    "entries",
    "failpoint",
    "files_of",
    "is_late",
    "next_clock",
    "publish",
]

import hashlib
import json
import os
import signal
import sys
import uuid
from collections.abc import Iterable
from pathlib import Path
from typing import TypedDict

import numpy as np
import pandas as pd


def clock_minutes(clock: pd.Series) -> pd.Series:
    """Turn clock readings such as 517 (05:17) or 2400 into minutes after midnight."""
    value = clock.astype("float64")
    return (value // 100 * 60 + value % 100) % 1440


def next_clock(start_utc: pd.Series, clock: pd.Series, zone: pd.Series) -> pd.Series:
    """Find the first instant from `start_utc` on at which a clock shows `clock`.

    The clock is set to the local time of `zone` at the start, and runs on. All three
    are read by position; a missing start or reading gives a missing instant.
    """
    zones = np.asarray(zone, dtype=object)
    shown = np.full(len(start_utc), np.nan)
    for name in pd.unique(zones):
        here = zones == name
        local = start_utc[here].dt.tz_convert(name).dt
        shown[here] = local.hour * 60 + local.minute
    wait_min = (clock_minutes(clock).to_numpy() - shown) % 1440
    wait = pd.to_timedelta(wait_min, unit="min").as_unit("us")
    return start_utc + wait


def batch_digest(batch: pd.DataFrame) -> str:
    """Name a batch by its rows and types, in whatever order rows and columns come."""
    columns = batch[sorted(batch.columns)]
    types = [f"{name}: {kind}" for name, kind in columns.dtypes.items()]
    exact = columns.select_dtypes(object).map(repr)  # 5 is not "5"
    rows = pd.util.hash_pandas_object(columns.assign(**exact), index=False)
    content = json.dumps(types).encode() + np.sort(rows.to_numpy()).tobytes()
    return hashlib.sha256(content).hexdigest()


def failpoint(name: str) -> None:
    """Send this process a signal if FLIGHTLINE_FAILPOINT is `name:SIGNAL`."""
    wanted, _, what = os.environ.get("FLIGHTLINE_FAILPOINT", "").partition(":")
    if wanted == name:
        sys.stderr.write(f"failpoint {name}\n")
        os.kill(os.getpid(), signal.Signals[what])


def draft(folder: Path, content: bytes, step: str) -> Path:
    """Write a complete, synced draft; leave none behind if the disk refuses."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f".{uuid.uuid4().hex}.draft"
    half = len(content) // 2
    try:
        with path.open("wb") as stream:
            stream.write(content[:half])
            stream.flush()  # loops, or raises: a raw write may be cut short
            failpoint(f"{step}-half")
            stream.write(content[half:])
            stream.flush()
            os.fsync(stream.fileno())
        failpoint(f"{step}-draft")
    except OSError:
        path.unlink(missing_ok=True)
        raise
    return path


class Conflict(RuntimeError):
    """Another writer committed first; nothing of this batch is in the lake."""


def publish(draft: Path, path: Path) -> None:
    """Give a finished draft its final name, unless somebody took the name first."""
    try:
        os.link(draft, path)
    except FileExistsError:
        raise Conflict(f"Another writer made {path.name} first. Try again.") from None
    finally:
        draft.unlink()


class Entry(TypedDict):
    """What a commit did: the batch it holds, the files that it added and removed."""

    version: int
    batch: str
    add: list[str]
    remove: list[str]


def entries(log_dir: Path) -> list[Entry]:
    """Read the entries of a log, oldest first."""
    return [json.loads(path.read_bytes()) for path in sorted(log_dir.glob("*.json"))]


def files_of(log: Iterable[Entry], as_of: int | None = None) -> list[str]:
    """List the files of a version: what was added up to it and not removed again."""
    files: set[str] = set()
    for entry in list(log)[:as_of]:
        files -= set(entry["remove"])
        files |= set(entry["add"])
    return sorted(files)


def is_late(events: pd.DataFrame, window: str, wait_min: int) -> pd.Series:
    """Mark the events that come after their window closed.

    The watermark stays `wait_min` minutes behind the newest event time seen. A window
    closes when the watermark reaches its end.
    """
    flow = events.reset_index(drop=True)
    flow = flow.sort_values(["available_at", "event_time"], kind="stable")
    newest = flow["event_time"].cummax().shift()
    end = flow["event_time"].dt.floor(window) + pd.Timedelta(window)
    late = newest - pd.Timedelta(minutes=wait_min) >= end
    return late.sort_index().set_axis(events.index)


def choose_wait(
    events: pd.DataFrame, candidates: Iterable[int], most_late: float
) -> int:
    """Choose the shortest wait, in minutes, with at most this share of late events."""
    for wait_min in sorted(candidates):
        if is_late(events, "1h", wait_min).mean() <= most_late:  # over all events
            return wait_min
    raise ValueError(
        f"No candidate keeps the late events at {most_late:.1%}. Add longer."
    )

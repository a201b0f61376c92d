"""Faults to inject into feeds and writers, the same ones each time.

Delays and malformed rows are made with a fixed seed. The kills are real: a child
process runs `python -m flightline.lake ingest` and gets SIGKILL, at a failpoint or
after a while.
"""

import os
import shutil
import signal
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TypedDict, TypeVar
from unittest import mock

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
from flightline import lake

from labkit import processes
from labkit.outcomes import outcome

INGEST = ("flightline.lake", "ingest")
T = TypeVar("T")


class Entry(TypedDict):
    """What a log entry says of a commit, as far as the exercise needs it."""

    op: str
    source: str
    add: list[dict[str, str]]
    remove: list[str]


def delay(
    events: pd.DataFrame, *, share: float, mean_min: float, seed: int
) -> pd.DataFrame:
    """Let a share of the events become known later than they did.

    Parameters
    ----------
    events : DataFrame
        With `available_at`.
    share : float
        From 0 to 1: the chance of each event to be delayed.
    mean_min : float
        The mean of the exponential delay, in minutes.
    seed : int
        The same seed delays the same rows.

    Returns
    -------
    DataFrame
        A copy with a later `available_at` in some rows.

    Raises
    ------
    ValueError
        If the share is no share.
    """
    if not 0 <= share <= 1:
        raise ValueError(f"share is {share}. Give a number from 0 to 1.")
    chance = np.random.default_rng(seed)
    hit = chance.random(len(events)) < share
    wait_s = chance.exponential(mean_min * 60, len(events)).round() * hit
    later = events["available_at"] + pd.to_timedelta(wait_s, unit="s")
    return events.assign(available_at=later.astype(events["available_at"].dtype))


def malform(batch: pd.DataFrame, column: str, rows: int) -> pd.DataFrame:
    """Spoil the first rows of a batch, each in one of three ways, in turn.

    Parameters
    ----------
    batch : DataFrame
        Departures or arrivals.
    column : str
        The delay column; it becomes text, as a careless sender writes it.
    rows : int
        How many rows to spoil.

    Returns
    -------
    DataFrame
        A copy; the spoilt rows have no number for the delay, an airport that does
        not exist, or a report from before its event.
    """
    bad = batch.astype({column: str})
    for n, row in enumerate(bad.index[:rows]):
        if n % 3 == 0:
            bad.loc[row, column] = "n/a"
        elif n % 3 == 1:
            bad.loc[row, "origin"] = "???"
        else:
            bad.loc[row, "available_at"] -= pd.Timedelta(hours=5)
    return bad


def judge(rows: pd.DataFrame, sent: pd.DataFrame) -> dict[str, int]:
    """Compare the departures that a reader gets with the good ones that were sent.

    Parameters
    ----------
    rows, sent : DataFrame
        Departures.

    Returns
    -------
    dict of int
        `rows lost`, `rows doubled`, and `bad rows`: malformed, and handed out as if
        they were good.
    """
    good = pd.to_numeric(rows.dep_delay, errors="coerce").notna()
    good &= rows.origin.isin(["EWR", "JFK", "LGA"])
    good &= rows.available_at >= rows.event_time
    return {
        "rows lost": len(set(sent.flight_id) - set(rows.flight_id)),
        "rows doubled": int(rows.flight_id.duplicated().sum()),
        "bad rows": int((~good).sum()),
    }


def killed_at(point: str, base: Path, file: Path) -> dict[str, str | int]:
    """Kill an append at a failpoint; say what a reader sees before and after a retry.

    Parameters
    ----------
    point : str
        One of `flightline.lake.FAILPOINTS`.
    base : Path
        A lake with departures; a copy of it is used.
    file : Path
        A Parquet file with the next batch.

    Returns
    -------
    dict
        The point, the signal that ended the child, the version a reader sees,
        `BROKEN` if it sees neither the old nor the new version, the drafts that
        were left behind, and the state after the retry.
    """
    copy = shutil.copytree(base, base.with_name(f"{base.name}-{point}"))
    batch, old = pd.read_parquet(file), lake.read(base, "departures")
    new = pd.concat([old, batch]).sort_values(["event_time", "flight_id"])
    new = new.reset_index(drop=True)
    command = processes.module(*INGEST, copy, "departures", file)
    wish = {"FLIGHTLINE_FAILPOINT": f"{point}:SIGKILL"}
    with processes.Child(command, env=wish) as child:
        code = child.wait()
    seen = lake.read(copy, "departures")
    sees = "old" if seen.equals(old) else "new" if seen.equals(new) else "BROKEN"
    drafts = len(list(copy.rglob("*.draft")))
    lake.append(copy, "departures", batch, source=file.name)
    whole = lake.read(copy, "departures").equals(new)
    return {
        "killed at": point,
        "signal": signal.Signals(-code).name,
        "reader sees": sees,
        "drafts left": drafts,
        "after retry": "complete" if whole else "BROKEN",
    }


def append_files(lake_dir: Path, files: Sequence[Path]) -> list[str]:
    """Append files in order, by day, and return the digests of the log.

    Parameters
    ----------
    lake_dir : Path
        The lake; files that it holds already change nothing.
    files : sequence of Path
        Parquet files with departures.

    Returns
    -------
    list of str
        The digest of each log entry.
    """
    for file in files:
        batch = pd.read_parquet(file)
        lake.append(lake_dir, "departures", batch, source=file.name, by="day")
    return [entry["sha256"] for entry in lake.log(lake_dir, "departures")]


def killed_after(
    done: int,
    wait_s: float,
    lake_dir: Path,
    files: Sequence[Path],
    undisturbed: list[str],
) -> dict[str, bool | int]:
    """Kill a child that appends files one by one; check the lake, then finish it.

    Parameters
    ----------
    done : int
        How many files it has reported done before the kill.
    wait_s : float
        How long to wait after that report.
    lake_dir : Path
        A lake that does not exist yet.
    files : sequence of Path
        The files, in order.
    undisturbed : list of str
        What `append_files` returned for a lake that nobody disturbed.

    Returns
    -------
    dict
        Whether it was killed, how many files a reader sees, whether these are
        whole files, and whether the finished lake has the same digests.
    """

    def far_enough(child: processes.Child) -> bool:
        log = child.log()
        return "ready" in log and log.count('"version"') >= done

    command = processes.module(*INGEST, lake_dir, "departures", *files, "--by", "day")
    with processes.Child(command, ready=far_enough) as child:
        time.sleep(wait_s)
        child.kill(signal.SIGKILL)
        code = child.wait()
    done = len(lake.log(lake_dir, "departures"))
    seen = len(lake.read(lake_dir, "departures")) if done else 0
    return {
        "killed": code == -signal.SIGKILL,
        "files seen": done,
        "whole": seen == sum(pq.read_metadata(file).num_rows for file in files[:done]),
        "same digests": append_files(lake_dir, files) == undisturbed,
    }


def damage(base: Path, table: str) -> dict[str, tuple[str, str]]:
    """Damage copies of a lake in three ways, and collect what a reader is told.

    Parameters
    ----------
    base : Path
        A lake with at least two versions of the table; it is left as it is.
    table : str
        The table.

    Returns
    -------
    dict of tuple
        By the kind of damage, the name of the file that the message must contain, and
        the message: a data file cut in half, a log entry with one changed byte, and a
        log entry that is gone, which shows in the one after it.
    """
    part = Path(lake.files(base, table).path[0])
    first, second = (Path("_log", f"{version:08d}.json") for version in (1, 2))
    found = {}
    for kind, name in {"cut": part, "changed": second, "gone": first}.items():
        copy = shutil.copytree(base, base.with_name(f"{base.name}-{kind}"))
        path = copy / table / name
        content = path.read_bytes()
        path.unlink()
        if kind == "cut":
            path.write_bytes(content[: len(content) // 2])
        elif kind == "changed":
            path.write_bytes(content.replace(b'"version": 2', b'"version": 3'))
        try:
            lake.read(copy, table)
            told = "nothing: the damage went unnoticed"
        except lake.Damaged as error:
            told = str(error)
        found[kind] = ((second if kind == "gone" else name).name, told)
    return found


def write_files(folder: Path, batches: Mapping[str, pd.DataFrame]) -> list[Path]:
    """Write batches as Parquet files, as a sender leaves them at the door.

    Parameters
    ----------
    folder : Path
        It is made.
    batches : mapping of str to DataFrame
        The batches by name.

    Returns
    -------
    list of Path
        The files, in the order of the batches.
    """
    folder.mkdir(parents=True)
    for name, rows in batches.items():
        rows.to_parquet(folder / f"{name}.parquet", index=False)
    return [folder / f"{name}.parquet" for name in batches]


def killed_at_random(
    times: int, folder: Path, files: Sequence[Path], seed: int
) -> list[dict[str, bool | int]]:
    """Kill appends at random moments, each in a lake of its own.

    Parameters
    ----------
    times : int
        How many children to kill.
    folder : Path
        Where the lakes are made.
    files : sequence of Path
        The files that each child appends, one by one.
    seed : int
        Of the moments: after so many files, and a few milliseconds. Where in a commit
        they fall depends on the machine.

    Returns
    -------
    list of dict
        What `killed_after` says of each.
    """
    undisturbed = append_files(folder / "undisturbed", files)
    chance = np.random.default_rng(seed)
    done = chance.integers(0, len(files) - 3, times)
    waits_s = chance.uniform(0, 0.02, times)
    return [
        killed_after(int(n), wait_s, folder / f"{run}", files, undisturbed)
        for run, (n, wait_s) in enumerate(zip(done, waits_s, strict=True))
    ]


def judge_killed(
    work: Path, file: Path, next_file: Path
) -> dict[tuple[str, str], dict[str, int]]:
    """Kill a writer in the middle, send again, and judge a plain folder and the lake.

    Parameters
    ----------
    work : Path
        A folder to work in.
    file, next_file : Path
        A batch; and, for the lake, the batch that it holds before.

    Returns
    -------
    dict of dict
        What `judge` says, by fault and store: of the folder before and after the batch
        is sent again, and of the lake after.
    """
    from labkit.lake import peers

    sent, folder = pd.read_parquet(file), work / "killed-folder"
    command = processes.module("labkit.lake.peers", folder, file, "--die-after", 9)
    with processes.Child(command) as child:
        child.wait()
    found = {("killed", "folder"): judge(peers.folder_store(folder), sent)}
    again = "killed, then sent again"
    found[again, "folder"] = judge(peers.folder_store(folder, sent), sent)
    before = peers.lake_store(work / "killed-base", pd.read_parquet(next_file))
    killed_at("file-named", work / "killed-base", file)
    rows = peers.lake_store(work / "killed-base-file-named")
    found[again, "lake"] = judge(rows, pd.concat([before, sent]))
    return found


@contextmanager
def blind() -> Iterator[None]:
    """Answer no to every question whether a file exists, as if asked too early."""
    nothing: dict[object, dict[str, Callable[..., object]]] = {
        os.path: dict.fromkeys(("exists", "isfile", "lexists"), lambda _: False),
        os: {"listdir": lambda _=None: []},
        Path: {
            "exists": lambda _: False,
            "is_file": lambda _: False,
            "iterdir": lambda _: iter(()),
            "glob": lambda *_: iter(()),
        },
    }
    with ExitStack() as stack:
        for owner, answers in nothing.items():
            for name, answer in answers.items():
                stack.enter_context(mock.patch.object(owner, name, answer))
        yield


def rehearse(
    persist: Callable[[Callable[[], object], int], T], *results: object
) -> tuple[T | str, int]:
    """Run a retrying function on an attempt that gives these results in turn.

    Parameters
    ----------
    persist : callable
        Called with the attempt and the number of tries, 3.
    *results
        What the attempt returns; an exception is raised.

    Returns
    -------
    tuple
        The result, or the name of the exception, and how often the attempt was called.
    """
    attempt = mock.Mock(side_effect=[*results, AssertionError("one call too many")])
    return outcome(lambda: persist(attempt, 3)), attempt.call_count


def example_log() -> list[Entry]:
    """Return seven log entries: five appends and two compactions.

    Returns
    -------
    list of dict
        With `op`, `source`, `add` and `remove`, as `lake.log` returns them.
    """
    two, three = "data/day=2013-07-02/", "data/day=2013-07-03/"
    entries: list[tuple[str, str, list[str], list[str]]] = [
        ("append", "extra", [three + "i"], []),
        ("append", "morning", [two + "a"], []),
        ("append", "noon", [two + "b", three + "c"], []),
        ("append", "evening", [three + "d"], []),
        (
            "compact",
            "",
            [two + "e", three + "f"],
            [two + "a", two + "b", three + "c", three + "d"],
        ),
        ("append", "late", [three + "g"], []),
        ("compact", "", [three + "h"], [three + "f", three + "g"]),
    ]
    return [
        {"op": op, "source": source, "add": [{"path": p} for p in add], "remove": gone}
        for op, source, add, gone in entries
    ]


def example_feed() -> pd.DataFrame:
    """Return a hundred events, one each five minutes; six become known late.

    Returns
    -------
    DataFrame
        `event_time` and `available_at`; five are 45 minutes late and one 4 hours.
    """
    happened = pd.Series(
        pd.date_range("2013-07-02", periods=100, freq="5min", tz="UTC", unit="us")
    )
    number = np.arange(100)
    wait_min = np.where(number % 20 == 11, 45, 0) + np.where(number == 50, 240, 0)
    known = happened + pd.to_timedelta(wait_min, unit="min")
    return pd.DataFrame({"event_time": happened, "available_at": known})

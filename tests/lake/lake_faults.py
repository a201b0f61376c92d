"""Kill a writer and damage a lake, the same way each time.

The kills are real: a child process runs `python -m flightline.lake ingest` and gets
SIGKILL, at a failpoint or after a while.
"""

import shutil
import signal
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
from flightline import lake
from labkit import processes

INGEST = ("flightline.lake", "ingest")


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

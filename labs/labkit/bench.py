"""Record what a bench measured beside the chapter that shows it: timings, or counts."""

import json
import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import pandas as pd

from labkit import timing

QUIET = 0.2
"""As many cores other processes may keep busy while a bench runs."""

ANYWAY = "FLIGHTLINE_BUSY"
"""The environment variable that records on a busy machine; the sentence says so."""

_since_import = timing.Watch()


def require_quiet(watch: timing.Watch | None = None) -> float:
    """Refuse a machine on which other processes compute.

    Parameters
    ----------
    watch : labkit.timing.Watch, optional
        What has been watched; by default, the next second.

    Returns
    -------
    float
        How many cores the others kept busy.

    Raises
    ------
    RuntimeError
        If that is more than `QUIET`, and the environment variable `FLIGHTLINE_BUSY` is
        not set.
    """
    if watch is None:
        watch = timing.Watch()
        time.sleep(1)
    cores = watch.other_cores()
    if cores > QUIET and not os.environ.get(ANYWAY):
        raise RuntimeError(
            f"other processes keep {cores:.2f} cores busy, more than {QUIET}: these "
            "timings would not hold. End them and run the bench again, or set "
            f"{ANYWAY}=1 to record them with a note."
        )
    return cores


def _under(cores: float) -> str:
    """Say what load a bench ran under."""
    busy = f"other processes kept {cores:.2f} of {os.cpu_count()} cores busy"
    if cores > QUIET:
        return f"Not on a quiet machine: {busy}."
    return f"Meanwhile {busy}."


def record(
    folder: Path,
    name: str,
    table: pd.DataFrame,
    page: Mapping[str, str] | None = None,
    note: str = "",
    form: Callable[[object], object] | None = None,
    watch: timing.Watch | None = None,
    timed: bool = True,
) -> None:
    """Write what a bench measured: timings with the machine and its load.

    Parameters
    ----------
    folder : Path
        Where it goes; it is made.
    name : str
        Of the three files: `NAME.json` holds everything, `NAME.csv` is the table of
        the chapter, `NAME.txt` the sentence under it.
    table : DataFrame
        What was measured; the index is not written.
    page : mapping of str to str, optional
        The columns of the chapter's table, and their names there; by default all.
    note : str
        A sentence that follows the machine and its load; the whole sentence of a table
        without times.
    form : callable, optional
        How the chapter writes a value.
    watch : labkit.timing.Watch, optional
        What watched the machine while the bench ran; by default, from the import of
        this module on.
    timed : bool
        Whether the table holds times. Counts and shares are the same on a busy
        machine: they ask for no quiet one, and name none under the table.

    Raises
    ------
    RuntimeError
        If the machine was busy, as `require_quiet` says. Nothing is written then.
    ValueError
        If a table without times has no note, which would leave it without a caption.
    """
    machine = timing.machine()
    rows: dict[str, object] = {"machine": machine}
    if timed:
        cores = require_quiet(_since_import if watch is None else watch)
        rows["other_cores_busy"] = round(cores, 2)
        note = f"Recorded on: {machine}. {_under(cores)} {note}"
    elif not note.strip():
        raise ValueError(
            f"{name}: a table without times needs a note that says what was counted."
        )
    rows["rows"] = table.to_dict("records")
    sentence = note.strip()
    shown = table if page is None else table[list(page)].rename(columns=dict(page))
    shown = shown if form is None else shown.map(form)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.json").write_text(json.dumps(rows, indent=1) + "\n")
    shown.to_csv(folder / f"{name}.csv", index=False)
    (folder / f"{name}.txt").write_text(f"{sentence}\n")
    print(f"\n{name}: {sentence}\n{table.to_string()}")

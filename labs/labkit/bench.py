"""Record a table of timings beside the chapter that shows it."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path

import pandas as pd

from labkit import timing


def record(
    folder: Path,
    name: str,
    table: pd.DataFrame,
    page: Mapping[str, str] | None = None,
    note: str = "",
    form: Callable[[object], object] | None = None,
) -> None:
    """Write what a bench measured, with the machine that it ran on.

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
        A sentence that follows the name of the machine.
    form : callable, optional
        How the chapter writes a value.
    """
    folder.mkdir(parents=True, exist_ok=True)
    machine = timing.machine()
    rows = {"machine": machine, "rows": table.to_dict("records")}
    shown = table if page is None else table[list(page)].rename(columns=dict(page))
    shown = shown if form is None else shown.map(form)
    sentence = f"Recorded on: {machine}. {note}".strip()
    (folder / f"{name}.json").write_text(json.dumps(rows, indent=1) + "\n")
    shown.to_csv(folder / f"{name}.csv", index=False)
    (folder / f"{name}.txt").write_text(f"{sentence}\n")
    print(f"\n{name}: {sentence}\n{table.to_string()}")

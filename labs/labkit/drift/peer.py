"""Evidently, asked in a process of its own, because its import takes many seconds.

`python -m labkit.drift.peer FOLDER` compares the two tables in a folder.
"""

import json
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from labkit.folders import Folder
from labkit.processes import Child, module


class Asked:
    """A process in which Evidently compares the columns of two tables.

    Parameters
    ----------
    reference, current : DataFrame
        With these columns.
    columns : sequence of str
        Numbers and texts.

    Notes
    -----
    Process and folder go with this process, however it ends, or after a deadline.
    """

    def __init__(
        self, reference: pd.DataFrame, current: pd.DataFrame, columns: Sequence[str]
    ) -> None:
        self._folder = Folder("evidently-")
        reference[list(columns)].to_parquet(self._folder.path / "before.parquet")
        current[list(columns)].to_parquet(self._folder.path / "now.parquet")
        command = module("labkit.drift.peer", self._folder.path)
        self._child = Child(command, deadline_s=300, env={"DO_NOT_TRACK": "1"})
        self._child.__enter__()

    def answers(self) -> pd.DataFrame:
        """Wait for the process; return the table of `evidently`, once."""
        try:
            if self._child.wait() != 0:
                raise RuntimeError(f"Evidently failed:\n{self._child.log()[-2000:]}")
            path = self._folder.path / "answers.json"
            return pd.read_json(path, orient="index")
        finally:
            self._child.end()
            self._folder.cleanup()


def evidently(reference: pd.DataFrame, current: pd.DataFrame) -> pd.DataFrame:
    """Return Evidently's PSI, Jensen-Shannon distance, and KS p-value by column.

    Parameters
    ----------
    reference, current : DataFrame
        Numbers and texts. KS is null for texts.

    Returns
    -------
    DataFrame
        With the columns `psi`, `js`, `ks`.
    """
    from evidently import DataDefinition, Dataset, Report
    from evidently.metrics import ValueDrift

    numbers = list(reference.select_dtypes("number"))
    texts = [name for name in reference if name not in numbers]
    kinds = DataDefinition(numerical_columns=numbers, categorical_columns=texts)
    sides = [Dataset.from_pandas(t, kinds) for t in (current, reference)]
    methods = {"psi": "psi", "js": "jensenshannon", "ks": "ks"}
    asked = [
        (name, kind, method)
        for kind, method in methods.items()
        for name in reference
        if kind != "ks" or name in numbers
    ]
    metrics = [ValueDrift(column=name, method=method) for name, _, method in asked]
    found = Report(metrics).run(*sides).dict()["metrics"]
    table = pd.DataFrame(np.nan, index=list(reference), columns=list(methods))
    for (name, kind, _), one in zip(asked, found, strict=True):
        table.loc[name, kind] = float(one["value"])
    return table


def main(arguments: Sequence[str]) -> int:
    """Compare the two tables in a folder, and write the answers beside them."""
    folder = Path(arguments[0])
    sides = [pd.read_parquet(folder / f"{name}.parquet") for name in ("before", "now")]
    draft = folder / "answers.draft"
    draft.write_text(json.dumps(evidently(*sides).to_dict(orient="index")))
    draft.replace(folder / "answers.json")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))

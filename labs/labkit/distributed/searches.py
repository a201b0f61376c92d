"""One study, searched by one process or by several, at the same number of trials."""

import contextlib
from pathlib import Path
from typing import TypedDict

from flightline.distributed import open_study

from labkit.folders import Folder
from labkit.processes import Child, ChildError, module


class Search(TypedDict):
    """What a search came to: processes, trials, seconds, and its best loss."""

    processes: int
    trials: int
    seconds: float
    best: float


def search(
    processes: int, trials: int, train: Path, tune: Path, *, seed: int, steps: int
) -> Search:
    """Search with some processes, and read what came of it from the study.

    Parameters
    ----------
    processes : int
        Each takes an equal share of the trials.
    trials : int
        Of all processes together; a multiple of `processes`.
    train, tune : Path
        Tensor files, the second packed like the first.
    seed : int
        Of the search; each process draws from one of its own.
    steps : int
        Of each training.

    Returns
    -------
    Search
        `seconds` run from the first trial's start to the last one's end.

    Raises
    ------
    ChildError
        If a process failed.
    """
    with Folder("search-") as folder, contextlib.ExitStack() as running:
        study = folder / "study.log"
        open_study(study, seed)
        children = []
        for number in range(processes):
            options = ["--trials", trials // processes, "--steps", steps]
            command = module("flightline.distributed.trials", train, tune, study)
            command += map(str, [*options, "--seed", 1000 * seed + number])
            children.append(running.enter_context(Child(command, deadline_s=300)))
        for child in children:
            if child.wait() != 0:
                raise ChildError(f"a search failed:\n{child.log()[-2000:]}")
        found = open_study(study, seed)
        begun = min(t.datetime_start for t in found.trials if t.datetime_start)
        ended = max(t.datetime_complete for t in found.trials if t.datetime_complete)
        return {
            "processes": processes,
            "trials": len(found.trials),
            "seconds": (ended - begun).total_seconds(),
            "best": float(found.best_value),
        }

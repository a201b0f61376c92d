"""A rank's own record, and a failure on purpose."""

import contextlib
import json
import os
import signal
import time
from pathlib import Path

from flightline.distributed.rank import Rank


class Journal:
    """A rank's own record: one line of JSON for each event, on disk at once.

    Parameters
    ----------
    folder : Path
        Where `rank-N.jsonl` is written; lines are added to an earlier record.
    here : Rank
        Whose record it is.
    """

    def __init__(self, folder: Path, here: Rank) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.path, self.rank = folder / f"rank-{here.rank}.jsonl", here.rank

    def write(self, event: str, **facts: object) -> None:
        """Add a line with the event, the rank, the time and some facts."""
        line = {"event": event, "rank": self.rank, "time": time.time(), **facts}
        with self.path.open("a") as file:
            file.write(json.dumps(line) + "\n")


def fail_on_purpose(journal: Journal, step: int) -> None:
    """Fail once where FLIGHTLINE_FAILPOINT says: "rank:step:kill" or "...:raise".

    Parameters
    ----------
    journal : Journal
        Says who this is; its folder remembers that the failure has happened.
    step : int
        Steps done.
    """
    wish = os.environ.get("FLIGHTLINE_FAILPOINT", "").split(":")
    if wish[:2] != [str(journal.rank), str(step)]:
        return
    with contextlib.suppress(FileExistsError):
        journal.path.with_name("failed").open("x").close()
        if wish[2] == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        raise RuntimeError(f"failpoint at step {step}")

"""The command line of one rank: a plan, a folder, and a training."""

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict, fields
from pathlib import Path

from torch.distributed.elastic.multiprocessing.errors import record

from flightline.distributed.journal import Journal
from flightline.distributed.loop import train
from flightline.distributed.plan import Plan
from flightline.distributed.rank import world

ABOUT = "Train as one rank of however many torchrun starts, or as the only one."


def parse(arguments: Sequence[str] | None = None) -> tuple[Plan, Path, float]:
    """Read the command line: a plan, the folder for the journals, and the time-out.

    Parameters
    ----------
    arguments : sequence of str, optional
        Those of the process by default.

    Returns
    -------
    tuple
    """
    name = "python -m torch.distributed.run ... -m flightline.distributed"
    parser = argparse.ArgumentParser(prog=name, description=ABOUT)
    parser.add_argument("data", help="a .parquet or a .pt file")
    parser.add_argument("out", type=Path, help="folder of journals and checkpoint")
    parser.add_argument("--timeout-s", type=float, default=30.0, help="wait for others")
    for field in fields(Plan)[1:]:
        option = f"--{field.name.replace('_', '-')}"
        parser.add_argument(option, type=type(field.default), default=field.default)
    found = vars(parser.parse_args(arguments))
    out, timeout_s = found.pop("out"), found.pop("timeout_s")
    if not 0 < timeout_s < float("inf"):
        parser.error(f"--timeout-s: {timeout_s} is no time to wait.")
    try:
        return Plan(**found), out, timeout_s
    except ValueError as error:
        parser.error(str(error))


@record
def main(arguments: Sequence[str] | None = None) -> None:
    """Train from the command line, as one rank of however many there are.

    Parameters
    ----------
    arguments : sequence of str, optional
        As `parse` takes them.
    """
    plan, out, timeout_s = parse(arguments)
    with world(timeout_s) as here:
        journal = Journal(out, here)
        try:
            result = train(plan, here, journal)
        except Exception as error:
            journal.write("error", error=f"{type(error).__name__}: {error}")
            raise
        if here.rank == 0:
            report = {"plan": asdict(plan), "ranks": here.ranks, **result}
            (out / "result.json").write_text(json.dumps(report, indent=1) + "\n")

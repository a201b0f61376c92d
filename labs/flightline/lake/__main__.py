"""The command line of the lake: fill it, list its history, and look after it.

`python -m flightline.lake ingest LAKE TABLE FILE...` appends Parquet files, each as one
batch, and prints one line of JSON for each. It is safe to run again after a crash:
batches that the lake holds change nothing. `history LAKE TABLE` lists the versions,
`compact LAKE TABLE` (with `--by day` perhaps) joins small files, and
`expire LAKE TABLE --oldest 7` removes old versions. `erase LAKE TABLE --column tailnum
--value N3ALAA` forgets an aircraft, and with it every older version. Nothing here ever
runs by itself.

Exit code 0: all done; 2: bad input or a damaged lake; 3: `ingest` found that another
writer came first.
"""

import argparse
import json
import os
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import pandas as pd

from flightline.lake import upkeep
from flightline.lake.contracts import contract
from flightline.lake.core import Conflict
from flightline.lake.erasure import erase
from flightline.lake.log import Damaged
from flightline.lake.tables import append


def parser() -> argparse.ArgumentParser:
    """Return what reads the command line."""
    made = argparse.ArgumentParser(prog="python -m flightline.lake")
    commands = made.add_subparsers(dest="command", required=True)
    for name, text in {
        "ingest": "append Parquet files, each as one batch",
        "history": "list the versions of a table",
        "compact": "join the small files of a table",
        "expire": "remove old versions of a table",
        "erase": "remove the rows that hold a value, from every version",
    }.items():
        command = commands.add_parser(name, help=text, description=text)
        command.add_argument("lake", type=Path, help="the folder of the lake")
        command.add_argument("table", help="such as departures")
        if name == "ingest":
            command.add_argument("files", type=Path, nargs="+", help="in this order")
        if name in ("ingest", "compact"):
            command.add_argument("--by", choices=["day", "month"], help="partition by")
        if name == "erase":
            command.add_argument("--column", required=True, help="such as tailnum")
            command.add_argument(
                "--value", required=True, help="a text, such as N3ALAA"
            )
        if name == "expire":
            command.add_argument("--oldest", type=int, required=True, metavar="VERSION")
    return made


def ingest(given: argparse.Namespace) -> int:
    """Append the named files and return the exit code."""
    contract(given.table)
    batches = [(path, pd.read_parquet(path)) for path in given.files]
    print("ready", flush=True)
    try:
        for path, batch in batches:
            commit = append(
                given.lake, given.table, batch, source=path.name, by=given.by
            )
            print(json.dumps(asdict(commit)), flush=True)
    except Conflict as error:
        print(error, file=sys.stderr)
        return 3
    return 0


def look_after(given: argparse.Namespace) -> str:
    """Run one of the other commands and return what it has to say."""
    where = (given.lake, given.table)
    if given.command == "history":
        return str(upkeep.history(*where).to_string(index=False))
    if given.command == "compact":
        return f"version {upkeep.compact(*where, by=given.by)}"
    if given.command == "erase":
        done = erase(*where, given.column, given.value)
        return json.dumps(asdict(done))
    return f"{upkeep.expire(*where, oldest=given.oldest)} files removed"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return the exit code."""
    given = parser().parse_args(arguments)
    try:
        if given.command == "ingest":
            return ingest(given)
        print(look_after(given))
    except (ValueError, OSError, Conflict, Damaged) as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)  # on a busy machine Arrow's threads can abort an ordinary exit

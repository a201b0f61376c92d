"""Append files to the lake from the command line, each as one batch.

`python -m flightline.apps.ingest LAKE TABLE FILE...` prints one line of JSON for each
file. It is safe to run again after a crash: batches that the lake holds change nothing.
Exit code 0: all done; 2: bad input or a damaged lake; 3: another writer came first.
"""

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path

import pandas as pd

from flightline import lake


def main(arguments: list[str] | None = None) -> int:
    """Append the named files and return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m flightline.apps.ingest", description=__doc__
    )
    parser.add_argument("lake", type=Path, help="the folder of the lake")
    parser.add_argument("table", help="such as departures")
    parser.add_argument("files", type=Path, nargs="+", help="Parquet files, in order")
    parser.add_argument("--by", choices=["day", "month"], help="partition a new table")
    options = parser.parse_args(arguments)
    try:
        lake.contract(options.table)
        batches = [(path, pd.read_parquet(path)) for path in options.files]
        print("ready", flush=True)
        for path, batch in batches:
            commit = lake.append(
                options.lake, options.table, batch, source=path.name, by=options.by
            )
            print(json.dumps(asdict(commit)), flush=True)
    except lake.Conflict as error:
        print(error, file=sys.stderr)
        return 3
    except (ValueError, OSError, lake.Damaged) as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

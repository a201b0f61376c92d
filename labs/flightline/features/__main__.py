"""The command line: `python -m flightline.features FOLDER` lists what a store holds.

With a feature it prints that feature's way from raw file to served value. It ends with
0, or with 2 and one line that says what is wrong.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from flightline.features.registry import catalog, lineage
from flightline.features.repository import store


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the catalogue of a store, or the lineage of one feature."""
    parser = argparse.ArgumentParser(
        prog="python -m flightline.features",
        description="Show what a feature store holds.",
    )
    parser.add_argument("folder", type=Path, help="the folder of the store")
    parser.add_argument("feature", nargs="?", help="a feature, for its lineage")
    given = parser.parse_args(arguments)
    if not (given.folder / "registry.db").exists():
        print(
            f"{given.folder}: no registry.db there. Give the folder of a store.",
            file=sys.stderr,
        )
        return 2
    try:
        opened = store(given.folder)
        shown = lineage(opened, given.feature) if given.feature else catalog(opened)
    except (ValueError, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    print(shown.to_string())
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

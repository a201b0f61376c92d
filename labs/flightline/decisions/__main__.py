"""Say what was decided about an experiment, and why.

`python -m flightline.decisions REGISTRATION DAYS` reads the file that was registered
before the experiment and its days (Parquet or CSV: `day`, and for each registered
metric the difference of treatment and control), and prints every look, the decision and
its reasons. `--digest` takes the registration's digest that you kept elsewhere.

Exit codes: 0, ship; 1, do not ship: iterate, kill, or go on to the next look, and the
text says which; 2, no answer: a file cannot be read, or the days are not those that
were registered, and one line on the standard error says why.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from flightline.decisions.register import read_registration
from flightline.decisions.report import analyse
from flightline.experiments import Parser, answer

SHIP, WAIT = 0, 1


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    whole = Parser(
        prog="python -m flightline.decisions",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    whole.add_argument("registration", type=Path, help="a JSON file")
    whole.add_argument("days", type=Path, help="a Parquet or CSV file")
    whole.add_argument("--digest", help="of the registration, as you kept it")
    return whole


def _read(path: Path) -> pd.DataFrame:
    """Read a table of days."""
    if path.suffix == ".parquet":
        return pd.read_parquet(path)
    if path.suffix == ".csv":
        return pd.read_csv(path)
    raise ValueError(f"{path}: give a file that ends in .parquet or .csv.")


def _decide(given: argparse.Namespace) -> int:
    """Print the looks, the decision and its reasons."""
    plan = read_registration(given.registration, given.digest)
    report = analyse(plan, _read(given.days))
    print(report, flush=True)
    decided = report.decision
    return SHIP if decided is not None and decided.action == "ship" else WAIT


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the arguments say.

    Parameters
    ----------
    arguments : sequence of str, optional
        By default the command line.

    Returns
    -------
    int
        0 to ship, 1 not to ship (yet), 2 if there is no answer.
    """
    given = parser().parse_args(arguments)
    return answer("decisions", lambda: _decide(given))


if __name__ == "__main__":
    raise SystemExit(main())

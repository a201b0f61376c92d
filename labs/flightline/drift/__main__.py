"""Compare two tables in a pipeline, and draw what the metrics store holds.

`python -m flightline.drift compare REFERENCE CURRENT --html drift.html` reads two
Parquet or CSV files, prints the alerts, and can write a page, a file for Prometheus and
rows for a metrics store. `python -m flightline.drift dashboard STORE --html PAGE`
draws the store. The pages need no network.

Exit codes: 0, nothing found; 1, at least one alert, each with its next step; 2, no
answer: a file cannot be read, compared or written, or the arguments are wrong, and one
line on the standard error says which. The step is to investigate, to retrain, or to
continue: the labels show no harm, so that the model stays as it is, but somebody still
has to name what moved.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from flightline.drift.decide import compare
from flightline.drift.page import dashboard, to_html
from flightline.drift.prometheus import to_prometheus
from flightline.drift.store import read_metrics, write_metrics
from flightline.drift.tables import read_pair
from flightline.drift.watch import as_metrics
from flightline.experiments import Parser, answer

CONTINUE, ALERT = 0, 1


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    whole = Parser(
        prog="python -m flightline.drift",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = whole.add_subparsers(dest="command", required=True)
    one = commands.add_parser("compare", help="compare two tables")
    one.add_argument("reference", type=Path, help="a Parquet or CSV file")
    one.add_argument("current", type=Path, help="a file with the same columns")
    one.add_argument("--blocks", help="the column that names the day of each row")
    one.add_argument("--alpha", type=float, default=0.05, help="false-alarm rate")
    one.add_argument("--bins", type=int, default=10, help="bins of a number")
    one.add_argument("--score", default="score", help="the column of the score")
    one.add_argument("--label", default="late", help="the column of the label")
    one.add_argument("--at", help="the moment of the check, for the store (now)")
    one.add_argument("--html", type=Path, help="write a page")
    one.add_argument("--prometheus", type=Path, help="write metrics for a scrape")
    one.add_argument("--store", type=Path, help="add to a metrics store (SQLite)")
    two = commands.add_parser("dashboard", help="draw a metrics store")
    two.add_argument("store", type=Path, help="a metrics store")
    two.add_argument("--html", type=Path, required=True, help="write the page here")
    return whole


def _compare(given: argparse.Namespace) -> int:
    """Run `compare`, say what it found, and write what was asked for."""
    if not 0 < given.alpha < 1:
        raise ValueError(f"--alpha {given.alpha} is no probability between 0 and 1.")
    at = pd.Timestamp(given.at) if given.at else pd.Timestamp.now(tz="UTC")
    if at is pd.NaT or at.tzinfo is None:
        raise ValueError(f"--at {given.at} needs a time zone, as 2013-07-01T00:00Z.")
    tables = read_pair(given.reference, given.current)
    names = ("blocks", "alpha", "bins", "score", "label")
    finding = compare(*tables, **{name: getattr(given, name) for name in names})
    alerts = finding.alerts()
    for alert in alerts:
        print(alert)
    for sentence in finding.left_out:
        print(f"left out: {sentence}.")
    print(f"next step: {finding.next_step}. {finding.advice}", flush=True)
    if given.html:
        given.html.write_text(to_html(finding), encoding="utf-8")
    if given.prometheus:
        given.prometheus.write_text(to_prometheus(finding), encoding="utf-8")
    if given.store:
        rows = [as_metrics(finding.report, finding.alpha), finding.quality]
        if finding.change is not None:
            rows.append(as_metrics(finding.change, finding.alpha))
        write_metrics(given.store, at, *rows)
    return ALERT if alerts else CONTINUE


def _dashboard(given: argparse.Namespace) -> int:
    """Draw a metrics store."""
    page = dashboard(read_metrics(given.store))
    given.html.write_text(page, encoding="utf-8")
    return CONTINUE


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the arguments say.

    Parameters
    ----------
    arguments : sequence of str, optional
        By default the command line.

    Returns
    -------
    int
        0 without an alert, 1 with one, 2 if there is no answer.
    """
    given = parser().parse_args(arguments)
    run = {"compare": _compare, "dashboard": _dashboard}[given.command]
    return answer("drift", lambda: run(given))


if __name__ == "__main__":
    raise SystemExit(main())

"""Look at a running experiment, assign units, and plan sizes.

`python -m flightline.experiments report CONFIG TABLE --html page.html` reads the
configuration and a Parquet or CSV file with a row for each exposure (`unit_id`, `arm`,
and a column for each metric, empty while there is no outcome), or a lake with exposures
and outcomes. It prints sizes, intervals and states, and can write a page that needs no
network. `assign CONFIG UNIT ...` prints the arms of units, and `plan` how many units an
effect takes.

Exit codes: 0, no finding; 1, a finding: sizes that do not fit the weights, units in two
arms, outcomes of the primary metric that are missing unevenly, or a guardrail with a
loss; 2, no answer: a file cannot be read or written, or the arguments are wrong, and
one line on the standard error says which.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from flightline.experiments.assignment import OUTSIDE
from flightline.experiments.command import Parser, answer
from flightline.experiments.config import Config, assignment_function
from flightline.experiments.document import load_config
from flightline.experiments.experiment import NUMBER_FIELDS, Experiment
from flightline.experiments.metrics import METRICS
from flightline.experiments.page import to_html
from flightline.experiments.power import duration, sample_size
from flightline.experiments.reading import read_lake, read_table
from flightline.experiments.report import Report, metrics_of, report
from flightline.experiments.words import to_text

FINE, FINDING = 0, 1

OUTCOMES = {column for metric in METRICS.values() for column in metric.columns}
"""The outcomes that Flightline logs: each of its metrics can be had from the lake."""


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    whole = Parser(
        prog="python -m flightline.experiments",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = whole.add_subparsers(dest="command", required=True)
    one = commands.add_parser("report", help="look at a running experiment")
    one.add_argument("config", type=Path, help="the configuration, a JSON document")
    one.add_argument("table", type=Path, help="a .parquet or .csv file, or a lake")
    one.add_argument("--experiment", help="its name, if the configuration has several")
    one.add_argument("--metric", action="append", default=[], help="one more metric")
    one.add_argument("--lower", action="append", default=[], help="more of it is worse")
    one.add_argument("--unit", default="unit_id", help="the column of the unit's id")
    one.add_argument("--arm", default="arm", help="the column of the arm")
    one.add_argument("--alpha", type=float, default=0.05, help="1 minus the coverage")
    one.add_argument("--now", help="of a lake: what was known then (now)")
    one.add_argument("--maturity", default="12h", help="of a lake: age to be judged")
    one.add_argument("--html", type=Path, help="write a page")
    two = commands.add_parser("assign", help="print the arms of units")
    two.add_argument("config", type=Path, help="the configuration, a JSON document")
    two.add_argument("unit", nargs="+", help="ids")
    two.add_argument("--kind", default="flight", help="what the ids name")
    two.add_argument("--field", action="append", default=[], help="as origin=JFK")
    three = commands.add_parser("plan", help="say how many units an effect takes")
    three.add_argument("--effect", type=float, required=True, help="not to be missed")
    three.add_argument("--sd", type=float, required=True, help="of a unit's metric")
    three.add_argument("--alpha", type=float, default=0.05, help="false positives")
    three.add_argument("--power", type=float, default=0.8, help="chance to find it")
    three.add_argument("--design-effect", type=float, default=1.0, help="of clusters")
    three.add_argument("--daily", type=float, help="new units a day, both arms")
    return whole


def _report(given: argparse.Namespace) -> int:
    """Look at an experiment, say what was found, and write a page if asked to."""
    found = _look(given, _chosen(load_config(given.config), given.experiment))
    print(to_text(found), end="", flush=True)
    if given.html:
        given.html.write_text(to_html(found), encoding="utf-8", errors="replace")
    return FINDING if found.findings() else FINE


def _look(given: argparse.Namespace, experiment: Experiment) -> Report:
    """Read a table or a lake, and make its report."""
    lower = set(given.lower)
    if not given.table.is_dir():
        table = read_table(given.table, (given.unit, given.arm))
        return report(
            experiment,
            table,
            metrics=[*given.metric, *given.lower],
            lower_is_better=lower,
            unit=given.unit,
            arm=given.arm,
            alpha=given.alpha,
        )
    more = [*given.metric, *given.lower]
    chosen = metrics_of(experiment, more, lower, OUTCOMES)
    units = read_lake(
        given.table,
        experiment,
        now=_moment(given.now),
        maturity=given.maturity,
        metrics=list(dict.fromkeys(c for metric in chosen for c in metric.columns)),
    )
    return report(
        experiment,
        units.units,
        metrics=more,
        lower_is_better=lower,
        crossed=len(units.crossed),
        alpha=given.alpha,
    )


def _moment(text: str | None) -> pd.Timestamp:
    """Return a moment with a time zone."""
    moment = pd.Timestamp(text) if text else pd.Timestamp.now(tz="UTC")
    if moment is pd.NaT or moment.tzinfo is None:
        raise ValueError(f"--now {text} needs a time zone, as 2013-07-01T00:00Z.")
    return moment


def _chosen(config: Config, name: str | None) -> Experiment:
    """Return the experiment that was named, or the only one."""
    if name is not None:
        return config.experiment(name)
    if len(config.experiments) != 1:
        names = ", ".join(one.name for one in config.experiments) or "none"
        raise ValueError(f"name one with --experiment; the configuration has: {names}.")
    return config.experiments[0]


def _assign(given: argparse.Namespace) -> int:
    """Print a line for each unit and experiment: id, experiment, arm."""
    arms_of = assignment_function(load_config(given.config), unit=given.kind)
    fields = dict(_field(text) for text in given.field)
    for unit in given.unit:
        arms = arms_of(unit, fields)
        for name, arm in (arms or {"no experiment": OUTSIDE}).items():
            print(f"{unit}\t{name}\t{arm}".rstrip())
    return FINE


def _field(text: str) -> tuple[str, object]:
    """Return the name and the value of a field of a request."""
    name, equals, value = text.partition("=")
    if not equals:
        raise ValueError(f"--field {text}: write it as origin=JFK.")
    return name, float(value) if name in NUMBER_FIELDS else value


def _plan(given: argparse.Namespace) -> int:
    """Print how many units each of two arms needs, and how many weeks that takes."""
    names = ("effect", "sd", "alpha", "power", "design_effect")
    units = sample_size(**{name: getattr(given, name) for name in names})
    print(f"{units:,} units in each arm")
    if given.daily is not None:
        print(f"{duration(units, daily=given.daily):,} weeks at {given.daily:g} a day")
    return FINE


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the arguments say.

    Parameters
    ----------
    arguments : sequence of str, optional
        By default the command line.

    Returns
    -------
    int
        0 without a finding, 1 with one, 2 if there is no answer.
    """
    given = parser().parse_args(arguments)
    run = {"report": _report, "assign": _assign, "plan": _plan}[given.command]
    return answer("experiments", lambda: run(given))


if __name__ == "__main__":
    raise SystemExit(main())

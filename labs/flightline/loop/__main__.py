"""Run the loop, look at it, and follow an answer back to the raw files.

`python -m flightline.loop run FOLDER --until 2013-05-01` runs until that day, or goes
on from where an earlier run stopped; `status`, `page` and `metrics` say where it
stands; `trace FOLDER ID` follows an answer to its model, data, code and files; `rules`
writes the alert rules for Prometheus; `retain` lists what the retention rules give up,
and removes it with `--apply`; `forget FOLDER COLUMN VALUE` erases from the lake what
names somebody; `permit` makes a key for somebody who may promote, and `promote` orders
a promotion with it.

Exit codes: 0, done; 1, `status` found an alert in the last step; 2, no answer, and one
line on the standard error says why.
"""

import argparse
import os
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import pandas as pd

from flightline.experiments import Parser, answer
from flightline.loop import (
    canary,
    exposition,
    lineage,
    page,
    path,
    permits,
    retention,
    rules,
    triggers,
)
from flightline.loop.clock import START
from flightline.loop.fits import Fit
from flightline.loop.gate import NoWorse
from flightline.loop.journal import (
    last_tick,
    read_alerts,
    read_decisions,
    reading,
    verify,
)
from flightline.loop.policy import Policy, Trigger
from flightline.loop.source import read_source

DATA = Path(__file__).resolve().parents[3] / "data"
KEY = "FLIGHTLINE_PROMOTER_KEY"
TRIGGERS: dict[str, Trigger] = {
    "never": triggers.Never(),
    "schedule": triggers.Schedule(4, START),
    "drift": triggers.Drift(),
    "performance": triggers.Performance(),
    "gap": triggers.Gap(),
    "calibration": triggers.Calibration(),
}
"""The triggers that the command line knows."""


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    whole = Parser(
        prog="python -m flightline.loop",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = whole.add_subparsers(dest="command", required=True)

    def command(name: str, text: str) -> argparse.ArgumentParser:
        """Add a command that works on the folder of a run."""
        made = commands.add_parser(name, help=text)
        made.add_argument("folder", type=Path, help="the folder of the run")
        return made

    one = command("run", "run the loop, or go on with it")
    one.add_argument(
        "--until", required=True, type=_day, help="a day in UTC, such as 2013-05-01"
    )
    one.add_argument("--data", type=Path, default=DATA, help="the folder of the data")
    one.add_argument("--trigger", choices=list(TRIGGERS), default="schedule")
    one.add_argument("--gate", action="store_true", help="keep a week for a gate")
    one.add_argument("--trial", action="store_true", help="try each challenger first")
    one.add_argument("--ask", action="store_true", help="a person must promote")
    one.add_argument("--rounds", type=int, default=Fit.rounds, help="trees of a model")
    command("status", "say where a run stands")
    two = command("page", "write the status page")
    two.add_argument("--html", type=Path, help="the file (status.html in the folder)")
    command("metrics", "print counters and gauges for Prometheus")
    three = command("trace", "follow an answer back to the raw files")
    three.add_argument("id", help="a flight, such as 2013-07-02-B6-523-JFK")
    command("rules", "write the alert rules for Prometheus into a folder")
    four = command("retain", "list what the retention rules give up")
    four.add_argument("--apply", action="store_true", help="remove it")
    erased = command("forget", "erase the rows that hold a value from the lake")
    erased.add_argument("column", help="a column of the feeds, such as tailnum")
    erased.add_argument("value", help="what to erase")
    five = command("permit", "make a key for somebody who may promote")
    five.add_argument("name", help="letters, digits and hyphens")
    six = command("promote", f"order a promotion, with the key in {KEY}")
    six.add_argument("model", help="a model that has passed, or has answered before")
    six.add_argument("--why", required=True, help="the reason, for the model's card")
    return whole


def _day(text: str) -> date:
    """Read a day; 01-05-2013 could be one of two."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{text!r} is no day such as 2013-05-01"
        ) from None


def _run(given: argparse.Namespace) -> int:
    """Run the loop, and tell each decision."""
    until = pd.Timestamp(given.until, tz="UTC").as_unit("us")
    until = until + (START - START.normalize())
    gate = NoWorse() if given.gate else None
    holdout = pd.Timedelta(weeks=1) if given.gate else pd.Timedelta(0)
    policy = Policy(given.trigger, TRIGGERS[given.trigger], gate, given.trial, holdout)
    fit = Fit(rounds=given.rounds)
    plan = path.Plan(policy, fit, trial=canary.Plan(), automatic=not given.ask)
    source = read_source(given.data, range(1, 13))
    digest = path.run(given.folder, source, plan, until, say=_say)
    _say(f"digest {digest[:16]}")
    return 0


def _say(line: str) -> None:
    """Print a line at once."""
    print(line, flush=True)


def _status(given: argparse.Namespace) -> int:
    """Say where a run stands; 1 if the last step raised an alert."""
    with reading(given.folder) as base:
        digest, now = verify(base), last_tick(base)
        decisions, alerts = read_decisions(base), read_alerts(base)
    _say(f"last step {now}, digest {digest[:16]}, {len(decisions)} decisions")
    for each in decisions[-5:]:
        at, what, model, why = page.decision_row(*each)
        _say(f"{at[:10]} {what} {model}: {why}")
    standing = alerts[alerts["at"] == now]
    for row in standing.itertuples(index=False):
        _say(f"ALERT {row.name}: {row.said}")
    return int(len(standing) > 0)


def _page(given: argparse.Namespace) -> int:
    """Write the status page."""
    _say(str(page.write(given.folder, given.html)))
    return 0


def _metrics(given: argparse.Namespace) -> int:
    """Print what Prometheus scrapes."""
    print(exposition.text(given.folder), end="")
    return 0


def _trace(given: argparse.Namespace) -> int:
    """Follow an answer back."""
    for line in lineage.trace(given.folder, given.id).lines():
        _say(line)
    return 0


def _rules(given: argparse.Namespace) -> int:
    """Write the rules."""
    for written in rules.write(given.folder):
        _say(str(written))
    return 0


def _retain(given: argparse.Namespace) -> int:
    """List, or remove, what the rules give up."""
    found = (retention.apply if given.apply else retention.due)(given.folder)
    for each in found:
        before = "" if each.before is None else f" before {each.before}"
        _say(f"{each.kind} {each.name}{before}: {each.why}")
    done = "removed" if given.apply else "would go; --apply removes them"
    _say(f"{len(found)} {done}")
    return 0


def _forget(given: argparse.Namespace) -> int:
    """Erase what names somebody, and tell how many rows went."""
    for table, rows in retention.forget(
        given.folder, given.column, given.value
    ).items():
        _say(f"{table}: {rows} rows erased")
    return 0


def _permit(given: argparse.Namespace) -> int:
    """Make a key, and show it once."""
    key = permits.permit(given.folder, given.name)
    _say(f"The key of {given.name}, shown this once: {key}")
    return 0


def _promote(given: argparse.Namespace) -> int:
    """Order a promotion."""
    order = permits.order(given.folder, given.model, os.environ.get(KEY, ""), given.why)
    _say(f"{order.model.name} answers from the end of the next step on.")
    return 0


COMMANDS = {
    "run": _run,
    "status": _status,
    "page": _page,
    "metrics": _metrics,
    "trace": _trace,
    "rules": _rules,
    "retain": _retain,
    "forget": _forget,
    "permit": _permit,
    "promote": _promote,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the arguments say.

    Parameters
    ----------
    arguments : sequence of str, optional
        By default the command line.

    Returns
    -------
    int
        0 when it is done, 1 if `status` found an alert, 2 without an answer.
    """
    given = parser().parse_args(arguments)
    return answer("loop", lambda: COMMANDS[given.command](given))


if __name__ == "__main__":
    raise SystemExit(main())

"""Train models from the command line, with progress, and record each run.

`python -m flightline.training STORE` trains the reference recipe of gradient boosting
on all rows, records the run in `STORE`, puts it before the gate, and prints what it
found. `--kind all` trains all four kinds; `--promote NAME` registers the best
model in June of those that pass, and points the alias `champion` to it; `--out FOLDER`
also writes the files; `--reproduce RUN` trains a recorded run again. A network that was
interrupted goes on from its checkpoint when the same command runs again.

Exit code 0: done; 1: the gate refused every model, or a run was not reproduced; 2: bad
input or damaged files.
"""

import argparse
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from flightline import training
from flightline.training import tracking

DATA = Path(__file__).resolve().parents[3] / "data"


@dataclass(frozen=True)
class Result:
    """A trained model, its run, its log-loss in June, and what the gate said."""

    kind: str
    model: training.Predictor
    run_id: str
    loss: float
    passed: bool


class Progress:
    """Print a line now and then: the step, the time so far, and what is left."""

    def __init__(self, every_s: float = 5.0) -> None:
        self.every_s, self.first = every_s, -1
        self.start = self.shown = 0.0

    def __call__(self, run: training.Training) -> None:
        """Report a step of a training run."""
        now = time.monotonic()
        if self.first < 0:
            self.first, self.start, self.shown = run.step, now, now
        due = now - self.shown >= self.every_s or run.step == run.steps
        if due and run.step > self.first:
            self.shown, took_s = now, now - self.start
            left_s = took_s / (run.step - self.first) * (run.steps - run.step)
            say(f"step {run.step} of {run.steps}, {took_s:.0f} s, {left_s:.0f} s left")


def say(text: str) -> None:
    """Print a line at once."""
    print(text, flush=True)


def setting(text: str) -> tuple[str, Any]:
    """Read name=value; the value is JSON, such as 0.1 or [128, 64]."""
    name, equals, value = text.partition("=")
    try:
        if not equals:
            raise ValueError("no =")
        return name, json.loads(value)
    except ValueError as error:
        raise argparse.ArgumentTypeError(
            f"{text!r} is no setting. Write name=value, such as rate=0.001."
        ) from error


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    found = argparse.ArgumentParser(
        prog="python -m flightline.training", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    found.add_argument("store", type=Path, help="the folder of runs; it is made")
    found.add_argument("--data", type=Path, default=DATA, help="the data folder")
    found.add_argument("--kind", choices=[*training.FITS, "all"], default="lightgbm")
    found.add_argument("--rows", type=int, help="train on a sample; default: all rows")
    found.add_argument("--seed", type=int, default=0)
    found.add_argument(
        "--set", dest="settings", type=setting, action="append", default=[],
        metavar="NAME=VALUE", help="a setting of the kind, may be repeated",
    )  # fmt: skip
    found.add_argument("--out", type=Path, help="also write the model files here")
    found.add_argument("--promote", metavar="NAME", help="register what passes")
    found.add_argument("--reproduce", metavar="RUN", help="train this run again")
    return found


def train_one(kind: str, options: argparse.Namespace, table: pd.DataFrame) -> Result:
    """Train a kind, record it, and put it before the gate."""
    recipe = training.Recipe(kind, options.seed, options.rows, dict(options.settings))
    more: dict[str, Any] = {}
    if kind == "mlp":
        data = training.provenance(options.data)["data_sha256"]
        tag = training.sha256(repr((recipe, data)).encode())[:12]
        folder = options.store / "checkpoints" / tag
        more = {"checkpoints": folder, "report": Progress()}
    say(f"{kind}: training")
    run_id = tracking.record(options.store, recipe, options.data, table, **more)
    model = tracking.open_run(options.store, run_id)
    parts, loss = training.split(table), 0.0
    for part, month in (("test", "July"), ("tune", "June")):
        found = training.evaluate(model, parts[part]).round(3)
        value = {n: f"{r.value} ({r.low} to {r.high})" for n, r in found.iterrows()}
        say(f"{kind}: {month} {value}")
        loss = float(found.loc["log_loss", "value"])
    return Result(kind, model, run_id, loss, passes(model, parts))


def passes(model: training.Predictor, parts: dict[str, pd.DataFrame]) -> bool:
    """Put a model before the gate, against the rung below it on the ladder."""
    below = "constant" if model.kind == "logistic" else "logistic"
    rows = parts["train"].sample(min(40_000, len(parts["train"])), random_state=0)
    baseline = training.fit(below, rows, parts["tune"])
    report = training.gate(model, parts["tune"], baseline)
    say(report.round(3).to_string())
    return bool(report["passed"].all())


def reproduce(options: argparse.Namespace) -> int:
    """Train a recorded run again and compare."""
    found = tracking.reproduce(options.store, options.reproduce, options.data)
    recorded, again = found.metrics["recorded"], found.metrics["again"]
    equal = bool((recorded == again).all()) and found.same_files
    close = bool(((recorded - again).abs() < 5e-4).all())
    say(found.metrics.to_string())
    say(f"the model's files are the same: {found.same_files}")
    say("equal to the last bit" if equal else f"equal to three digits: {close}")
    return 0 if close else 1


def main(arguments: Sequence[str] | None = None) -> int:
    """Train, record, judge, and return the exit code."""
    options = parser().parse_args(arguments)
    try:
        if options.reproduce:
            return reproduce(options)
        say("loading the data and computing the features")
        table = training.load_table(options.data)
        kinds = list(training.FITS) if options.kind == "all" else [options.kind]
        results = [train_one(kind, options, table) for kind in kinds]
        if options.out:
            training.save_models(options.out, [result.model for result in results])
        for each in results:
            verdict = "passed" if each.passed else "refused by the gate"
            say(f"{each.kind}: run {each.run_id}, {verdict}")
        good = sorted((r for r in results if r.passed), key=lambda result: result.loss)
        if good and options.promote:
            version = tracking.promote(options.store, good[0].run_id, options.promote)
            say(
                f"{options.promote}: version {version}, {good[0].kind}, is the champion"
            )
    except (ValueError, TypeError, OSError, training.Damaged) as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return 2
    return 0 if good else 1


if __name__ == "__main__":
    raise SystemExit(main())

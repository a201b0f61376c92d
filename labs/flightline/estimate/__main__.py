"""Estimate training, serving and storage from the command line.

`python -m flightline.estimate training --tokens 64,256,1024` prints the days, the
memory and the price of a training run. A value is a number, or a range
`low,likely,high`; ranges in give ranges out, with the assumptions ranked. A range above
zero is drawn by factor: twice the likely value is as far away as half of it.
"""

import argparse
import json
import math
import sys
from collections.abc import Callable, Sequence
from typing import Any

from flightline import estimate
from flightline.estimate import Range

Estimates = dict[str, Callable[..., float]]
DRAWS = 500

OPTIONS: dict[str, dict[str, tuple[Any, str]]] = {
    "training": {
        "params": (100e6, "parameters of the model"),
        "examples": (100e6, "examples in an epoch"),
        "tokens": (Range(64, 256, 1024), "tokens per example"),
        "epochs": (1, "passes over the data"),
        "accelerators": (8, "accelerators that share the work"),
        "peak": (312, "peak of one accelerator, TFLOP/s"),
        "mfu": (Range(0.3, 0.38, 0.48), "share of the peak that does useful work"),
        "goodput": (1, "share of time not lost to failures and checkpoints"),
        "price": (2, "US dollars for an accelerator-hour"),
    },
    "serving": {
        "qps": (10_000, "requests a second, on average"),
        "service": (0.02, "seconds to serve one batch"),
        "target": (0.1, "seconds within which the quantile is answered"),
        "quantile": (0.99, "share of requests that keeps the target"),
        "batch": (1, "requests in a batch"),
        "peak": (1, "busiest rate over the average rate"),
        "hits": (0, "share of requests that a cache answers"),
        "spare": (1, "servers on top"),
        "price": (2, "US dollars for a server-hour"),
    },
    "storage": {
        "entities": (1e6, "rows of the feature table"),
        "features": (28, "features in a row"),
        "qps": (10_000, "logged events a second"),
        "event": (250, "bytes of an event"),
        "days": (30, "days that an event is kept"),
        "copies": (3, "replicas"),
        "ratio": (5, "compression: raw bytes over stored bytes"),
    },
}


def number_or_range(text: str) -> float | Range:
    """Read `3`, `1e9`, or `low,likely,high`.

    Parameters
    ----------
    text : str
        One number, or three with commas between.

    Returns
    -------
    float or Range
        What was written.

    Raises
    ------
    argparse.ArgumentTypeError
        If it is neither, or the three are not in order.
    """
    try:
        values = [float(part) for part in text.split(",")]
        if len(values) == 3:
            return Range(*values)
        (value,) = values
    except ValueError as error:
        raise argparse.ArgumentTypeError(
            f"{text!r} is no number and no range low,likely,high ({error})"
        ) from error
    return value


def _whole(name: str, value: float) -> int:
    """Return a whole number as an int, and refuse any other."""
    if not (math.isfinite(value) and value == int(value)):
        raise ValueError(f"{name} is {value}; it must be a whole number, not a range.")
    return int(value)


def training() -> Estimates:
    """Return the estimates of a training run, by the name of the result."""

    def days(**a: float) -> float:
        return estimate.training_days(
            params=a["params"],
            examples=a["examples"],
            tokens_per_example=a["tokens"],
            epochs=a["epochs"],
            accelerators=a["accelerators"],
            peak_tflops=a["peak"],
            mfu=a["mfu"],
            goodput=a["goodput"],
        )

    def cost(**a: float) -> float:
        return estimate.cost_usd(a["accelerators"], 24 * days(**a), a["price"])

    def state(**a: float) -> float:
        return sum(estimate.training_memory(params=a["params"]).values()) / 1e9

    return {
        "days": days,
        "accelerator-days": lambda **a: a["accelerators"] * days(**a),
        "US dollars": cost,
        "GB of parameters, gradients and Adam's state": state,
    }


def serving(model: str) -> Estimates:
    """Return the estimates of a fleet, by the name of the result."""

    def servers(**a: float) -> float:
        return estimate.fleet_size(
            qps=a["qps"],
            service_s=a["service"],
            target_s=a["target"],
            quantile=a["quantile"],
            model=model,
            batch=_whole("batch", a["batch"]),
            peak=a["peak"],
            hit_rate=a["hits"],
            spare=_whole("spare", a["spare"]),
        )

    def utilisation(**a: float) -> float:
        load = a["qps"] * a["peak"] * (1 - a["hits"])
        return load * a["service"] / a["batch"] / (servers(**a) - a["spare"])

    def price(**a: float) -> float:
        return estimate.cost_per_million_usd(servers(**a), a["price"], a["qps"])

    return {
        "servers": servers,
        "utilisation at the peak, spare ones off": utilisation,
        "US dollars for a million requests": price,
    }


def storage() -> Estimates:
    """Return the estimates of tables, logs and traffic, by the name of the result."""

    def table(**a: float) -> float:
        row_bytes = 8 * (a["features"] + 1)  # and the key
        size = estimate.storage_bytes(
            rows=a["entities"],
            row_bytes=row_bytes,
            copies=_whole("copies", a["copies"]),
        )
        return size / 1e9

    def log(**a: float) -> float:
        size = estimate.storage_bytes(
            rows=a["qps"] * 86_400 * a["days"],
            row_bytes=a["event"],
            copies=_whole("copies", a["copies"]),
            ratio=a["ratio"],
        )
        return size / 1e12

    return {
        "GB of features": table,
        "TB of log": log,
        "MB/s of events": lambda **a: a["qps"] * a["event"] / 1e6,
    }


def evaluate(function: Callable[..., float], assumptions: dict[str, Any]) -> Range:
    """Return the 90% interval of an estimate, or the value three times if it is sure.

    Parameters
    ----------
    function : callable
        One of the estimates.
    assumptions : dict
        A number or a `Range` for each option.

    Returns
    -------
    Range
        Low, median and high.
    """
    draws = DRAWS if any(isinstance(v, Range) for v in assumptions.values()) else 1
    return estimate.interval(estimate.monte_carlo(function, assumptions, draws=draws))


def report(estimates: Estimates, assumptions: dict[str, Any]) -> dict[str, Any]:
    """Return every estimate, and how the first one depends on each range.

    Parameters
    ----------
    estimates : dict of str to callable
        What to compute, by name.
    assumptions : dict
        A number or a `Range` for each option.

    Returns
    -------
    dict
        `estimates`: name to [low, median, high]; `assumptions`: name to the factor
        by which it moves the first estimate, the largest first.
    """
    rows = {
        name: evaluate(function, assumptions) for name, function in estimates.items()
    }
    swings = estimate.sensitivity(next(iter(estimates.values())), assumptions)
    return {
        "estimates": {name: [r.low, r.likely, r.high] for name, r in rows.items()},
        "assumptions": {swing.name: swing.factor for swing in swings},
    }


def table(result: dict[str, Any]) -> str:
    """Return a report as text, with three significant digits."""
    lines = [f"{'':46}{'low':>12}{'median':>12}{'high':>12}"]
    for name, values in result["estimates"].items():
        lines.append(f"{name:46}" + "".join(f"{value:>12,.3g}" for value in values))
    if result["assumptions"]:
        lines += ["", "What moves the first line most, from low to high:"]
    for name, factor in result["assumptions"].items():
        lines.append(f"  {name:14} x {factor:.2f}")
    return "\n".join(lines)


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    main_parser = argparse.ArgumentParser(
        prog="python -m flightline.estimate", description=__doc__
    )
    kinds = main_parser.add_subparsers(dest="kind", required=True)
    for kind, options in OPTIONS.items():
        sub = kinds.add_parser(kind, help=f"estimate {kind}")
        for name, (default, text) in options.items():
            shown = default
            if isinstance(default, Range):
                shown = f"{default.low:g},{default.likely:g},{default.high:g}"
            sub.add_argument(
                f"--{name}",
                type=number_or_range,
                default=default,
                metavar="X",
                help=f"{text} (default: {shown})",
            )
        sub.add_argument("--json", action="store_true", help="print JSON")
        if kind == "serving":
            sub.add_argument(
                "--model", choices=estimate.MODELS, default="M/D/1", help="the queue"
            )
    return main_parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Estimate what the arguments say, and print it.

    Parameters
    ----------
    arguments : sequence of str, optional
        By default the command line.

    Returns
    -------
    int
        0; 2 if an assumption is impossible.
    """
    given = vars(parser().parse_args(arguments))
    kind = given.pop("kind")
    as_json, model = given.pop("json"), given.pop("model", "M/D/1")
    kinds: dict[str, Callable[[], Estimates]] = {
        "training": training,
        "serving": lambda: serving(model),
        "storage": storage,
    }
    try:
        result = report(kinds[kind](), given)
    except ValueError as error:
        print(f"estimate: {error}", file=sys.stderr)
        return 2
    print(json.dumps(result) if as_json else table(result))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

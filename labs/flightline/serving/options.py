"""The options of `python -m flightline.serving`, each checked when it is read."""

import argparse
import math
from collections.abc import Callable
from pathlib import Path

DATA = Path(__file__).resolve().parents[3] / "data"


def number(least: float, most: float, *, whole: bool = False) -> Callable[[str], float]:
    """Return a reader of numbers from `least` to `most`; NaN and infinity are none."""
    kind = "a whole number" if whole else "a number"

    def read(text: str) -> float:
        try:
            value = int(text) if whole else float(text)
        except ValueError:
            value = math.nan
        if not least <= value <= most:
            raise argparse.ArgumentTypeError(
                f"{text!r} is no {kind.removeprefix('a ')} from {least:g} to {most:g}"
            )
        return value

    return read


def options_of(
    arguments: list[str] | None, about: str | None = None
) -> argparse.Namespace:
    """Read the command line; a wrong option is one line and exit code 2."""
    parser = argparse.ArgumentParser(
        prog="python -m flightline.serving",
        description=about,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    add = parser.add_argument
    port = number(0, 65_535, whole=True)
    count = number(1, 1e9, whole=True)
    add("--models", type=Path, default=DATA / "models", help="folder with models.json")
    source = parser.add_mutually_exclusive_group()
    source.add_argument(
        "--store", type=Path, help="a feature store, as lab 05 makes it"
    )
    source.add_argument("--table", type=Path, help="a Parquet file with the features")
    add("--host", default="127.0.0.1")
    add("--port", type=port, default=8000, help="0 takes any free port")
    add("--grpc-port", type=port, help="gRPC beside HTTP; 0 takes any free port")
    add(
        "--fd", type=number(0, 1e6, whole=True), help="a listening socket, open already"
    )
    add(
        "--parent",
        type=number(1, 2**31 - 1, whole=True),
        help="a process id: end soon after this parent has ended",
    )
    add("--keys", type=Path, help="JSON with the stored keys; made if it is missing")
    add("--log", type=Path, help="the prediction log; none by default")
    add("--spare", help="the model for flights without features, below --models")
    add("--rollout", type=Path, help="JSON: models, weights, shadows; followed")
    add(
        "--deadline-ms",
        type=number(0.1, 600_000),
        default=50.0,
        help="for the features of a request",
    )
    add(
        "--rate",
        type=number(1e-6, 1e9),
        default=200.0,
        help="requests a second for each key",
    )
    add("--burst", type=count, default=400, help="requests at once for each key")
    add("--inside", type=count, default=64, help="requests inside the service at once")
    return parser.parse_args(arguments)

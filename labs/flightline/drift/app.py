"""The names that the lab takes until it is rewritten; the pieces stand beside it."""

from collections.abc import Sequence

from flightline.drift import core, watch
from flightline.drift.decide import (
    HARMLESS,
    JUDGED,
    STEPS,
    Alert,
    Finding,
    compare,
)
from flightline.drift.page import dashboard, to_html
from flightline.drift.prometheus import to_prometheus

__all__ = [
    "ALERT",
    "CONTINUE",
    "FAILED",
    "HARMLESS",
    "JUDGED",
    "STEPS",
    "Alert",
    "Finding",
    "compare",
    "core",
    "dashboard",
    "main",
    "to_html",
    "to_prometheus",
    "watch",
]

CONTINUE, ALERT, FAILED = 0, 1, 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the arguments say, as `python -m flightline.drift` does."""
    from flightline.drift.__main__ import main as run

    return run(arguments)

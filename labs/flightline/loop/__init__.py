"""Lab 13: closing the loop."""

from flightline.loop.core import (
    Floats,
    burns,
    join_labels,
    losses,
    pages,
    paired_by_day,
    retrain_now,
)

__all__ = [
    "Floats",
    "burns",
    "join_labels",
    "losses",
    "pages",
    "paired_by_day",
    "retrain_now",
]

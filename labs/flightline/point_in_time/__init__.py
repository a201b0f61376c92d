"""Point-in-time features: what was known at the moment of a prediction.

The as-of join with two clocks and a time to live, windows over time, what is open at a
moment, and checks for skew and leaks. Lab 04 builds the core, and callers still get
its functions. `joins`, `windows` and `audit`, with `inputs` and `keys` under them, hold
their checked and exact successors. They take over when the models are trained on their
sums: the exact sum of rain differs from the running sum in its last digits, and trees
split there.
"""

from flightline.point_in_time.core import (
    AGGREGATES,
    Duration,
    Floats,
    Integers,
    held_at,
    join,
    latest_rows,
    leaking_columns,
    open_at,
    skew,
    smoothed_rate,
    window,
)

__all__ = [
    "AGGREGATES",
    "Duration",
    "Floats",
    "Integers",
    "held_at",
    "join",
    "latest_rows",
    "leaking_columns",
    "open_at",
    "skew",
    "smoothed_rate",
    "window",
]

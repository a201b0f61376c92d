"""Point-in-time features: what was known at the moment of a prediction.

The as-of join with two clocks and a time to live, windows over time, what is open at a
moment, and checks for skew and leaks. Lab 04 builds the core.
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

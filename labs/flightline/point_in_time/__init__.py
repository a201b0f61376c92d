"""Point-in-time features: what was known at the moment of a prediction.

The as-of join with two clocks and a time to live (`joins`), windows over time and what
is open at a moment (`windows`), and checks for skew and leaks (`audit`). Lab 04 builds
the core, in plain arrays; these are its grown forms, which take tables, refuse what
they cannot answer, and add up exactly.
"""

from flightline.point_in_time.audit import leaking_columns, skew
from flightline.point_in_time.inputs import AGGREGATES, Duration
from flightline.point_in_time.joins import join
from flightline.point_in_time.windows import open_at, smoothed_rate, window

__all__ = [
    "AGGREGATES",
    "Duration",
    "join",
    "leaking_columns",
    "open_at",
    "skew",
    "smoothed_rate",
    "window",
]

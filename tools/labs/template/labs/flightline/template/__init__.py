"""The share of late flights."""

from flightline.template.core import LATE_MIN, late_share, mean_late

__all__ = ["LATE_MIN", "late_share", "mean_late"]

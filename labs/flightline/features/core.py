# Do not edit: exported from labs/05_features.ipynb.
# Change the lab, then run `make export`.

"""Lab 05: the feature store."""

__all__ = ["CLOCKS", "change_points", "copy_new", "freshness", "newest_rows"]

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd


def change_points(
    events: pd.DataFrame,
    by: Sequence[str],
    spans: Sequence[tuple[str, pd.Timedelta]],
    start: pd.Timestamp,
    end: pd.Timestamp,
) -> pd.DataFrame:
    """List each key and time, once, at which a window over events can change.

    A span is a column of times, and how long after it something changes.
    """
    moved = [
        events[list(by)].assign(prediction_time=events[column] + delay)
        for column, delay in spans
    ]
    points = pd.concat(moved).dropna()
    inside = points["prediction_time"].between(start, end)
    return points[inside].drop_duplicates(ignore_index=True)


def freshness(
    stamp_s: npt.ArrayLike, now_s: npt.ArrayLike, ttl_s: npt.ArrayLike
) -> npt.NDArray[np.str_]:
    """Say of each value whether it is fresh, stale, or unknown: times in seconds."""
    stamp = np.asarray(stamp_s, float)
    old = np.asarray(now_s, float) - stamp > np.asarray(ttl_s, float)
    return np.select([np.isnan(stamp), old], ["unknown", "stale"], "fresh")


CLOCKS = ["event_time", "available_at"]


def newest_rows(
    rows: pd.DataFrame, by: Sequence[str], stored: pd.DataFrame
) -> pd.DataFrame:
    """Keep the newest row of each key, unless the store holds a newer one.

    Newer is later by event time; of one event time, later by available time. `stored`
    has the two clocks that the store holds for the key of each row, by position.
    """
    event, known = (rows[clock].to_numpy("M8[us]") for clock in CLOCKS)
    held, told = (stored[clock].to_numpy("M8[us]") for clock in CLOCKS)
    older = (event < held) | ((event == held) & (known < told))
    order = rows[~older].sort_values(CLOCKS, kind="stable")
    return order.drop_duplicates(list(by), keep="last")


def copy_new(seen: pd.DataFrame, mark: int | None) -> tuple[pd.DataFrame, int | None]:
    """Return the rows that no earlier run has seen, and the next mark.

    `version` is the number of the commit that brought a row.
    """
    if seen.empty:
        return seen, mark
    new = seen if mark is None else seen[seen["version"] > mark]
    return new, int(seen["version"].max())

# Do not edit: exported from labs/13_loop.ipynb.
# Change the lab, then run `make export`.

"""Lab 13: closing the loop."""

__all__ = [
    "Floats",
    "burns",
    "join_labels",
    "losses",
    "pages",
    "paired_by_day",
    "retrain_now",
]

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats


def join_labels(
    answers: pd.DataFrame, labels: pd.DataFrame, now: pd.Timestamp, wait: pd.Timedelta
) -> pd.DataFrame:
    """Give each answer its newest label known by now; say whether it is mature.

    Needs `id` and `due_at` of answers; `id`, `available_at` and `late` of labels.
    """
    once = answers.drop_duplicates("id")
    known = labels[labels["available_at"] <= now]
    known = known.sort_values("available_at", kind="stable")
    newest = known.drop_duplicates("id", keep="last").set_index("id")["late"]
    late = once["id"].map(newest).astype("boolean")
    return once.assign(late=late, mature=once["due_at"] + wait <= now)


Floats = npt.NDArray[np.float64]


def losses(score: npt.ArrayLike, late: npt.ArrayLike) -> Floats:
    """Return the log-loss of each answer; where the label is missing, NaN."""
    p = np.clip(np.asarray(score, float), 1e-15, 1 - 1e-15)
    late = np.asarray(late, float)
    return np.asarray(-(late * np.log(p) + (1 - late) * np.log1p(-p)))


def retrain_now(scored: pd.DataFrame, alpha: float = 0.01) -> bool:
    """Tell whether scores and labels differ by more than days do by chance.

    Needs `score`, `late` (nullable) and `day` of mature answers.
    """
    known = scored[scored["late"].notna()]
    gaps = known["late"].astype(float) - known["score"]
    by_day = gaps.groupby(known["day"]).mean()
    if len(by_day) < 7:
        return False
    return bool(stats.ttest_1samp(by_day, 0).pvalue < alpha)


def paired_by_day(
    champion: npt.ArrayLike,
    challenger: npt.ArrayLike,
    late: npt.ArrayLike,
    day: npt.ArrayLike,
    alpha: float = 0.05,
) -> tuple[float, float, float]:
    """Return the challenger's log-loss less the champion's, with its interval by days.

    Each day counts alike; below zero the challenger is better.
    """
    excess = losses(challenger, late) - losses(champion, late)
    days = pd.Series(excess).groupby(np.asarray(day)).mean()
    error = days.std() / np.sqrt(len(days))
    half = stats.t.ppf(1 - alpha / 2, len(days) - 1) * error
    mean = days.mean()
    return float(mean), float(mean - half), float(mean + half)


def burns(
    bad: npt.ArrayLike, total: npt.ArrayLike, objective: float, window: int
) -> Floats:
    """Return how fast the error budget burns, over the last `window` minutes.

    `bad` and `total` are counts by minute; 1 spends the budget exactly in its period.
    """

    def trailing(counts: npt.ArrayLike) -> Floats:
        so_far = np.cumsum(counts, dtype=float)
        before = np.concatenate([np.zeros(window), so_far])[: len(so_far)]
        return np.asarray(so_far - before)

    share = trailing(bad) / np.maximum(trailing(total), 1)
    return np.asarray(share / (1 - objective))


def pages(
    bad: npt.ArrayLike,
    total: npt.ArrayLike,
    objective: float,
    long: int,
    short: int,
    factor: float,
) -> npt.NDArray[np.bool_]:
    """Return the minutes that page: both windows burn faster than `factor`."""
    slow, fast = (burns(bad, total, objective, window) for window in (long, short))
    return np.asarray((slow > factor) & (fast > factor))

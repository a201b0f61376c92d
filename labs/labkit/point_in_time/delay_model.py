"""The small model of the labs on features, and what its scores are worth.

Lab 04 compares sets of features, not models: the model is fixed, and stands here.
"""

from typing import TYPE_CHECKING

import matplotlib.pyplot as plt
import numpy as np
import numpy.typing as npt
import pandas as pd
from flightline.point_in_time import window

from labkit import figures

if TYPE_CHECKING:
    from lightgbm import LGBMClassifier

Floats = npt.NDArray[np.float64]


def timetable(flights: pd.DataFrame) -> pd.DataFrame:
    """Return eight features that are known when the timetable is published.

    Parameters
    ----------
    flights : DataFrame
        What `flightline.lake.flight_times` returns.

    Returns
    -------
    DataFrame
        `carrier`, `origin` and `dest` as categories; `minute` of the day, `weekday`,
        `distance` in miles, scheduled `block` time in minutes, and `nearby`: the
        flights scheduled from the same airport within half an hour.
    """
    clock = flights["sched_dep_time"]
    date = pd.to_datetime(flights[["month", "day"]].assign(year=2013))
    minute = pd.Timedelta(minutes=1).as_unit("us")
    later = flights[["origin"]].assign(t=flights["sched_dep_utc"] + 30 * minute)
    nearby = window(
        later,
        flights,
        by="origin",
        entity_time="t",
        event_time="sched_dep_utc",
        value="flight",
        window="1h",
        agg="count",
    )
    table = flights[["carrier", "origin", "dest"]].astype("category")
    return table.assign(
        minute=clock // 100 * 60 + clock % 100,
        weekday=date.dt.dayofweek,
        distance=flights["distance"],
        block=(flights["sched_arr_utc"] - flights["sched_dep_utc"]) / minute,
        nearby=nearby,
    )


def late_by_month(flights: pd.DataFrame, first: int, last: int) -> pd.Series:
    """Return the label of the flights that arrived, for some months.

    Parameters
    ----------
    flights : DataFrame
        With `month` and `arr_delay` in minutes; a missing delay has no label.
    first, last : int
        The months, both included.

    Returns
    -------
    Series of bool
        True where the flight arrived 15 or more minutes late.
    """
    arrived = flights["arr_delay"].notna() & flights["month"].between(first, last)
    return flights.loc[arrived, "arr_delay"] >= 15


def fit(table: pd.DataFrame, late: pd.Series, trees: int = 80) -> "LGBMClassifier":
    """Fit gradient boosting to the labelled rows of a table.

    Parameters
    ----------
    table : DataFrame
        Features; categories and nulls are allowed.
    late : Series of bool
        The labels; its index picks the rows.
    trees : int
        The number of trees.

    Returns
    -------
    lightgbm.LGBMClassifier
        Fitted with one thread, in a way that gives the same trees each time.
    """
    import lightgbm

    model = lightgbm.LGBMClassifier(
        n_estimators=trees,
        learning_rate=0.1,
        min_child_samples=100,
        n_jobs=1,
        deterministic=True,
        force_row_wise=True,
        verbose=-1,
    )
    return model.fit(table.loc[late.index], late)


def auc_by_draw(
    late: npt.ArrayLike,
    day: npt.ArrayLike,
    scores: npt.ArrayLike,
    draws: int = 1_000,
    seed: int = 2013,
) -> Floats:
    """Return the AUC on whole days, drawn again and again with replacement.

    Flights of one day share their fate, so that days are drawn and not flights. A pair
    of flights that was drawn twice counts twice; since the AUC is a share of pairs, the
    wins of each pair of days, counted once, give all draws.

    Parameters
    ----------
    late : array_like of bool
        The label of each flight.
    day : array_like
        Its day.
    scores : array_like of float
        Its score.
    draws : int
        How often to draw as many days as there are.
    seed : int
        The same seed draws the same days: two sets of scores can be compared.

    Returns
    -------
    array of float
        One AUC a draw.
    """
    late, scores = np.asarray(late, bool), np.asarray(scores, float)
    days, number = np.unique(np.asarray(day), return_inverse=True)
    size = len(days)
    wins = np.empty((size, size))  # of late flights of one day over others of another
    for other in range(size):
        on_time = np.sort(scores[~late & (number == other)])
        below = np.searchsorted(on_time, scores[late])
        below = (below + np.searchsorted(on_time, scores[late], side="right")) / 2
        wins[:, other] = np.bincount(number[late], below, minlength=size)
    rng = np.random.default_rng(seed)
    drawn = rng.multinomial(size, np.full(size, 1 / size), size=draws)
    positive, negative = (
        drawn @ np.bincount(number[kind], minlength=size) for kind in (late, ~late)
    )
    won = ((drawn @ wins) * drawn).sum(axis=1)
    return np.asarray(won / (positive * negative), np.float64)


def gain(
    late: npt.ArrayLike,
    day: npt.ArrayLike,
    scores: npt.ArrayLike,
    others: npt.ArrayLike,
) -> tuple[float, float, float]:
    """Return how much larger the AUC of some scores is than that of others.

    Parameters
    ----------
    late, day
        As for `auc_by_draw`.
    scores, others : array_like of float
        Two scores of each flight.

    Returns
    -------
    difference, low, high : float
        The difference, and its 95% interval from drawing days.
    """
    from sklearn.metrics import roc_auc_score

    drawn = auc_by_draw(late, day, scores) - auc_by_draw(late, day, others)
    low, high = np.quantile(drawn, [0.025, 0.975])
    difference = roc_auc_score(late, scores) - roc_auc_score(late, others)
    return float(difference), float(low), float(high)


def show_promises(results: pd.DataFrame, baseline: float, name: str) -> None:
    """Draw what each set of features promises and delivers, beside a baseline.

    Parameters
    ----------
    results : DataFrame
        One row per set, from bottom to top, with the columns `promised` and
        `delivered`.
    baseline : float
        Drawn as a dashed line.
    name : str
        What to write beside that line.
    """
    rows, top = list(results.index), len(results) - 1
    _, ax = plt.subplots()
    ax.axvline(baseline, color=figures.GREY, ls="--")
    ax.annotate(name, (baseline, -0.3), (-6, 0), textcoords="offset points", ha="right")
    ax.hlines(rows, results["delivered"], results["promised"], "#BBBBBB", lw=3)
    for kind, look, size, colour, inside in (
        ("promised", "D", 12, figures.ORANGE, "white"),
        ("delivered", "o", 7, figures.BLUE, figures.BLUE),
    ):
        ax.plot(results[kind], rows, look, ms=size, mew=2, color=colour, mfc=inside)
        at = (results[kind].iloc[top], top)
        ax.annotate(kind, at, (0, 10), textcoords="offset points", ha="center",
            color=colour)  # fmt: skip
    ax.set(title="Careless joins promise more and deliver less")
    ax.margins(x=0.12)
    ax.set(xlabel="AUC in July", ylim=(-0.6, top + 0.7))
    plt.show()

"""The small model of the labs on features, and the figure of what it promises.

Lab 04 compares sets of features, not models: the model is fixed, and stands here.
"""

from typing import TYPE_CHECKING

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from flightline.point_in_time import open_at, window
from matplotlib.axes import Axes
from matplotlib.dates import DateFormatter
from sklearn.metrics import roc_auc_score

from labkit import figures

if TYPE_CHECKING:
    from lightgbm import LGBMClassifier


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


def known_up_to_departure(flights: pd.DataFrame) -> pd.DataFrame:
    """Return what is known, two hours before, of the hours up to each departure.

    Lab 04 asks for the mean departure delay of the last hour and the last three hours
    before a flight's own departure, and for the flights that wait then. Of those hours
    the last two have not happened when the feature is served.

    Parameters
    ----------
    flights : DataFrame
        What `flightline.lake.flight_times` returns, with `prediction_time`.

    Returns
    -------
    DataFrame
        `delay_1h`, always null; `delay_3h`, over the one hour that has passed;
        `waiting` and `waiting_carrier`, with the flights of the next two hours.
    """
    early = flights.assign(
        start=flights["sched_dep_utc"] - pd.Timedelta("2h").as_unit("us")
    )
    table = pd.DataFrame({"delay_1h": float("nan")}, index=flights.index)
    table["delay_3h"] = window(
        flights,
        flights[flights["dep_delay"].notna()],
        by="origin",
        entity_time="prediction_time",
        event_time="dep_utc",
        value="dep_delay",
        window="1h",
        agg="mean",
    )
    for name, by in (
        ("waiting", ["origin"]),
        ("waiting_carrier", ["origin", "carrier"]),
    ):
        table[name] = open_at(
            flights,
            early,
            by=by,
            entity_time="prediction_time",
            start_time="start",
            end_time="dep_utc",
            window="6h",
        )
    return table


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


def auc(model: "LGBMClassifier", table: pd.DataFrame, late: pd.Series) -> float:
    """Return the area under the ROC curve on the labelled rows of a table.

    Parameters
    ----------
    model : fitted lightgbm.LGBMClassifier
    table : DataFrame
        The features that the model was fitted on.
    late : Series of bool
        The labels; its index picks the rows.

    Returns
    -------
    float
    """
    scores = np.asarray(model.predict_proba(table.loc[late.index]))[:, 1]
    return float(roc_auc_score(late, scores))


def mark_time(ax: Axes, at: pd.Timestamp, name: str, clock: str) -> None:
    """Mark a moment with a dashed line, and label the time axis by the clock.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
        Axes whose x values are times.
    at : Timestamp
        Where to draw the line.
    name : str
        What to write beside it.
    clock : str
        How to write the ticks, such as "%H:%M".
    """
    ax.axvline(at, color=figures.GREY, ls="--")
    ax.annotate(name, (at, 0.02), (-6, 0), xycoords=("data", "axes fraction"),
        textcoords="offset points", ha="right")  # fmt: skip
    ax.xaxis.set_major_formatter(DateFormatter(clock))  # type: ignore[no-untyped-call]


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

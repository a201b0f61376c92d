"""Feature stores on the bench: Feast's plain functions, and the figures of lab 05.

The lab compares what Feast does by default with what `flightline.features` does. The
plain calls stand here, without any guard, together with what the figures need.
"""

import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import matplotlib.pyplot as plt
import numpy as np
import numpy.typing as npt
import pandas as pd
from flightline import features
from flightline.features import quiet
from flightline.features import stream as feature_stream
from flightline.point_in_time import skew
from matplotlib.dates import DateFormatter, HourLocator
from scipy.stats import rankdata
from sklearn.metrics import log_loss

from labkit import figures

if TYPE_CHECKING:
    import feast
    from lightgbm import LGBMClassifier

Floats = npt.NDArray[np.float64]

WEATHER = ["temp", "visib", "wind_speed", "weather_at"]


def weather_as_of(
    store: "feast.FeatureStore",
    asks: pd.DataFrame,
    *,
    filter_by_created_timestamp: bool,
) -> pd.DataFrame:
    """Return the weather of Feast's historical retrieval, with or without its option.

    Parameters
    ----------
    store : feast.FeatureStore
    asks : DataFrame
        `origin` and `prediction_time`.
    filter_by_created_timestamp : bool
        Feast's option: whether a row must have been available.

    Returns
    -------
    DataFrame
        WEATHER, with the index of `asks`.
    """
    rows = pd.DataFrame(
        {
            "origin": asks["origin"].array,
            "event_timestamp": asks["prediction_time"].array,
            "row_number": range(len(asks)),
        }
    )
    with quiet():
        job = store.get_historical_features(
            entity_df=rows,
            features=[f"weather:{name}" for name in WEATHER],
            filter_by_created_timestamp=filter_by_created_timestamp,
        )
        found = job.to_df().sort_values("row_number")
    return found.set_index(asks.index)[WEATHER]


def plain(store: "feast.FeatureStore", requests: pd.DataFrame) -> pd.DataFrame:
    """Return the temperature that Feast hands out online, whatever its age."""
    keys = {"origin": requests["origin"].tolist()}
    found = store.get_online_features(["weather:temp"], keys).to_dict()
    return pd.DataFrame({"temp": found["temp"]}, index=requests.index, dtype=float)


def read_hourly(
    store: "feast.FeatureStore",
    request: pd.DataFrame,
    hours: pd.DatetimeIndex,
    weather: pd.DataFrame,
) -> tuple[pd.Series, pd.Series, pd.Series]:
    """Return the temperature at each hour, and what Feast and our reader say it is.

    Parameters
    ----------
    store : feast.FeatureStore
    request : DataFrame
        One request.
    hours : DatetimeIndex
        When to ask.
    weather : DataFrame
        The reports, for the truth.

    Returns
    -------
    truth, by_feast, by_us : Series of float
        By hour; null where there is no answer.
    """
    asks = pd.DataFrame({"origin": request["origin"].iloc[0], features.T: hours})
    truth = features.report(asks, weather)["temp"].set_axis(hours)
    plainly = [plain(store, request)["temp"].iloc[0] for _ in hours]
    reads = [
        features.read_online(store, request, now=at)["temp"].iloc[0] for at in hours
    ]
    return truth, pd.Series(plainly, hours, float), pd.Series(reads, hours, float)


def without_departures(
    log: pd.DataFrame, weather: pd.DataFrame, since: pd.Timestamp, now: pd.Timestamp
) -> tuple[int, str]:
    """Return JFK's queue, and how fresh it is, if nothing was reported since a time.

    The stream goes on: the timetable and the clock still give rows.

    Parameters
    ----------
    log, weather : DataFrame
        As for `flightline.features.timeline`.
    since, now : Timestamp
        When the feed died, and when the store is asked.

    Returns
    -------
    waiting : int
        `origin_waiting` of the newest row.
    state : str
        What `freshness` says of that row.
    """
    told = feature_stream.log_at(log, since).reset_index()
    rows = features.timeline("origin", told, weather, since, now)
    last = rows[rows["origin"] == "JFK"].sort_values("event_time").iloc[-1]
    ttl = features.VIEWS["origin"].ttl
    assert ttl is not None
    stamp, asked = np.array([float(last["origin_at"])]), np.array([now.timestamp()])
    state = features.freshness(stamp, asked, ttl.total_seconds())
    return int(last["origin_waiting"]), str(state[0])


def copy_online(
    store: "feast.FeatureStore", folder: Path | str
) -> "feast.FeatureStore":
    """Return a store in another folder with the same registry and online rows."""
    folder = Path(folder)
    copied = features.store(folder)
    shutil.copy(Path(store.config.online_store.path), folder / "online.db")
    return copied


def retry(
    store: "feast.FeatureStore",
    folder: Path | str,
    old: Mapping[str, pd.DataFrame],
    requests: pd.DataFrame,
    now: pd.Timestamp,
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Push old rows into a copy of a store: plainly, and through the guarded push.

    Parameters
    ----------
    store : feast.FeatureStore
        It is not changed.
    folder : path
        Where to put the copy.
    old : mapping of str to DataFrame
        Rows that were pushed long ago, by view.
    requests : DataFrame
        What to ask.
    now : Timestamp
        When to ask it.

    Returns
    -------
    before, plainly, guarded : DataFrame
        The answers before the retry, after Feast's own push, and after ours.
    """
    copied = copy_online(store, folder)
    before = features.read_online(copied, requests, now=now)
    for view, rows in old.items():
        features.push(copied, view, rows)
    guarded = features.read_online(copied, requests, now=now)
    with features.quiet():
        for view, rows in old.items():
            last = rows.sort_values("event_time", kind="stable")
            newest = last.drop_duplicates(features.VIEWS[view].keys, keep="last")
            copied.push(f"{view}_push", newest)
    return before, features.read_online(copied, requests, now=now), guarded


def _arrived(store: "feast.FeatureStore", now: pd.Timestamp) -> set[int]:
    """Return the event times of the weather that the online store holds now."""
    keys = {"origin": ["EWR", "JFK", "LGA"]}
    found = store.get_online_features(["weather:weather_at"], keys).to_dict()
    return {stamp for stamp in found["weather_at"] if stamp is not None}


def _hourly(
    folder: Path | str,
    weather: pd.DataFrame,
    runs: pd.DatetimeIndex,
    copy: Callable[["feast.FeatureStore", pd.Timestamp, pd.Timestamp], None],
) -> float:
    """Run a copy on a schedule; return the share of reports that came through."""
    seen: set[int] = set()
    opened = features.store(folder)
    before = runs[0] - (runs[1] - runs[0])
    for now in runs:
        there = weather[weather["available_at"] <= now]
        features.write_offline(folder, {"weather": there}, {})
        with features.quiet():
            copy(opened, before, now)
        seen |= _arrived(opened, now)
        before = now
    arrived = weather["available_at"].between(runs[0], now, inclusive="right")
    return float(weather.loc[arrived, "weather_at"].isin(seen).mean())


def incremental(
    folder: Path | str, weather: pd.DataFrame, runs: pd.DatetimeIndex
) -> float:
    """Run Feast's incremental materialization on a schedule.

    Before each run the file holds what had become available by then.

    Parameters
    ----------
    folder : path
        Where to make the store.
    weather : DataFrame
        Rows of the view `weather`, with `available_at`.
    runs : DatetimeIndex
        When it runs. The first run only sets the watermark.

    Returns
    -------
    float
        The share of the reports that became available between the first run and the
        last, and were in the online store after some run.
    """

    def copy(
        store: "feast.FeatureStore", before: pd.Timestamp, now: pd.Timestamp
    ) -> None:
        if now == runs[0]:
            store.materialize(before, now, feature_views=["weather"])
        else:
            store.materialize_incremental(now, feature_views=["weather"])

    return _hourly(folder, weather, runs, copy)


def by_arrival(
    folder: Path | str, weather: pd.DataFrame, runs: pd.DatetimeIndex
) -> float:
    """Run `flightline.features.materialize` on the same schedule as `incremental`.

    Parameters
    ----------
    folder, weather, runs
        As for `incremental`.

    Returns
    -------
    float
        The same share.
    """

    def copy(
        store: "feast.FeatureStore", before: pd.Timestamp, now: pd.Timestamp
    ) -> None:
        features.materialize(store, now, since=before, views=["weather"])

    return _hourly(folder, weather, runs, copy)


def rows_that_differ(served: pd.DataFrame, offline: pd.DataFrame) -> float:
    """Return the share of rows in which at least one cell differs.

    Parameters
    ----------
    served, offline : DataFrame
        The same rows and columns; two nulls are equal, as in `point_in_time.skew`.

    Returns
    -------
    float
    """
    differs = np.zeros(len(offline), bool)
    for name in offline.columns:
        left, right = served[name], offline[name]
        if pd.api.types.is_numeric_dtype(right):
            differs |= ~np.isclose(left, right, equal_nan=True)
        else:
            differs |= ~((left == right) | (left.isna() & right.isna())).to_numpy()
    return float(differs.mean())


def skew_by_lag(
    served: Mapping[int, pd.DataFrame], offline: pd.DataFrame
) -> pd.DataFrame:
    """Return the share of cells that differ: one row a lag, one column a feature.

    Parameters
    ----------
    served : mapping of int to DataFrame
        The features at each lag.
    offline : DataFrame
        The same rows without a lag.

    Returns
    -------
    DataFrame
        First `any feature`, the share of rows in which at least one cell differs.
    """
    rows = {
        lag: {"any feature": rows_that_differ(table, offline), **skew(table, offline)}
        for lag, table in served.items()
    }
    return pd.DataFrame(rows).T


def best_trees(
    model: "LGBMClassifier",
    table: pd.DataFrame,
    late: pd.Series,
    choices: Sequence[int],
) -> int:
    """Choose the number of trees with the least log-loss on labelled rows.

    Parameters
    ----------
    model : fitted lightgbm.LGBMClassifier
    table : DataFrame
        Its features.
    late : Series of bool
        The labels; its index picks the rows.
    choices : sequence of int

    Returns
    -------
    int
    """
    losses = {n: log_loss(late, _scores(model, n, table, late)) for n in choices}
    return min(losses, key=losses.__getitem__)


def _scores(
    model: "LGBMClassifier", trees: int, table: pd.DataFrame, late: pd.Series
) -> Floats:
    """Return the scores of the labelled rows, by the first trees of a model."""
    chances = model.predict_proba(table.loc[late.index], num_iteration=trees)
    return np.asarray(chances)[:, 1]


def like(
    matrix: pd.DataFrame, values: pd.DataFrame, asks: pd.DataFrame
) -> pd.DataFrame:
    """Return features of flights in the types of a matrix, indexed by `flight_id`."""
    index = pd.Index(asks["flight_id"], name="flight_id")
    return values.set_axis(index).astype(matrix.dtypes.to_dict())


def auc_by_lag(
    model: "LGBMClassifier",
    trees: int,
    tables: Mapping[int, pd.DataFrame],
    late: pd.Series,
    draws: int = 100,
) -> pd.DataFrame:
    """Score labelled rows with the features of each lag, with intervals by day.

    Whole days are drawn with replacement, because flights of one day share their fate,
    and the same days for every lag, so that a loss is a difference within a draw.

    Parameters
    ----------
    model : fitted lightgbm.LGBMClassifier
    trees : int
        How many of its trees count.
    tables : mapping of int to DataFrame
        The features at each lag, indexed by `flight_id`; the first lag is the
        reference.
    late : Series of bool
        The labels, indexed by `flight_id`, which begins with the date.
    draws : int

    Returns
    -------
    DataFrame
        By lag: `auc`, `auc_low`, `auc_high`, and the `loss` against the first lag with
        `loss_low` and `loss_high`; the intervals are 95%.
    """
    scores = np.stack([_scores(model, trees, t, late) for t in tables.values()])
    truth, days = late.to_numpy(), pd.factorize(late.index.str[:10])[0]
    rows = [np.flatnonzero(days == day) for day in range(days.max() + 1)]
    random, drawn = np.random.default_rng(5), []
    for _ in range(draws):
        chosen = np.concatenate(
            [rows[d] for d in random.integers(0, len(rows), len(rows))]
        )
        drawn.append([_auc(truth[chosen], each[chosen]) for each in scores])
    auc, spread = np.array([_auc(truth, each) for each in scores]), np.array(drawn)
    loss = spread[:, :1] - spread
    found = {"auc": auc, "loss": auc[0] - auc}
    for name, values in (("auc", spread), ("loss", loss)):
        found[f"{name}_low"], found[f"{name}_high"] = np.quantile(
            values, [0.025, 0.975], axis=0
        )
    return pd.DataFrame(found, index=pd.Index(tables, name="lag, minutes"))


def _auc(truth: npt.NDArray[np.bool_], scores: Floats) -> float:
    """Return the AUC by ranks, which is what it takes to draw it often."""
    ranks, late = rankdata(scores), int(truth.sum())
    above = ranks[truth].sum() - late * (late + 1) / 2
    return float(above / (late * (len(truth) - late)))


def show_steps(rows: pd.DataFrame, now: pd.Timestamp) -> None:
    """Draw two features of an airport over the four hours before a moment.

    Parameters
    ----------
    rows : DataFrame
        Rows of the view `origin` for one airport.
    now : Timestamp
        The prediction time.
    """
    near = rows[rows["event_time"].between(now - pd.Timedelta("4h"), now)]
    near = near.sort_values("event_time")
    _, ax = plt.subplots()
    for name, text, colour in (
        ("origin_dep_delay_1h", "mean delay of\nthe last hour, min", figures.BLUE),
        ("origin_waiting", "flights\nwaiting", figures.ORANGE),
    ):
        ax.step(near["event_time"], near[name], where="post", color=colour)
        figures.label_end(ax, near["event_time"], near[name], text, colour)
    ax.xaxis.set_major_locator(HourLocator())  # type: ignore[no-untyped-call]
    ax.xaxis.set_major_formatter(DateFormatter("%H:%M"))  # type: ignore[no-untyped-call]
    ax.set(title="A window changes in steps", ylim=0, xlabel="2 July, UTC")
    ax.set(ylabel="Minutes (blue), flights (orange)")
    plt.show()


def show_stopped_feed(truth: pd.Series, by_feast: pd.Series, by_us: pd.Series) -> None:
    """Draw what two readers say after a feed has stopped, beside the reports.

    Parameters
    ----------
    truth, by_feast, by_us : Series of float
        Temperatures, one an hour, indexed by time.
    """
    _, ax = plt.subplots()
    ax.plot(truth.index, truth, color=figures.GREY)
    ax.plot(by_feast.index, by_feast, color=figures.ORANGE, ls="--")
    ax.plot(by_us.index, by_us, color=figures.BLUE, lw=5)
    figures.label_end(ax, truth.index, truth, "the reports", figures.GREY)
    figures.label_end(ax, by_feast.index, by_feast, "Feast", figures.ORANGE)
    alive = by_us.dropna()
    last = (alive.index[-1], alive.iloc[-1])
    ax.annotate("read_online: null from here", last, (6, -14), color=figures.BLUE,
        textcoords="offset points")  # fmt: skip
    ax.xaxis.set_major_formatter(DateFormatter("%H"))  # type: ignore[no-untyped-call]
    ax.set(title="A dead feed looks like steady weather", ylabel="Temperature, °F")
    ax.set(xlabel="2 and 3 July (hour, UTC)")
    plt.show()


def show_lag(cells: pd.DataFrame) -> None:
    """Draw the skew rate against the lag of a store.

    Parameters
    ----------
    cells : DataFrame
        The share of cells that differ: one row a lag in minutes, one column a feature.
    """
    shown = {
        "any feature": ("any feature", "black"),
        "origin_waiting": ("queue", figures.BLUE),
        "origin_dep_delay_1h": ("delay, 1 h", figures.ORANGE),
        "visib": ("visibility", figures.GREEN),
        "flight_late_rate": ("history", figures.GREY),
    }
    _, ax = plt.subplots()
    places = range(len(cells))
    for name, (text, colour) in shown.items():
        ax.plot(places, cells[name], "o-", color=colour)
        # the two lines on top end nearly at one height
        at = cells[name].to_numpy() + (0.03 if name == "any feature" else 0)
        at = at - (0.03 if name == "origin_dep_delay_1h" else 0)
        figures.label_end(ax, places, at, text, colour)
    ax.set_xticks(places, [str(lag) for lag in cells.index])
    ax.set(title="Minutes of lag are enough to skew", ylabel="Skew rate", ylim=0)
    ax.set(xlabel="Lag of the last materialization, minutes")
    plt.show()


def show_harm(harm: pd.DataFrame, nulls: pd.DataFrame, tolerated: float) -> None:
    """Draw the loss of AUC at each lag, with its interval, against a tolerance.

    Parameters
    ----------
    harm : DataFrame
        What `auc_by_lag` returns.
    nulls : DataFrame
        The same, for some of the lags, with stale values made null.
    tolerated : float
        The loss that is accepted.
    """
    _, ax = plt.subplots()
    lags = list(harm.index[1:])
    for table, name, colour, mark, aside in (
        (harm, "old values", figures.BLUE, "o", -0.07),
        (nulls, "nulls", figures.ORANGE, "D", 0.07),
    ):
        behind = table.iloc[1:]
        loss, low, high = behind[["loss", "loss_low", "loss_high"]].to_numpy().T
        places = [lags.index(lag) + aside for lag in behind.index]
        spread = [loss - low, high - loss]
        ax.errorbar(places, loss, spread, fmt=mark, color=colour, capsize=5)
        at = (places[-1], loss[-1])
        x, side = (-9, "right") if aside < 0 else (9, "left")
        ax.annotate(name, at, (x, 0), textcoords="offset points", color=colour,
            ha=side, va="center")  # fmt: skip
    ax.axhline(tolerated, color=figures.GREY, ls="--")
    ax.annotate("tolerated", (0, tolerated), (-10, 4), textcoords="offset points",
        color=figures.GREY)  # fmt: skip
    ax.set_xticks(range(len(lags)), [str(lag) for lag in lags])
    ax.set(title="Hours of lag cost far more than minutes", ylim=-0.004)
    ax.margins(x=0.2)
    ax.set(xlabel="Lag of the last materialization, minutes")
    ax.set(ylabel="AUC lost in July (95% interval\nof the paired difference, by day)")
    plt.show()

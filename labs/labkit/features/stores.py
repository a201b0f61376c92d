"""What lab 05 needs beside its own lines: a schedule of copies, harm, figures."""

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import matplotlib.pyplot as plt
import numpy as np
import numpy.typing as npt
import pandas as pd
from flightline import features
from flightline.features import quiet
from matplotlib.dates import DateFormatter, HourLocator
from scipy.stats import rankdata
from sklearn.metrics import log_loss

from labkit import figures
from labkit.point_in_time import delay_model

if TYPE_CHECKING:
    import feast
    from lightgbm import LGBMClassifier

Floats = npt.NDArray[np.float64]
Label = TypeVar("Label", int, str)


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
            differs |= ~np.isclose(left, right, rtol=1e-12, atol=0, equal_nan=True)
        else:
            differs |= ~((left == right) | (left.isna() & right.isna())).to_numpy()
    return float(differs.mean())


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
    losses = {n: log_loss(late, scores_of(model, n, table, late)) for n in choices}
    return min(losses, key=losses.__getitem__)


def scores_of(
    model: "LGBMClassifier", trees: int, table: pd.DataFrame, late: pd.Series
) -> Floats:
    """Return the scores of the labelled rows, by the first trees of a model.

    Parameters
    ----------
    model : fitted lightgbm.LGBMClassifier
    trees : int
        How many of its trees count.
    table : DataFrame
        The features.
    late : Series of bool
        The labels; its index picks the rows.

    Returns
    -------
    array of float64
        One chance to be late for each label.
    """
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
    """Score labelled rows with the features of each lag, as `paired_auc` compares.

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
        What `paired_auc` returns, by lag.
    """
    scores = {lag: scores_of(model, trees, t, late) for lag, t in tables.items()}
    return paired_auc(scores, late, draws).rename_axis("lag, minutes")


def paired_auc(
    scored: Mapping[Label, Floats], late: pd.Series, draws: int = 100
) -> pd.DataFrame:
    """Compare scores of the same labelled rows, with intervals by day.

    Whole days are drawn with replacement, because flights of one day share their fate,
    and the same days for all, so that a loss is a difference within a draw.

    Parameters
    ----------
    scored : mapping of label to array
        The scores of the rows; the first are the reference.
    late : Series of bool
        The labels, indexed by `flight_id`, which begins with the date.
    draws : int

    Returns
    -------
    DataFrame
        By label: `auc`, `auc_low`, `auc_high`, and the `loss` against the first with
        `loss_low` and `loss_high`; the intervals are 95%.
    """
    scores = np.stack(list(scored.values()))
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
    return pd.DataFrame(found, index=pd.Index(scored))


def _auc(truth: npt.NDArray[np.bool_], scores: Floats) -> float:
    """Return the AUC by ranks, which is what it takes to draw it often."""
    ranks, late = rankdata(scores), int(truth.sum())
    above = ranks[truth].sum() - late * (late + 1) / 2
    return float(above / (late * (len(truth) - late)))


def harm(
    flights: pd.DataFrame,
    weather: pd.DataFrame,
    asked: pd.DataFrame,
    lagged: Mapping[int, pd.DataFrame],
) -> pd.DataFrame:
    """Score labelled flights with features of each lag, by a model without any lag.

    It is trained on January to May, and June chooses its number of trees.

    Parameters
    ----------
    flights, weather : DataFrame
        As for `flightline.features.training_table`.
    asked : DataFrame
        The flights that are scored.
    lagged : mapping of int to DataFrame
        Their features at each lag, in the order of `asked`; the first is the reference.

    Returns
    -------
    DataFrame
        By lag: `AUC`, and `AUC lost` against the first lag with its 95% interval
        `from` and `to`: days are drawn, the same ones for every lag.
    """
    table = features.training_table(flights[flights["month"] <= 6], weather)
    table = table.set_index("flight_id")[features.FEATURES]
    matrix = table.astype(dict.fromkeys(features.CATEGORICAL, "category"))
    keyed = flights.set_index("flight_id")
    learned, tuned, judged = (
        delay_model.late_by_month(keyed, *months) for months in ((1, 5), (6, 6), (7, 7))
    )
    model = delay_model.fit(matrix, learned, trees=160)
    trees = best_trees(model, matrix, tuned, [40, 80, 160])
    rows = {lag: like(matrix, values, asked) for lag, values in lagged.items()}
    found = auc_by_lag(model, trees, rows, judged)
    names = {"auc": "AUC", "loss": "AUC lost", "loss_low": "from", "loss_high": "to"}
    return found[list(names)].rename(columns=names)


def incremental(folder: Path, reports: pd.DataFrame, runs: pd.DatetimeIndex) -> float:
    """Run Feast's incremental materialization on a schedule.

    Before each run the file holds what was committed by then.

    Parameters
    ----------
    folder : path
        Where to make the store; one that is there already makes way.
    reports : DataFrame
        Of one airport: `origin`, the two clocks, `weather_at` and `committed`.
    runs : DatetimeIndex
        When it runs. The first run only sets the watermark.

    Returns
    -------
    float
        The share of the reports committed between the first run and the last that were
        in the online store after some run.
    """
    shutil.rmtree(folder, ignore_errors=True)
    store = _small_store(folder)
    columns = ["origin", "event_time", "available_at", "weather_at"]
    seen: set[float] = set()
    for run in runs:
        there = reports.loc[reports["committed"] <= run, columns]
        there.to_parquet(folder / "weather.parquet")
        with quiet():
            if run == runs[0]:
                store.materialize(run - pd.Timedelta("1h"), run)
            else:
                store.materialize_incremental(run)
        asked = store.get_online_features(["weather:weather_at"], {"origin": ["JFK"]})
        seen |= set(asked.to_dict()["weather_at"])
    counted = reports["committed"].between(runs[0], runs[-1], inclusive="right")
    return float(reports.loc[counted, "weather_at"].isin(seen).mean())


def _small_store(folder: Path) -> "feast.FeatureStore":
    """Return a Feast store with one view, the times of weather reports."""
    import feast
    from feast import types
    from feast.data_format import ParquetFormat

    folder.mkdir(parents=True)
    origin = feast.Entity(
        name="origin", join_keys=["origin"], value_type=feast.ValueType.STRING
    )
    source = feast.FileSource(
        path=str(folder / "weather.parquet"),
        file_format=ParquetFormat(),
        timestamp_field="event_time",
        created_timestamp_column="available_at",
    )
    view = feast.FeatureView(
        name="weather",
        entities=[origin],
        source=source,
        schema=[feast.Field(name="weather_at", dtype=types.Float64)],
    )
    config = feast.RepoConfig(
        project="mark",
        provider="local",
        repo_path=folder,
        registry={"path": str(folder / "registry.db"), "cache_ttl_seconds": 0},
        offline_store={"type": "duckdb"},
        online_store={"type": "sqlite", "path": str(folder / "online.db")},
        entity_key_serialization_version=3,
    )
    store = feast.FeatureStore(config=config)
    with quiet():
        store.apply([origin, view])
    return store


def show_steps(rows: pd.DataFrame, now: pd.Timestamp, names: Mapping[str, str]) -> None:
    """Draw features of one airport over the four hours before a moment.

    Parameters
    ----------
    rows : DataFrame
        Its rows, with `event_time`.
    now : Timestamp
        The prediction time.
    names : mapping of str to str
        Two columns, and what to write beside their lines.
    """
    near = rows[rows["event_time"].between(now - pd.Timedelta("4h"), now)]
    near = near.sort_values("event_time")
    _, ax = plt.subplots()
    colours = (figures.BLUE, figures.ORANGE)
    for (name, text), colour in zip(names.items(), colours, strict=True):
        ax.step(near["event_time"], near[name], where="post", color=colour)
        figures.label_end(ax, near["event_time"], near[name], text, colour)
    ax.xaxis.set_major_locator(HourLocator())  # type: ignore[no-untyped-call]
    ax.xaxis.set_major_formatter(DateFormatter("%H:%M"))  # type: ignore[no-untyped-call]
    ax.set(title="A window changes in steps", ylim=0, xlabel="2 July, UTC")
    ax.set(ylabel="Minutes (blue), flights (orange)")


def show_harm(harm: pd.DataFrame, tolerated: float) -> None:
    """Draw the loss of AUC at each lag, with its interval, against a tolerance.

    Parameters
    ----------
    harm : DataFrame
        What `harm` returns.
    tolerated : float
        The loss that is accepted.
    """
    behind = harm.iloc[1:]
    places = range(len(behind))
    spread = [behind["AUC lost"] - behind["from"], behind["to"] - behind["AUC lost"]]
    _, ax = plt.subplots()
    ax.errorbar(
        places, behind["AUC lost"], spread, fmt="o", color=figures.BLUE, capsize=5
    )
    ax.axhline(tolerated, color=figures.GREY, ls="--")
    ax.annotate(
        "tolerated",
        (0, tolerated),
        (-10, 4),
        textcoords="offset points",
        color=figures.GREY,
    )
    ax.set_xticks(places, [str(lag) for lag in behind.index])
    ax.set(title="Hours of lag cost far more than minutes", ylim=-0.004)
    ax.margins(x=0.2)
    ax.set(xlabel="Lag of the last copy, minutes")
    ax.set(ylabel="AUC lost in July (95% interval\nof the paired difference, by day)")

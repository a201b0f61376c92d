"""The stream of scored flights, and the false alarms of a rule, for the benches."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pandas as pd
from flightline import features, lake
from flightline.features import FEATURES
from labkit import data


def load_stream() -> pd.DataFrame:
    """Return every flight with its features, label and local date ("MM-DD")."""
    flights = lake.flight_times(data.load_flights(), data.load_airports())
    weather = lake.weather_events(data.load_weather())
    table = features.training_table(flights, weather)
    local = table["sched_dep_utc"].dt.tz_convert("America/New_York")
    table = table.assign(date=local.dt.strftime("%m-%d"))
    return table.sort_values("prediction_time", kind="stable", ignore_index=True)


def false_alarms(
    report: Callable[..., pd.DataFrame], month: pd.DataFrame, runs: int, seed: int = 5
) -> pd.DataFrame:
    """Deal one month into two random halves, many times, and count the alarms.

    Parameters
    ----------
    report : callable
        The rule under test.
    month : DataFrame
        With the features and `date`.
    runs : int
        How often to deal days; rows are dealt three times as often.
    seed : int
        Of the random numbers.

    Returns
    -------
    DataFrame
        By way of dealing and rule: the share of features that alarm at 0.05 each (`one
        feature`) with a 95% interval (`low`, `high`; runs are the independent units),
        and the share of runs with any alarm after the correction (`any feature`).
    """
    rng = np.random.default_rng(seed)
    rows, days = month[[*FEATURES, "date"]], month["date"].unique()
    found: dict[str, list[tuple[float, bool]]] = {}
    for run in range(3 * runs):
        half = rng.random(len(rows)) < 0.5
        chosen = rng.permutation(days)[: len(days) // 2]
        by_day = rows["date"].isin(chosen).to_numpy()
        ways: list[tuple[str, npt.NDArray[np.bool_], str | None]] = [
            ("rows, by rows", half, None)
        ]
        if run < runs:
            ways += [("days, by rows", by_day, None), ("days, by days", by_day, "date")]
        for name, mask, blocks in ways:
            columns = list(rows) if blocks else FEATURES
            sides = rows.loc[~mask, columns], rows.loc[mask, columns]
            table = report(*sides, blocks=blocks, draws=999)
            each = float((table["pvalue"] <= 0.05).mean())
            found.setdefault(name, []).append((each, bool(table["drifted"].any())))
    return pd.DataFrame({name: _rates(pairs) for name, pairs in found.items()}).T


def _rates(pairs: list[tuple[float, bool]]) -> dict[str, float]:
    """Return the mean share with its interval, and the share of runs with any."""
    each = np.array([one for one, _ in pairs])
    error = 1.96 * each.std(ddof=1) / np.sqrt(len(each))
    mean = float(each.mean())
    return {
        "one feature": mean,
        "low": mean - error,
        "high": mean + error,
        "any feature": float(np.mean([yes for _, yes in pairs])),
    }

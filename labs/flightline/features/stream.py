"""Stream departures and arrivals into a feature store, and log what is served.

`take` and `stream` turn the news of some minutes, as `flightline.lake.replay` yields
them, into pushes. `log_served` and `read_log` keep what a server answered.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from flightline.features.core import DAY, FEATURES, NUMERIC, PLAN, VIEWS, push, timeline
from flightline.lake import PLAN_LEAD

if TYPE_CHECKING:
    import feast

OUTCOMES = {
    "departures": ("dep_utc", "dep_delay"),
    "arrivals": ("arr_utc", "arr_delay"),
}


def log_at(flights: pd.DataFrame, now: pd.Timestamp) -> pd.DataFrame:
    """Return the flights as they were known at one moment: by `flight_id`, no more."""
    published = flights["sched_dep_utc"] - PLAN_LEAD <= now
    log = flights[published].set_index("flight_id")
    for time, delay in OUTCOMES.values():
        unknown = ~(log[time] <= now)
        log = log.assign(**{name: log[name].mask(unknown) for name in (time, delay)})
    return log[[*PLAN, "dep_utc", "dep_delay", "arr_utc", "arr_delay"]]


def take(log: pd.DataFrame, news: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Enter news into a log: flights from the schedule, then what happened to them."""
    plan = news["schedule"].set_index("flight_id")[PLAN]
    kinds = log.dtypes
    log = log.reindex(log.index.union(plan.index, sort=False))
    log.loc[plan.index, PLAN] = plan
    for name, (time, delay) in OUTCOMES.items():
        rows = news[name].set_index("flight_id")
        rows = rows[rows.index.isin(log.index)]
        log.loc[rows.index, time] = rows["event_time"]
        log.loc[rows.index, delay] = rows[delay]
    return log.astype(kinds)


def stream(
    store: "feast.FeatureStore",
    log: pd.DataFrame,
    news: Mapping[str, pd.DataFrame],
    since: pd.Timestamp,
    now: pd.Timestamp,
) -> pd.DataFrame:
    """Enter the news of `(since, now]`, and push what changed in that time.

    Parameters
    ----------
    store : feast.FeatureStore
    log : DataFrame
        What was known at `since`, as `log_at` returns it.
    news : mapping of str to DataFrame
        `schedule`, `departures` and `arrivals`, as `lake.replay` yields them.
    since, now : Timestamp
        The time that has passed.

    Returns
    -------
    DataFrame
        What is known now.
    """
    log = take(log, news)
    near = log[log["sched_dep_utc"] > now - 3 * DAY].reset_index()
    first = since + pd.Timedelta(1, "us")
    for view in (name for name, what in VIEWS.items() if what.streamed):
        push(store, view, timeline(view, near, near, first, now, whole=False))
    return log


def log_served(
    path: Path | str, requests: pd.DataFrame, values: pd.DataFrame, at: pd.Timestamp
) -> None:
    """Append what was served to a log, as JSON Lines; a missing value is null.

    Parameters
    ----------
    path : path
    requests, values : DataFrame
        The requests, and what `read_online` returned for them.
    at : Timestamp
        When it was served.
    """
    plain = values.astype(object).where(values.notna(), None).to_dict("records")
    with Path(path).open("a", encoding="utf-8") as file:
        for flight_id, given in zip(requests["flight_id"], plain, strict=True):
            line = {"time": at.isoformat(), "flight_id": flight_id, "features": given}
            file.write(json.dumps(line) + "\n")


def read_log(path: Path | str) -> pd.DataFrame:
    """Read a log of what was served: `flight_id`, `time` and the features."""
    text = Path(path).read_text(encoding="utf-8")
    lines = [json.loads(line) for line in text.splitlines()]
    values = pd.DataFrame([line["features"] for line in lines], columns=FEATURES)
    numbers = dict.fromkeys(NUMERIC, np.float64)
    time = pd.to_datetime([line["time"] for line in lines], utc=True).as_unit("us")
    who = {"flight_id": [line["flight_id"] for line in lines], "time": time}
    return pd.DataFrame(who).join(values.astype(numbers))

"""Stream departures and arrivals into a feature store.

`take` and `stream` turn the news of some minutes, as `flightline.lake.replay` yields
them, into pushes.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import pandas as pd

from flightline.features.names import DAY, PLAN
from flightline.features.times import in_zone
from flightline.features.views import VIEWS, timeline
from flightline.features.writes import push
from flightline.lake import PLAN_LEAD

if TYPE_CHECKING:
    import feast

OUTCOMES = {
    "departures": ("dep_utc", "dep_delay"),
    "arrivals": ("arr_utc", "arr_delay"),
}


def log_at(flights: pd.DataFrame, now: pd.Timestamp) -> pd.DataFrame:
    """Return the flights as they were known at one moment: by `flight_id`, no more."""
    now = in_zone("now", now)
    published = flights["sched_dep_utc"] - PLAN_LEAD <= now
    log = flights[published].set_index("flight_id")
    for time, delay in OUTCOMES.values():
        unknown = ~(log[time] <= now)
        log = log.assign(**{name: log[name].mask(unknown) for name in (time, delay)})
    return log[[*PLAN, "dep_utc", "dep_delay", "arr_utc", "arr_delay"]]


def take(log: pd.DataFrame, news: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Enter news into a log: flights from the schedule, then what happened to them.

    Of several rows about one flight the one that became known last counts.
    """
    plan = _last(news["schedule"])[PLAN]
    kinds = log.dtypes
    log = log.reindex(log.index.union(plan.index, sort=False))
    log.loc[plan.index, PLAN] = plan
    for name, (time, delay) in OUTCOMES.items():
        rows = _last(news[name])
        rows = rows[rows.index.isin(log.index)]
        log.loc[rows.index, time] = rows["event_time"]
        log.loc[rows.index, delay] = rows[delay]
    return log.astype(kinds)


def _last(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the row of each flight that became known last, by `flight_id`."""
    if "available_at" in rows:
        rows = rows.sort_values("available_at", kind="stable")
    return rows.drop_duplicates("flight_id", keep="last").set_index("flight_id")


def stream(
    store: "feast.FeatureStore",
    log: pd.DataFrame,
    news: Mapping[str, pd.DataFrame],
    since: pd.Timestamp,
    now: pd.Timestamp,
) -> pd.DataFrame:
    """Enter the news of `(since, now]`, and push what changed in that time.

    News that is older than `since` when it comes in, as a correction may be, changes
    the pushed rows from the next change or heartbeat of its keys on.

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

    Raises
    ------
    ValueError
        If a time has no zone, or `now` lies before `since`.
    """
    since, now = in_zone("since", since), in_zone("now", now)
    if now < since:
        raise ValueError(f"now={now} lies before since={since}.")
    log = take(log, news)
    near = log[log["sched_dep_utc"] > now - 3 * DAY].reset_index()
    first = since + pd.Timedelta(1, "us")
    for view in (name for name, what in VIEWS.items() if what.streamed):
        push(store, view, timeline(view, near, near, first, now, whole=False))
    return log

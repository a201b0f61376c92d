"""What a run knows at a moment: read from the lake at its start, then kept up to date.

Nothing is held here that the lake does not hold. A run that is killed reads it anew,
and knows the same.
"""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from flightline import features, lake
from flightline.features import LEAD, PLAN, T
from flightline.loop.clock import Tick

BACK = pd.Timedelta(days=36)
"""How far the features look back, with four days for a landing that comes late."""

ARRIVAL_ORDER = ["available_at", "event_time", "flight_id"]
"""The order in which reports count: the one that became known last, last."""

WEATHER_BACK = pd.Timedelta(days=3)
KEYED = ["flight_id", T, "sched_dep_utc", "due_at", "month"]
"""What a row of the training table says besides features and label."""


class Memory:
    """The flights and the weather that are known at a moment.

    Parameters
    ----------
    lake_dir : path
        A lake with the four feeds.
    now : Timestamp
        The moment. Rows that became known later are left out, though the lake may hold
        them already: a killed run may have brought them.
    """

    def __init__(self, lake_dir: Path | str, now: pd.Timestamp) -> None:
        def known(table: str, back: pd.Timedelta) -> pd.DataFrame:
            rows = lake.read(lake_dir, table, start=now - back)
            return rows[rows["available_at"] <= now]

        plan = known("schedule", BACK).drop_duplicates("flight_id", keep="last")
        log = plan.set_index("flight_id")[PLAN]
        for time, delay in features.stream.OUTCOMES.values():
            unknown = pd.Series(pd.NaT, log.index, dtype=lake.UTC)
            log = log.assign(**{time: unknown, delay: float("nan")})
        past = {name: known(name, BACK) for name in ("departures", "arrivals")}
        empty = {"schedule": plan.iloc[:0]}
        self.log = features.stream.take(log, {**empty, **past})
        self.weather = known("weather", WEATHER_BACK)

    def hear(self, news: Mapping[str, pd.DataFrame], tick: Tick) -> pd.DataFrame:
        """Take in the news of a step; return what is to be answered, with features.

        Parameters
        ----------
        news : mapping of str to DataFrame
            The four feeds' rows that became known in the step.
        tick : Tick
            The step.

        Returns
        -------
        DataFrame
            KEYED, PLAN and FEATURES of the flights whose prediction falls into the
            step, each as known at its own prediction time, in that order; flights of
            one moment by their id.

        Notes
        -----
        News about what happened before it became known (a correction, a feed that woke
        up) counts from the next step on. The features ask what happened when, and would
        else use it for moments at which nobody knew it.
        """
        fresh = {name: _split(name, news[name]) for name in news}
        prompt = {name: parts[0] for name, parts in fresh.items()}
        tardy = {name: parts[1] for name, parts in fresh.items()}
        self.log = features.stream.take(self.log, prompt)
        self.weather = pd.concat([self.weather, prompt["weather"]], ignore_index=True)
        asks = self._due(tick)
        self.log = features.stream.take(self.log, tardy)
        self.weather = pd.concat([self.weather, tardy["weather"]], ignore_index=True)
        self._forget(tick.now)
        return asks

    def _due(self, tick: Tick) -> pd.DataFrame:
        """Return the flights whose prediction falls into a step, with features."""
        log = self.log.reset_index()
        at = log["sched_dep_utc"] - LEAD
        due = (at > tick.since) & (at <= tick.now)
        asks = log[due].assign(**{T: at[due]})
        asks = asks.sort_values([T, "flight_id"], ignore_index=True)
        return with_features(asks, log, self.weather)

    def _forget(self, now: pd.Timestamp) -> None:
        """Drop what no feature looks back to any more."""
        self.log = self.log[self.log["sched_dep_utc"] > now - BACK]
        recent = self.weather["available_at"] > now - WEATHER_BACK
        self.weather = self.weather[recent]


def with_features(
    asks: pd.DataFrame, log: pd.DataFrame, weather: pd.DataFrame
) -> pd.DataFrame:
    """Return KEYED, PLAN and FEATURES of some flights, as known when they are asked.

    Parameters
    ----------
    asks : DataFrame
        PLAN, `flight_id` and the prediction time.
    log, weather : DataFrame
        As for `features.features_at`.

    Returns
    -------
    DataFrame
        In the order of `asks`.
    """
    month = asks["sched_dep_utc"].dt.tz_convert(lake.NEW_YORK).dt.month
    keyed = asks.assign(due_at=asks["sched_arr_utc"], month=month.astype("int64"))
    found = features.features_at(asks, log, weather)
    whole = list(dict.fromkeys([*KEYED, *PLAN]))
    fresh = found.drop(columns=[name for name in found if name in whole])
    return keyed[whole].join(fresh)


def _split(feed: str, rows: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Part the news that came as it happened from what came later than usual."""
    usual = lake.WEATHER_DELAY if feed == "weather" else pd.Timedelta(0)
    prompt = rows["available_at"] - rows["event_time"] <= usual
    return rows[prompt], rows[~prompt]


def first_table(lake_dir: Path | str, until: pd.Timestamp) -> pd.DataFrame:
    """Return the rows that were never answered: all predictions up to the start.

    Parameters
    ----------
    lake_dir : path
        A lake with the four feeds.
    until : Timestamp
        The start of the stream.

    Returns
    -------
    DataFrame
        As `Memory.hear` returns; of every flight whose prediction time is not later
        than `until`, from the rows that were known then.
    """

    def known(table: str) -> pd.DataFrame:
        rows = lake.read(lake_dir, table)
        return rows[rows["available_at"] <= until]

    plan = known("schedule").drop_duplicates("flight_id", keep="last")
    log = plan.set_index("flight_id")[PLAN]
    for table, (time, delay) in features.stream.OUTCOMES.items():
        last = known(table).sort_values("available_at", kind="stable")
        last = last.drop_duplicates("flight_id", keep="last").set_index("flight_id")
        log = log.assign(**{time: last["event_time"], delay: last[delay]})
    log = log.astype({"dep_utc": lake.UTC, "arr_utc": lake.UTC}).reset_index()
    at = log["sched_dep_utc"] - LEAD
    asks = log[at <= until].assign(**{T: at[at <= until]})
    asks = asks.sort_values([T, "flight_id"], ignore_index=True)
    return with_features(asks, log, known("weather"))


def reports_known(lake_dir: Path | str, now: pd.Timestamp) -> pd.DataFrame:
    """Return every report of an arrival that has come in by a moment.

    Parameters
    ----------
    lake_dir : path
        A lake with arrivals.
    now : Timestamp
        Reports that came in later are left out, though the lake may hold them.

    Returns
    -------
    DataFrame
        `flight_id`, `available_at` and `arr_delay`, in the order in which they came in.
    """
    wanted = ["flight_id", "event_time", "available_at", "arr_delay"]
    rows = lake.read(lake_dir, "arrivals", columns=wanted)
    rows = rows[rows["available_at"] <= now]
    return rows.sort_values(ARRIVAL_ORDER, ignore_index=True)

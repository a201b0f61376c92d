"""One definition of each feature, asked about a year, a request, or any moment.

Every function takes `asks`, rows with keys and a `prediction_time`, and a log of what
is known. It does not care who asks.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
import pandas as pd

from flightline.features.names import (
    ARRIVALS,
    BACKLOG,
    CATEGORICAL,
    DEPARTURES,
    FEATURES,
    HOUR,
    KEYS,
    LATE_MIN,
    LEAD,
    NUMBER,
    RATES,
    REPORT,
    SECOND,
    Floats,
    T,
)
from flightline.features.times import in_zone, zoned
from flightline.lake import NEW_YORK
from flightline.point_in_time import join, open_at, smoothed_rate, window


def seconds(times: pd.Series) -> Floats:
    """Return times as seconds since 1970, NaN where missing."""
    ticks, per_second = times.array.asi8, SECOND / pd.Timedelta(1, times.dt.unit)
    missing = ticks == np.iinfo(np.int64).min
    return np.where(missing, np.nan, np.floor_divide(ticks, per_second))


def _local(seconds: float) -> tuple[float, float]:
    """Return minute of the day and weekday on New York's clock."""
    if np.isnan(seconds):
        return np.nan, np.nan
    local = datetime.fromtimestamp(seconds, ZoneInfo(NEW_YORK))
    return 60 * local.hour + local.minute, local.weekday()


def request_terms(
    sched_dep_s: npt.ArrayLike,
    sched_arr_s: npt.ArrayLike,
    distance: npt.ArrayLike,
) -> dict[str, Floats]:
    """Compute the features that depend on the request itself.

    Parameters
    ----------
    sched_dep_s, sched_arr_s : array_like of float
        The schedule, in seconds since 1970 (UTC).
    distance : array_like of float
        Miles to the destination.

    Returns
    -------
    dict of array
        `minute_of_day` and `weekday` (Monday is 0) on New York's clock, `distance_mi`
        and `block_min`.

    Examples
    --------
    >>> terms = request_terms([7200.0], [10800.0], [450.0])
    >>> float(terms["block_min"][0]), float(terms["distance_mi"][0])
    (60.0, 450.0)
    """
    given = (sched_dep_s, sched_arr_s, distance)
    dep, arr, miles = (np.asarray(each, np.float64) for each in given)
    clock = np.array([_local(s) for s in dep.tolist()], np.float64).reshape(-1, 2)
    return {
        "minute_of_day": clock[:, 0],
        "weekday": clock[:, 1],
        "distance_mi": miles,
        "block_min": (arr - dep) / 60,
    }


def _means(asks: pd.DataFrame, log: pd.DataFrame, name: str) -> pd.Series:
    """Return the mean of a window of departures or arrivals."""
    left = name in DEPARTURES
    by, hours = (DEPARTURES if left else ARRIVALS)[name]
    when, value = ("dep_utc", "dep_delay") if left else ("arr_utc", "arr_delay")
    known = log[log[value].notna() & log[when].notna()]
    if name == "all_late_share_24h":
        value, known = "late", known.assign(late=known[value] >= LATE_MIN)
    return window(
        asks,
        known,
        by=by,
        entity_time=T,
        event_time=when,
        value=value,
        window=hours * HOUR,
        agg="mean",
    )


def recent(asks: pd.DataFrame, log: pd.DataFrame, names: Sequence[str]) -> pd.DataFrame:
    """Average what departed and arrived lately, and count what waits.

    Parameters
    ----------
    asks : DataFrame
        The keys of the features, and `prediction_time`.
    log : DataFrame
        Flights with `dep_utc`, `dep_delay`, `arr_utc` and `arr_delay`, null where not
        known. What lies after a `prediction_time` is not used.
    names : sequence of str
        Names from DEPARTURES, ARRIVALS and BACKLOG.

    Returns
    -------
    DataFrame
        One column a name, with the index of `asks`.
    """
    waits = {"start_time": "sched_dep_utc", "end_time": "dep_utc", "window": 6 * HOUR}
    found = {
        name: open_at(asks, log, by=BACKLOG[name], entity_time=T, **waits)
        if name in BACKLOG
        else _means(asks, log, name)
        for name in names
    }
    return pd.DataFrame(found, index=asks.index)


def nearby(asks: pd.DataFrame, plan: pd.DataFrame) -> pd.DataFrame:
    """Count the flights scheduled from the same airport within half an hour."""
    later = asks[["origin"]].assign(t=asks["sched_dep_utc"] + HOUR / 2)
    count = window(
        later,
        plan,
        by="origin",
        entity_time="t",
        event_time="sched_dep_utc",
        value="flight",
        window=HOUR,
        agg="count",
    )
    return count.rename("nearby_flights").to_frame()


def mended(weather: pd.DataFrame) -> pd.DataFrame:
    """Return reports without an impossible wind; no gust is a gust of zero."""
    speed = weather["wind_speed"].where(weather["wind_speed"] <= 200)
    table = weather.assign(wind_speed=speed, gust=weather["wind_gust"].fillna(0))
    return table[["origin", "event_time", "available_at", *REPORT]]


def report(asks: pd.DataFrame, weather: pd.DataFrame) -> pd.DataFrame:
    """Find the newest weather report that is known, at most six hours old."""
    times = {
        "entity_time": T,
        "feature_time": "event_time",
        "available_time": "available_at",
    }
    return join(
        asks[["origin", T]], mended(weather), by="origin", **times, ttl=6 * HOUR
    )[REPORT]


def rain(asks: pd.DataFrame, weather: pd.DataFrame) -> pd.DataFrame:
    """Add up the rain that became known in the last three hours."""
    times: Any = {"entity_time": T, "event_time": "available_at", "window": 3 * HOUR}
    known = weather[weather["precip"].notna()]
    return window(
        asks, known, by="origin", **times, value="precip", agg="sum"
    ).to_frame("precip_3h")


def history(
    asks: pd.DataFrame, log: pd.DataFrame, view: str = "history"
) -> pd.DataFrame:
    """Rate how often the flight number landed late; each version has its own days."""
    name, days = RATES[view]
    late = (log["arr_delay"] >= LATE_MIN).astype(np.float64)
    landed = log.assign(late=late).dropna(subset=["arr_delay", "arr_utc"])
    key: Any = {
        "by": NUMBER,
        "entity_time": T,
        "event_time": "arr_utc",
        "value": "late",
    }
    rate = smoothed_rate(asks, landed, **key, days=days, prior=0.24, strength=20)
    return rate.rename(name).to_frame()


def features_at(
    asks: pd.DataFrame, log: pd.DataFrame, weather: pd.DataFrame
) -> pd.DataFrame:
    """Compute all features as they were known at each `prediction_time`.

    Parameters
    ----------
    asks : DataFrame
        Flights with their schedule, keys and `prediction_time`.
    log : DataFrame
        What `flightline.lake.flight_times` returns; later outcomes are not used.
    weather : DataFrame
        What `flightline.lake.weather_events` returns.

    Returns
    -------
    DataFrame
        The columns FEATURES, with the index of `asks`; null where nothing is known.

    Raises
    ------
    ValueError
        If a time has no zone.
    """
    moving = [*DEPARTURES, *ARRIVALS, *BACKLOG]
    terms = request_terms(
        seconds(zoned(asks, "sched_dep_utc")),
        seconds(zoned(asks, "sched_arr_utc")),
        asks["distance"],
    )
    parts = [
        asks[CATEGORICAL],
        pd.DataFrame(terms, index=asks.index),
        nearby(asks, log),
        recent(asks, log, moving),
        report(asks, weather),
        rain(asks, weather),
        history(asks, log),
    ]
    return pd.concat(parts, axis=1)[FEATURES]


def training_table(
    flights: pd.DataFrame,
    weather: pd.DataFrame,
    *,
    until: pd.Timestamp | None = None,
    lead: pd.Timedelta = LEAD,
) -> pd.DataFrame:
    """Build one row per flight: keys, features two hours before departure, and label.

    Parameters
    ----------
    flights : DataFrame
        What `flightline.lake.flight_times` returns.
    weather : DataFrame
        What `flightline.lake.weather_events` returns.
    until : Timestamp, optional
        Keep what was known by then: flights predicted by then, labels landed by then.
    lead : Timedelta
        How long before its scheduled departure a flight is predicted.

    Returns
    -------
    DataFrame
        KEYS, FEATURES, `late` (boolean; null: never landed, or not yet) and
        `label_time`, when the label was known, with the index of `flights`.
    """
    until = None if until is None else in_zone("until", until)
    asks = flights.assign(**{T: flights["sched_dep_utc"] - lead})
    landed = flights["arr_delay"].notna() & flights["arr_utc"].notna()
    if until is not None:
        landed &= flights["arr_utc"] <= until
    late = (flights["arr_delay"] >= LATE_MIN).astype("boolean").mask(~landed)
    label = {"late": late, "label_time": flights["arr_utc"].where(landed)}
    table = asks[KEYS].join(features_at(asks, flights, weather)).assign(**label)
    return table if until is None else table[table[T] <= until]

# Do not edit: exported from labs/05_features.ipynb.
# Change the lab, then run `make export`.

"""Lab 05: the feature store."""

__all__ = [
    "ARRIVALS",
    "BACKLOG",
    "CATEGORICAL",
    "CHANGES",
    "DAY",
    "DEPARTURES",
    "ENTITIES",
    "FEATURES",
    "HISTORY",
    "HOUR",
    "KEYS",
    "LATE_MIN",
    "LEAD",
    "NUMBER",
    "NUMERIC",
    "ON_DEMAND",
    "PLACE",
    "PLAN",
    "RATES",
    "REPORT",
    "REQUEST",
    "SECOND",
    "SERVICES",
    "START_SET",
    "VIEWS",
    "WEATHER",
    "Floats",
    "OnlineSource",
    "T",
    "Unavailable",
    "View",
    "answer",
    "change_points",
    "definitions",
    "features_at",
    "freshness",
    "historical",
    "history",
    "materialize",
    "nearby",
    "newest",
    "push",
    "quiet",
    "rain",
    "read_online",
    "rebuild",
    "recent",
    "report",
    "request_lists",
    "request_terms",
    "store",
    "timeline",
    "training_table",
]

import contextlib
import io
import logging
import os
import sqlite3
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast
from weakref import WeakKeyDictionary
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
import pandas as pd

from flightline.lake import NEW_YORK, PLAN_LEAD, UTC
from flightline.point_in_time import join, open_at, smoothed_rate, window

if TYPE_CHECKING:
    import feast


Floats = npt.NDArray[np.float64]
LATE_MIN = 15
HOUR = pd.Timedelta(hours=1).as_unit("us")
SECOND = pd.Timedelta(seconds=1).as_unit("us")
LEAD, DAY = 2 * HOUR, 24 * HOUR
T, PLACE = "prediction_time", "NYC"

CATEGORICAL = ["carrier", "origin", "dest"]
REQUEST = ["minute_of_day", "weekday", "distance_mi", "block_min"]
ON_DEMAND = [*CATEGORICAL, *REQUEST, "nearby_flights"]
DEPARTURES = {
    "origin_dep_delay_1h": (["origin"], 1),
    "origin_dep_delay_3h": (["origin"], 3),
    "carrier_dep_delay_3h": (["carrier"], 3),
    "origin_carrier_dep_delay_3h": (["origin", "carrier"], 3),
    "all_dep_delay_1h": ([], 1),
}
ARRIVALS = {
    "origin_arr_delay_3h": (["origin"], 3),
    "dest_arr_delay_3h": (["dest"], 3),
    "dest_arr_delay_24h": (["dest"], 24),
    "carrier_arr_delay_24h": (["carrier"], 24),
    "all_late_share_24h": ([], 24),
}
BACKLOG = {
    "origin_waiting": ["origin"],
    "origin_carrier_waiting": ["origin", "carrier"],
}
WEATHER = ["temp", "dewp", "wind_speed", "gust", "precip_3h", "visib", "pressure"]
REPORT = [name for name in WEATHER if name != "precip_3h"]
HISTORY = ["flight_late_rate"]
NUMBER = ["carrier", "flight", "dest"]
RATES = {"history": (HISTORY[0], 30), "history_v2": ("flight_late_rate_v2", 60)}
FEATURES = [*ON_DEMAND, *DEPARTURES, *ARRIVALS, *BACKLOG, *WEATHER, *HISTORY]
NUMERIC = [name for name in FEATURES if name not in CATEGORICAL]
KEYS = ["flight_id", T, "sched_dep_utc", "month"]


def _seconds(times: pd.Series) -> Floats:
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


def _mended(weather: pd.DataFrame) -> pd.DataFrame:
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
        asks[["origin", T]], _mended(weather), by="origin", **times, ttl=6 * HOUR
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
    """
    moving = [*DEPARTURES, *ARRIVALS, *BACKLOG]
    terms = request_terms(
        _seconds(asks["sched_dep_utc"]),
        _seconds(asks["sched_arr_utc"]),
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

    Returns
    -------
    DataFrame
        KEYS, FEATURES, `late` (boolean; null: never landed, or not yet) and
        `label_time`, when the label was known, with the index of `flights`.
    """
    asks = flights.assign(**{T: flights["sched_dep_utc"] - LEAD})
    landed = flights["arr_delay"].notna() & flights["arr_utc"].notna()
    if until is not None:
        landed &= flights["arr_utc"] <= until
    late = (flights["arr_delay"] >= LATE_MIN).astype("boolean").mask(~landed)
    label = {"late": late, "label_time": flights["arr_utc"].where(landed)}
    table = asks[KEYS].join(features_at(asks, flights, weather)).assign(**label)
    return table if until is None else table[table[T] <= until]


def change_points(
    events: pd.DataFrame,
    by: Sequence[str],
    spans: Sequence[tuple[str, pd.Timedelta]],
    start: pd.Timestamp,
    end: pd.Timestamp,
) -> pd.DataFrame:
    """List the keys and times at which a window over events can change.

    Parameters
    ----------
    events : DataFrame
        With the key columns and the columns of times that the spans name.
    by : sequence of str
        The key columns.
    spans : sequence of (str, Timedelta)
        A column of times, and how long after it something changes.
    start, end : Timestamp
        The period, both ends included.

    Returns
    -------
    DataFrame
        The key columns and `prediction_time`, each pair once. A null key, or a null in
        the column of a span, gives no change point for that span; the other spans of
        the event count.
    """
    moved = [
        events[list(by)].assign(**{T: events[column] + delay})
        for column, delay in spans
    ]
    points = pd.concat(moved).dropna()
    inside = points[T].between(start, end)
    return points[inside].drop_duplicates(ignore_index=True)


@dataclass(frozen=True)
class View:
    """Whose state a view holds, what it tells, who owns it, how long a value lives."""

    keys: list[str]
    features: list[str]
    owner: str
    ttl: pd.Timedelta | None = None
    beat: pd.Timedelta | None = None
    streamed: bool = False
    version: int = 1


def _live(*keys: str) -> View:
    """Return the view of the moving features of a key, fed by pushes."""
    moving = {name: by for name, (by, _) in {**DEPARTURES, **ARRIVALS}.items()}
    wanted = [] if keys == ("network",) else list(keys)
    names = [name for name, by in {**moving, **BACKLOG}.items() if by == wanted]
    return View(list(keys), names, "operations", 2 * HOUR, HOUR, streamed=True)


VIEWS = {
    "origin": _live("origin"),
    "carrier": _live("carrier"),
    "origin_carrier": _live("origin", "carrier"),
    "dest": _live("dest"),
    "network": _live("network"),
    "weather": View(["origin"], REPORT, "weather desk", 6 * HOUR),
    "rain": View(["origin"], ["precip_3h"], "weather desk", 6 * HOUR),
    "history": View(NUMBER, HISTORY, "data science"),
    "history_v2": View(NUMBER, ["flight_late_rate_v2"], "data science", version=2),
    "schedule": View(["flight_id"], ["nearby_flights"], "planning", DAY),
}
ENTITIES = ["origin", "carrier", "dest", "flight", "flight_id", "network"]
CHANGES: dict[str, list[tuple[str, float]]] = {
    "rain": [("available_at", 0), ("available_at", 3)],
    "history": [("arr_utc", 0), ("arr_utc", 24 * 30)],
    "history_v2": [("arr_utc", 0), ("arr_utc", 24 * 60)],
}


def _spans(view: str) -> list[tuple[str, pd.Timedelta]]:
    """Say when something enters or leaves the windows of a view."""
    found = list(CHANGES.get(view, []))
    for name in VIEWS[view].features:
        for table, when in ((DEPARTURES, "dep_utc"), (ARRIVALS, "arr_utc")):
            found += [(when, 0), (when, table[name][1])] if name in table else []
        if name in BACKLOG:
            found += [("sched_dep_utc", 0), ("sched_dep_utc", 6), ("dep_utc", 0)]
    return [
        (column, (hours * HOUR).round("s")) for column, hours in dict.fromkeys(found)
    ]


def _heartbeats(
    plan: pd.DataFrame, view: View, start: pd.Timestamp, end: pd.Timestamp, whole: bool
) -> pd.DataFrame:
    """List the keys of the timetable when it first names them, and at each beat."""
    by = view.keys
    first = plan.dropna(subset=by).groupby(by)["sched_dep_utc"].min() - PLAN_LEAD
    first = first.astype(UTC)[first <= end].rename("first")
    born = first.clip(lower=start) if whole else first[first > start]
    points = [born.rename(T).reset_index()]
    if view.beat is not None:
        ticks = pd.date_range(start.floor(view.beat), end, freq=view.beat, unit="us")
        grid = first.reset_index().merge(
            pd.DataFrame({T: ticks[ticks > start]}), how="cross"
        )
        points.append(grid.loc[grid[T] >= grid["first"], [*by, T]])
    return pd.concat(points, ignore_index=True)


def _compute(
    view: str, asks: pd.DataFrame, log: pd.DataFrame, weather: pd.DataFrame
) -> pd.DataFrame:
    """Compute the features of a view for keys at times, from the one definition."""
    if view in RATES:
        return history(asks, log, view)
    if view == "rain":
        return rain(asks, weather)
    return recent(asks, log, VIEWS[view].features)


def _stamped(view: str, table: pd.DataFrame, time: str) -> pd.DataFrame:
    """Add the two clocks of a row, and its time as a feature of its own."""
    table = table.rename(columns={time: "event_time"})
    if "available_at" not in table:
        table = table.assign(available_at=table["event_time"])
    seconds = pd.DatetimeIndex(table["event_time"]).as_unit("s").asi8
    return table.assign(**{f"{view}_at": seconds}).reset_index(drop=True)


def timeline(
    view: str,
    flights: pd.DataFrame,
    weather: pd.DataFrame,
    start: pd.Timestamp,
    end: pd.Timestamp,
    *,
    whole: bool = True,
) -> pd.DataFrame:
    """Build the rows of a view for a period: one for each key and change.

    Parameters
    ----------
    view : str
        A name from VIEWS.
    flights, weather : DataFrame
        As for `training_table`. Flights before `start` are needed as far back as the
        windows reach; what lies after a row's time is not used.
    start, end : Timestamp
        The period, both ends included.
    whole : bool
        Whether keys that are known already get a row at `start`.

    Returns
    -------
    DataFrame
        The keys and features of the view, `event_time`, `available_at`, and
        `<view>_at`: the event time in seconds since 1970.
    """
    what = VIEWS[view]
    if view == "weather":
        table = _mended(weather)
        return _stamped(view, table[table["event_time"].between(start - DAY, end)], "")
    if view == "schedule":
        known = (flights["sched_dep_utc"] - PLAN_LEAD + HOUR / 2).astype(UTC)
        table = (
            flights[["flight_id"]].join(nearby(flights, flights)).assign(**{T: known})
        )
        return _stamped(view, table[known.between(start - DAY, end)], T)
    plan = flights.assign(network=PLACE)
    events = weather if view == "rain" else plan
    points = change_points(events, what.keys, _spans(view), start, end)
    beats = _heartbeats(plan, what, start, end, whole)
    asks = pd.concat([points, beats]).drop_duplicates(ignore_index=True)
    return _stamped(view, asks.join(_compute(view, asks, plan, weather)), T)


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Keep Feast's progress bars, colours and warnings off the page."""
    logging.getLogger("feast").setLevel(logging.CRITICAL)
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        yield


def request_lists(inputs: Mapping[str, list[Any]]) -> dict[str, list[float]]:
    """Call `request_terms` on lists, which is how Feast hands over its inputs."""
    names = ("sched_dep_s", "sched_arr_s", "distance")
    terms = request_terms(*(np.array(inputs[name], np.float64) for name in names))
    return {name: values.tolist() for name, values in terms.items()}


def _fields(names: Sequence[str]) -> list[Any]:
    """Declare columns to Feast; those that are no key and no time are numbers."""
    import feast
    from feast import types

    kinds = {**dict.fromkeys(ENTITIES, types.String), "flight": types.Int64}
    kinds |= {name: types.Int64 for name in names if name.endswith("_at")}
    return [feast.Field(name=n, dtype=kinds.get(n, types.Float64)) for n in names]


def _view(folder: Path, name: str, entities: Mapping[str, Any]) -> Any:
    """Declare one view to Feast: a file, a push source beside it if it is streamed."""
    import feast
    from feast.data_format import ParquetFormat

    what, file = VIEWS[name], str(folder / "offline" / f"{name}.parquet")
    source: Any = feast.FileSource(
        name=f"{name}_file",
        path=file,
        file_format=ParquetFormat(),
        timestamp_field="event_time",
        created_timestamp_column="available_at",
    )
    if what.streamed:
        source = feast.PushSource(name=f"{name}_push", batch_source=source)
    tags = {
        "kind": "stream" if what.streamed else "batch",
        "version": str(what.version),
    }
    return feast.FeatureView(
        name=name,
        entities=[entities[key] for key in what.keys],
        source=source,
        schema=_fields([*what.keys, *what.features, f"{name}_at"]),
        owner=what.owner,
        ttl=None if what.ttl is None else what.ttl.to_pytimedelta(),
        tags=tags,
    )


START_SET = [*ON_DEMAND, "origin_dep_delay_1h", "origin_dep_delay_3h", *BACKLOG]
SERVICES = {"delay": FEATURES, "delay_start": START_SET}


def _terms() -> Any:
    """Declare the features that are computed when they are asked for."""
    import feast
    from feast.on_demand_feature_view import on_demand_feature_view

    def on_request(inputs: dict[str, Any]) -> dict[str, Any]:
        import importlib  # Feast keeps this function by value, in its registry

        module: Any = importlib.import_module("flightline.features")
        return dict(module.request_lists(inputs))

    asked = _fields(["sched_dep_s", "sched_arr_s", "distance"])
    sources: Any = [feast.RequestSource(name="request", schema=asked)]
    tags, schema = {"kind": "on demand", "version": "1"}, _fields(REQUEST)
    declare = on_demand_feature_view(
        name="request_terms",
        mode="python",
        sources=sources,
        schema=schema,
        tags=tags,
        owner="data science",
    )
    return declare(on_request)


def definitions(folder: Path) -> list[Any]:
    """Return what the registry holds: entities, views, services, and who may read."""
    import feast
    from feast.permissions.action import AuthzedAction as Action
    from feast.permissions.permission import Permission
    from feast.permissions.policy import RoleBasedPolicy

    kinds = dict.fromkeys(ENTITIES, feast.ValueType.STRING) | {
        "flight": feast.ValueType.INT64
    }
    entities = {
        k: feast.Entity(name=k, join_keys=[k], value_type=kinds[k]) for k in ENTITIES
    }
    views = {name: _view(folder, name, entities) for name in VIEWS}
    terms, found = _terms(), [*entities.values(), *views.values()]
    for name, features in SERVICES.items():
        held = {v: [n for n in VIEWS[v].features if n in features] for v in VIEWS}
        chosen = [views[v][[*names, f"{v}_at"]] for v, names in held.items() if names]
        found.append(
            feast.FeatureService(
                name=name, features=[*chosen, terms], owner="data science"
            )
        )
    for role, action in (
        ("serving", Action.READ_ONLINE),
        ("training", Action.READ_OFFLINE),
    ):
        policy, views_only = RoleBasedPolicy(roles=[role]), cast(Any, feast.FeatureView)
        found.append(
            Permission(name=role, types=views_only, actions=action, policy=policy)
        )
    return [*found, terms]


class Unavailable(RuntimeError):
    """The online store cannot answer: it is locked, gone or out of reach."""


@contextlib.contextmanager
def _reachable(store: "feast.FeatureStore") -> Iterator[None]:
    """Turn the ways in which an online store fails into one clear error."""
    online, redis = store.config.online_store, sys.modules.get("redis")
    errors = (sqlite3.Error, OSError, *([redis.RedisError] if redis else []))
    if online.type == "sqlite" and not Path(online.path).exists():
        raise Unavailable("the online store is gone: its file is missing. Restore it.")
    try:
        yield
    except errors as error:
        raise Unavailable(f"the online store ({online.type}) says: {error}") from error


def store(path: Path | str, *, online: str | None = None) -> "feast.FeatureStore":
    """Open the feature store in a folder; the first call makes it.

    Parameters
    ----------
    path : path
        The folder. It holds the registry, the offline files and, with SQLite, the
        online store.
    online : str, optional
        "sqlite", or "redis://HOST:PORT". By default the environment variable
        FLIGHTLINE_ONLINE, or else "sqlite".

    Returns
    -------
    feast.FeatureStore

    Raises
    ------
    ValueError
        If `online` names no store that the course knows.
    """
    import feast

    folder = Path(path).resolve()
    chosen = online or os.environ.get("FLIGHTLINE_ONLINE") or "sqlite"
    setting = {"type": "sqlite", "path": str(folder / "online.db")}
    if chosen.startswith("redis://"):
        address = chosen.removeprefix("redis://").rstrip("/")
        setting = {"type": "redis", "connection_string": address}
    elif chosen != "sqlite":
        raise ValueError(f"online={chosen!r} is not 'sqlite' or 'redis://HOST:PORT'.")
    folder.mkdir(parents=True, exist_ok=True)
    registry = {"path": str(folder / "registry.db"), "cache_ttl_seconds": 0}
    config = feast.RepoConfig(
        project="flightline",
        provider="local",
        repo_path=folder,
        registry=registry,
        offline_store={"type": "duckdb"},
        online_store=setting,
        entity_key_serialization_version=3,
    )
    opened = feast.FeatureStore(config=config)
    if not (folder / "registry.db").exists():
        with quiet():
            opened.apply(definitions(folder))
    return opened


PLAN = ["carrier", "flight", "origin", "dest", "distance"]
PLAN += ["sched_dep_utc", "sched_arr_utc"]
_services: WeakKeyDictionary[Any, dict[str, Any]] = WeakKeyDictionary()


def _service(store: "feast.FeatureStore", name: str) -> Any:
    """Return a feature service, decoded once: Feast would decode it every time."""
    if name not in SERVICES:
        raise ValueError(f"no feature service {name!r}; there are {list(SERVICES)}.")
    held = _services.setdefault(store, {})
    if name not in held:
        held[name] = store.get_feature_service(name)
    return held[name]


def _keys(requests: pd.DataFrame) -> dict[str, Any]:
    """Turn requests into the keys and terms that Feast asks for."""
    missing = [n for n in ("flight_id", *PLAN) if n not in requests.columns]
    if missing:
        raise ValueError(f"the requests lack the column {', '.join(missing)}.")
    keys = {name: requests[name].tolist() for name in ENTITIES if name != "network"}
    times = {
        f"{n}_s": _seconds(requests[f"{n}_utc"]).tolist()
        for n in ("sched_dep", "sched_arr")
    }
    miles = requests["distance"].astype(np.float64).tolist()
    return {**keys, **times, "distance": miles, "network": [PLACE] * len(requests)}


def historical(
    store: "feast.FeatureStore", asks: pd.DataFrame, *, service: str = "delay"
) -> pd.DataFrame:
    """Read features from the offline store, as known at each `prediction_time`.

    Parameters
    ----------
    store : feast.FeatureStore
    asks : DataFrame
        Requests, as for `read_online`, with `prediction_time`.
    service : str
        The feature service: what to read.

    Returns
    -------
    DataFrame
        The features of the service, with the index of `asks`.

    Raises
    ------
    RuntimeError
        If Feast loses or doubles a row.
    """
    import ibis

    entities = pd.DataFrame(_keys(asks)).assign(event_timestamp=asks[T].array)
    entities["row_number"], chosen = range(len(asks)), _service(store, service)
    with quiet():
        # DuckDB shows a progress bar after two seconds, so on slow machines alone
        ibis.get_backend().raw_sql("SET enable_progress_bar = false")
        job = store.get_historical_features(
            entities, chosen, filter_by_created_timestamp=True
        )
        found = job.to_df().sort_values("row_number")
    if found["row_number"].tolist() != list(range(len(asks))):
        raise RuntimeError(f"Feast gave {len(found)} rows for {len(asks)} asked.")
    return found.set_index(asks.index)[SERVICES[service]]


def _read(
    store: "feast.FeatureStore", requests: pd.DataFrame, now: Any, service: str
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Return values, with the stale ones made null, and the freshness of each view."""
    chosen, keys = _service(store, service), _keys(requests)
    with _reachable(store):
        found = store.get_online_features(chosen, keys).to_dict()
    now_s = np.array(keys["sched_dep_s"], np.float64) - LEAD / SECOND
    if now is not None:
        now_s[:] = pd.Timestamp(now).timestamp()
    views = {name: what for name, what in VIEWS.items() if f"{name}_at" in found}
    stamps = np.array([found[f"{name}_at"] for name in views], np.float64)
    ttls = np.array(
        [[np.inf if what.ttl is None else what.ttl / SECOND] for what in views.values()]
    )
    state = dict(zip(views, freshness(stamps, now_s, ttls), strict=True))
    names = [name for name in SERVICES[service] if name not in CATEGORICAL]
    values = np.array([found[name] for name in names], np.float64)
    for name, what in views.items():
        stale = state[name] == "stale"
        if stale.any():
            values[np.ix_([n in what.features for n in names], stale)] = np.nan
    table = pd.DataFrame(values.T, index=requests.index, columns=names)
    for at, name in enumerate(CATEGORICAL):
        table.insert(at, name, np.array(found[name], object))
    return table, state


def read_online(
    store: "feast.FeatureStore",
    requests: pd.DataFrame,
    *,
    now: Any = None,
    service: str = "delay",
) -> pd.DataFrame:
    """Read features from the online store: the first table that `answer` returns."""
    return _read(store, requests, now, service)[0]


def answer(
    store: "feast.FeatureStore",
    requests: pd.DataFrame,
    *,
    now: Any = None,
    service: str = "delay",
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Read features from the online store, and say how fresh they are.

    Parameters
    ----------
    store : feast.FeatureStore
    requests : DataFrame
        One row a flight: `flight_id`, `carrier`, `flight`, `origin`, `dest`,
        `distance`, `sched_dep_utc` and `sched_arr_utc`.
    now : Timestamp, optional
        The time of the question; two hours before departure by default.
    service : str
        The feature service: what to read.

    Returns
    -------
    values : DataFrame
        The features of the service; null where nothing is known, and where the value
        is older than the TTL of its view.
    state : DataFrame
        For each view "fresh", "stale", or "unknown" where the store has no such key.

    Raises
    ------
    ValueError
        If a column is missing, or there is no such service.
    Unavailable
        If the online store does not answer.
    """
    values, state = _read(store, requests, now, service)
    return values, pd.DataFrame(state, index=requests.index)


class OnlineSource:
    """Where a server gets its features: `read(requests)` on the online store.

    Parameters
    ----------
    store : feast.FeatureStore
    clock : callable, optional
        Returns the time of the question; by default two hours before departure.
    """

    def __init__(
        self,
        store: "feast.FeatureStore",
        *,
        clock: Callable[[], pd.Timestamp] | None = None,
    ) -> None:
        self.store, self.clock = store, clock

    def read(self, requests: pd.DataFrame) -> pd.DataFrame:
        """Return the features of the requests; raise Unavailable if there are none."""
        return read_online(
            self.store, requests, now=self.clock() if self.clock else None
        )


def _stored_s(store: "feast.FeatureStore", view: str, rows: pd.DataFrame) -> Floats:
    """Return the event time that the online store holds for the key of each row."""
    keys = {key: rows[key].tolist() for key in VIEWS[view].keys}
    with _reachable(store):
        found = store.get_online_features([f"{view}:{view}_at"], keys).to_dict()
    return np.array(found[f"{view}_at"], np.float64)


def push(store: "feast.FeatureStore", view: str, rows: pd.DataFrame) -> int:
    """Write rows to the online store, never an older one over a newer one.

    Parameters
    ----------
    store : feast.FeatureStore
    view : str
        A name from VIEWS.
    rows : DataFrame
        As `timeline` returns them, in any order.

    Returns
    -------
    int
        The number of rows written: at most one a key.

    Raises
    ------
    Unavailable
        If the online store does not answer.
    """
    keys = VIEWS[view].keys
    rows = newest(rows, keys, np.full(len(rows), np.nan))
    rows = newest(rows, keys, _stored_s(store, view, rows)) if len(rows) else rows
    with _reachable(store), quiet():
        if len(rows) and VIEWS[view].streamed:
            store.push(f"{view}_push", rows)
        elif len(rows):
            store.write_to_online_store(view, rows)
    return len(rows)


def materialize(
    store: "feast.FeatureStore",
    now: pd.Timestamp,
    *,
    since: pd.Timestamp | None = None,
    views: Sequence[str] = tuple(VIEWS),
) -> dict[str, int]:
    """Copy to the online store what became known in `(since, now]`.

    The period is about available time: a row about an early hour that arrives late is
    copied when it arrives.

    Parameters
    ----------
    store : feast.FeatureStore
    now : Timestamp
        The time of the copy; rows that become available later are left out.
    since : Timestamp, optional
        The time of the last copy; from the beginning by default.
    views : sequence of str
        Names from VIEWS.

    Returns
    -------
    dict of str to int
        The number of rows written for each view.
    """
    written = {}
    for view in views:
        rows = pd.read_parquet(
            Path(str(store.config.repo_path)) / "offline" / f"{view}.parquet"
        )
        known = (rows["available_at"] <= now) & (
            since is None or rows["available_at"] > since
        )
        written[view] = push(store, view, rows[known])
    return written


def newest(
    rows: pd.DataFrame, by: Sequence[str], stored_s: npt.ArrayLike
) -> pd.DataFrame:
    """Keep the newest row of each key, unless the store holds a newer one.

    Parameters
    ----------
    rows : DataFrame
        With the key columns and `event_time`, in any order.
    by : sequence of str
        The key columns; together they are the key.
    stored_s : array_like of float, one value per row
        The event time that the store holds for the key of the row, in seconds since
        1970, by position; NaN where it holds nothing.

    Returns
    -------
    DataFrame
        At most one row a key: of the latest event time, the last of equals, and not
        older than what is stored. Rows and columns are as they came.
    """
    older = _seconds(rows["event_time"]) < np.asarray(stored_s, np.float64)
    order = rows[~older].sort_values("event_time", kind="stable")
    return order.drop_duplicates(list(by), keep="last")


def freshness(
    stamp_s: Floats, now_s: Floats, ttl_s: float | Floats
) -> npt.NDArray[np.str_]:
    """Say of each value whether it is fresh, stale, or unknown to the store.

    Parameters
    ----------
    stamp_s : array of float
        The event time of each row, in seconds since 1970; NaN where there is no row.
    now_s : array of float
        The time of each question, in seconds since 1970.
    ttl_s : float or array of float
        How old a row may be, in seconds; infinite for no limit. The three broadcast.

    Returns
    -------
    array of str
        "fresh", "stale" or "unknown", in the shape that they broadcast to.
    """
    missing, old = np.isnan(stamp_s), now_s - stamp_s > ttl_s
    return np.select([missing, old], ["unknown", "stale"], "fresh")


def rebuild(
    served: pd.DataFrame,
    late: pd.Series,
    label_time: pd.Series,
    *,
    until: pd.Timestamp,
) -> pd.DataFrame:
    """Build a training set from the log of what was served.

    Parameters
    ----------
    served : DataFrame
        `flight_id`, `time` and the features, one row an answer, as `read_log` returns.
    late, label_time : Series
        The label of each flight and when it was known, indexed by `flight_id`; null
        where there is none.
    until : Timestamp
        Labels known later are not used.

    Returns
    -------
    DataFrame
        Indexed by `flight_id`, sorted by the time of the last answer for each flight:
        the columns of the log (`time` included) of that answer, then `late`.
    """
    last = served.sort_values("time", kind="stable").drop_duplicates(
        "flight_id", keep="last"
    )
    last = last.set_index("flight_id")
    labels = late.reindex(last.index)
    known = labels.notna() & (label_time.reindex(last.index) <= until)
    return last.assign(late=labels)[known]

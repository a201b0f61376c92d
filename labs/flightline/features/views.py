"""Views: whose state they hold, and their rows, one for each change."""

from dataclasses import dataclass

import pandas as pd

from flightline.features.compute import history, mended, nearby, rain, recent
from flightline.features.core import CLOCKS, change_points
from flightline.features.names import (
    ARRIVALS,
    BACKLOG,
    DAY,
    DEPARTURES,
    HISTORY,
    HOUR,
    NUMBER,
    PLACE,
    RATES,
    REPORT,
    SERVICES,
    T,
)
from flightline.features.times import in_zone
from flightline.lake import PLAN_LEAD, UTC


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


def views_of(service: str) -> list[str]:
    """Return the views that a service reads."""
    wanted = set(SERVICES[service])
    return [name for name, what in VIEWS.items() if wanted & set(what.features)]


def view_of(name: str) -> View:
    """Return a view by its name, or say which there are."""
    if name not in VIEWS:
        raise ValueError(f"no view {name!r}; there are {', '.join(VIEWS)}.")
    return VIEWS[name]


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


def stamped(view: str, rows: pd.DataFrame) -> pd.DataFrame:
    """Give rows their two clocks as features of their own.

    An online read of Feast gives the event time in whole seconds if one asks, and never
    the available time; and a row of nulls only is not written at all. Features that are
    never null mend both.

    Parameters
    ----------
    view : str
        A name from VIEWS.
    rows : DataFrame
        With `event_time` and `available_at`.

    Returns
    -------
    DataFrame
        The rows with `<view>_at` and `<view>_known`, in seconds since 1970.
    """
    stamps = {
        f"{view}_{name}": rows[clock].dt.as_unit("us").astype("int64") / 1e6
        for name, clock in zip(("at", "known"), CLOCKS, strict=True)
    }
    return rows.assign(**stamps)


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
        The keys and features of the view, `event_time`, `available_at`, and both in
        seconds since 1970: `<view>_at` and `<view>_known`.

    Raises
    ------
    ValueError
        If there is no such view, a time has no zone, or `end` lies before `start`.
    """
    what = view_of(view)
    start, end = (
        in_zone(name, time).tz_convert("UTC")
        for name, time in (("start", start), ("end", end))
    )
    if end < start:
        raise ValueError(f"end={end} lies before start={start}.")
    if view == "weather":
        table = mended(weather)
        near = table[table["event_time"].between(start - DAY, end)]
        return stamped(view, near.reset_index(drop=True))
    if view == "schedule":
        known = (flights["sched_dep_utc"] - PLAN_LEAD + HOUR / 2).astype(UTC)
        table = (
            flights[["flight_id"]].join(nearby(flights, flights)).assign(**{T: known})
        )
        return _at_once(view, table[known.between(start - DAY, end)])
    plan = flights.assign(network=PLACE)
    events = weather if view == "rain" else plan
    points = change_points(events, what.keys, _spans(view), start, end)
    beats = _heartbeats(plan, what, start, end, whole)
    asks = pd.concat([points, beats]).drop_duplicates(ignore_index=True)
    return _at_once(view, asks.join(_compute(view, asks, plan, weather)))


def _at_once(view: str, table: pd.DataFrame) -> pd.DataFrame:
    """Return rows that are known at the moment that they are about."""
    rows = table.rename(columns={T: "event_time"})
    rows = rows.assign(available_at=rows["event_time"])
    return stamped(view, rows.reset_index(drop=True))

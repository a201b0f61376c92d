"""Raw tables become events: what was reported, what it is about, when it was known."""

import pandas as pd

from flightline.lake.times import UTC, WHO, flight_times, instants, require

WEATHER = [
    "temp",
    "dewp",
    "humid",
    "wind_dir",
    "wind_speed",
    "wind_gust",
    "precip",
    "pressure",
    "visib",
]
PLAN_LEAD, WEATHER_DELAY = pd.Timedelta(hours=24), pd.Timedelta(minutes=60)
COLUMNS = {
    "schedule": [*WHO, "distance", "sched_dep_utc", "sched_arr_utc"],
    "departures": [*WHO, "dep_delay"],
    "arrivals": [*WHO, "arr_delay", "air_time"],
    "weather": ["origin", *WEATHER],
}


def events(flights: pd.DataFrame, airports: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Turn flights into what was reported, and when.

    Parameters
    ----------
    flights, airports : DataFrame
        As for `flight_times`.

    Returns
    -------
    dict of DataFrame
        `schedule` (one row a flight, published PLAN_LEAD before departure),
        `departures` and `arrivals` (one row a report), each with `flight_id`,
        `event_time` and `available_at` in UTC. An arrival that states a clock but
        no `arr_delay` has no `event_time`; the contract sends it to quarantine.
    """
    table = flight_times(flights, airports)
    published = (table["sched_dep_utc"] - PLAN_LEAD).astype(UTC)
    departed = table["dep_time"].notna().to_numpy(bool)
    landed = table["arr_time"].notna().to_numpy(bool)
    rows = {
        "schedule": table.assign(event_time=published.array),
        "departures": table[departed].assign(event_time=table["dep_utc"][departed]),
        "arrivals": table[landed].assign(event_time=table["arr_utc"][landed]),
    }
    return {
        name: each[[*COLUMNS[name], "event_time"]].assign(
            available_at=each["event_time"].array
        )
        for name, each in rows.items()
    }


def weather_events(weather: pd.DataFrame) -> pd.DataFrame:
    """Give every weather report its event time and the time it becomes known.

    Parameters
    ----------
    weather : DataFrame
        `origin`, `time_hour` (a time with a zone, the start of the hour) and the
        measurements.

    Returns
    -------
    DataFrame
        The measurements with `event_time` and `available_at` in UTC. The local
        month, day and hour are left out: they repeat in November.

    Raises
    ------
    ValueError
        If a column is missing, or `time_hour` has no time zone.
    """
    require(weather, [*COLUMNS["weather"], "time_hour"], "weather")
    hour = instants(weather["time_hour"], "time_hour")
    start = pd.Series(hour).astype(UTC)
    known = (start + WEATHER_DELAY).astype(UTC)
    named = weather[COLUMNS["weather"]]
    return named.assign(event_time=start.array, available_at=known.array)

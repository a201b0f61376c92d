"""The flights as the lake knows them: plans, departures and landings joined again."""

from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from flightline.lake.tables import read
from flightline.lake.times import NEW_YORK, UTC

LISTED = ["month", "day", "sched_dep_time", "origin", "carrier", "flight"]
"""The order of the raw tables."""


def _newest(lake_dir: Path | str, table: str, as_of: int | None) -> pd.DataFrame:
    """Return the last row that became known about each flight."""
    rows = read(lake_dir, table, as_of)
    last = rows.sort_values("available_at", kind="stable")
    return last.drop_duplicates("flight_id", keep="last").set_index("flight_id")


def known_flights(
    lake_dir: Path | str,
    months: Iterable[int] = range(1, 13),
    *,
    as_of: dict[str, int] | None = None,
) -> pd.DataFrame:
    """Return one row for each planned flight, with what is known of it.

    Parameters
    ----------
    lake_dir : path
        A lake with schedule, departures and arrivals.
    months : iterable of int
        Months of the scheduled departure, on New York's clock.
    as_of : dict of int, optional
        The version of each table to read; the newest by default.

    Returns
    -------
    DataFrame
        In the order of the raw tables: what `flight_times` says of a flight, without
        the clock readings but `sched_dep_time`. Of several reports about a flight, the
        one that became known last counts.

    Raises
    ------
    ValueError
        If a table or a version does not exist.
    """
    versions = as_of or {}
    plan = _newest(lake_dir, "schedule", versions.get("schedule"))
    left = _newest(lake_dir, "departures", versions.get("departures"))
    landed = _newest(lake_dir, "arrivals", versions.get("arrivals"))
    local = plan["sched_dep_utc"].dt.tz_convert(NEW_YORK).dt
    table = plan.drop(columns=["event_time", "available_at"]).assign(
        month=local.month.astype("int64"),
        day=local.day.astype("int64"),
        sched_dep_time=(local.hour * 100 + local.minute).astype("int64"),
        dep_delay=left["dep_delay"],
        dep_utc=left["event_time"],
        arr_delay=landed["arr_delay"],
        air_time=landed["air_time"],
        arr_utc=landed["event_time"],
    )
    table["cancelled"] = table["dep_utc"].isna()
    table = table.astype({"dep_utc": UTC, "arr_utc": UTC})
    wanted = table[table["month"].isin(list(months))].reset_index()
    return wanted.sort_values(LISTED, kind="stable", ignore_index=True)

"""Exposures and outcomes together, one row a unit, judged by age.

A unit counts when it is old enough for its outcome, whether it has one or not. Whoever
counts the outcomes that have come in counts survivors: an arm that loses its worst
answers looks better for it.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import pandas as pd

from flightline.experiments.events import (
    TIMES,
    is_an_id,
    must_have,
    texts_of,
    times_of,
    values_of,
)

UNIT = ["unit_id", "arm", "exposed_at", "mature"]
"""The first columns of a joined table; fields of the request and metrics follow."""


@dataclass(frozen=True)
class Joined:
    """What was measured of the units of an experiment, and what was left out.

    Attributes
    ----------
    units : DataFrame
        One row a unit: UNIT, what the exposures say of the request, and a column for
        each metric, null if the unit is not mature or has no outcome.
    metrics : tuple of str
        The names of these columns.
    crossed : DataFrame
        `unit_id` and `arms` of the units that met more than one arm. They are in no
        arm, and so not in `units`: assignment or logging is broken if there are many.
    unexposed : int
        Units with an outcome that were never exposed: outcomes of others, or lost
        exposures.
    outside : int
        Outcomes of exposed units that happened before the exposure or after the
        maturity; they are not used.
    late : int
        Outcomes in use that became known only after the maturity. If there are many,
        choose a longer one.
    """

    units: pd.DataFrame
    metrics: tuple[str, ...]
    crossed: pd.DataFrame
    unexposed: int
    outside: int
    late: int

    def tally(self) -> pd.DataFrame:
        """Count units by arm: how many were exposed, are mature, and have an outcome.

        Returns
        -------
        DataFrame
            Indexed by arm: `exposed`, `mature`, and for each metric the mature units
            that have it. The rest have none, and an honest mean says what it does
            with them.
        """
        arms = self.units.groupby("arm")
        table = arms["mature"].agg(exposed="size", mature="sum")
        have = arms[list(self.metrics)].count()
        return table.astype("int64").join(have)


def joined(
    exposures: pd.DataFrame,
    outcomes: pd.DataFrame,
    *,
    now: datetime,
    maturity: timedelta | str,
    metrics: list[str] | None = None,
) -> Joined:
    """Join exposures and outcomes: one row a unit, whether it has an outcome or not.

    Parameters
    ----------
    exposures : DataFrame
        Of one experiment, as `lake.read` returns them: `unit_id`, `arm`, `event_time`,
        `available_at`. The first exposure of a unit counts.
    outcomes : DataFrame
        `unit_id`, `metric`, `value`, `event_time`, `available_at`. Of several for a
        unit and metric the latest event counts, and of that the latest report: a
        correction replaces a value, and an old report that arrives late does not.
    now : datetime with a time zone
        Nothing is used that became known after it.
    maturity : timedelta or str
        How old an exposure must be to be judged, such as "12h". Outcomes count from
        the exposure up to this age, so that old and new units have the same chance.
    metrics : list of str, optional
        The columns that are wanted; by default those that have an outcome.

    Returns
    -------
    Joined

    Raises
    ------
    ValueError
        If a column is missing or of another type, there are exposures of several
        experiments, an id, arm, value or time is null, something is known before it
        happened, two outcomes with the same times contradict each other, or `now` or
        `maturity` is none.
    """
    moment, age = _moment(now), _age(maturity)
    seen = _known(_exposures(exposures), moment)
    reports = _known(_outcomes(outcomes), moment)
    wanted = _wanted(reports, metrics, list(seen.columns))
    crossed = _crossed(seen)
    units = _units(seen, crossed, moment - age)
    used, outside = _in_time(reports, units, age)
    values = used.pivot(index="unit_id", columns="metric", values="value")
    values = values.reindex(index=units["unit_id"], columns=wanted).astype(float)
    units[wanted] = values.to_numpy()
    strangers = reports.loc[~reports["unit_id"].isin(seen["unit_id"]), "unit_id"]
    due = used["exposed_at"] + age
    late = int((used["available_at"] > due).sum())
    return Joined(units, tuple(wanted), crossed, strangers.nunique(), outside, late)


def _moment(now: datetime) -> pd.Timestamp:
    """Return a moment in UTC; refuse one without a time zone."""
    moment = pd.Timestamp(now) if isinstance(now, datetime) else pd.NaT
    if moment is pd.NaT or moment.tzinfo is None:
        raise ValueError(f"now is {now!r}, no moment with a time zone. Give it in UTC.")
    return moment.tz_convert("UTC")


def _age(maturity: timedelta | str) -> pd.Timedelta:
    """Return how old an exposure must be."""
    known = isinstance(maturity, timedelta | str)
    try:
        age = pd.Timedelta(maturity) if known else pd.NaT
    except (ValueError, OverflowError):
        age = pd.NaT
    if age is pd.NaT or age < pd.Timedelta(0):
        raise ValueError(f"maturity is {maturity!r}. Give a time such as '12h'.")
    return age


def _exposures(exposures: pd.DataFrame) -> pd.DataFrame:
    """Return exposures in known types, with what they say of the request."""
    must_have(exposures, ["unit_id", "arm", *TIMES], "exposures")
    if "experiment" in exposures and exposures["experiment"].nunique() > 1:
        names = ", ".join(map(str, exposures["experiment"].unique()))
        raise ValueError(f"exposures are of several experiments: {names}. Choose one.")
    found = _typed(exposures, ["unit_id", "arm"], "exposures")
    clash = {"exposed_at", "mature", "event_id", "experiment"}
    for name in exposures.columns.difference([*found, *clash], sort=False):
        found[name] = exposures[name].reset_index(drop=True)
    return found


def _outcomes(outcomes: pd.DataFrame) -> pd.DataFrame:
    """Return outcomes in known types."""
    must_have(outcomes, ["unit_id", "metric", "value", *TIMES], "outcomes")
    found = _typed(outcomes, ["unit_id", "metric"], "outcomes")
    found["value"] = values_of(outcomes["value"])
    wrong = ~np.isfinite(found["value"])
    _must_be_none(wrong, "outcomes", "a value that is null or not finite")
    return found


def _typed(table: pd.DataFrame, texts: list[str], name: str) -> pd.DataFrame:
    """Return texts and times of a table; refuse nulls, and what is known too early."""
    found = pd.DataFrame({text: texts_of(table[text], text) for text in texts})
    for text in texts:
        nobody = found[text].isna() | ~is_an_id(found[text].fillna(""))
        _must_be_none(nobody, name, f"no {text}")
    for time in TIMES:
        found[time] = times_of(table[time], time)
        _must_be_none(found[time].isna(), name, f"no {time}")
    early = found["available_at"] < found["event_time"]
    _must_be_none(early, name, "an event that is known before it happened")
    return found


def _must_be_none(wrong: pd.Series, name: str, what: str) -> None:
    """Refuse a table in which some rows are wrong; name the first."""
    if wrong.any():
        raise ValueError(
            f"{name} has {what} in {wrong.sum()} of {len(wrong)} rows (first: row "
            f"{wrong.to_numpy().argmax()}). Set these rows aside, and count them."
        )


def _known(events: pd.DataFrame, moment: pd.Timestamp) -> pd.DataFrame:
    """Return the events that were known at a moment, in the order in which they count.

    The order is that of the event, and of its report.
    """
    known = events[events["available_at"] <= moment]
    return known.sort_values(TIMES, kind="stable", ignore_index=True)


def _wanted(
    reports: pd.DataFrame, metrics: list[str] | None, taken: list[str]
) -> list[str]:
    """Return the names of the columns of metrics; refuse those that are taken."""
    if isinstance(metrics, str):
        raise ValueError(f"metrics is {metrics!r}. Give a list: [{metrics!r}].")
    found = sorted(reports["metric"].unique()) if metrics is None else list(metrics)
    if clash := sorted({*found} & {*UNIT, *taken}):
        raise ValueError(f"the metric {clash[0]!r} has the name of another column.")
    if len({*found}) < len(found):
        raise ValueError(f"metrics names one twice: {found}.")
    return found


def _crossed(seen: pd.DataFrame) -> pd.DataFrame:
    """Return the units that met more than one arm, with these arms."""
    pairs = seen[["unit_id", "arm"]].drop_duplicates()
    more = pairs[pairs["unit_id"].duplicated(keep=False)].sort_values("arm")
    arms = more.groupby("unit_id")["arm"].agg(", ".join)
    return arms.rename("arms").reset_index()


def _units(
    seen: pd.DataFrame, crossed: pd.DataFrame, last: pd.Timestamp
) -> pd.DataFrame:
    """Return the first exposure of each unit, and whether it is old enough."""
    first = seen[~seen["unit_id"].isin(crossed["unit_id"])]
    first = first.drop_duplicates("unit_id").drop(columns="available_at")
    units = first.rename(columns={"event_time": "exposed_at"})
    units["mature"] = units["exposed_at"] <= last
    fields = [name for name in units if name not in UNIT]
    return units[[*UNIT, *fields]].reset_index(drop=True)


def _in_time(
    reports: pd.DataFrame, units: pd.DataFrame, age: pd.Timedelta
) -> tuple[pd.DataFrame, int]:
    """Return the outcome that counts for each mature unit and metric.

    Also returns how many outcomes lie outside of the time that is judged.
    """
    exposed = units[["unit_id", "exposed_at", "mature"]]
    rows = reports.merge(exposed, on="unit_id", how="inner")
    since = rows["event_time"] - rows["exposed_at"]
    inside = (since >= pd.Timedelta(0)) & (since <= age)
    rows = rows.assign(inside=inside).sort_values(TIMES, kind="stable")
    used = rows[rows["inside"] & rows["mature"]]
    same = ["unit_id", "metric", *TIMES]
    used = used.drop_duplicates([*same, "value"])
    if (contradiction := used.duplicated(same)).any():
        row = used[contradiction].iloc[0]
        raise ValueError(
            f"outcomes has two values of {row['metric']!r} for the unit "
            f"{row['unit_id']!r} with the same times. A correction is known later."
        )
    return used.drop_duplicates(same[:2], keep="last"), int((~inside).sum())

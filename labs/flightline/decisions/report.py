"""What a finished experiment shows, by its registration and its days."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import special, stats

from flightline.decisions.decide import Decision, decide
from flightline.decisions.guardrails import Guardrail
from flightline.decisions.inputs import LARGEST, SMALLEST, Floats, numbers
from flightline.decisions.register import Registration, RegistrationError
from flightline.experiments import Effect

LOOK = ["day", "estimate", "low", "high", "z", "bound", "crossed"]
"""Columns of the looks in a report."""


@dataclass(frozen=True)
class Report:
    """What was looked at, what was found, and what was decided.

    Parameters
    ----------
    registration : Registration
        What had been promised.
    looks : DataFrame
        A row per look up to the decision: `day`, `estimate`, `low` and `high` (at all
        looks together), `z` of the estimate less the cost, `bound` and `crossed`.
    primary : experiments.Effect
        At the look of the decision.
    guardrails : mapping of str to Guardrail
        At the same look.
    decision : Decision or None
        None while the experiment has not ended.
    days : int
        Days in the data; those after the decision are not used.
    """

    registration: Registration
    looks: pd.DataFrame
    primary: Effect
    guardrails: dict[str, Guardrail]
    decision: Decision | None
    days: int

    def __str__(self) -> str:
        plan = self.registration
        lines = [
            f"{plan.metric}, in {plan.unit}: {plan.rule}, alpha {plan.alpha:g}, looks "
            f"after day {', '.join(map(str, plan.looks))}; cost {plan.cost:g}.",
            f"Registered as {plan.digest[:12]}; analysis on {plan.analysis_date}.",
            "",
            self.looks.to_string(index=False, float_format="{:.3g}".format),
            "",
        ]
        if self.decision is None:
            later = next(day for day in plan.looks if day > self.looks["day"].iloc[-1])
            return "\n".join(
                [*lines, f"No look excludes the cost: look after day {later}."]
            )
        used = int(self.looks["day"].iloc[-1])
        if used < self.days:
            lines.append(f"Days {used + 1} to {self.days} came after it; not used.")
        return "\n".join([*lines, str(self.decision)])


def analyse(registration: Registration, daily: pd.DataFrame) -> Report:
    """Analyse an experiment as it was registered, and decide if it has ended.

    Parameters
    ----------
    registration : Registration
        What was registered before the first day.
    daily : DataFrame
        One row per day: `day`, and a column for the primary metric and each guardrail
        with treatment less control. Rows may come in any order.

    Returns
    -------
    Report
        It has a decision as soon as a look's interval excludes the cost, or at the
        horizon. An interval is the estimate and as many standard errors as the bound of
        its look, by Student's t, so that all of them hold together: a change worth its
        cost or less is shipped with a chance of alpha / 2 at most, and one worth its
        cost or more is killed with as much. Guardrails are read once, at that look.

    Raises
    ------
    RegistrationError
        If a metric is missing, there are more days than registered, or the data end on
        a day for which no look was registered.
    ValueError
        If a day comes twice or is missing, a value is no finite number, or a metric has
        no variance.
    """
    table = _in_order(registration, daily)
    days = len(table)
    _within(registration, days)
    reached = [day for day in registration.looks if day <= days]
    values = numbers(table[registration.metric], registration.metric)
    rows = []
    for day, bound in zip(reached, registration.bounds, strict=False):
        rows.append(_look(values[:day], float(bound), registration))
        if rows[-1]["crossed"]:
            break
    looks = pd.DataFrame(rows, columns=LOOK)
    last = looks.iloc[-1]
    used = int(last["day"])
    found = Effect(
        float(last["estimate"]),
        float(last["low"]),
        float(last["high"]),
        _pvalue(values[:used], registration.metric),
    )
    guards = {
        name: _guard(registration, name, table[name], used)
        for name in registration.guardrails
    }
    ended = bool(last["crossed"]) or used == registration.horizon
    made = decide(found, guards, cost=registration.cost) if ended else None
    return Report(registration, looks, found, guards, made, days)


def _in_order(registration: Registration, daily: pd.DataFrame) -> pd.DataFrame:
    """Return the days in order, each once, with all that was registered."""
    if not isinstance(daily, pd.DataFrame) or daily.columns.nlevels > 1:
        raise ValueError("the days are no table with one level of columns.")
    wanted = ["day", registration.metric, *registration.guardrails]
    missing = [name for name in wanted if name not in daily]
    if missing:
        raise RegistrationError(
            f"the days lack {', '.join(missing)}, which was registered; they have "
            f"{', '.join(map(str, daily.columns))}."
        )
    twice = [name for name in wanted if list(daily.columns).count(name) > 1]
    if twice:
        raise ValueError(f"the days have the column {twice[0]!r} twice.")
    day = daily["day"]
    if day.isna().any():
        raise ValueError(f"day is missing in {int(day.isna().sum())} rows.")
    if day.duplicated().any():
        raise ValueError(f"day {day[day.duplicated()].iloc[0]} comes twice.")
    number = _numbered(day)
    order = np.argsort(number, kind="stable")
    table = daily[wanted].iloc[order].reset_index(drop=True)
    gap = np.flatnonzero(np.abs(np.diff(number[order]) - 1) > 1e-6)
    if len(gap):
        before, after = table["day"].iloc[[gap[0], gap[0] + 1]]
        raise ValueError(
            f"day {before} is followed by {after}: a day is missing. Find out why "
            "before you go on without it."
        )
    return table


def _numbered(day: pd.Series) -> Floats:
    """Return numbers of days, or dates of the local calendar, as numbers."""
    if pd.api.types.is_numeric_dtype(day):
        return numbers(day, "day")
    for form in ("ISO8601", "%m-%d"):
        try:
            dates = pd.to_datetime(day, format=form)
            local = dates.dt.tz_localize(None).to_numpy("datetime64[s]")
            return np.asarray(local.astype(np.int64) / 86_400, np.float64)
        except (AttributeError, TypeError, ValueError):
            continue
    raise ValueError(
        f"day holds {day.iloc[0]!r}: give numbers, or dates as 2013-07-01 or 07-01."
    )


def _within(registration: Registration, days: int) -> None:
    """Refuse more days than registered, and a look that was not."""
    if days > registration.horizon:
        raise RegistrationError(
            f"{days} days are more than the registered {registration.horizon}."
        )
    registration.allow(
        metric=registration.metric, alpha=registration.alpha, looks=[days]
    )


def _look(
    values: Floats, bound: float, registration: Registration
) -> dict[str, float | bool]:
    """Return what one look shows: estimate, interval, z, and whether it crossed."""
    day = len(values)
    estimate, se = _mean(values, registration.metric)
    beyond = estimate - registration.cost
    tail = stats.t.sf(abs(beyond / se), day - 1)
    z = float(np.sign(beyond) * -special.ndtri(max(tail, 1e-300)))
    reach = float(stats.t.isf(special.ndtr(-bound), day - 1)) * se
    return {
        "day": day,
        "estimate": estimate,
        "low": estimate - reach,
        "high": estimate + reach,
        "z": z,
        "bound": bound,
        "crossed": abs(z) > bound,
    }


def _pvalue(values: Floats, name: str) -> float:
    """Return the two-sided p-value against no effect, of these days alone."""
    estimate, se = _mean(values, name)
    return max(float(2 * stats.t.sf(abs(estimate / se), len(values) - 1)), SMALLEST)


def _mean(values: Floats, name: str) -> tuple[float, float]:
    """Return a mean and its standard error; without variance, refuse."""
    mean, se = float(values.mean()), float(stats.sem(values))
    if np.ptp(values) == 0 or not se > 1 / LARGEST:
        raise ValueError(f"{name} has no variance: all {len(values)} days are equal.")
    return mean, se


def _guard(
    registration: Registration, name: str, column: pd.Series, days: int
) -> Guardrail:
    """Return a guardrail as it was registered, with what was measured."""
    plan = registration.guardrails[name]
    estimate, se = _mean(numbers(column, name)[:days], name)
    return Guardrail(
        estimate,
        se,
        plan.margin,
        plan.unit,
        better=plan.better,
        alpha=registration.alpha,
        days=days,
    )

"""A trial: a challenger gets a part of the traffic, and is taken back if it is worse.

Both models score every request of the trial, the one that does not answer in shadow, so
their difference is paired, day by day. How good an answer was does not depend on who
gave it, so the part of the traffic matters for failures and slow answers alone; those
are judged by `serving.canary`.

Looks are daily. A t test at each would take back a fifth of models that are no worse;
the bounds of `decisions.spending_bounds` share one error rate over the plan. A review
computes all looks anew from the days that are complete, so it says the same whenever it
is asked, and after a restart.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from flightline import decisions, lake, serving
from flightline.loop.clock import DAY
from flightline.loop.compare import compare
from flightline.loop.core import losses
from flightline.loop.labels import (
    LabelJoin,
    mature,
    must_be_a_moment,
    must_have,
    whole,
    with_labels,
)
from flightline.loop.policy import Model

Action = Literal["go on", "roll back", "promote"]

PAIRED = ["id", "asked_at", "day", "due_at", "champion", "challenger"]
"""The columns of answers with the scores of two models."""


@dataclass(frozen=True)
class Plan:
    """How a challenger is tried: chosen before, and not changed on the way.

    Attributes
    ----------
    days : int
        How many days are compared.
    share : float
        The challenger's part of the traffic; 1 gives it all, with the champion in
        shadow.
    margin : float
        At the end, a loss of log-loss larger than this must be excluded.
    alpha : float
        Half of it is the chance to take back an equal model at any look.
    patience : int
        How many days more the labels of the last days are waited for.
    """

    days: int = 5
    share: float = 0.05
    margin: float = 0.02
    alpha: float = 0.05
    patience: int = 14

    def __post_init__(self) -> None:
        """Refuse a plan that cannot end, or gives no traffic."""
        if not whole(self.days, 2) or not whole(self.patience, 1):
            raise ValueError(
                f"days={self.days}, patience={self.patience}: give at least two days, "
                "and one of patience."
            )
        fair = 0 < self.share <= 1 and 0 < self.alpha <= 0.5
        if not fair or not 0 < self.margin < np.inf:
            raise ValueError(
                f"share={self.share}, margin={self.margin}, alpha={self.alpha}: no "
                "plan. A share lies above 0 and up to 1, a margin above 0, alpha up to "
                "0.5."
            )


@dataclass(frozen=True)
class Trial:
    """A trial under way: who, against whom, since when, by which plan."""

    champion: Model
    challenger: Model
    since: pd.Timestamp
    plan: Plan = Plan()

    def __post_init__(self) -> None:
        """Refuse a beginning that could mean several moments."""
        must_be_a_moment(self.since, "since")

    def answers(self, request: str) -> Model:
        """Return the model that answers a request: always the same one.

        Parameters
        ----------
        request : str
            The id of the request.
        """
        drawn = serving.uniform(request, f"trial|{self.challenger.name}")
        return self.challenger if drawn < self.plan.share else self.champion


@dataclass(frozen=True)
class Review:
    """What a look at a trial says. `difference` and its interval are of all days seen.

    `z` and `bound` are those of the look that took the challenger back, or of the last.
    """

    at: pd.Timestamp
    action: Action
    why: str
    days: int
    difference: float | None = None
    low: float | None = None
    high: float | None = None
    z: float | None = None
    bound: float | None = None


def pair(
    answers: pd.DataFrame, labels: pd.DataFrame, now: pd.Timestamp, join: LabelJoin
) -> pd.DataFrame:
    """Join the labels that are known now to answers with two scores.

    Parameters
    ----------
    answers : DataFrame
        The columns PAIRED, one row a request.
    labels, now, join
        As in `LabelJoin`.

    Returns
    -------
    DataFrame
        `answers` with `late` and `mature`.

    Raises
    ------
    ValueError
        As `LabelJoin`.
    """
    must_have(answers, PAIRED, "answers")
    if "score" in answers:  # whose it is, the caller knows
        return join(answers, labels, now)
    joined = join(answers.assign(score=answers["champion"]), labels, now)
    return joined.drop(columns="score")


def complete_days(paired: pd.DataFrame, trial: Trial, now: pd.Timestamp) -> list[str]:
    """Return the days of a trial, from its first on, of which all answers are mature.

    Parameters
    ----------
    paired : DataFrame
        What `pair` returned.
    trial : Trial
    now : Timestamp

    Returns
    -------
    list
        At most as many as the plan has, in order, none left out: a day behind one that
        is not complete waits for it. A day is over at the end of New York's date, and
        counts if one of its answers has a label.

    Raises
    ------
    ValueError
        If a day is missing, or written otherwise than "2013-04-01", or `mature` holds
        anything but true and false.
    """
    paired = paired.assign(day=_dates(paired), mature=mature(paired, "paired"))
    inside = paired[paired["asked_at"] > trial.since]
    today = now.tz_convert(lake.NEW_YORK).strftime("%Y-%m-%d")
    found: list[str] = []
    for day, rows in inside.groupby("day", sort=True):
        if str(day) >= today or not rows["mature"].all() or rows["late"].isna().all():
            break
        found.append(str(day))
    return found[: trial.plan.days]


def _dates(paired: pd.DataFrame) -> pd.Series:
    """Return days as texts that sort as the days do, or refuse them."""
    day = paired["day"].astype(str)  # of dates too
    odd = ~day.str.fullmatch(r"\d{4}-\d{2}-\d{2}").astype(bool)
    if odd.any():
        raise ValueError(
            f"paired['day'] holds {day[odd].iloc[0]!r}, and {int(odd.sum())} of "
            f"{len(day)} such: give texts such as '2013-04-01'."
        )
    return day


def review(
    trial: Trial,
    paired: pd.DataFrame,
    now: pd.Timestamp,
    tallies: tuple[serving.canary.Tally, serving.canary.Tally] | None = None,
) -> Review:
    """Look at a trial, and say what becomes of the challenger.

    Parameters
    ----------
    trial : Trial
    paired : DataFrame
        What `pair` returned for the requests since the trial began; `day` holds texts
        such as "2013-04-01".
    now : Timestamp
        With a zone.
    tallies : pair of Tally, optional
        What the service counted in the same time, of the champion and of the
        challenger.

    Returns
    -------
    Review
        "roll back" if the service fails or is slow, if the challenger crossed the bound
        at any look, if it was not shown to be no worse by the end, or if labels did not
        come; "promote" at the end of the plan otherwise; else "go on".

    Raises
    ------
    ValueError
        If now lies before the trial, or as `compare`.
    """
    if now < trial.since:
        raise ValueError(
            f"now={now} lies before the trial's beginning {trial.since}: the clock "
            "went backwards. Nothing was decided."
        )
    must_have(paired, [*PAIRED, "late", "mature"], "paired")
    failed = _failing(trial, tallies)
    if failed:
        return Review(now, "roll back", failed, 0)
    paired = paired.assign(day=_dates(paired))
    plan, names = trial.plan, complete_days(paired, trial, now)
    rows = with_labels(paired[paired["day"].isin(names)])
    late_by = now - trial.since > (plan.days + plan.patience) * DAY
    if len(names) < 2:
        why = f"{len(names)} of {plan.days} days are complete"
        action: Action = "roll back" if late_by else "go on"
        return Review(now, action, why + "; labels are late" * late_by, len(names))
    found = compare(
        rows["champion"],
        rows["challenger"],
        rows["late"].astype(np.float64),
        rows["day"],
        alpha=plan.alpha,
    )
    ends = found.difference, found.low, found.high
    look, z, bound = _looks(rows, plan)
    said = f"log-loss {ends[0]:+.4f} ({ends[1]:+.4f} to {ends[2]:+.4f})"
    if z > bound:
        why = f"worse on day {look} of {plan.days}: z {z:.2f} above {bound:.2f}; {said}"
        return Review(now, "roll back", why, len(names), *ends, z, bound)
    if len(names) < plan.days and not late_by:
        why = f"{len(names)} of {plan.days} days: {said}, undecided"
        return Review(now, "go on", why, len(names), *ends, z, bound)
    if late_by and len(names) < plan.days:
        why = f"labels are late: {len(names)} of {plan.days} days are complete; {said}"
        return Review(now, "roll back", why, len(names), *ends, z, bound)
    shown = ends[2] < plan.margin
    why = f"{said}: a loss of {plan.margin} is {'' if shown else 'not '}excluded"
    action = "promote" if shown else "roll back"
    return Review(now, action, why, len(names), *ends, z, bound)


def _failing(
    trial: Trial,
    tallies: tuple[serving.canary.Tally, serving.canary.Tally] | None,
) -> str | None:
    """Say that the challenger fails or is slow more often, or return None."""
    if tallies is None:
        return None
    plan = trial.plan
    verdict = serving.canary.judge(*tallies, alpha=plan.alpha, looks=plan.days)
    return "; ".join(verdict.reasons) if verdict.action == "roll back" else None


def _looks(rows: pd.DataFrame, plan: Plan) -> tuple[int, float, float]:
    """Return day, z and bound of the first look that crosses, or of the last one."""
    excess = _daily(rows)
    seen = np.arange(1, len(excess) + 1)
    means = np.cumsum(excess) / seen
    ses = np.array([np.nan] + [_error(excess[:k]) for k in seen[1:]])
    z = decisions.normal_scores(means, ses)[1:]
    bounds = decisions.spending_bounds(seen[1:] / plan.days, plan.alpha)
    crossed = np.flatnonzero(z > bounds)
    at = int(crossed[0]) if len(crossed) else len(z) - 1
    return at + 2, float(z[at]), float(bounds[at])


def _daily(rows: pd.DataFrame) -> np.typing.NDArray[np.float64]:
    """Return the mean excess of log-loss of each day, in order."""
    late = rows["late"].astype(np.float64)
    excess = losses(rows["challenger"], late) - losses(rows["champion"], late)
    by_day = pd.Series(excess).groupby(rows["day"].to_numpy(), sort=True).mean()
    return np.asarray(by_day, np.float64)


def _error(values: np.typing.NDArray[np.float64]) -> float:
    """Return the standard error of a mean; never 0, which no bound can be held to."""
    return max(float(values.std(ddof=1) / np.sqrt(len(values))), 1e-12)

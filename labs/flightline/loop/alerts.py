"""Alerts: what wakes somebody, and what can wait until morning.

An objective says which share of answers must be good. An alert fires while the budget
of bad ones burns faster than a factor on two windows at once: the long one, so that a
short burst wakes nobody, and the short one, so that it ends soon after the fault does.
What is no share of answers (a feed that is silent, a loop that stands) fires when a
gauge stays above a line. `rules` writes both for Prometheus.
"""

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from flightline.loop.core import pages
from flightline.loop.labels import numbers, probabilities, truths, whole

Severity = Literal["page", "ticket"]
Flags = npt.NDArray[np.bool_]

PERIOD_MIN = 30 * 24 * 60
"""The time for which a budget must last: 30 days, in minutes."""


@dataclass(frozen=True)
class Objective:
    """A share of answers that must be good, and the counters that tell.

    Attributes
    ----------
    name : str
        Such as "latency".
    target : float
        The share of good answers, above 0 and below 1.
    bad, total : str
        The counters of Prometheus: bad answers, and all.
    meaning : str
        What is good, in words.
    """

    name: str
    target: float
    bad: str
    total: str
    meaning: str

    def __post_init__(self) -> None:
        """Refuse an objective without a budget."""
        if not 0 < self.target < 1:
            raise ValueError(
                f"{self.name}: target={self.target} must lie above 0 and below 1. An "
                "objective of 1 has no budget, and every bad answer would page."
            )


@dataclass(frozen=True)
class BurnAlert:
    """Fires while the budget of an objective burns too fast on two windows.

    Attributes
    ----------
    name : str
        As Prometheus shows it, and the run book's heading.
    objective : Objective
    long_min, short_min : int
        The windows, in minutes.
    factor : float
        1 spends the budget exactly in 30 days.
    severity : {"page", "ticket"}
    least : int
        The fewest bad answers in the long window: at night, one of three is a third.
    """

    name: str
    objective: Objective
    long_min: int
    short_min: int
    factor: float
    severity: Severity
    least: int = 1

    def __post_init__(self) -> None:
        """Refuse windows in the wrong order, and factors that cannot be reached."""
        _must_be_severe(self.name, self.severity)
        windows = (self.short_min, self.long_min)
        if not all(whole(each, 1) for each in windows) or windows[0] >= windows[1]:
            raise ValueError(
                f"{self.name}: short_min={self.short_min} and long_min={self.long_min}:"
                " the short window is shorter, and both are whole minutes long."
            )
        most = 1 / (1 - self.objective.target)
        if not 0 < self.factor < most:
            raise ValueError(
                f"{self.name}: factor={self.factor} must lie between 0 and {most:g}, "
                "which is what burns if every answer is bad."
            )
        if not whole(self.least, 1):
            raise ValueError(
                f"{self.name}: least={self.least} must be a whole number, 1 or more."
            )

    @property
    def spent(self) -> float:
        """The share of the budget that is gone when the long window alone fires."""
        return self.factor * self.long_min / PERIOD_MIN


@dataclass(frozen=True)
class LineAlert:
    """Fires while a gauge stays above a line.

    Attributes
    ----------
    name : str
    gauge : str
        The gauge of Prometheus.
    above : float
        The line.
    for_min : int
        How many minutes it must have been above.
    severity : {"page", "ticket"}
    meaning : str
        What it means, in words.
    """

    name: str
    gauge: str
    above: float
    for_min: int
    severity: Severity
    meaning: str

    def __post_init__(self) -> None:
        """Refuse a wait that is none."""
        _must_be_severe(self.name, self.severity)
        if not whole(self.for_min, 0) or not np.isfinite(self.above):
            raise ValueError(
                f"{self.name}: above={self.above}, for_min={self.for_min}: give a line "
                "and a wait of whole minutes, 0 or more."
            )


def _must_be_severe(name: str, severity: str) -> None:
    """Refuse a severity that nobody is called for."""
    if severity not in get_args(Severity):
        raise ValueError(f"{name}: severity={severity!r} is neither page nor ticket.")


LATENCY = Objective(
    "latency",
    0.99,
    "flightline_answers_slow_total",
    "flightline_answers_total",
    "answers within 100 ms, from the features to the score",
)

QUALITY = Objective(
    "quality",
    0.85,
    "flightline_judged_wrong_total",
    "flightline_judged_total",
    "answers that neither missed a late flight nor warned of a punctual one",
)

MISSED, WARNED = 0.2, 0.5
"""A late flight that got less was missed; a punctual one that got more was warned of.

A fault that raises all scores (a silent feed of departures) makes warnings, and fewer
misses: an objective of misses alone does not see it.
"""

BURNS = (
    BurnAlert("LatencyBudgetBurnsFast", LATENCY, 60, 5, 14.4, "page", least=10),
    BurnAlert("LatencyBudgetBurns", LATENCY, 360, 30, 6.0, "page", least=10),
    BurnAlert("LatencyBudgetLeaks", LATENCY, 4320, 360, 1.0, "ticket", least=10),
    BurnAlert("QualityBudgetBurns", QUALITY, 4320, 1440, 2.0, "page", least=100),
    BurnAlert("QualityBudgetLeaks", QUALITY, 10080, 1440, 1.3, "ticket", least=100),
)
"""The worst three days of a model that was trained every four weeks, April to December
2013, had 25% of bad answers, the worst seven days 18%: the lines lie above them."""

LINES = (
    LineAlert(
        "FeedSilent",
        "flightline_feed_silent",
        0,
        10,
        "page",
        "the newest row of a feed is older than it has been for two weeks",
    ),
    LineAlert(
        "LabelsSilent",
        "flightline_label_silent_days",
        0,
        10,
        "page",
        "nearly all labels of a day are missing, though they are due",
    ),
    LineAlert(
        "LoopStands",
        "flightline_loop_age_hours",
        26,
        10,
        "page",
        "the loop has not finished a step for more than a day",
    ),
    LineAlert(
        "RequestsRefused",
        "flightline_requests_refused",
        0,
        0,
        "ticket",
        "the service did not answer some flights",
    ),
    LineAlert(
        "ChallengerRefused",
        "flightline_refused_in_a_row",
        1,
        0,
        "ticket",
        "the gate refused the last two challengers",
    ),
    LineAlert(
        "TrialRolledBack",
        "flightline_rolled_back_in_a_row",
        0,
        0,
        "ticket",
        "the last challenger was taken back in its trial",
    ),
    LineAlert(
        "PromotionHeld",
        "flightline_promotions_held",
        0,
        0,
        "ticket",
        "a model has passed, and waits for somebody who may promote it",
    ),
)

ALERTS: tuple[BurnAlert | LineAlert, ...] = (*BURNS, *LINES)
"""All alerts; the run book has an entry for each."""


def is_wrong(score: npt.ArrayLike, late: npt.ArrayLike) -> Flags:
    """Tell which answers count as bad for the objective of quality.

    Parameters
    ----------
    score : array_like of float
        The probability that was given of a late arrival.
    late : array_like of bool
        What happened; no nulls.

    Returns
    -------
    array of bool
        True for a late flight that got less than MISSED, and for a punctual one that
        got WARNED or more.

    Raises
    ------
    ValueError
        If the lengths differ, a score is no probability, or a label none: a null would
        count as late.
    """
    given, came = probabilities(score, "score"), truths(late, "late") == 1
    if len(given) != len(came):
        raise ValueError(f"{len(given)} scores and {len(came)} labels: give one each.")
    return np.asarray(np.where(came, given < MISSED, given >= WARNED))


def burning(alert: BurnAlert, bad: npt.ArrayLike, total: npt.ArrayLike) -> Flags:
    """Return the minutes in which a burn alert fires.

    Parameters
    ----------
    alert : BurnAlert
    bad, total : array_like of int, shape (minutes,)
        Bad answers and all answers of each minute. An answer counts in the minute in
        which it is known whether it was bad: for quality, that in which it is mature.

    Returns
    -------
    array of bool, shape (minutes,)

    Raises
    ------
    ValueError
        If the lengths differ, a count is negative, null or no whole number, or more are
        bad than there are.
    """
    bad, total = _counts(bad, total)
    fired = pages(
        bad,
        total,
        alert.objective.target,
        alert.long_min,
        alert.short_min,
        alert.factor,
    )
    so_far = np.cumsum(bad)
    before = np.concatenate([np.zeros(alert.long_min, np.int64), so_far])[: len(so_far)]
    return np.asarray(fired & (so_far - before >= alert.least))


def above(alert: LineAlert, gauge: npt.ArrayLike) -> Flags:
    """Return the minutes in which a line alert fires.

    Parameters
    ----------
    alert : LineAlert
    gauge : array_like of float, shape (minutes,)
        Its value at each minute; NaN: not there, and not above.

    Returns
    -------
    array of bool, shape (minutes,)
        True from `for_min` minutes behind the first of an unbroken run above the line.

    Raises
    ------
    ValueError
        If it is not one row of numbers.
    """
    values = numbers(gauge, "gauge")
    minutes = np.arange(len(values))
    broken = np.where(values > alert.above, -1, minutes)
    last_broken = np.maximum.accumulate(broken) if len(values) else broken
    return np.asarray(minutes - last_broken > alert.for_min)


def spans(fired: Flags) -> list[tuple[int, int]]:
    """Return the first and the last minute of each time that an alert fired.

    Examples
    --------
    >>> spans(np.array([False, True, True, False, True]))
    [(1, 2), (4, 4)]
    """
    edges = np.diff(np.concatenate([[0], np.asarray(fired, np.int8), [0]]))
    begins, ends = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1) - 1
    return list(zip(begins.tolist(), ends.tolist(), strict=True))


def _counts(
    bad: npt.ArrayLike, total: npt.ArrayLike
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return counts by minute as int64, or say what is wrong with them."""
    found = []
    for values, name in ((bad, "bad"), (total, "total")):
        array = np.asarray(values)
        if array.ndim != 1 or array.dtype.kind not in "iuf":
            raise ValueError(
                f"{name} has the shape {array.shape} and holds {array.dtype}: give one "
                "count for each minute."
            )
        whole = np.nan_to_num(array, nan=-1).astype(np.int64)
        if (whole < 0).any() or (whole != array).any():
            at = int(((whole < 0) | (whole != array)).argmax())
            raise ValueError(
                f"{name} holds {array[at]} at minute {at}: a count is a whole number, "
                "0 or more. Counters of Prometheus must be differenced first."
            )
        found.append(whole)
    if len(found[0]) != len(found[1]):
        raise ValueError(
            f"bad has {len(found[0])} minutes and total {len(found[1])}: give both for "
            "the same ones."
        )
    if (found[0] > found[1]).any():
        at = int((found[0] > found[1]).argmax())
        raise ValueError(
            f"minute {at} has {found[0][at]} bad answers of {found[1][at]}: a bad "
            "answer is an answer, and counts in both."
        )
    return found[0], found[1]

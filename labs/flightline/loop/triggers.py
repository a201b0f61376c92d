"""When to train again: five kinds of reasons behind one interface.

A trigger sees the evidence of one moment and answers with a sentence, or with None. It
keeps no memory: what was decided before is in the evidence (the champion, its cut-off),
so a loop that was killed and started again asks the same question.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from flightline import drift, training
from flightline.loop.clock import DAY
from flightline.loop.core import retrain_now
from flightline.loop.labels import must_be_a_moment, whole, with_labels
from flightline.loop.policy import Evidence

ENOUGH_DAYS = 7
"""The fewest days on which a champion is judged."""


@dataclass(frozen=True)
class Never:
    """The control: whatever happens, the first model stays."""

    def __call__(self, evidence: Evidence) -> str | None:
        """Return None."""
        return None


@dataclass(frozen=True)
class Schedule:
    """Train again by the calendar.

    Attributes
    ----------
    weeks : int
        How many lie between two trainings.
    first : Timestamp
        The moment of the first one, with a zone. Later ones have the same hour in UTC.
    """

    weeks: int
    first: pd.Timestamp

    def __post_init__(self) -> None:
        """Refuse a calendar without steps, or without a beginning."""
        if not whole(self.weeks, 1):
            raise ValueError(
                f"weeks={self.weeks}: at least one must lie between, and whole ones."
            )
        must_be_a_moment(self.first, "first")

    def __call__(self, evidence: Evidence) -> str | None:
        """Give a reason on each day of the schedule."""
        days = (evidence.now - self.first) // DAY
        if days < 0 or days % (7 * self.weeks):
            return None
        return f"the schedule of every {self.weeks} weeks"


@dataclass(frozen=True)
class Drift:
    """Train again if the scores are spread otherwise than they were.

    It needs no labels.

    Attributes
    ----------
    limit : float
        Of the PSI of the scores, in ten bins.
    against : {"service", "training"}
        The scores of its first weeks behind the cut-off (it says nothing until they are
        over), or those of the newest rows that it has learned.
    """

    limit: float = 0.2
    against: Literal["service", "training"] = "service"

    def __post_init__(self) -> None:
        """Refuse a limit that always alarms, and an unknown reference."""
        if not self.limit > 0:
            raise ValueError(f"limit={self.limit} must be above 0: PSI always is.")
        if self.against not in ("service", "training"):
            raise ValueError(f"against={self.against!r} is none of service, training.")

    def __call__(self, evidence: Evidence) -> str | None:
        """Give a reason if the PSI is above the limit.

        Raises
        ------
        ValueError
            If it shall compare with learned rows, and the evidence has no scores of
            them.
        """
        before = evidence.reference["score"]
        if self.against == "training":
            if evidence.learned_scores is None:
                raise ValueError(
                    "the evidence has no scores of learned rows. Give learned_scores "
                    "to `gather`, or use Drift(against='service')."
                )
            before = evidence.learned_scores
        now = evidence.scored["score"]
        if not len(before) or few_days(evidence.scored):
            return None
        moved = drift.psi(before, now)
        if moved <= self.limit:
            return None
        return f"the PSI of the scores is {moved:.3f}, above {self.limit:g}"


@dataclass(frozen=True)
class Performance:
    """Train again if the champion ranks or informs less well than in the reference.

    It is the rule of thumb, without a test: chance alone may take a twentieth of the
    skill from one month to the next.

    Attributes
    ----------
    metric : {"auc", "skill"}
        `skill` is the share of the log-loss of a constant answer (the share of late
        flights in the reference) that is saved.
    drop : float
        The part that must be lost, as a share of the reference's value.
    """

    metric: Literal["auc", "skill"] = "auc"
    drop: float = 0.05

    def __post_init__(self) -> None:
        """Refuse what is no metric, or no share."""
        if self.metric not in ("auc", "skill"):
            raise ValueError(f"metric={self.metric!r} is none of auc, skill.")
        if not 0 < self.drop < 1:
            raise ValueError(f"drop={self.drop} must lie between 0 and 1.")

    def __call__(self, evidence: Evidence) -> str | None:
        """Give a reason if more than `drop` is lost."""
        before, now = with_labels(evidence.reference), evidence.judged
        if few_days(before) or few_days(now):
            return None
        base = float(before["late"].mean())
        was, is_now = (_value(self.metric, rows, base) for rows in (before, now))
        if not is_now < (1 - self.drop) * was:  # a NaN, of one class alone, is none
            return None
        return f"{self.metric} fell from {was:.3f} to {is_now:.3f}"


@dataclass(frozen=True)
class Gap:
    """Train again if the mean score is off by more than a fixed line.

    Attributes
    ----------
    limit : float
        Of the share of late flights less the mean score, in size.
    """

    limit: float = 0.05

    def __post_init__(self) -> None:
        """Refuse what is no share."""
        if not 0 < self.limit < 1:
            raise ValueError(f"limit={self.limit} must lie between 0 and 1.")

    def __call__(self, evidence: Evidence) -> str | None:
        """Give a reason if the gap is larger than the line."""
        rows = evidence.judged
        if few_days(rows):
            return None
        gap = float(rows["late"].mean() - rows["score"].mean())
        if abs(gap) <= self.limit:
            return None
        return f"the share late less the mean score is {gap:+.3f}, beyond {self.limit}"


@dataclass(frozen=True)
class Calibration:
    """Train again if the mean score is off by more than days are by chance.

    The test of lab 13: days are its units.

    Attributes
    ----------
    alpha : float
        How often one look alarms without a change. Looks are many; their windows
        overlap, and so do their alarms.
    """

    alpha: float = 0.01

    def __post_init__(self) -> None:
        """Refuse what is no rate."""
        if not 0 < self.alpha < 1:
            raise ValueError(f"alpha={self.alpha} must lie between 0 and 1.")

    def __call__(self, evidence: Evidence) -> str | None:
        """Give a reason if the gap is significant by days."""
        rows = evidence.judged
        if few_days(rows):
            return None
        plain = rows.assign(day=rows["day"].astype(object))  # no days without rows
        if not retrain_now(plain, alpha=self.alpha):
            return None
        gap = float(rows["late"].mean() - rows["score"].mean())
        return (
            f"the share late less the mean score is {gap:+.3f}, with p < {self.alpha}"
        )


def few_days(rows: pd.DataFrame) -> bool:
    """Tell whether answers are of too few days to judge a model."""
    return bool(rows["day"].nunique() < ENOUGH_DAYS)


def _value(metric: str, rows: pd.DataFrame, base: float) -> float:
    """Return the AUC, or the share of a constant's log-loss that is saved."""
    score = rows["score"].to_numpy(np.float64)
    late = rows["late"].to_numpy(np.float64)
    if metric == "auc":
        return training.auc(score, late)
    blind = training.log_loss(np.full(len(late), base), late)
    return 1 - training.log_loss(score, late) / blind if blind > 0 else np.nan

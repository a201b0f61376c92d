"""The gate: a challenger is judged on answers that it has not learned.

A model that has learned the rows on which it is judged passes whatever it is. So the
gate asks for the ids of all rows that a challenger has learned, takes none of them, and
refuses a challenger for which too few others are left.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from flightline.loop.compare import compare
from flightline.loop.labels import must_have, must_match, whole
from flightline.loop.policy import Challenger, Evidence, Verdict


@dataclass(frozen=True)
class NoWorse:
    """Lets a challenger pass if a loss larger than a margin is excluded.

    *Not significantly worse* would be passed by whoever is judged on few days.

    Attributes
    ----------
    margin : float
        How much more log-loss than the champion's would be accepted.
    alpha : float
        The interval, by days, has the level 1 - alpha; its upper end must lie below the
        margin.
    least_days, least_rows : int
        How much must be new to the challenger.
    """

    margin: float = 0.02
    alpha: float = 0.05
    least_days: int = 5
    least_rows: int = 500

    def __post_init__(self) -> None:
        """Refuse a gate that nothing or everything passes."""
        if not 0 < self.margin < np.inf or not 0 < self.alpha < 1:
            raise ValueError(
                f"margin={self.margin} must be above 0 and alpha={self.alpha} between "
                "0 and 1."
            )
        if not whole(self.least_days, 2) or not whole(self.least_rows, 1):
            raise ValueError(
                f"least_days={self.least_days}, least_rows={self.least_rows}: an "
                "interval takes two days with rows."
            )

    def __call__(self, challenger: Challenger, evidence: Evidence) -> Verdict:
        """Judge a challenger on the evidence that it has not learned.

        Parameters
        ----------
        challenger : Challenger
        evidence : Evidence
            Of the champion.

        Returns
        -------
        Verdict
            Refused too if fewer rows or days than wanted are new to the challenger, or
            it gives what is no probability.

        Raises
        ------
        ValueError
            If what it has learned are no ids such as those of the evidence, or its
            scores are not those of the ids that it was asked for, in their order.
        """
        rows = evidence.judged
        names = "the evidence's id", "the challenger's learned"
        learned = _ids(challenger.learned)
        must_match(rows["id"], learned, names)
        later = rows["asked_at"] > challenger.model.cut_off
        new = rows[later & ~rows["id"].isin(learned)]
        days = int(new["day"].nunique())
        if len(new) < self.least_rows or days < self.least_days:
            why = (
                f"{len(new)} rows of {days} days are new to {challenger.model.name} "
                f"({len(rows) - len(new)} are not): {self.least_rows} of "
                f"{self.least_days} are needed. Keep a holdout."
            )
            return Verdict(False, why, rows=len(new), days=days)
        asked = pd.Index(new["id"])
        score = challenger.score(asked)
        if not isinstance(score, pd.Series) or not score.index.equals(asked):
            raise ValueError(
                f"{challenger.model.name} was asked for {len(asked)} ids, and gave "
                f"{len(score)} scores, of others or in another order. Index them by "
                "the ids, as they were given."
            )
        return self.judge(new.assign(challenger=score.to_numpy()), learned)

    def judge(self, rows: pd.DataFrame, learned: pd.Index) -> Verdict:
        """Judge scores of two models on rows that the challenger has not learned.

        Parameters
        ----------
        rows : DataFrame
            `id`, `day`, `score` (the champion's), `challenger` and `late`.
        learned : Index
            The ids that the challenger has learned.

        Returns
        -------
        Verdict

        Raises
        ------
        ValueError
            If one of the rows was learned, what was learned are no such ids, or as in
            `compare`.
        """
        must_have(rows, ["id", "day", "score", "challenger", "late"], "rows")
        learned = _ids(learned)
        must_match(rows["id"], learned, ("rows['id']", "learned"))
        known = rows["id"].isin(learned)
        if known.any():
            raise ValueError(
                f"the challenger has learned {int(known.sum())} of the {len(rows)} "
                f"rows of its gate (first: {rows.loc[known, 'id'].iloc[0]!r}): they "
                "tell nothing about it. Judge it on others."
            )
        size, days = len(rows), int(rows["day"].nunique())
        numbers = pd.to_numeric(rows["challenger"], errors="coerce")
        odd = ~numbers.between(0, 1).fillna(False).astype(bool)
        if odd.any():
            why = f"{int(odd.sum())} of {size} scores are no probabilities"
            return Verdict(False, why, rows=size, days=days)
        found = compare(
            rows["score"],
            rows["challenger"],
            rows["late"].astype(np.float64),
            rows["day"],
            alpha=self.alpha,
        )
        passed = found.high < self.margin
        said = "excludes" if passed else "does not exclude"
        why = (
            f"log-loss {found.difference:+.4f} ({found.low:+.4f} to {found.high:+.4f}) "
            f"against the champion on {days} days: this {said} a loss of {self.margin}"
        )
        ends = found.difference, found.low, found.high
        return Verdict(passed, why, *ends, rows=size, days=days)


def _ids(learned: Iterable[object]) -> pd.Index:
    """Return ids as an index, whatever they came in."""
    return learned if isinstance(learned, pd.Index) else pd.Index(list(learned))

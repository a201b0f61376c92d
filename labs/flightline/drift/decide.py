"""Decide: from findings to alerts, and from alerts to the next step."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from flightline.drift.bins import Column, profile
from flightline.drift.columns import KINDS, is_null, kind_of
from flightline.drift.core import next_step
from flightline.drift.labels import Names, by_days, worse
from flightline.drift.quality import SCHEMA, quality
from flightline.drift.report import REPORT, report

JUDGED = ["gap", "auc"]
"""What decides whether a model is worse; half of alpha goes to each."""

STEPS = {
    "continue": "Nothing was found: nothing to do.",
    "investigate": "Ask the owner of the feed what changed, before anybody retrains.",
    "retrain": "No data check failed and the model is worse: rule out a broken feed "
    "among the alerts, then train it on newer rows.",
}
"""What each step means."""

HARMLESS = (
    "The labels show no harm: leave the model as it is. They do not say what moved: "
    "ask the owner of the feed."
)
"""What to continue means after an alert."""


@dataclass(frozen=True)
class Alert:
    """One finding: which feature, what was seen, and what to do next."""

    feature: str
    evidence: str
    next_step: str

    def __str__(self) -> str:
        return f"{self.next_step.upper()} {self.feature}: {self.evidence}"


@dataclass(frozen=True)
class Finding:
    """All that one comparison found.

    Parameters
    ----------
    report, quality : DataFrame
        What `drift.report` and `drift.quality` returned.
    change : DataFrame or None
        What `drift.worse` returned; None without labels.
    alpha : float
        The false-alarm rate that they were made with.
    made : mapping of str to Column
        The bins of the reference, for the figures.
    after : DataFrame
        The current sample, for the figures.
    unjudged : str
        Why the current sample's scores and labels cannot be judged; empty if they are,
        or were not asked for.
    left_out : tuple of str
        What was not compared, and why, a sentence each.
    """

    report: pd.DataFrame
    quality: pd.DataFrame
    change: pd.DataFrame | None
    alpha: float
    made: Mapping[str, Column]
    after: pd.DataFrame
    unjudged: str = ""
    left_out: tuple[str, ...] = ()

    @property
    def worse(self) -> bool | None:
        """Whether calibration or ranking got worse; None without labels."""
        if self.change is None:
            return None
        return bool(self.change.loc[JUDGED, "found"].any())

    @property
    def broken(self) -> bool:
        """Whether a data check found a fault, or something cannot be compared."""
        lost = self.report["drifted"] & self.report["psi"].isna()
        found = self.quality["found"].any() or lost.any()
        return bool(found or self.unjudged)

    @property
    def next_step(self) -> str:
        """What to do about all of it."""
        drifted = bool(self.report["drifted"].any())
        return next_step(self.broken, drifted, self.worse)

    @property
    def advice(self) -> str:
        """What the next step means, in a sentence or two."""
        harmless = self.next_step == "continue" and self.alerts()
        return HARMLESS if harmless else STEPS[self.next_step]

    def alerts(self) -> list[Alert]:
        """Return a line for each finding; none if nothing was found."""
        found = [
            Alert(row.subject or "the table", _said(row), "investigate")
            for row in self.quality[self.quality["found"]].itertuples()
        ]
        if self.unjudged:
            found.append(Alert("the model", self.unjudged, "investigate"))
        found += self._drifted({alert.feature for alert in found})
        if self.change is not None:
            judged = self.change.loc[JUDGED]
            for name, row in judged[judged["found"]].iterrows():
                span = f"{row['low']:+.3f} to {row['high']:+.3f}"
                text = f"changed by {row['value']:+.3f} ({span})"
                found.append(Alert(f"the model's {name}", text, self.next_step))
        return found

    def _drifted(self, known: set[str]) -> list[Alert]:
        """Return a line for each feature that drifted."""
        found = []
        step = "investigate" if self.worse is None or self.broken else self.next_step
        for name, row in self.report[self.report["drifted"]].iterrows():
            evidence = str(row["evidence"])
            if not np.isnan(row["psi"]):
                evidence = (
                    f"PSI {row['psi']:.3f}, threshold {row['threshold']:.3f}, "
                    f"adjusted p {row['adjusted']:.3g}; {evidence}"
                )
            elif name in known:
                continue
            found.append(Alert(str(name), evidence, step))
        return found


def _said(row: object) -> str:
    """Put one data check into words."""
    names = ("metric", "value", "low", "high")
    metric, value, low, high = (getattr(row, name) for name in names)
    if metric == "rows":
        return "no rows came"
    if metric in SCHEMA:
        return str(metric)
    return f"{metric} {value:.2%}, limits {low:.2%} to {high:.2%}"


def compare(
    reference: pd.DataFrame,
    current: pd.DataFrame,
    *,
    blocks: str | None = None,
    bins: int = 10,
    alpha: float = 0.05,
    score: str = "score",
    label: str = "late",
) -> Finding:
    """Run every check that two tables allow.

    Parameters
    ----------
    reference, current : DataFrame
        Features, and perhaps a score, a label and a column of blocks. Columns of times
        (dates as texts as well) and of lists are checked, but not compared.
    blocks : str, optional
        As in `drift.report`. Performance is judged only with blocks, a score and
        labels of seven days on both sides.
    bins, alpha : int, float
        As in `drift.report`.
    score, label : str
        Names of columns that may be there. The label is no feature, and may be absent.

    Returns
    -------
    Finding
        The data checks come first, and nothing that is wrong with a score or a label
        of the current sample keeps them from speaking: it is a finding of its own.

    Raises
    ------
    ValueError
        If the reference has no rows, or `blocks` is no column of both.
    """
    reference, current = (t.rename(columns=str) for t in (reference, current))
    before, after = (
        table.drop(columns=[label] if label in table else [])
        for table in (reference, current)
    )
    checks = quality(before, after, alpha=alpha, blocks=blocks)
    if not len(current):
        empty = pd.DataFrame(columns=REPORT)
        return Finding(empty, checks, None, alpha, {}, after)
    kinds = {name: kind_of(before[name]) for name in before if name != blocks}
    dropped = {n: kind for n, kind in kinds.items() if kind in ("times", "nested")}
    left_out = [
        f"{name!r} holds {KINDS[kind]}: checked, but not compared"
        for name, kind in dropped.items()
    ]
    before = before.drop(columns=list(dropped))
    table = pd.DataFrame(columns=REPORT).astype({"drifted": bool})
    if set(before) - {blocks}:
        table = report(before, after, bins=bins, alpha=alpha, blocks=blocks)
    change, unjudged, why = None, "", ""
    if blocks is not None:
        names = Names(score, label, blocks)
        change, unjudged, why = _judge(reference, current, names, alpha)
    plain = before.drop(columns=[blocks] if blocks in before else [])
    return Finding(
        table,
        checks,
        change,
        alpha,
        profile(plain, bins) if len(plain.columns) else {},
        after,
        unjudged,
        (*left_out, *([why] if why else [])),
    )


def _judge(
    reference: pd.DataFrame, current: pd.DataFrame, names: Names, alpha: float
) -> tuple[pd.DataFrame | None, str, str]:
    """Compare performance, if both samples allow it.

    Returns
    -------
    tuple of DataFrame or None, str, str
        The change; what is wrong with the current sample; what is with the reference.
    """
    sides = reference, current
    if not all({names.score, names.label} <= set(side) for side in sides):
        return None, "", ""
    labelled = [side[~is_null(side[names.label])] for side in sides]
    if any(side[names.blocks].nunique() < 7 for side in labelled):
        return None, "", ""
    try:
        old = by_days(labelled[0], names).table.sum(axis=(0, 1))
    except ValueError as error:
        return None, "", f"performance is not judged, as in the reference {error}"
    if not old.all():
        return None, "", "performance is not judged: the reference has one class alone"
    try:
        by_days(labelled[1], names)
    except ValueError as error:
        return None, f"performance cannot be judged: {error}", ""
    change = worse(
        *labelled,
        base_rate=float(old[1] / old.sum()),
        alpha=alpha,
        score=names.score,
        label=names.label,
        blocks=names.blocks,
    )
    return change, "", ""

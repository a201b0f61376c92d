"""Metrics of the four kinds, defined for Flightline.

A metric is a mean or a ratio over the units that were assigned. It says which direction
is better, and what a unit without an outcome counts as: leaving such units out is right
only where outcomes are lost alike in both arms.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

import numpy as np
import pandas as pd

from flightline.experiments.events import must_have
from flightline.experiments.experiment import Experiment, must_be_a_name, number_of

Kind: TypeAlias = Literal["model", "business", "guardrail", "segment"]

Direction: TypeAlias = Literal["higher", "lower"]

MEASURED = ["units", "known", "value", "state"]
"""The columns of what `measured` returns."""


@dataclass(frozen=True)
class Metric:
    """What is computed of the units of an arm.

    Parameters
    ----------
    name : str
    kind : {"model", "business", "guardrail", "segment"}
        What it is for: the quality of the model, what it earns, what must not get
        worse, or one of these in parts of the traffic.
    better : {"higher", "lower"}
        The direction that is wanted.
    unit : str
        Such as "points a flight".
    value : str
        The outcome that is averaged, or summed above the line of a ratio.
    per : str
        The outcome below the line of a ratio of sums; "" for a mean.
    by : str
        For the kind "segment": the field that cuts the units.
    missing : float, optional
        What `value` is for a mature unit without one. By default such a unit is left
        out, and counted.

    Raises
    ------
    ValueError
        If a kind or direction is unknown, a name is none, or `by` does not fit the
        kind.
    """

    name: str
    kind: Kind
    better: Direction
    unit: str
    value: str
    per: str = ""
    by: str = ""
    missing: float | None = None

    def __post_init__(self) -> None:
        """Check every field."""
        must_be_a_name(self.name, "the name of a metric")
        where = f"metric {self.name!r}"
        for field in ("unit", "value"):
            must_be_a_name(getattr(self, field), f"{where}: {field}")
        for field, known in (("kind", get_args(Kind)), ("better", get_args(Direction))):
            if getattr(self, field) not in known:
                given = getattr(self, field)
                raise ValueError(f"{where}: {field} is {given!r}. Use one of {known}.")
        if (self.kind == "segment") != (self.by != ""):
            raise ValueError(
                f"{where} is of the kind {self.kind!r} and by is {self.by!r}: the kind "
                "'segment' names a field, the others do not."
            )
        if self.missing is not None:
            number_of(self.missing, f"{where}: missing")

    @property
    def columns(self) -> list[str]:
        """The outcomes that it needs: one for a mean, two for a ratio."""
        return [self.value] if self.per == "" else [self.value, self.per]

    def sample(self, units: pd.DataFrame, arm: str) -> pd.DataFrame:
        """Return the outcomes of the mature units of an arm, for an effect.

        Parameters
        ----------
        units : DataFrame
            The units of `joined`.
        arm : str

        Returns
        -------
        DataFrame
            With `columns` as float64, one row a mature unit, null without an outcome.
            A mean's effect takes the one column, a ratio's the two.

        Raises
        ------
        ValueError
            If the units lack a column.
        """
        must_have(units, ["arm", "mature", *self.columns], f"units ({self.name})")
        rows = units[(units["arm"] == arm) & units["mature"]]
        found = rows[self.columns].astype("float64")
        if self.missing is not None:
            found[self.value] = found[self.value].fillna(float(self.missing))
        return found

    def gain(self, difference: float) -> float:
        """Return a difference with the sign that makes a gain positive."""
        return difference if self.better == "higher" else -difference


def measured(
    metric: Metric, units: pd.DataFrame, arms: Iterable[str] | None = None
) -> pd.DataFrame:
    """Measure a metric in each arm.

    Parameters
    ----------
    metric : Metric
        One of the kind "segment" is measured in each part of the traffic.
    units : DataFrame
        The units of `joined`.
    arms : iterable of str, optional
        The arms that are wanted, such as `experiment.arms`; by default those that
        have a unit.

    Returns
    -------
    DataFrame
        Indexed by arm, or by the field and arm: `units` (mature ones), `known` (those
        with an outcome), `value`, and `state`: "measured", or why there is no value:
        "no mature unit", "no outcome", "nothing to divide by". `value` is null then.

    Raises
    ------
    ValueError
        If the units lack a column.
    """
    must_have(units, ["arm", "mature", *metric.columns], f"units ({metric.name})")
    names = sorted(units["arm"].unique()) if arms is None else list(arms)
    if metric.by == "":
        rows = {arm: _one(metric, metric.sample(units, arm)) for arm in names}
        index = pd.Index(names, name="arm")
        return pd.DataFrame(list(rows.values()), index, MEASURED)
    must_have(units, [metric.by], f"units ({metric.name})")
    parts = units[metric.by].astype(object).fillna("unknown")
    keys = [(part, arm) for part in sorted(parts.unique(), key=str) for arm in names]
    found = [_one(metric, metric.sample(units[parts == p], arm)) for p, arm in keys]
    index = pd.MultiIndex.from_tuples(keys, names=[metric.by, "arm"])
    return pd.DataFrame(found, index, MEASURED)


def _one(metric: Metric, sample: pd.DataFrame) -> list[object]:
    """Return MEASURED of the units of one arm."""
    known = sample.dropna()
    counts: list[object] = [len(sample), len(known)]
    if sample.empty:
        return [*counts, np.nan, "no mature unit"]
    if known.empty:
        return [*counts, np.nan, "no outcome"]
    if metric.per == "":
        return [*counts, float(known[metric.value].mean()), "measured"]
    below = float(known[metric.per].sum())
    if below == 0:
        return [*counts, np.nan, "nothing to divide by"]
    return [*counts, float(known[metric.value].sum()) / below, "measured"]


METRICS = {
    metric.name: metric
    for metric in (
        Metric("log_loss", "model", "lower", "nats a flight", "log_loss"),
        Metric("precision", "model", "higher", "late per warning", "hit", "warned"),
        Metric("recall", "model", "higher", "warned per late flight", "hit", "late"),
        Metric("reward", "business", "higher", "points a flight", "reward"),
        Metric("warned", "business", "lower", "warnings a flight", "warned"),
        Metric("latency_ms", "guardrail", "lower", "ms an answer", "latency_ms"),
        Metric(
            "answered", "guardrail", "higher", "share in time", "answered", missing=0.0
        ),
        Metric("fallback", "guardrail", "lower", "share without model", "fallback"),
        Metric(
            "reward_by_origin",
            "segment",
            "higher",
            "points a flight",
            "reward",
            by="origin",
        ),
        Metric(
            "reward_by_carrier",
            "segment",
            "higher",
            "points a flight",
            "reward",
            by="carrier",
        ),
    )
}
"""The metrics of Flightline by name. `reward`, `warned`, `late`, `hit` (warned and
late), `log_loss`, `latency_ms`, `answered` and `fallback` are outcomes of a flight. A
cancelled flight has no outcome and is left out; an answer that was never logged counts
as one that did not come in time."""


def judged_by(experiment: Experiment) -> tuple[Metric, dict[Metric, float]]:
    """Return the metrics of an experiment: the one that decides, and its guardrails.

    Parameters
    ----------
    experiment : Experiment

    Returns
    -------
    primary : Metric
    guardrails : dict of Metric to float
        Each with the loss that is still accepted, in the unit of the metric.

    Raises
    ------
    ValueError
        If METRICS has no metric of a name, or the primary metric is a guardrail too.
    """
    names = [experiment.primary, *experiment.guardrails]
    for name in names:
        if name not in METRICS:
            raise ValueError(
                f"experiment {experiment.name!r}: there is no metric {name!r}, only "
                f"{', '.join(METRICS)}."
            )
    if experiment.primary in experiment.guardrails:
        raise ValueError(
            f"experiment {experiment.name!r}: {experiment.primary!r} decides, and is a "
            "guardrail too. Choose one."
        )
    margins = experiment.guardrails.items()
    return METRICS[names[0]], {METRICS[name]: margin for name, margin in margins}

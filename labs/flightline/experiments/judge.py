"""One metric in one arm beside control: interval, sensitivity, and a state in words."""

from collections.abc import Collection
from typing import NamedTuple

import numpy as np
import pandas as pd

from flightline.experiments.clustered import clustered_effect
from flightline.experiments.core import Floats
from flightline.experiments.effects import Effect, NotEstimable, mean_effect
from flightline.experiments.experiment import Experiment
from flightline.experiments.metrics import METRICS, Metric
from flightline.experiments.power import detectable_effect
from flightline.experiments.ratio import ratio_effect
from flightline.experiments.triggered import same_share
from flightline.experiments.values import Booleans, as_flags, as_floats

METRIC = [
    "metric",
    "arm",
    "role",
    "units",
    "waiting",
    "control value",
    "estimate",
    "low",
    "high",
    "margin",
    "detectable now",
    "detectable at plan",
    "outcome balance",
    "state",
]
"""What is said of a metric in an arm; the columns of a report's table."""

BROKEN = "harm shown"
"""The state of a guardrail whose loss is shown, and may exceed its margin."""


class Outcomes(NamedTuple):
    """A metric's columns: [rows]; `below` is None where it is a mean."""

    above: Floats
    below: Floats | None
    treated: Booleans
    unit: pd.Series

    @property
    def known(self) -> Booleans:
        """Mark the rows with an outcome."""
        return ~np.isnan(self.above if self.below is None else self.above + self.below)


def metric_of(name: str, held: Collection[object], lower: Collection[str]) -> Metric:
    """Return the metric of a name: one of Flightline's, or a column of the table.

    Parameters
    ----------
    name : str
    held : collection
        The columns that the table has.
    lower : collection of str
        Metrics of which more is a loss, beside those that say so themselves.

    Returns
    -------
    Metric
        One of `METRICS` if the table has the columns that it needs; otherwise the mean
        of the column of this name.

    Raises
    ------
    ValueError
        If it is measured by segments: `by_segment` does that, and corrects for them.
    """
    known = METRICS.get(name)
    if known is not None and known.by:
        raise ValueError(f"metric {name!r} has segments: look at it with by_segment.")
    if known is not None and name not in lower and {*known.columns} <= {*held}:
        return known
    loss = name in lower or (known is not None and known.better == "lower")
    better = "lower" if loss else "higher"
    return Metric(name, "business", better, "as in the table", name)  # type: ignore[arg-type]


def judge(
    experiment: Experiment, rows: pd.DataFrame, metric: Metric, arm: str, alpha: float
) -> dict[str, object]:
    """Compare an arm with control by one metric.

    Parameters
    ----------
    experiment : Experiment
    rows : DataFrame
        `unit`, `arm` and the metric's columns, each unit in one arm; `mature` if the
        metric fills outcomes that never came.
    metric : Metric
    arm : str
        Not control.
    alpha : float
        One minus the coverage of the interval.

    Returns
    -------
    dict
        With the keys `METRIC`; numbers are null where the state says why.
    """
    found = _outcomes(metric, rows[rows["arm"].isin([arm, experiment.control])], arm)
    row: dict[str, object] = dict.fromkeys(METRIC, np.nan)
    row |= {"metric": metric.name, "arm": arm, "role": _role(experiment, metric)}
    row |= _counts(found)
    if metric.name in experiment.guardrails:
        row["margin"] = -metric.gain(experiment.guardrails[metric.name])
    try:
        effect = _effect(found, alpha)
    except NotEstimable as why:
        return row | {"state": why.state}
    sizes = [_units(found, side) for side in (found.treated, ~found.treated)]
    row |= {name: getattr(effect, name) for name in ("estimate", "low", "high")}
    row |= _sensitivity(experiment, effect, sizes, alpha)
    return row | {"state": _state(experiment, metric, effect, min(sizes))}


def _outcomes(metric: Metric, rows: pd.DataFrame, arm: str) -> Outcomes:
    """Return the columns of a metric, outcomes that never came filled if it says so."""
    above = as_floats(rows[metric.value], metric.value)
    if metric.missing is not None and "mature" in rows:
        never = np.isnan(above) & as_flags(rows["mature"], "mature")
        above = np.where(never, metric.missing, above)
    below = as_floats(rows[metric.per], metric.per) if metric.per else None
    return Outcomes(above, below, (rows["arm"] == arm).to_numpy(bool), rows["unit"])


def _role(experiment: Experiment, metric: Metric) -> str:
    """Say what a metric is for."""
    if metric.name == experiment.primary:
        return "primary"
    return "guardrail" if metric.name in experiment.guardrails else "other"


def _units(found: Outcomes, side: Booleans) -> int:
    """Count the units with an outcome in an arm."""
    return int(found.unit[found.known & side].nunique())


def _counts(found: Outcomes) -> dict[str, object]:
    """Count the units with an outcome and without, and compare their shares."""
    by_unit = pd.DataFrame({"known": found.known, "treated": found.treated})
    units = by_unit.groupby(found.unit.to_numpy(object)).any().astype(bool)
    known, treated = (units[name].to_numpy(bool) for name in ("known", "treated"))
    both = treated.any() and not treated.all()
    control = found.known & ~found.treated
    below = control.sum() if found.below is None else found.below[control].sum()
    return {
        "units": int(known.sum()),
        "waiting": int((~known).sum()),
        "control value": found.above[control].sum() / below if below else np.nan,
        "outcome balance": same_share(known, treated) if both else np.nan,
    }


def _effect(found: Outcomes, alpha: float) -> Effect:
    """Return the effect, with errors by unit where a unit has many rows."""
    above, below, treated, unit = found
    if below is not None:
        return ratio_effect(*_sums(found), alpha=alpha)
    if unit.is_unique:
        return mean_effect(above[treated], above[~treated], alpha)
    return clustered_effect(above, treated, unit.to_numpy(object), alpha=alpha)


def _sums(found: Outcomes) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return numerator and denominator of each unit, for the arm and for control."""
    whole = pd.DataFrame({"above": found.above, "below": found.below})
    known = found.known
    tables = []
    for side in (found.treated, ~found.treated):
        unit = found.unit[side & known].to_numpy(object)
        sums = whole[side & known].groupby(unit).sum()
        waits = found.unit[side].nunique() - len(sums)
        tables.append(sums if len(sums) or not waits else whole[side])
    return tables[0], tables[1]


def _sensitivity(
    experiment: Experiment, effect: Effect, sizes: list[int], alpha: float
) -> dict[str, float]:
    """Return the effects that are found with power 0.8, now and at the plan."""
    assert effect.se is not None
    balanced = 2 / sum(1 / size for size in sizes)
    sd = effect.se * float(np.sqrt(balanced / 2))
    found = {"detectable now": detectable_effect(sd=sd, units=balanced, alpha=alpha)}
    if experiment.units_per_arm is not None and experiment.units_per_arm > 1:
        found["detectable at plan"] = detectable_effect(
            sd=sd, units=experiment.units_per_arm, alpha=alpha
        )
    return found


def _state(experiment: Experiment, metric: Metric, effect: Effect, units: int) -> str:
    """Say of a guardrail whether it holds, of others how far they have come."""
    if metric.name in experiment.guardrails:
        margin = experiment.guardrails[metric.name]
        gains = sorted(metric.gain(end) for end in (effect.low, effect.high))
        if gains[0] > -margin:
            return f"a loss of {margin:g} is excluded"
        return BROKEN if gains[1] < 0 else f"a loss of {margin:g} is not excluded"
    if experiment.units_per_arm is None:
        return "running, without a planned size"
    share = units / experiment.units_per_arm
    return "planned size reached" if share >= 1 else f"running, {share:.0%} of the plan"

"""What a running experiment says so far: sizes, intervals, power, and no verdict."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import pandas as pd

from flightline.experiments.assignment import OUTSIDE
from flightline.experiments.events import must_be_a_table
from flightline.experiments.experiment import Experiment
from flightline.experiments.judge import BROKEN, METRIC, judge, metric_of
from flightline.experiments.metrics import Metric
from flightline.experiments.srm import needs_exact, srm_exact, srm_pvalue
from flightline.experiments.values import must_be_a_rate

SRM_ALPHA = 0.001
"""A sample ratio mismatch is alarmed below it: it is looked at daily, and is rare."""


@dataclass(frozen=True)
class Report:
    """A running experiment, looked at once.

    Parameters
    ----------
    experiment : Experiment
    counts : dict of str to int
        The units of each arm, those in two arms left out.
    srm : float or None
        The p-value of these counts; None while there are no units.
    crossed : int
        Units that were seen in two arms, and left out.
    metrics : DataFrame
        With the columns `METRIC`, one row for each metric and arm beside control.
        `margin` has the sign of a loss; `detectable` effects are found with power 0.8;
        `outcome balance` is the p-value for the same share of units with an outcome in
        both arms.
    alpha : float
        One minus the coverage of each interval.
    """

    experiment: Experiment
    counts: dict[str, int]
    srm: float | None
    crossed: int
    metrics: pd.DataFrame
    alpha: float

    def findings(self) -> list[str]:
        """Return what somebody has to look at now, each with its next step."""
        found = []
        if self.srm is not None and self.srm < SRM_ALPHA:
            found.append(
                f"sample ratio mismatch (p = {self.srm:.2g}): assignment or logging is "
                "broken. Read no effect; compare who is logged in each arm."
            )
        if self.crossed:
            found.append(
                f"{self.crossed} units are in two arms, and left out: the assignment "
                "is not sticky. Find out when their arm changed."
            )
        rows = self.metrics.to_dict("records")
        said = [sentence for row in rows if (sentence := _finding(row))]
        return found + said


def _finding(row: dict[str, object]) -> str:
    """Return what was found in a metric of an arm, or nothing."""
    balance = float(str(row["outcome balance"]))
    if row["role"] == "primary" and balance < SRM_ALPHA:
        return (
            f"{row['metric']} in {row['arm']}: outcomes are missing unevenly (p = "
            f"{balance:.2g}). Those that are there tell of other units in each arm; "
            "find out which ones are lost."
        )
    if row["state"] == BROKEN:
        return (
            f"guardrail {row['metric']} in {row['arm']}: a loss is shown, and one "
            "beyond its margin is not excluded. Stop, and look for the cause."
        )
    return ""


def report(
    experiment: Experiment,
    table: pd.DataFrame,
    *,
    metrics: Sequence[str] = (),
    lower_is_better: Collection[str] = (),
    unit: str = "unit_id",
    arm: str = "arm",
    crossed: int = 0,
    alpha: float = 0.05,
) -> Report:
    """Look at a running experiment.

    Parameters
    ----------
    experiment : Experiment
    table : DataFrame
        One row for each exposure, with the id of the unit that was assigned, its arm,
        and the columns of the metrics, null while there is no outcome: the units of
        `joined`, or a table of your own. A unit may have many rows: errors follow the
        unit. Rows outside of the experiment (arm "") are left out.
    metrics : sequence of str
        What to report beside the primary metric and the guardrails: names of `METRICS`,
        or columns, whose mean is then taken.
    lower_is_better : collection of str
        Columns of which more is a loss; metrics of `METRICS` know it themselves.
    unit, arm : str
        The names of the columns.
    crossed : int
        Units in two arms that were left out before, as `joined` does. Those that the
        table still has are left out, and added.
    alpha : float
        One minus the coverage of each interval. It holds for one look at one metric,
        decided on before: a report that is read daily decides nothing.

    Returns
    -------
    Report

    Raises
    ------
    ValueError
        If a column is missing or no numbers, a unit has no id, an arm is unknown, or
        alpha is no probability.
    """
    must_be_a_rate("alpha", alpha)
    must_be_a_table(table, "table")
    chosen = metrics_of(experiment, metrics, lower_is_better, list(table.columns))
    needed = [name for metric in chosen for name in metric.columns]
    _must_have(table, list(dict.fromkeys([unit, arm, *needed])))
    rows, also_crossed = _inside(experiment, table, unit, arm)
    counts = rows.groupby("arm")["unit"].nunique()
    sizes = {name: int(counts.get(name, 0)) for name in experiment.arms}
    treatments = [name for name in experiment.arms if name != experiment.control]
    found = [
        judge(experiment, rows, metric, one, alpha)
        for metric in chosen
        for one in treatments
    ]
    result = pd.DataFrame(found, columns=METRIC)
    srm, both = _srm(experiment, sizes), crossed + also_crossed
    return Report(experiment, sizes, srm, both, result, alpha)


def metrics_of(
    experiment: Experiment,
    more: Sequence[str],
    lower: Collection[str],
    held: Collection[object],
) -> list[Metric]:
    """Return the metrics of a report: primary, guardrails, then what was asked for."""
    names = dict.fromkeys([experiment.primary, *experiment.guardrails, *more])
    if unknown := sorted({*lower} - {*names}):
        raise ValueError(
            f"{unknown[0]!r} is no metric of this report: {', '.join(names)}."
        )
    return [metric_of(name, held, lower) for name in names]


def _must_have(table: pd.DataFrame, names: Sequence[str]) -> None:
    """Refuse a table that lacks a column, or has one twice."""
    for name in names:
        many = int((table.columns == name).sum())
        if many != 1:
            said = "no column" if many == 0 else f"{many} columns"
            raise ValueError(
                f"the table has {said} {name!r}. It has: "
                f"{', '.join(map(str, table.columns)) or 'none'}."
            )


def _inside(
    experiment: Experiment, table: pd.DataFrame, unit: str, arm: str
) -> tuple[pd.DataFrame, int]:
    """Return the rows of units that are in one arm, and how many were in two."""
    rows = table.reset_index(drop=True)
    arms = rows[arm].astype(object)
    if arms.isna().any():
        raise ValueError(
            f"{arm} is missing in {int(arms.isna().sum())} of {len(rows)} rows. Write "
            "'' for a unit that is outside."
        )
    inside = arms != OUTSIDE
    strange = sorted({str(a) for a in arms[inside] if a not in experiment.arms})
    if strange:
        raise ValueError(
            f"the table has the unknown arm {strange[0]!r}; experiment "
            f"{experiment.name!r} has {', '.join(experiment.arms)}."
        )
    kept = rows[inside].assign(unit=_ids(rows[unit][inside], unit), arm=arms[inside])
    arms_of_unit = kept.groupby("unit")["arm"].nunique()
    crossed = arms_of_unit.index[arms_of_unit > 1]
    return kept[~kept["unit"].isin(crossed)], len(crossed)


def _ids(column: pd.Series, name: str) -> pd.Series:
    """Return the ids of units as texts, none of them missing or blank."""
    ids = column.astype(object)
    missing = ids.isna() | (ids.map(str).str.strip() == "")
    if missing.any():
        raise ValueError(
            f"{name} is missing in {int(missing.sum())} of {len(ids)} rows: a unit "
            "without an id cannot be counted. Find out why it was not logged."
        )
    return ids.map(str)


def _srm(experiment: Experiment, sizes: dict[str, int]) -> float | None:
    """Return the p-value of the sizes, exact for small ones of two arms."""
    if not sum(sizes.values()):
        return None
    exact = len(sizes) == 2 and needs_exact(sizes, experiment.weights)
    return (srm_exact if exact else srm_pvalue)(sizes, experiment.weights)

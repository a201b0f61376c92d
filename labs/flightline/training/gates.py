"""A gate: the questions that a model must answer before it may go live."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from flightline.features import FEATURES
from flightline.training.core import Floats, Integers
from flightline.training.data import days, labels
from flightline.training.intervals import interval
from flightline.training.metrics import auc, calibration_error, lead
from flightline.training.predictors import Predictor

AT_LEAST = {"baseline": 0.0, "slices": -0.03, "direction": 0.0}  # must be above
AT_MOST = {"calibration": 0.03, "features only": 1e-6, "row order": 1e-6}  # below


ORDER = ("baseline", "calibration", "slices", "features only", "row order", "direction")
QUEUES = ("origin_waiting", "origin_carrier_waiting")


def _worst_slice(
    scores: Floats,
    table: pd.DataFrame,
    day: Integers,
    by: Sequence[str],
    least: tuple[int, int],
) -> tuple[float, str]:
    """Return the smallest gain in AUC over the baseline in any slice, and where."""
    late, found = labels(table), {"no slice is large enough": np.inf}
    for name in by:
        for value in table[name].dropna().unique():
            rows = (table[name] == value).to_numpy()
            enough = rows.sum() >= least[0] and len(np.unique(day[rows])) >= least[1]
            if enough and 0 < late[rows].mean() < 1:
                new, old = (auc(score[rows], late[rows]) for score in scores)
                found[f"{name} {value}"] = new - old
    where = min(found, key=found.__getitem__)
    return float(found[where]), where


def _behaviour(model: Predictor, few: pd.DataFrame) -> dict[str, float]:
    """Return what changes when rows are blanked, shuffled, or given a longer queue."""
    score, order = model.predict(few), np.random.default_rng(0).permutation(len(few))
    alone = model.predict(few[FEATURES].reindex(columns=few.columns))
    shuffled = model.predict(few.iloc[order])
    longer = model.predict(few.assign(**(few[list(QUEUES)].astype(np.float64) + 10)))
    return {
        "features only": float(np.abs(alone - score).max()),
        "row order": float(np.abs(shuffled - score[order]).max()),
        "direction": float((longer - score).mean()),
    }


def gate(
    model: Predictor,
    table: pd.DataFrame,
    baseline: Predictor,
    *,
    by: Sequence[str] = ("origin", "carrier", "month"),
    least: int = 500,
    least_days: int = 10,
) -> pd.DataFrame:
    """Ask whether a model may go live.

    Parameters
    ----------
    model, baseline : Predictor
        The candidate, and what it must beat.
    table : DataFrame
        Labelled rows that neither was trained on.
    by : sequence of str
        Columns whose values are slices.
    least, least_days : int
        Slices of fewer rows, or with rows on fewer days, are left out.

    Returns
    -------
    DataFrame
        One row a check: `measured`, `limit`, `passed` and `where`. What is measured
        must be above AT_LEAST or below AT_MOST; equal, or NaN, does not pass. A model
        that gives a score that is no probability has NaN everywhere.

    Raises
    ------
    ValueError
        If there is no row, a label is missing, or a column of `by` is.
    """
    if missing := [name for name in by if name not in table.columns]:
        raise ValueError(f"the table lacks {missing[0]!r}, which `by` names.")
    late, day = labels(table), days(table)
    both = np.stack([each.predict(table) for each in (model, baseline)])
    where = {}
    if ((both >= 0) & (both <= 1)).all():
        measured = {
            "baseline": interval(lead, both, late, day, draws=100)[0],
            "calibration": calibration_error(both[0], late),
            "slices": np.nan,
            **_behaviour(model, table.iloc[::5]),
        }
        least_of = (least, least_days)
        measured["slices"], where["slices"] = _worst_slice(
            both, table, day, by, least_of
        )
    else:
        odd = int((~((both[0] >= 0) & (both[0] <= 1))).sum())
        measured = dict.fromkeys(ORDER, np.nan)
        where = dict.fromkeys(ORDER, f"{odd} scores are no probabilities")
    limits = {**AT_LEAST, **AT_MOST}
    report = pd.DataFrame({"measured": measured, "limit": limits}).loc[list(ORDER)]
    gap = report["measured"] - report["limit"]
    passed = np.where(report.index.isin(list(AT_LEAST)), gap > 0, gap < 0)
    return report.assign(passed=passed, where=[where.get(n, "") for n in ORDER])

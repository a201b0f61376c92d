"""Effects by segment, corrected for how many were looked at."""

from typing import Literal, TypeAlias

import numpy as np
import pandas as pd
from scipy import stats

from flightline.experiments.clustered import (
    Rows,
    difference,
    effect_of,
    must_have_clusters,
    read_rows,
)
from flightline.experiments.core import Floats
from flightline.experiments.effects import Effect, NotEstimable, mean_effect
from flightline.experiments.values import Values, as_codes, must_align, must_be_a_rate

Method: TypeAlias = Literal["holm", "bh"]

SEGMENT = [
    "treated",
    "control",
    "estimate",
    "low",
    "high",
    "pvalue",
    "adjusted",
    "verdict",
]
"""The columns of what `by_segment` returns."""


def by_segment(
    values: Values,
    treated: Values,
    segment: Values,
    *,
    cluster: Values | None = None,
    method: Method = "holm",
    alpha: float = 0.05,
    least: int = 100,
) -> pd.DataFrame:
    """Estimate the effect in each segment.

    Parameters
    ----------
    values : array_like, [rows]
        The metric; rows without one are left out.
    treated : array_like of bool, [rows]
        Whether the row's arm is the treatment.
    segment : array_like, [rows]
        Its segment, fixed before the exposure; never null.
    cluster : array_like, [rows], optional
        The unit that was assigned, where a row is smaller.
    method : {"holm", "bh"}
        Holm bounds the chance of any false verdict, Benjamini and Hochberg the share of
        false ones among the verdicts.
    alpha : float
        That bound, and one minus the coverage of each interval on its own.
    least : int
        Units that each arm of a segment needs for a verdict.

    Returns
    -------
    DataFrame
        One row a segment, by name: units of either arm, estimate with its interval,
        p-value, adjusted p-value, and the verdict: "higher", "lower", "not shown", or
        why there is none. Numbers are null where there is no verdict.

    Raises
    ------
    NotEstimable
        If an arm is empty or has no outcome yet in all segments together.
    ValueError
        If the columns do not align, or an argument is none.

    Notes
    -----
    The intervals are not corrected, and the best of many segments is too good: it was
    chosen for its luck as well.
    """
    must_be_a_rate("alpha", alpha)
    if method not in ("holm", "bh") or least < 2:
        raise ValueError(
            f"method={method!r}, least={least}: holm or bh, and 2 units or more."
        )
    must_align({"values": values, "segment": segment})
    codes, names = as_codes(segment, "segment")
    rows, place = _with_place(values, treated, cluster)
    found = [
        _judge(rows.part(codes[place] == code), least, alpha, cluster is not None)
        for code in range(len(names))
    ]
    table = pd.DataFrame(found, index=pd.Index(names, name="segment"))
    table["adjusted"] = _adjust(table["pvalue"].to_numpy(np.float64), method)
    judged = table["verdict"] == ""
    table.loc[judged, "verdict"] = _verdicts(table[judged], alpha)
    order = np.argsort(names.map(str).to_numpy(str), kind="stable")
    return table[SEGMENT].iloc[order]


def _with_place(
    values: Values, treated: Values, cluster: Values | None
) -> tuple[Rows, np.typing.NDArray[np.int64]]:
    """Return the rows with an outcome, and where each stood."""
    rows = read_rows(values, treated, None)
    place = rows.unit
    if cluster is not None:
        rows = read_rows(values, treated, cluster)
    return rows, place


def _judge(rows: Rows, least: int, alpha: float, clustered: bool) -> dict[str, object]:
    """Return one segment's numbers; a verdict only where there can be none."""
    sizes = [len(np.unique(rows.unit[a])) for a in (rows.treated, ~rows.treated)]
    row: dict[str, object] = dict(zip(("treated", "control"), sizes, strict=True))
    row |= dict.fromkeys(("estimate", "low", "high", "pvalue"), np.nan)
    if min(sizes) < least:
        return row | {"verdict": f"fewer than {least} units in an arm"}
    try:
        effect = _effect(rows, alpha, clustered)
    except NotEstimable as why:
        return row | {"verdict": why.state}
    numbers = ("estimate", "low", "high", "pvalue")
    return row | {name: getattr(effect, name) for name in numbers} | {"verdict": ""}


def _effect(rows: Rows, alpha: float, clustered: bool) -> Effect:
    """Return the effect of a segment, by Welch or by cluster."""
    if not clustered:
        return mean_effect(rows.values[rows.treated], rows.values[~rows.treated], alpha)
    must_have_clusters(rows)
    estimate, pull = difference(rows.values, rows.treated)
    return effect_of(estimate, pull, rows.unit, alpha)


def _adjust(pvalues: Floats, method: Method) -> Floats:
    """Adjust the p-values that are there."""
    adjusted = np.full(len(pvalues), np.nan)
    known = np.flatnonzero(~np.isnan(pvalues))
    if not len(known):
        return adjusted
    if method == "bh":
        adjusted[known] = stats.false_discovery_control(pvalues[known])
        return adjusted
    order = known[np.argsort(pvalues[known])]
    steps = pvalues[order] * np.arange(len(order), 0, -1)
    adjusted[order] = np.minimum(np.maximum.accumulate(steps), 1)
    return adjusted


def _verdicts(judged: pd.DataFrame, alpha: float) -> Floats:
    """Say of each segment whether its effect is shown, and its direction."""
    direction = np.where(judged["estimate"] > 0, "higher", "lower")
    return np.where(judged["adjusted"] <= alpha, direction, "not shown")

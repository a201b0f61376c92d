"""Performance by slices: a carrier that got worse while the whole did not."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import stats

from flightline.drift.columns import Integers, is_null
from flightline.drift.labels import METRICS, Names, by_days, change_of
from flightline.drift.thresholds import holm, must_be_a_rate

SLICE = [
    "rows before",
    "rows now",
    "before",
    "now",
    "value",
    "low",
    "high",
    "pvalue",
    "adjusted",
    "found",
    "why",
]
"""The columns of what `slices` returns."""

BY_SLICE = ["gap", "auc", "log_loss"]
"""What can be judged in a slice."""

MOST = 100
"""The most values of a column that makes slices."""

WHOLE = ("all rows", "")
"""The first row: both tables as a whole."""


class _Law(NamedTuple):
    """What is judged, and what a slice must have for that."""

    names: Names
    metric: str
    rows: int
    days: int


def slices(
    before: pd.DataFrame,
    now: pd.DataFrame,
    by: Sequence[str],
    *,
    metric: str = "gap",
    score: str = "score",
    label: str = "late",
    blocks: str = "date",
    alpha: float = 0.05,
    least_rows: int = 200,
    least_days: int = 7,
) -> pd.DataFrame:
    """Compare a model in two periods, slice by slice.

    Parameters
    ----------
    before, now : DataFrame
        As in `worse`, with the columns `by`. Rows without a score or a label are left
        out.
    by : sequence of str, or str
        Columns; each value of each of them is a slice, and null is one. Values that
        read the same, such as 1 and "1", are one slice. Bin a number first.
    metric : {"gap", "auc", "log_loss"}
        What is compared. For the gap it is its size that can get worse.
    score, label, blocks : str
        The names of these columns.
    alpha : float
        The chance that any slice is found by chance, over all slices (Holm). They may
        overlap.
    least_rows, least_days : int
        A slice with fewer, in either period, gets no verdict, and `why` says so.

    Returns
    -------
    DataFrame
        By column and value, all rows first, the columns SLICE: the metric `before` and
        `now`; `value`, its change; `low` and `high`, by day, which hold for all slices
        at once (Bonferroni); the two-sided p-value alone and `adjusted`; `found`:
        worse. The whole is judged by itself, at alpha.

    Raises
    ------
    ValueError
        As in `worse`, if a column of `by` is missing, is nested or has more than MOST
        values, or the metric is another one.

    Notes
    -----
    A slice is found more easily the larger it is, and a fault of a small slice hardly
    moves the whole: that is why both are looked at. A column is best chosen before the
    labels are seen; each further one makes the correction harsher for all.
    """
    if metric not in BY_SLICE:
        raise ValueError(f"metric={metric!r} must be one of {', '.join(BY_SLICE)}.")
    must_be_a_rate(alpha)
    law = _Law(Names(score, label, blocks), metric, least_rows, max(least_days, 7))
    sides = _known(before, law.names), _known(now, law.names)
    parts = {WHOLE: sides} | dict(_parts(*sides, by))
    table = pd.DataFrame([_change(*part, law) for part in parts.values()])
    index = pd.MultiIndex.from_tuples(parts, names=["column", "slice"])
    return _judged(table.set_axis(index, axis=0), metric, alpha)


def _known(table: pd.DataFrame, names: Names) -> pd.DataFrame:
    """Return the rows with a score and a label; the table must bear a verdict."""
    by_days(table, names)
    return table[~is_null(table[names.score]) & ~is_null(table[names.label])]


def _parts(
    before: pd.DataFrame, now: pd.DataFrame, by: Sequence[str]
) -> Iterator[tuple[tuple[str, str], tuple[pd.DataFrame, pd.DataFrame]]]:
    """Yield the name of each slice and its rows in both periods."""
    for column in [by] if isinstance(by, str) else by:
        if column not in before or column not in now:
            raise ValueError(f"{column!r} is missing: it is to make slices.")
        both = pd.concat([before[column], now[column]]).astype(object)
        codes, levels = _levels(column, both.mask(both.isna(), "null"))
        if len(levels) > MOST:
            raise ValueError(
                f"{column!r} has {len(levels)} values: at most {MOST} make slices. "
                "Bin it, or join the rare ones."
            )
        old, new = np.split(codes, [len(before)])
        for code, level in enumerate(levels):
            yield (column, level), (before[old == code], now[new == code])


def _levels(name: str, values: pd.Series) -> tuple[Integers, list[str]]:
    """Give the values of a column numbers; those that read the same are one level."""
    try:
        codes, levels = pd.factorize(values)
    except TypeError as error:
        raise ValueError(f"{name!r} holds nested values: no slices.") from error
    same, texts = pd.factorize(np.array([*map(str, levels)], dtype=object))
    return same[codes], list(texts)


def _change(before: pd.DataFrame, now: pd.DataFrame, law: _Law) -> dict[str, object]:
    """Return the change of one slice, or why it has none."""
    row: dict[str, object] = {"rows before": len(before), "rows now": len(now)}
    if why := _too_few(before, now, law):
        return row | {"why": why}
    old, new = (by_days(side, law.names) for side in (before, now))
    moved, k = change_of(old, new, base_rate=0.5), METRICS.index(law.metric)
    parts = ("before", "after", "value", "error", "degrees")
    found = {part: float(getattr(moved, part)[k]) for part in parts}
    if not found["error"] > 0:
        return row | {"why": "one class alone, or no day differs"}
    return row | found | {"now": found["after"], "why": ""}


def _too_few(before: pd.DataFrame, now: pd.DataFrame, law: _Law) -> str:
    """Say what a slice lacks, or nothing."""
    for when, side in (("before", before), ("now", now)):
        days = side[law.names.blocks].nunique()
        for size, least, what in (
            (len(side), law.rows, "rows"),
            (days, law.days, "days"),
        ):
            if size < least:
                return f"{size} {what} {when}: fewer than {least}"
    return ""


def _judged(table: pd.DataFrame, metric: str, alpha: float) -> pd.DataFrame:
    """Add intervals and verdicts; the whole is judged by itself."""
    table = table.reindex(columns=[*SLICE, "error", "degrees"])
    at = table.index != WHOLE
    several = max(int(table.loc[at, "error"].notna().sum()), 1)
    rate = np.where(at, alpha / several, alpha)
    half = stats.t.isf(rate / 2, table["degrees"]) * table["error"]
    table["low"], table["high"] = table["value"] - half, table["value"] + half
    size = (table["value"] / table["error"]).abs()
    table["pvalue"] = 2 * stats.t.sf(size, table["degrees"])
    table["adjusted"] = np.where(at, holm(table["pvalue"].where(at)), table["pvalue"])
    worse = table["value"] < 0 if metric == "auc" else table["value"] > 0
    table["found"] = worse & (table["adjusted"] <= alpha)
    return table[SLICE]

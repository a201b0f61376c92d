"""The report: every feature with its distance, its threshold and the evidence."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import special, stats

from flightline.drift.bins import (
    Column,
    awake,
    bins_used,
    log_ratio,
    profile,
    shares,
)
from flightline.drift.columns import (
    Floats,
    Integers,
    as_frame,
    difference,
    known_floats,
)
from flightline.drift.days import by_block, deal_blocks, deal_rows, must_name_blocks
from flightline.drift.distances import largest_gap, psi_of
from flightline.drift.pooling import Shared, expected, in_shared_bins
from flightline.drift.thresholds import holm, must_be_a_rate

REPORT = [
    "psi",
    "bins",
    "threshold",
    "effect",
    "ks",
    "pvalue",
    "adjusted",
    "drifted",
    "evidence",
]
"""The columns of a report."""

TRUSTED = 50
"""Rows a bin from which on the chi-squared law is trusted; below, rows are dealt."""

FEW = 10
"""Deals beyond the PSI below which a fitted tail is finer than their share."""


def report(
    reference: pd.DataFrame,
    current: pd.DataFrame,
    *,
    bins: int = 10,
    alpha: float = 0.05,
    blocks: str | None = None,
    draws: int = 1999,
    seed: int = 0,
) -> pd.DataFrame:
    """Compare every feature, each with a threshold and the evidence.

    Parameters
    ----------
    reference, current : DataFrame
        Features, and the column `blocks`, if it is named.
    bins : int
        As in `profile`. A category has the levels of both samples. Bins that expect
        fewer than five rows in the smaller sample are pooled.
    alpha : float
        The chance of any false alarm, over all features (Holm).
    blocks : str, optional
        A column that names the day of each row, or another cluster; it may hold times.
        Whole blocks are then dealt out at random, `draws` times. Without it, rows are
        independent: the law of PSI is chi-squared, and where a bin expects fewer than
        50 rows, rows are dealt out instead.
    draws, seed : int
        Of the random deals. With f features, a p-value of alpha / f needs f / alpha
        draws.

    Returns
    -------
    DataFrame
        By feature, the columns REPORT: `bins` in use; `threshold` of a test of this
        feature alone; `effect`: PSI by chance, over that of independent rows; `ks`: the
        largest gap of the cumulative shares, null for categories. A null PSI stands for
        a column that cannot be compared, which has drifted; a null p-value for too few
        rows, or one value alone.

    Raises
    ------
    ValueError
        If a sample has no rows, `blocks` is no column of both, a column of the
        reference holds times (dates as texts as well) or lists, `draws` is below 1, or
        alpha is not between 0 and 1.
    """
    must_be_a_rate(alpha)
    if draws < 1:
        raise ValueError(f"draws={draws}: at least one deal shows what chance does.")
    before = as_frame(reference, "reference")
    after = as_frame(current, "current sample")
    if blocks is not None:
        must_name_blocks(before, blocks)
        must_name_blocks(after, blocks)
    made = profile(before.drop(columns=[blocks] if blocks in before else []), bins)
    faults = {name: difference(name, one.kind, after) for name, one in made.items()}
    good = {name: made[name] for name, fault in faults.items() if not fault}
    rows = _rows(good, before, after, _Law(alpha, blocks, draws, seed)) if good else {}
    blank = dict.fromkeys(REPORT[:-2], np.nan)
    whole = {
        n: rows.get(n, {**blank, "evidence": fault}) for n, fault in faults.items()
    }
    table = pd.DataFrame(whole).T.reindex(columns=REPORT).rename_axis("feature")
    table[REPORT[:-2]] = table[REPORT[:-2]].astype(np.float64)
    table["adjusted"] = holm(table["pvalue"])
    table["drifted"] = table["psi"].isna() | (table["adjusted"] <= alpha)
    return table


class _Law(NamedTuple):
    """What a report takes for chance."""

    alpha: float
    blocks: str | None
    draws: int
    seed: int


def _rows(
    made: Mapping[str, Column], before: pd.DataFrame, after: pd.DataFrame, law: _Law
) -> dict[str, dict[str, object]]:
    """Return what `report` says about the columns that can be compared."""
    days = None
    if law.blocks is not None:
        days = [pd.factorize(side[law.blocks])[0] for side in (before, after)]
    all_shared, by_day, gaps = list[Shared](), list[Integers](), list[float]()
    for name, column in made.items():
        awakened, found = awake(column, after[name])
        shared = in_shared_bins(awakened, found)
        all_shared.append(shared)
        gaps.append(_gap(awakened, found))
        if days is not None:
            old = awake(shared.column, before[name])[1]
            by_day.append(_by_day(shared, days, (old, found)))
    dealt: list[Floats | None] = [None] * len(made)
    if days is not None:
        size = int(days[1].max()) + 1
        dealt = list(deal_blocks(by_day, size, law.draws, law.seed).T)
    return {
        name: _row(shared, null, gap, law)
        for name, shared, null, gap in zip(made, all_shared, dealt, gaps, strict=True)
    }


def _gap(column: Column, found: pd.Series) -> float:
    """Return the largest gap of the cumulative shares; null for categories."""
    if column.levels is not None:
        return float("nan")
    now = known_floats(found)
    if not len(now) or not len(column.known):
        return float("nan")
    return largest_gap(np.sort(column.known), np.sort(now))


def _by_day(
    shared: Shared, days: list[Integers], sides: tuple[pd.Series, pd.Series]
) -> Integers:
    """Count the pooled bins of one column by day, the days of both samples."""
    width = len(shared.pair.before)
    return np.concatenate(
        [
            by_block(which, shared.place[shared.column.codes(side)], width)
            for which, side in zip(days, sides, strict=True)
        ]
    )


def _row(
    shared: Shared, by_day: Floats | None, gap: float, law: _Law
) -> dict[str, object]:
    """Return one row of the report."""
    found, used = float(psi_of(shared.pair)), int(bins_used(shared.pair))
    limit = effect = pvalue = np.nan
    if used >= 2:
        limit, effect, pvalue = _judge(shared, found, by_day, law)
    row = [found, used, limit, effect, gap, pvalue, np.nan, False, _evidence(shared)]
    return dict(zip(REPORT, row, strict=True))


def _judge(
    shared: Shared, found: float, by_day: Floats | None, law: _Law
) -> tuple[float, float, float]:
    """Return threshold, effect and p-value of one column with two bins or more."""
    pair, degrees = shared.pair, int(bins_used(shared.pair)) - 1
    scale = float(1 / pair.before.sum() + 1 / pair.after.sum())
    if by_day is not None:
        beyond = int((by_day >= found - 1e-12).sum())
        limit = float(np.quantile(by_day, 1 - law.alpha, method="higher"))
        effect = float(by_day.mean()) / (degrees * scale)
        return limit, effect, (1 + beyond) / (len(by_day) + 1)
    if expected(pair).min() >= TRUSTED:
        limit = float(special.chdtri(degrees, law.alpha)) * scale
        return limit, 1.0, float(special.chdtrc(degrees, found / scale))
    dealt = deal_rows(pair, law.draws, law.seed)
    limit = float(np.quantile(dealt, 1 - law.alpha, method="higher"))
    return limit, 1.0, _tail(dealt, found)


def _tail(dealt: Floats, found: float) -> float:
    """Return how often chance makes a PSI as large, from rows dealt at random.

    Far out, a gamma law of the same mean and variance says more than the deals.
    """
    beyond = int((dealt >= found - 1e-12).sum())
    share = (1 + beyond) / (len(dealt) + 1)
    mean, variance = float(dealt.mean()), float(dealt.var())
    if beyond >= FEW or not variance > 0:
        return share
    fitted = stats.gamma.sf(found, mean**2 / variance, scale=variance / mean)
    return min(share, float(fitted))


def _evidence(shared: Shared) -> str:
    """Say which bin of a column changed most, after the pooling of bins."""
    p, q = shares(shared.pair)
    if len(p) < 2:
        one = bins_used(shared.raw) < 2
        return "one value alone, before and now" if one else "too few rows to tell"
    most = int(np.argmax((q - p) * log_ratio(q, p)))
    inside, unseen = shared.place == most, shared.is_unseen()
    old, new = shared.raw
    if new[inside & unseen].sum() * 2 > new[inside].sum():
        inside, such = unseen, shared.column.label(int(np.argmax(new * unseen)))
        name = f"unseen values, such as {such!r}"
    else:
        filled = np.flatnonzero(inside & (old + new > 0))
        name = "rare values" if len(filled) > 1 else shared.column.label(int(filled[0]))
    before, after = (side[inside].sum() / side.sum() for side in shared.raw)
    return f"{name}: {before:.1%} of the rows before, {after:.1%} now"

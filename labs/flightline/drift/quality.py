"""Data checks: columns, nulls, infinities, range, categories that nobody has seen."""

from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import special, stats

from flightline.drift.columns import (
    Floats,
    Integers,
    Kind,
    as_floats,
    as_frame,
    is_null,
    kind_of,
)
from flightline.drift.days import must_name_blocks
from flightline.drift.thresholds import must_be_a_rate

CHECK = ["metric", "subject", "value", "low", "high", "false_alarm", "found"]
"""The columns of all that is watched. A null limit is none on that side."""

SCHEMA = ("missing column", "new column", "changed type")
"""The checks of columns as such."""

WIDE = 20_000
"""From so many unseen rows by chance on, their law is taken as normal."""


class _Case(NamedTuple):
    """One check of one column: hits before and now, and the limit if it is known."""

    subject: str
    metric: str
    before: int
    now: int
    limit: int | None = None


class _Sides(NamedTuple):
    """One column of both samples, with the day of each row if days are counted."""

    before: pd.Series
    after: pd.Series
    days: tuple[pd.Series, pd.Series] | None


def quality(
    reference: pd.DataFrame,
    current: pd.DataFrame,
    *,
    alpha: float = 0.05,
    blocks: str | None = None,
) -> pd.DataFrame:
    """Check rows against the reference: columns, nulls, infinities, range, categories.

    Parameters
    ----------
    reference, current : DataFrame
        Features. A current sample without rows is a finding of its own. Of times and
        of lists, only presence, kind and nulls are checked.
    alpha : float
        The chance of any false finding, shared by the checks.
    blocks : str, optional
        A column that names the day of each row; it may hold times. Then days are
        counted, not rows, and the rate holds for days that could have come in any
        order.

    Returns
    -------
    DataFrame
        One row a check, with the columns CHECK: the share of the current rows (or
        days) that are out of order, the limit, and the false-alarm rate of this check
        alone. It is 0 for columns, and for infinities where the reference has none.

    Raises
    ------
    ValueError
        If the reference has no row, a column stands twice, `blocks` is no column of
        both, or alpha is not between 0 and 1.
    """
    must_be_a_rate(alpha)
    before = as_frame(reference, "reference")
    if not len(current):
        return pd.DataFrame([["rows", "", 0.0, 1.0, np.nan, 0.0, True]], columns=CHECK)
    after = as_frame(current, "current sample")
    days = None
    if blocks is not None:
        must_name_blocks(before, blocks)
        must_name_blocks(after, blocks)
        days = before[blocks], after[blocks]
    bad = _schema(before, after)
    rows: list[list[object]] = [[bad[n], n, 1.0, 0.0, 0.0, 0.0, True] for n in bad]
    names = [name for name in before if name not in bad and name != blocks]
    each = alpha / max(sum(len(_metrics_of(before[n], after[n])) for n in names), 1)
    cases = [
        case
        for name in names
        for case in _cases(name, _Sides(before[name], after[name], days), each)
    ]
    rows += _judged(cases, before, after, days, each)
    return pd.DataFrame(rows, columns=CHECK).astype({"found": bool})


def _judged(
    cases: list[_Case],
    before: pd.DataFrame,
    after: pd.DataFrame,
    days: tuple[pd.Series, pd.Series] | None,
    each: float,
) -> list[list[object]]:
    """Hold every case against its limit."""
    n, m = len(before), len(after)
    if days is not None:
        n, m = days[0].nunique(), days[1].nunique()
    limits = _most_hits([case.before for case in cases], n, m, each)
    rows: list[list[object]] = []
    for case, most in zip(cases, limits, strict=True):
        size, high, rate = m, int(most), each
        if case.limit is not None:
            high = case.limit
        if case.metric == "infinite" and not case.before:
            high, rate = 0, 0.0  # even one is new
        share = [case.now / size, 0.0, high / size]
        rows.append([case.metric, case.subject, *share, rate, case.now > high])
    return rows


def _schema(before: pd.DataFrame, after: pd.DataFrame) -> dict[str, str]:
    """Return what is wrong with columns that are missing, new, or of another kind."""
    found = {name: "new column" for name in after if name not in before}
    for name in before:
        if name not in after:
            found[name] = "missing column"
        elif _changed(kind_of(before[name]), kind_of(after[name])):
            found[name] = "changed type"
    return found


def _changed(was: Kind, now: Kind) -> bool:
    """Tell whether a column holds another kind; one without values holds none."""
    return "empty" not in (was, now) and was != now


def _metrics_of(one: pd.Series, two: pd.Series) -> list[str]:
    """Return the checks that two columns of one kind allow."""
    kinds = {kind_of(one), kind_of(two)} - {"empty"}
    if "number" in kinds:
        known = kind_of(one) == "number"
        ranges = ["below range", "above range"] if known else []
        return ["nulls", "infinite", *ranges]
    return ["nulls", "unseen"] if "category" in kinds else ["nulls"]


def _cases(name: str, sides: _Sides, alpha: float) -> list[_Case]:
    """Count what is out of order in one column."""
    metrics = _metrics_of(sides.before, sides.after)
    nulls = _day_nulls(sides) if sides.days else _row_nulls(sides)
    cases = [_Case(name, "nulls", *nulls)]
    if "unseen" in metrics:
        cases.append(_day_unseen(name, sides) if sides.days else
                     _row_unseen(name, sides, alpha))  # fmt: skip
    if "infinite" in metrics:
        cases += _range_cases(name, sides, "below range" in metrics)
    return cases


def _row_nulls(sides: _Sides) -> tuple[int, int]:
    """Return how many rows are null, before and now."""
    return int(is_null(sides.before).sum()), int(is_null(sides.after).sum())


def _day_nulls(sides: _Sides) -> tuple[int, int]:
    """Return 0, and how many days have more nulls than all days of the reference."""
    old, new = (
        pd.Series(is_null(side)).groupby(pd.factorize(day)[0]).mean()
        for side, day in zip(sides[:2], sides.days or (), strict=True)
    )
    return 0, int((new > old.max()).sum())


def _range_cases(name: str, sides: _Sides, ranged: bool) -> list[_Case]:
    """Count infinities, and rows (or days) beyond the range of the reference."""
    old, new = as_floats(sides.before), as_floats(sides.after)
    cases = [_Case(name, "infinite", *_infinite(sides, old, new))]
    if not ranged:
        return cases
    below, above = new < np.nanmin(old), new > np.nanmax(old)
    for metric, beyond in (("below range", below), ("above range", above)):
        hits = int(beyond.sum())
        if sides.days:
            hits = int(sides.days[1][beyond].nunique())
        cases.append(_Case(name, metric, 0, hits))
    return cases


def _infinite(sides: _Sides, *values: Floats) -> list[int]:
    """Count the rows, or the days, with infinities, before and now."""
    hits = [np.isinf(side) for side in values]
    if sides.days is None:
        return [int(side.sum()) for side in hits]
    return [
        int(day[side].nunique()) for day, side in zip(sides.days, hits, strict=True)
    ]


def _day_unseen(name: str, sides: _Sides) -> _Case:
    """Count the days with a level that no other day of the reference has."""
    one, two = (side.astype(object) for side in sides[:2])
    days = sides.days
    assert days is not None
    where = days[0].groupby(one).nunique()
    lone = days[0][one.isin(where.index[where == 1])].nunique()
    unseen = two.notna() & ~two.isin(where.index)
    return _Case(name, "unseen", int(lone), int(days[1][unseen].nunique()))


def _row_unseen(name: str, sides: _Sides, alpha: float) -> _Case:
    """Count the rows with a level that the reference does not have."""
    one, two = (side.astype(object) for side in sides[:2])
    old, new = (side.groupby(side, sort=False).size() for side in (one, two))
    unseen = int(new[~new.index.isin(old.index)].sum())
    both = old.add(new, fill_value=0).to_numpy(np.int64)
    most = _most_unseen(both, len(one), len(two), alpha)
    return _Case(name, "unseen", int((old == 1).sum()), unseen, most)


def _most_unseen(both: Integers, n: int, m: int, alpha: float) -> int:
    """Return how many rows may have a level of their own sample alone, by chance.

    Parameters
    ----------
    both : array of int64
        The rows of each level in both samples together.
    n, m : int
        The rows of the reference and of the current sample.
    alpha : float
        The probability that more come, if the n + m rows came in any order.

    Returns
    -------
    int
        A level of c rows lies wholly in the current sample with a known probability,
        and then all c rows are unseen: they come in clumps. Levels are taken as
        independent of each other.
    """
    size, levels = np.unique(both[both <= m], return_counts=True)
    chance = np.exp(
        special.gammaln(m + 1.0)
        - special.gammaln(m - size + 1.0)
        + special.gammaln(n + m - size + 1.0)
        - special.gammaln(n + m + 1.0)
    )
    likely = chance * levels > 1e-9
    size, levels, chance = size[likely], levels[likely], chance[likely]
    mean = float((size * levels * chance).sum())
    spread = float(np.sqrt((size**2 * levels * chance * (1 - chance)).sum()))
    if mean > WIDE:
        return int(np.ceil(mean + float(stats.norm.isf(alpha)) * spread))
    most = mean + 12 * spread + 30 * float(size.max(initial=1))
    width = 2 ** int(np.ceil(np.log2(most + 2)))
    turn = 2j * np.pi * np.arange(width) / width
    wave = np.ones(width, np.complex128)
    for c, many, p in zip(size, levels, chance, strict=True):
        wave *= (1 - p + p * np.exp(c * turn)) ** many
    law = np.clip(np.fft.fft(wave).real / width, 0, None)
    beyond = np.append(np.cumsum(law[::-1])[::-1][1:], 0.0)
    return int(np.argmax(beyond <= alpha))


def _most_hits(hits: list[int], n: int, m: int, alpha: float) -> Integers:
    """Return the most hits that m units may have, after so many in n.

    Fisher's exact test, turned round: more come with a probability of at most alpha,
    if the n + m units could have come in any order.
    """
    known = np.asarray(hits, np.int64)
    low, high = np.zeros_like(known), np.full_like(known, m + 1)
    while (low < high).any():
        now = (low + high) // 2
        tail = stats.hypergeom.sf(now - 1, n + m, np.minimum(known + now, n + m), m)
        over = (tail <= alpha) | (now > m)
        low, high = np.where(over, low, now + 1), np.where(over, now, high)
    return np.asarray(low - 1)

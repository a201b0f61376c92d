# Do not edit: exported from labs/12_drift.ipynb.
# Change the lab, then run `make export`.

"""Lab 12: monitoring and drift."""

__all__ = [
    "CHECK",
    "METRICS",
    "REPORT",
    "Column",
    "Floats",
    "Integers",
    "Limits",
    "Pair",
    "Reference",
    "Test",
    "Values",
    "bins_used",
    "block_counts",
    "block_null",
    "chi2",
    "counts",
    "cut_points",
    "holm",
    "is_number",
    "js",
    "kl",
    "ks",
    "largest_gap",
    "log_ratio",
    "mature",
    "next_step",
    "performance",
    "pool",
    "profile",
    "psi",
    "psi_threshold",
    "quality",
    "rank_limits",
    "read_metrics",
    "report",
    "rows_needed",
    "shares",
    "wasserstein",
    "worse",
    "write_metrics",
]

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import pandas as pd
from scipy import special, stats

Floats: TypeAlias = np.typing.NDArray[np.float64]
Integers: TypeAlias = np.typing.NDArray[np.int64]
Values: TypeAlias = pd.DataFrame | pd.Series | np.typing.ArrayLike


def is_number(column: pd.Series) -> bool:
    """Tell whether a column is binned as numbers; the others are categories.

    Raises
    ------
    ValueError
        If it holds times: they always move on. Their age is a number.
    """
    kind = column.dtype
    if pd.api.types.is_datetime64_any_dtype(kind) or kind.kind == "m":
        raise ValueError(
            f"{column.name!r} holds times ({kind}), which always move on. "
            "Compare an age, or the hour of the day, as a number."
        )
    return pd.api.types.is_numeric_dtype(kind) and not pd.api.types.is_bool_dtype(kind)


def _frame(values: Values, role: str) -> pd.DataFrame:
    """Return values as a table of one column or more, and refuse an empty one."""
    table: pd.DataFrame = values
    if not isinstance(values, pd.DataFrame):
        one = values if isinstance(values, pd.Series) else pd.Series(values)
        table = one.to_frame("value" if one.name is None else one.name)
    if not len(table):
        raise ValueError(f"the {role} has no rows: there is nothing to compare.")
    doubled = table.columns[table.columns.duplicated()]
    if len(doubled):
        raise ValueError(f"the {role} has two columns {doubled[0]!r}. Rename one.")
    texts = all(isinstance(name, str) for name in table.columns)
    return table if texts else table.set_axis(table.columns.map(str), axis=1)


def _floats(column: pd.Series) -> Floats:
    """Return the numbers of a column, null as NaN."""
    return np.asarray(column.to_numpy(dtype=np.float64, na_value=np.nan))


def cut_points(values: Floats, bins: int) -> Floats:
    """Cut numbers into bins of about equally many.

    Parameters
    ----------
    values : array of float64
        Without nulls. Infinite values are allowed.
    bins : int
        At most so many bins; the outer two are open.

    Returns
    -------
    array of float64
        The upper ends of all bins but the last; a bin includes its upper end. A value
        that fills a bin or more gets a bin of its own. A constant gets the bins below,
        at and above it.

    Examples
    --------
    >>> cut_points(np.array([0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 2.0]), 4).tolist()
    [0.0]
    """
    if bins < 2:
        raise ValueError(f"bins={bins} cannot tell two samples apart. Use 10.")
    if not len(values) or values.min() == values.max():
        return np.array(
            [np.nextafter(values[0], -np.inf), values[0]] if len(values) else []
        )
    place = -(-np.arange(1, bins) * len(values) // bins) - 1
    ends = np.partition(values, place)[place]
    heavy = np.append(ends[1:][ends[1:] == ends[:-1]], ends[ends == values.max()])
    below = [values[values < v].max() for v in np.unique(heavy) if v > values.min()]
    cuts = np.unique(np.append(ends, below))
    return np.asarray(cuts[cuts < values.max()])


@dataclass(frozen=True)
class Column:
    """What is kept of one column of the reference: its bins, and its numbers.

    The bins of a number end at `cuts`; those of a category are its `levels` and one
    for all unseen values. The last bin holds the nulls. `known` are the numbers.
    """

    name: str
    levels: pd.Index | None
    cuts: Floats
    known: Floats
    counts: Integers

    def codes(self, found: pd.Series) -> Integers:
        """Return the bin of every value of a column of this kind."""
        if self.levels is None:
            values = _floats(found)
            bins = np.searchsorted(self.cuts, values, side="left")
            return np.where(np.isnan(values), len(self.cuts) + 1, bins)
        codes, values = pd.factorize(found)
        known = self.levels.get_indexer(pd.Index(values).astype(object))
        unseen, null = len(self.levels), len(self.levels) + 1
        return np.asarray(np.append(np.where(known < 0, unseen, known), null)[codes])

    def label(self, position: int) -> str:
        """Name a bin."""
        if position == len(self.counts) - 1:
            return "null"
        if self.levels is not None:
            return str([*self.levels, "unseen values"][position])
        low, high = np.append(-np.inf, self.cuts), np.append(self.cuts, np.inf)
        return f"({low[position]:.4g}, {high[position]:.4g}]"


class Pair(NamedTuple):
    """Counts of two samples in the same bins, one row a column; bins are padded."""

    before: np.typing.NDArray[Any]
    after: np.typing.NDArray[Any]


Reference: TypeAlias = Values | Mapping[str, Column]


def profile(reference: Values, bins: int = 10) -> dict[str, Column]:
    """Bin each column of the reference once, to compare many samples with it.

    Parameters
    ----------
    reference : DataFrame, Series or array
        At least one row. Numbers are cut at quantiles; booleans, texts and other
        values are categories.
    bins : int
        The most bins of a number, besides the one for nulls.

    Returns
    -------
    dict of str to Column
        In the order of the columns. Every function here takes it for the reference.

    Raises
    ------
    ValueError
        If there is no row, a column stands twice or holds times, or `bins` is below 2.
    """
    made, none = dict[str, Column](), np.array([], np.float64)
    for name, column in _frame(reference, "reference").items():
        if is_number(column):
            known = _known(column)
            cuts = cut_points(known, bins)
            filled = _number_counts(cuts, known, len(column))
            made[str(name)] = Column(str(name), None, cuts, known, filled)
            continue
        levels = pd.Index(pd.factorize(column)[1]).astype(object)
        empty = Column(str(name), levels, none, none, np.array([], np.int64))
        made[str(name)] = replace(empty, counts=_count(empty, column))
    return made


def _known(column: pd.Series) -> Floats:
    """Return the numbers of a column, without nulls."""
    values = _floats(column)
    return values[~np.isnan(values)]


def _number_counts(cuts: Floats, known: Floats, rows: int) -> Integers:
    """Count numbers in bins; the rows without a number are null."""
    until = [np.count_nonzero(known <= cut) for cut in cuts]
    filled = np.diff([0, *until, len(known)])
    return np.append(filled, rows - len(known)).astype(np.int64)


def _count(column: Column, found: pd.Series) -> Integers:
    """Count the values of a column in the bins."""
    if column.levels is None:
        return _number_counts(column.cuts, _known(found), len(found))
    return np.bincount(column.codes(found), minlength=len(column.levels) + 2)


def _fault(column: Column, table: pd.DataFrame) -> str:
    """Say why a column of the current sample cannot be compared, or nothing."""
    if column.name not in table:
        return "missing from the current sample"
    kinds = {True: "a number", False: "a category"}
    found, was = table[column.name], column.levels is None
    known = column.counts[:-1].any() and found.notna().any()
    if was != is_number(found) and known:
        return f"{kinds[was]} in the reference, {kinds[not was]} ({found.dtype}) now"
    return ""


def _paired(
    reference: Reference, current: Values, bins: int = 10
) -> list[tuple[Column, pd.Series]]:
    """Return each column of the reference with its column of the current sample."""
    made = reference if isinstance(reference, Mapping) else profile(reference, bins)
    table = _frame(current, "current sample")
    if not isinstance(current, pd.DataFrame) and len(made) == 1:
        table = table.set_axis(list(made), axis=1)
    for name, column in made.items():
        if fault := _fault(column, table):
            raise ValueError(f"{name!r}: {fault}.")
    empty = pd.Series(np.nan, table.index, dtype=np.float64)
    same = {
        name: is_number(table[name]) == (made[name].levels is None) for name in made
    }
    return [(made[name], table[name] if same[name] else empty) for name in made]


def counts(reference: Reference, current: Values, bins: int = 10) -> Pair:
    """Count two samples in the bins of the first.

    Parameters
    ----------
    reference : DataFrame, Series, array, or what `profile` returned
        The sample that makes the bins.
    current : of the same kind
        A table may hold more columns than the reference; they are left out.
    bins : int
        As in `profile`; not used if the reference is one.

    Returns
    -------
    Pair of arrays of int64
        `before` and `after`, each [columns, bins]. A column's bins are followed by one
        for nulls; further places, up to the widest column, hold 0.

    Raises
    ------
    ValueError
        If there is no row, a column is missing, or it is a number in one sample and
        a category in the other.
    """
    columns = _paired(reference, current, bins)
    width = max(len(column.counts) for column, _ in columns)
    pair = Pair(*(np.zeros((len(columns), width), np.int64) for _ in range(2)))
    for row, (column, found) in enumerate(columns):
        pair.before[row, : len(column.counts)] = column.counts
        pair.after[row, : len(column.counts)] = _count(column, found)
    return pair


def shares(pair: Pair) -> tuple[Floats, Floats]:
    """Turn counts into shares; a bin that is empty on one side counts half a row.

    Parameters
    ----------
    pair : Pair
        What `counts` returned.

    Returns
    -------
    tuple of two arrays of float64
        Shares before and after, which add up to 1 in each row. A bin that is empty on
        both sides has share 0 in both.
    """
    used = (pair.before + pair.after) > 0
    filled = [np.where(used, np.maximum(side, 0.5), 0.0) for side in pair]
    before, after = (side / side.sum(axis=-1, keepdims=True) for side in filled)
    return before, after


def log_ratio(above: Floats, below: Floats) -> Floats:
    """Return log(above / below), and 0 where one of them is 0."""
    used = (above > 0) & (below > 0)
    return np.asarray(np.log(np.where(used, above, 1.0) / np.where(used, below, 1.0)))


def _answer(reference: Reference, values: Floats, name: str) -> float | pd.Series:
    """Return one number for one sample, and a Series by column for a table."""
    if isinstance(reference, pd.DataFrame | Mapping):
        return pd.Series(values, [str(c) for c in reference], name=name)
    return float(values[0])


def bins_used(pair: Pair) -> Integers:
    """Return, for each column, the number of bins that hold a row on either side."""
    return np.asarray(((pair.before + pair.after) > 0).sum(axis=-1))


def psi(reference: Reference, current: Values, bins: int = 10) -> float | pd.Series:
    """Measure how far the current sample is from the reference, in any direction.

    Parameters
    ----------
    reference, current, bins
        As in `counts`: the reference makes the bins, nulls have one of their own, and
        a bin that is empty on one side counts half a row there.

    Returns
    -------
    float, or Series of float64 by column
        The sum over bins of (q - p) log(q / p), with shares p before and q after. It is
        0 for equal shares, and has no upper limit.

    Examples
    --------
    >>> round(psi(["a", "a", "b", "b"], ["a", "b", "b", "b"]), 3)
    0.275
    """
    p, q = shares(counts(reference, current, bins))
    return _answer(reference, ((q - p) * log_ratio(q, p)).sum(axis=-1), "psi")


def kl(reference: Reference, current: Values, bins: int = 10) -> float | pd.Series:
    """Return the Kullback-Leibler divergence of the current sample, in nats.

    Parameters
    ----------
    reference, current, bins
        As in `psi`.

    Returns
    -------
    float, or Series of float64 by column
        The sum of q log(q / p). The other direction is PSI minus this.
    """
    p, q = shares(counts(reference, current, bins))
    return _answer(reference, (q * log_ratio(q, p)).sum(axis=-1), "kl")


def js(reference: Reference, current: Values, bins: int = 10) -> float | pd.Series:
    """Return the Jensen-Shannon distance, from 0 to sqrt(log 2).

    Parameters
    ----------
    reference, current, bins
        As in `psi`, but an empty bin stays empty.

    Returns
    -------
    float, or Series of float64 by column
        The root of the mean divergence of both samples from their middle.
    """
    pair = counts(reference, current, bins)
    p, q = (side / side.sum(axis=-1, keepdims=True) for side in pair)
    middle = (p + q) / 2
    both = p * log_ratio(p, middle) + q * log_ratio(q, middle)
    return _answer(reference, np.sqrt(np.maximum(both.sum(axis=-1) / 2, 0)), "js")


class Test(NamedTuple):
    """A statistic, and how often chance alone makes it as large."""

    statistic: float
    pvalue: float


def _tests(reference: Reference, found: Sequence[Test]) -> Test | pd.DataFrame:
    """Return one test for one sample, and a table by column for a table."""
    if not isinstance(reference, pd.DataFrame | Mapping):
        return found[0]
    return pd.DataFrame(found, [str(n) for n in reference], columns=list(Test._fields))


def chi2(reference: Reference, current: Values, bins: int = 10) -> Test | pd.DataFrame:
    """Test whether both samples fill the bins alike (Pearson's chi-squared).

    Parameters
    ----------
    reference, current, bins
        As in `psi`, but no bin is filled up. Both samples count as random.

    Returns
    -------
    Test, or DataFrame by column
        `statistic` and `pvalue`. With a single bin in use there is nothing to test:
        0 and 1.
    """
    pair = counts(reference, current, bins)
    both, total = (
        (pair.before + pair.after).astype(np.float64),
        np.zeros(len(pair.before)),
    )
    for side in pair:
        expected = both * side.sum(axis=-1, keepdims=True) / both.sum(-1, keepdims=True)
        total += ((side - expected) ** 2 / np.where(expected > 0, expected, 1)).sum(-1)
    degrees = bins_used(pair) - 1
    tail = np.where(degrees > 0, special.chdtrc(np.maximum(degrees, 1), total), 1.0)
    found = zip(total.tolist(), tail.tolist(), strict=True)
    return _tests(reference, [Test(*one) for one in found])


def _numbers(
    reference: Reference, current: Values, what: str
) -> list[tuple[Floats, Floats]]:
    """Return the sorted numbers of both samples, for each column."""
    pairs = []
    for column, found in _paired(reference, current, 2):
        if column.levels is not None:
            raise ValueError(f"{column.name!r} is a category: no {what}. Use chi2.")
        pairs.append((np.sort(column.known), np.sort(_known(found))))
        if not all(map(len, pairs[-1])):
            raise ValueError(f"{column.name!r} has only nulls on one side: no {what}.")
    return pairs


def ks(reference: Reference, current: Values) -> Test | pd.DataFrame:
    """Test numbers for any difference of distribution (Kolmogorov and Smirnov).

    Parameters
    ----------
    reference, current
        As in `psi`; categories have no order, and are refused. Nulls are left out:
        watch them with `chi2`, or with `quality`.

    Returns
    -------
    Test, or DataFrame by column
        `statistic`: the largest gap of the two cumulative shares; `pvalue`: two-sided,
        for large samples, and on the safe side if values are tied. From 50,000
        effective rows on, nm / (n + m), it is the limit with a correction.

    Raises
    ------
    ValueError
        If a column is a category, or holds no number in one of the samples.
    """
    found = []
    for one, two in _numbers(reference, current, "ks"):
        gap, size = largest_gap(one, two), len(one) * len(two) / (len(one) + len(two))
        tail = stats.kstwo.sf(gap, max(round(size), 1)) if size < 50_000 else 0.0
        if size >= 50_000:  # the exact tail takes time that grows with the rows
            tail = special.kolmogorov(np.sqrt(size) * gap + 1 / (6 * np.sqrt(size)))
        found.append(Test(gap, float(np.clip(tail, 0, 1))))
    return _tests(reference, found)


def largest_gap(one: Floats, two: Floats) -> float:
    """Return the largest gap of the cumulative shares of two sorted samples."""
    gaps = []
    for values, other in ((one, two), (two, one)):
        last = np.append(values[1:] != values[:-1], True)
        below = np.searchsorted(other, values[last], side="right") / len(other)
        gaps.append(np.abs((np.flatnonzero(last) + 1) / len(values) - below).max())
    return float(max(gaps))


def wasserstein(reference: Reference, current: Values) -> float | pd.Series:
    """Return how far values moved on average, in the unit of the column.

    Parameters
    ----------
    reference, current
        As in `ks`. Infinite values are refused: they are infinitely far away.

    Returns
    -------
    float, or Series of float64 by column
        The area between the two cumulative shares.
    """
    areas = []
    for sides in _numbers(reference, current, "wasserstein"):
        values = np.sort(np.concatenate(sides))
        if np.isinf(values[[0, -1]]).any():
            raise ValueError("wasserstein: infinite values. Drop or mend them first.")
        one, two = (
            np.searchsorted(s, values[:-1], side="right") / len(s) for s in sides
        )
        areas.append(float(np.sum(np.abs(one - two) * np.diff(values))))
    return _answer(reference, np.array(areas), "wasserstein")


def psi_threshold(n: float, m: float, bins: int = 10, alpha: float = 0.05) -> float:
    """Return the PSI that samples without drift exceed with probability alpha.

    Parameters
    ----------
    n, m : float
        Rows of the reference and of the current sample.
    bins : int
        Bins really in use, the one for nulls included, if it is.
    alpha : float
        The false-alarm rate.

    Returns
    -------
    float
        The upper quantile of chi-squared with bins - 1 degrees of freedom, times
        1/n + 1/m. Trust it from about 50 rows a bin in the smaller sample.

    Raises
    ------
    ValueError
        If there are no rows, fewer than two bins, or alpha is not strictly between 0
        and 1.

    Examples
    --------
    >>> round(psi_threshold(500, 500), 3)
    0.068
    """
    if not (n > 0 and m > 0):
        raise ValueError(f"n={n} and m={m}: both samples need rows.")
    if bins < 2:
        raise ValueError(f"bins={bins}: with one bin there is nothing to compare.")
    if not 0 < alpha < 1:
        raise ValueError(f"alpha={alpha} is not strictly between 0 and 1.")
    return float(stats.chi2.ppf(1 - alpha, bins - 1) * (1 / n + 1 / m))


def holm(pvalues: np.typing.ArrayLike) -> Floats:
    """Adjust p-values, so that the chance of any false alarm is at most alpha.

    Parameters
    ----------
    pvalues : array_like of float
        One for each feature; a null stands for no test, and stays.

    Returns
    -------
    array of float64
        Compare each with alpha. At most 1.

    Examples
    --------
    >>> holm([0.04, 0.01, 0.5]).tolist()
    [0.08, 0.03, 0.5]
    """
    raw = np.asarray(pvalues, np.float64)
    adjusted = np.full(len(raw), np.nan)
    order = np.argsort(raw)[: int((~np.isnan(raw)).sum())]
    steps = raw[order] * np.arange(len(order), 0, -1)
    adjusted[order] = np.minimum(np.maximum.accumulate(steps), 1)
    return adjusted


def block_counts(
    reference: Mapping[str, Column], current: pd.DataFrame, blocks: str
) -> Integers:
    """Count the rows of each block in the bins of a reference.

    Parameters
    ----------
    reference : dict of str to Column
        What `profile` returned.
    current : DataFrame
        With its columns, and one that names the block of each row, such as the date.
    blocks : str
        The name of that column; it has no nulls.

    Returns
    -------
    array of int64, [blocks, columns, bins]
        The blocks in order of appearance.
    """
    if blocks not in current or current[blocks].isna().any():
        raise ValueError(f"blocks={blocks!r} must be a column without nulls.")
    which, names = pd.factorize(current[blocks])
    columns = _paired(reference, current)
    width = max(len(column.counts) for column, _ in columns)
    found = np.zeros((len(names), len(columns), width), np.int64)
    for row, (column, values) in enumerate(columns):
        place = which * width + column.codes(values)
        found[:, row] = np.bincount(place, minlength=len(names) * width).reshape(
            -1, width
        )
    return found


def block_null(
    before: Integers, after: Integers, draws: int = 1999, seed: int = 0
) -> Floats:
    """Return the PSI of blocks that are dealt out at random, column by column.

    Parameters
    ----------
    before, after : arrays of int64, [blocks, columns, bins]
        What `block_counts` returned for the two samples.
    draws : int
        How often the blocks are dealt out again, as many to each side as there are.
    seed : int
        Of the random numbers.

    Returns
    -------
    array of float64, [draws, columns]
        PSI without drift, whatever ties the rows of a block together.
    """
    blocks = np.concatenate([before, after])
    used = blocks.sum(axis=0) > 0
    width = used.sum(axis=1)
    start, flat = np.cumsum(width) - width, blocks[:, used].astype(np.float64)
    places = np.tile(np.arange(len(blocks)), (draws, 1))
    mine = np.random.default_rng(seed).permuted(places, axis=1) < len(after)
    new = mine.astype(np.float64) @ flat
    sides = [np.maximum(side, 0.5) for side in (flat.sum(axis=0) - new, new)]
    totals = [np.add.reduceat(side, start, axis=1) for side in sides]
    p, q = (
        side / np.repeat(total, width, axis=1)
        for side, total in zip(sides, totals, strict=True)
    )
    return np.asarray(np.add.reduceat((q - p) * np.log(q / p), start, axis=1))


def pool(pair: Pair, *more: Integers, least: float = 5) -> list[np.typing.NDArray[Any]]:
    """Merge, for each column, the bins that expect too few rows into one.

    Parameters
    ----------
    pair : Pair
        What `counts` returned.
    *more : arrays of int64, [..., columns, bins]
        Further counts to merge in the same way.
    least : float
        The fewest rows that a bin may expect in the smaller sample, without drift.

    Returns
    -------
    list of arrays
        Before, after, and the further ones, of the same totals. Of the merged bins,
        the first holds the sum and the others 0.
    """
    both = (pair.before + pair.after).astype(np.float64)
    sizes = [side.sum(axis=-1, keepdims=True) for side in pair]
    rare = (both * np.minimum(*sizes) / (sizes[0] + sizes[1]) < least) & (both > 0)
    first = rare & (np.cumsum(rare, axis=-1) == 1)
    totals = [
        np.where(rare, one, 0).sum(axis=-1, keepdims=True) for one in (*pair, *more)
    ]
    return [
        np.where(first, t, np.where(rare, 0, one))
        for one, t in zip((*pair, *more), totals, strict=True)
    ]


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


def report(
    reference: pd.DataFrame, current: pd.DataFrame, *, bins: int = 10,
    alpha: float = 0.05, blocks: str | None = None, draws: int = 1999, seed: int = 0,
) -> pd.DataFrame:  # fmt: skip
    """Compare every feature, each with a threshold and the evidence.

    Parameters
    ----------
    reference, current : DataFrame
        Features, and the column `blocks`, if it is named.
    bins : int
        As in `profile`. Bins that expect fewer than five rows are pooled.
    alpha : float
        The chance of any false alarm, over all features (Holm).
    blocks : str, optional
        A column that names the day of each row, or another cluster. Whole blocks are
        then dealt out at random, `draws` times. Without it, rows are independent.
    draws, seed : int
        Of the random deals.

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
        If a sample has no rows, or `blocks` is no column of both.
    """
    before, after = _frame(reference, "reference"), _frame(current, "current sample")
    made = profile(before.drop(columns=[blocks] if blocks in before else []), bins)
    faults = {name: _fault(column, after) for name, column in made.items()}
    good = {name: made[name] for name, fault in faults.items() if not fault}
    rows = _compare(good, before, after, alpha, (blocks, draws, seed)) if good else {}
    blank = dict.fromkeys(REPORT[:-2], np.nan)
    whole = {
        n: rows.get(n, {**blank, "evidence": fault}) for n, fault in faults.items()
    }
    table = pd.DataFrame(whole).T.reindex(columns=REPORT).rename_axis("feature")
    table[REPORT[:-2]] = table[REPORT[:-2]].astype(np.float64)
    table["adjusted"] = holm(table["pvalue"])
    table["drifted"] = table["psi"].isna() | (table["adjusted"] <= alpha)
    return table


def _evidence(column: Column, raw: Pair, pair: Pair, row: int) -> str:
    """Say which bin of a column changed most, after the pooling of bins."""
    p, q = (side[row] for side in shares(pair))
    if (p + q > 0).sum() < 2:
        return (
            "one value alone, before and now"
            if bins_used(raw)[row] < 2
            else "too few rows to tell"
        )
    most = int(np.argmax((q - p) * log_ratio(q, p)))
    before, after = (side[row, most] / side[row].sum() for side in pair)
    merged = any(
        one[row, most] != whole[row, most] for one, whole in zip(raw, pair, strict=True)
    )
    name = "rare values" if merged else column.label(most)
    return f"{name}: {before:.1%} of the rows before, {after:.1%} now"


def _compare(
    made: Mapping[str, Column], before: pd.DataFrame, after: pd.DataFrame, alpha: float,
    null: tuple[str | None, int, int],
) -> dict[str, dict[str, object]]:  # fmt: skip
    """Return what `report` says about the columns that can be compared."""
    blocks, raw = null[0], counts(made, after)
    each = (
        []
        if blocks is None
        else [block_counts(made, side, blocks) for side in (before, after)]
    )
    old, new, *days = pool(raw, *each)
    pair = Pair(old, new)
    p, q = shares(pair)
    found, used = ((q - p) * log_ratio(q, p)).sum(axis=-1), bins_used(pair)
    scale = 1 / pair.before.sum(axis=-1) + 1 / pair.after.sum(axis=-1)
    degrees = np.maximum(used - 1, 1)
    limit, effect = special.chdtri(degrees, alpha) * scale, np.ones(len(used))
    pvalue = special.chdtrc(degrees, found / scale)
    if blocks is not None:
        dealt = block_null(days[0], days[1], *null[1:])
        limit = np.quantile(dealt, 1 - alpha, axis=0, method="higher")
        effect = dealt.mean(axis=0) / (degrees * scale)
        pvalue = (1 + (dealt >= found - 1e-12).sum(axis=0)) / (len(dealt) + 1)
    table = np.stack([limit, effect, pvalue])
    table[:, used < 2] = np.nan
    rows = dict[str, dict[str, object]]()
    for k, (column, values) in enumerate(_paired(made, after)):
        now = _known(values) if column.levels is None else column.known
        sides = np.sort(column.known), np.sort(now)
        gap = largest_gap(*sides) if len(now) and len(column.known) else np.nan
        row = [
            found[k],
            used[k],
            *table[:2, k],
            gap,
            table[2, k],
            np.nan,
            False,
            _evidence(column, raw, pair, k),
        ]
        rows[column.name] = dict(zip(REPORT, row, strict=True))
    return rows


CHECK = ["metric", "subject", "value", "low", "high", "false_alarm", "found"]
"""The columns of all that is watched. A null limit is none on that side."""


def _most_hits(hits: np.typing.ArrayLike, n: int, m: int, alpha: float) -> Integers:
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
    return low - 1


def _schema(before: pd.DataFrame, after: pd.DataFrame) -> dict[str, str]:
    """Return what is wrong with columns that are missing, new, or of another kind."""
    found = {name: "new column" for name in after if name not in before}
    for name in before:
        if name not in after:
            found[name] = "missing column"
        elif _changed(before[name], after[name]):
            found[name] = "changed type"
    return found


def _changed(one: pd.Series, two: pd.Series) -> bool:
    """Tell whether one column holds numbers and the other categories."""
    return bool(
        one.notna().any() and two.notna().any() and is_number(one) != is_number(two)
    )


def _row_hits(one: pd.Series, two: pd.Series) -> dict[str, tuple[int, int]]:
    """Return how many rows of a column are out of order, before and now."""
    hits = {"nulls": (int(one.isna().sum()), int(two.isna().sum()))}
    if not is_number(one) or not is_number(two):
        unseen = two.notna() & ~two.isin(one.dropna().unique())
        return hits | {
            "unseen": (int((one.value_counts() == 1).sum()), int(unseen.sum()))
        }
    old, new = _floats(one), _floats(two)
    hits["infinite"] = int(np.isinf(old).sum()), int(np.isinf(new).sum())
    if not np.isnan(old).all():
        hits["below range"] = 0, int((new < np.nanmin(old)).sum())
        hits["above range"] = 0, int((new > np.nanmax(old)).sum())
    return hits


def _day_hits(
    one: pd.Series, two: pd.Series, days: tuple[pd.Series, pd.Series]
) -> dict[str, tuple[int, int]]:
    """Return how many days of a column are more extreme than all reference days."""
    nulls = [
        side.isna().groupby(day).mean()
        for side, day in zip((one, two), days, strict=True)
    ]
    hits = {"nulls": (0, int((nulls[1] > nulls[0].max()).sum()))}
    if not is_number(one) or not is_number(two):
        where = days[0].groupby(one, observed=True).nunique()
        lone = days[0][one.isin(where.index[where == 1])].nunique()
        unseen = two.notna() & ~two.isin(where.index)
        return hits | {"unseen": (lone, days[1][unseen].nunique())}
    old, new = (
        side.groupby(day).agg(["min", "max"])
        for side, day in zip((one, two), days, strict=True)
    )
    hits["infinite"] = _row_hits(one, two)["infinite"]
    hits["below range"] = 0, int((new["min"] < old["min"].min()).sum())
    hits["above range"] = 0, int((new["max"] > old["max"].max()).sum())
    return hits


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
        Features. A current sample without rows is a finding of its own.
    alpha : float
        The chance of any false finding, shared by the checks.
    blocks : str, optional
        A column that names the day of each row. Then days are counted, not rows, and
        the rate holds for days that could have come in any order.

    Returns
    -------
    DataFrame
        One row a check, with the columns CHECK: the share of the current rows (or
        days) that are out of order, the limit, and the false-alarm rate of this check
        alone. It is 0 for columns, and for infinities where the reference has none.

    Raises
    ------
    ValueError
        If the reference has no row, a column stands twice or holds times, or `blocks`
        is no column of both.
    """
    before = _frame(reference, "reference")
    if not len(current):
        return pd.DataFrame([["rows", "", 0.0, 1.0, np.nan, 0.0, True]], columns=CHECK)
    after = _frame(current, "current sample")
    if blocks is not None and not all(
        blocks in t and t[blocks].notna().all() for t in (before, after)
    ):
        raise ValueError(f"blocks={blocks!r} must be a column without nulls.")
    bad = _schema(before, after)
    rows: list[list[Any]] = [[bad[n], n, 1.0, 0.0, 0.0, 0.0, True] for n in bad]
    names = [name for name in before if name not in bad and name != blocks]
    days = None if blocks is None else (before[blocks], after[blocks])
    found = {
        n: _day_hits(before[n], after[n], days)
        if days
        else _row_hits(before[n], after[n])
        for n in names
    }
    cases = [
        (name, metric, *hits) for name in names for metric, hits in found[name].items()
    ]
    n, m = (len(t) if blocks is None else t[blocks].nunique() for t in (before, after))
    each = alpha / max(len(cases), 1)
    limits = _most_hits([case[2] for case in cases], n, m, each)
    for (name, metric, old, now), most in zip(cases, limits, strict=True):
        never = metric == "infinite" and not old
        size, high, rate = (
            (len(after), 0, 0.0)
            if metric == "infinite" and never
            else (m, int(most), each)
        )
        rows.append([metric, name, now / size, 0.0, high / size, rate, now > high])
    return pd.DataFrame(rows, columns=CHECK)


METRICS = ["log_loss", "skill", "auc", "gap", "calibration_error"]


def _day_sums(
    scored: pd.DataFrame, names: tuple[str, str, str]
) -> tuple[Floats, Floats]:
    """Return, by day, counts by score (in thousandths) and label, and log-loss."""
    score, label, blocks = names
    known = scored[scored[label].notna() & scored[score].notna()]
    value, late = (known[name].to_numpy(np.float64) for name in (score, label))
    if not len(known) or value.min() < 0 or value.max() > 1:
        raise ValueError(f"{score!r} must be probabilities, some with a label.")
    day, days = pd.factorize(known[blocks])
    if len(days) < 7:
        raise ValueError(f"{len(days)} days with labels: wait for seven.")
    level = np.rint(value * 1000).astype(np.int64)
    place = (day * 1001 + level) * 2 + late.astype(np.int64)
    table = np.bincount(place, minlength=len(days) * 2002).reshape(-1, 1001, 2)
    sure = np.clip(np.where(late > 0, value, 1 - value), 1e-15, 1)
    losses = np.bincount(day, weights=-np.log(sure), minlength=len(days))
    return table.astype(np.float64), np.asarray(losses, np.float64)


def _metrics(table: Floats, loss: Floats, base_rate: float) -> Floats:
    """Return METRICS of counts [draws, levels, labels] and total log-losses."""
    on_time, late = table[:, :, 0], table[:, :, 1]
    both, positives, negatives = on_time + late, late.sum(axis=1), on_time.sum(axis=1)
    rows, pairs = positives + negatives, positives * negatives
    below = np.cumsum(on_time, axis=1) - on_time / 2
    auc = (late * below).sum(axis=1) / np.where(pairs > 0, pairs, np.nan)
    gaps = both * (np.arange(1001) / 1000) - late
    tenth = np.minimum(10 * (np.cumsum(both[0]) - both[0] / 2) // rows[0], 9)
    by_tenth = np.stack([gaps[:, tenth == k].sum(axis=1) for k in range(10)])
    blind = -(positives * np.log(base_rate) + negatives * np.log(1 - base_rate))
    error = np.abs(by_tenth).sum(axis=0) / rows
    return np.stack(
        [loss / rows, 1 - loss / blind, auc, gaps.sum(axis=1) / rows, error]
    )


def _drawn(
    scored: pd.DataFrame,
    base_rate: float,
    names: tuple[str, str, str],
    draws: int,
    seed: int,
) -> Floats:
    """Return METRICS of the rows, and of days drawn with return: [metric, draw]."""
    table, losses = _day_sums(scored, names)
    days = len(losses)
    dealt = np.random.default_rng(seed).multinomial(
        days, np.full(days, 1 / days), draws
    )
    weights = np.vstack([np.ones(days), dealt])
    new = (weights @ table.reshape(days, -1)).reshape(-1, 1001, 2)
    return _metrics(new, weights @ losses, base_rate)


def performance(
    scored: pd.DataFrame, *, base_rate: float, score: str = "score",
    label: str = "late", blocks: str = "date", alpha: float = 0.05, draws: int = 400,
    seed: int = 0,
) -> pd.DataFrame:  # fmt: skip
    """Measure a model on rows whose labels are mature, with intervals by day.

    Parameters
    ----------
    scored : DataFrame
        Scores (probabilities, used to three decimals but for the log-loss), labels
        (true, false, or null: left out), and the day of each row; seven days or more.
    base_rate : float
        What a constant model would answer: the share of positives in training.
    score, label, blocks : str
        The names of these columns.
    alpha : float
        One minus the level of the intervals.
    draws, seed : int
        Of the bootstrap, which draws whole days.

    Returns
    -------
    DataFrame
        `value`, `low`, `high` for each of METRICS, null for the AUC of one class or
        where a draw has one class alone: `skill` is the share of the constant
        model's log-loss that is saved; `gap` the mean score minus the share of
        positives; `calibration_error` the mean size of the gap over tenths by score.
    """
    found = _drawn(scored, base_rate, (score, label, blocks), draws, seed)
    low, high = np.quantile(found[:, 1:], [alpha / 2, 1 - alpha / 2], axis=1)
    return pd.DataFrame({"value": found[:, 0], "low": low, "high": high}, index=METRICS)


def worse(
    before: pd.DataFrame, after: pd.DataFrame, *, base_rate: float,
    score: str = "score", label: str = "late", blocks: str = "date",
    alpha: float = 0.05, draws: int = 400, seed: int = 0,
) -> pd.DataFrame:  # fmt: skip
    """Compare a model in two periods, by the change of each metric.

    Parameters
    ----------
    before, after : DataFrame
        As in `performance`; the periods are drawn independently.
    base_rate, score, label, blocks, draws, seed
        As in `performance`.
    alpha : float
        Twice the rate at which a metric is found worse by chance; for `gap` it may come
        up to alpha, if there was none before: then both signs are worse.

    Returns
    -------
    DataFrame
        `value`, `low`, `high` of the change (for `gap`, of its size), and `found`:
        the interval lies wholly on the worse side.
    """
    old, new = (
        _drawn(side, base_rate, (score, label, blocks), draws, seed + k)
        for k, side in enumerate((before, after))
    )
    gap = METRICS.index("gap")
    for side in (old, new):  # the sign of the rows: that of each draw would fold noise
        side[gap] *= np.copysign(1, side[gap, 0])
    change = new - old
    low, high = np.quantile(change[:, 1:], [alpha / 2, 1 - alpha / 2], axis=1)
    found = np.where(np.isin(METRICS, ["skill", "auc"]), high < 0, low > 0)
    columns = {"value": change[:, 0], "low": low, "high": high, "found": found}
    return pd.DataFrame(columns, index=METRICS)


class Limits(NamedTuple):
    """What a number stays within, and how often chance alone leaves it."""

    low: float
    high: float
    false_alarm: float


def rank_limits(history: np.typing.ArrayLike, alpha: float = 0.05) -> Limits:
    """Set limits for the next value of a series from the values that it had.

    Parameters
    ----------
    history : array_like of float
        At least two values that could have come in any order; nulls are left out.
    alpha : float
        The highest false-alarm rate that is wanted.

    Returns
    -------
    Limits
        The r-th smallest and the r-th largest of k values, and the probability
        2r/(k + 1) that the next lies outside. r is the largest rank that keeps alpha,
        and at least 1: with a short history the rate is above alpha.

    Raises
    ------
    ValueError
        If fewer than two values are known, or alpha is no probability.

    Examples
    --------
    >>> rank_limits([3, 1, 2, 5, 4], alpha=0.4).high
    5.0
    """
    values = np.sort(np.asarray(history, np.float64))
    size = int((~np.isnan(values)).sum())
    if size < 2 or not 0 < alpha < 1:
        raise ValueError(
            f"{size} known values, alpha={alpha}: two and a rate are needed."
        )
    rank = min(max(int(alpha * (size + 1) / 2 + 1e-9), 1), size // 2)
    return Limits(
        float(values[rank - 1]), float(values[size - rank]), 2 * rank / (size + 1)
    )


_TABLE = """CREATE TABLE IF NOT EXISTS metrics (at TEXT, metric TEXT, subject TEXT,
    value REAL, low REAL, high REAL, false_alarm REAL, found INTEGER,
    PRIMARY KEY (at, metric, subject))"""


def write_metrics(store: Path | str, at: pd.Timestamp, *tables: pd.DataFrame) -> int:
    """Write findings to a metrics store; the same moment and subject is replaced.

    Parameters
    ----------
    store : path
        A SQLite file; it is made if it does not exist.
    at : Timestamp
        When this was measured, with a time zone.
    *tables : DataFrame
        With the columns CHECK, as `quality` and the others return them.

    Returns
    -------
    int
        The number of rows given.
    """
    if at.tzinfo is None:
        raise ValueError(f"at={at} has no time zone. Use UTC.")
    moment, whole = (
        at.tz_convert("UTC").isoformat(),
        pd.concat([t[CHECK] for t in tables]),
    )
    clean = (
        whole.astype(object)
        .where(whole.notna(), None)
        .assign(found=whole["found"].astype(int))
    )
    rows = [(moment, *row) for row in clean.itertuples(index=False)]
    with sqlite3.connect(store) as base:
        base.execute(_TABLE)
        base.executemany(
            "INSERT OR REPLACE INTO metrics VALUES (?,?,?,?,?,?,?,?)", rows
        )
    base.close()
    return len(rows)


def read_metrics(store: Path | str, metric: str | None = None) -> pd.DataFrame:
    """Read a metrics store, all of it or one metric, in the order of time.

    Parameters
    ----------
    store : path
        What `write_metrics` made.
    metric : str, optional
        Such as "psi".

    Returns
    -------
    DataFrame
        `at` (UTC) and the columns CHECK.
    """
    if not Path(store).is_file():
        raise ValueError(f"there is no metrics store {Path(store).name!r}.")
    base = sqlite3.connect(store)
    table = pd.read_sql_query(
        "SELECT * FROM metrics ORDER BY at, metric, subject", base
    )
    base.close()
    table = table.assign(
        at=pd.to_datetime(table["at"], utc=True), found=table["found"] > 0
    )
    return table if metric is None else table[table["metric"] == metric]


def rows_needed(
    drift: float, bins: int = 10, alpha: float = 0.05, power: float = 0.8
) -> int:
    """Return how many rows each sample needs to see a drift of this size.

    Parameters
    ----------
    drift : float
        The true PSI, without noise; above 0.
    bins : int
        Bins in use.
    alpha : float
        The false-alarm rate.
    power : float
        The chance of an alarm that is wanted, above alpha and below 1.

    Returns
    -------
    int
        The smallest number of rows, the same in both samples. Below about 50 rows a bin
        it is rough: for a drift of 1 it says 32, where the power is nearer to 0.7.

    Raises
    ------
    ValueError
        If `drift` is not above 0, or `power` is not between alpha and 1.
    """
    if not drift > 0:
        raise ValueError(f"drift={drift}: no number of rows can see what is not there.")
    if not alpha < power < 1:
        raise ValueError(f"power={power} must lie between alpha={alpha} and 1.")

    def sees(rows: int) -> bool:
        """Tell whether so many rows are enough."""
        limit = psi_threshold(rows, rows, bins, alpha) / (2 / rows)
        return bool(stats.ncx2.sf(limit, bins - 1, drift * rows / 2) >= power)

    high = 2
    while not sees(high):
        high *= 2
    low = high // 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if sees(middle) else (middle, high)
    return high


def mature(scored: pd.DataFrame, now: pd.Timestamp, wait: pd.Timedelta) -> pd.DataFrame:
    """Return the rows that are old enough to be judged, with the labels known by now.

    Parameters
    ----------
    scored : DataFrame
        With `prediction_time`, `label_time` (null: never known) and `late` (boolean).
    now : Timestamp
        The moment of the judgement.
    wait : Timedelta
        The age from which on labels count as complete.

    Returns
    -------
    DataFrame
        The rows predicted at or before `now - wait`, in their order, with all columns;
        `late` is null where it was not known by `now`.
    """
    old = scored[scored["prediction_time"] <= now - wait]
    return old.assign(late=old["late"].where(old["label_time"] <= now))


def next_step(broken: bool, drifted: bool, worse: bool | None) -> str:
    """Decide what to do from what the watchers found.

    Parameters
    ----------
    broken : bool
        Whether data checks found a fault: columns, nulls, range, freshness, volume.
    drifted : bool
        Whether a feature or the score drifted beyond its threshold.
    worse : bool or None
        Whether performance on mature labels is worse beyond its interval; None if no
        label is mature yet.

    Returns
    -------
    {"continue", "investigate", "retrain"}
    """
    if broken:
        return "investigate"
    if worse is None:
        return "investigate" if drifted else "continue"
    return "retrain" if worse else "continue"

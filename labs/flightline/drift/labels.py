"""Performance by labels: which rows may be judged, how good, and whether worse.

Days are the independent units. Intervals come from leaving out one day at a time, with
Student's law for few days; a calibration error, which noise alone makes larger in a
shorter period, is held against what noise makes.
"""

from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import stats

from flightline.drift.columns import KINDS, Floats, Integers, as_floats, kind_of
from flightline.drift.thresholds import must_be_a_rate

METRICS = ["log_loss", "skill", "auc", "gap", "calibration_error"]
"""What is measured of a model."""

LEVELS = 1_001
"""Scores are counted in thousandths."""

ENOUGH = 7
"""The fewest days that are judged."""

ROWS = 200
"""The fewest rows whose calibration error is judged: twenty in each tenth."""


class Names(NamedTuple):
    """The names of three columns."""

    score: str = "score"
    label: str = "late"
    blocks: str = "date"


class _Days(NamedTuple):
    """Counts [days, scores, labels] and total log-losses [days]."""

    table: Floats
    loss: Floats


def known_labels(column: pd.Series) -> Floats:
    """Return labels as 0, 1 and NaN.

    Parameters
    ----------
    column : Series
        Booleans, or the numbers 0 and 1; null for a label that is not known.

    Returns
    -------
    array of float64

    Raises
    ------
    ValueError
        If there is anything else.
    """
    kind, name = kind_of(column), column.name
    if kind == "empty":
        return np.full(len(column), np.nan)
    if kind == "category" and _are_booleans(column):
        values = column.astype("boolean").to_numpy(np.float64, na_value=np.nan)
        return np.asarray(values)
    if kind != "number":
        raise ValueError(
            f"{name!r} holds {KINDS[kind]} ({column.dtype}). A label is true, false, "
            "1, 0 or null."
        )
    values = as_floats(column)
    wrong = values[~np.isnan(values) & (values != 0) & (values != 1)]
    if len(wrong):
        raise ValueError(
            f"{name!r} holds {wrong[0]:g} in {len(wrong)} of {len(values)} rows. A "
            "label is true, false, 1, 0 or null."
        )
    return values


def _are_booleans(column: pd.Series) -> bool:
    """Tell whether a column holds true and false, whatever its type."""
    if pd.api.types.is_bool_dtype(column.dtype):
        return True
    return all(isinstance(v, bool | np.bool_) for v in column.dropna().unique())


def by_days(scored: pd.DataFrame, names: Names) -> _Days:
    """Count a scored table by day, score and label.

    Parameters
    ----------
    scored : DataFrame
        As in `performance`.
    names : Names

    Returns
    -------
    _Days

    Raises
    ------
    ValueError
        As in `performance`.
    """
    score, label, blocks = names
    missing = [name for name in names if name not in scored]
    if missing:
        raise ValueError(f"{missing[0]!r} is missing: it is needed to judge a model.")
    late = known_labels(scored[label])
    kind = kind_of(scored[score])
    if kind not in ("number", "empty"):
        raise ValueError(f"{score!r} holds {KINDS[kind]}: it must be probabilities.")
    value = np.full(len(scored), np.nan)
    if kind == "number":
        value = as_floats(scored[score])
    known = ~np.isnan(late) & ~np.isnan(value)
    value, late, when = value[known], late[known], scored[blocks][known]
    if not len(value):
        raise ValueError(f"no row has both a score {score!r} and a label {label!r}.")
    if value.min() < 0 or value.max() > 1:
        raise ValueError(
            f"{score!r} must be probabilities: found {value.min()} to {value.max()}."
        )
    day = pd.factorize(when)[0]
    days = int(day.max()) + 1
    if days < ENOUGH:
        raise ValueError(f"{days} days with scores and labels: wait for seven.")
    level = np.rint(value * (LEVELS - 1)).astype(np.int64)
    place = (day * LEVELS + level) * 2 + late.astype(np.int64)
    table = np.bincount(place, minlength=days * LEVELS * 2).reshape(-1, LEVELS, 2)
    sure = np.clip(np.where(late > 0, value, 1 - value), 1e-15, 1)
    losses = np.bincount(day, weights=-np.log(sure), minlength=days)
    return _Days(table.astype(np.float64), np.asarray(losses, np.float64))


def _tenths(both: Floats) -> Integers:
    """Return the tenth, by rows, that each score belongs to."""
    middle = np.cumsum(both) - both / 2
    return np.asarray(np.minimum(10 * middle // both.sum(), 9), np.int64)


def _gaps(table: Floats) -> Floats:
    """Return, by score, what was promised minus what came; labels are last."""
    both, late = table.sum(axis=-1), table[..., 1]
    return np.asarray(both * (np.arange(LEVELS) / (LEVELS - 1)) - late)


def _in_tenths(values: Floats, tenth: Integers) -> Floats:
    """Add up values by score, [..., scores], over tenths."""
    return np.stack([values[..., tenth == k].sum(axis=-1) for k in range(10)], axis=-1)


def _metrics(table: Floats, loss: Floats, base_rate: float) -> Floats:
    """Return METRICS of counts [draws, scores, labels] and total log-losses."""
    on_time, late = table[:, :, 0], table[:, :, 1]
    positives, negatives = late.sum(axis=1), on_time.sum(axis=1)
    rows, pairs = positives + negatives, positives * negatives
    below = np.cumsum(on_time, axis=1) - on_time / 2
    auc = (late * below).sum(axis=1) / np.where(pairs > 0, pairs, np.nan)
    gaps, tenth = _gaps(table), _tenths((on_time + late)[0])
    error = np.abs(_in_tenths(gaps, tenth)).sum(axis=-1) / rows
    blind = -(positives * np.log(base_rate) + negatives * np.log(1 - base_rate))
    gap = gaps.sum(axis=1) / rows
    return np.stack([loss / rows, 1 - loss / blind, auc, gap, error])


def _weighted(days: _Days, weights: Floats, base_rate: float) -> Floats:
    """Return METRICS of days that count so often: [metric, draw]."""
    table = (weights @ days.table.reshape(len(days.loss), -1)).reshape(-1, LEVELS, 2)
    return _metrics(table, weights @ days.loss, base_rate)


class _Estimate(NamedTuple):
    """METRICS with the variance of each, by leaving out one day at a time."""

    value: Floats
    variance: Floats
    days: int


def _estimate(days: _Days, base_rate: float) -> _Estimate:
    """Measure the rows, and how much each metric varies by day."""
    size = len(days.loss)
    weights = np.vstack([np.ones(size), 1 - np.eye(size)])
    found = _weighted(days, weights, base_rate)
    without = found[:, 1:]
    spread = ((without - without.mean(axis=1, keepdims=True)) ** 2).sum(axis=1)
    return _Estimate(found[:, 0], (size - 1) / size * spread, size)


def _must_be_possible(base_rate: float) -> None:
    """Refuse a base rate that is no probability, or that is certain."""
    if not 0 < base_rate < 1:
        raise ValueError(
            f"base_rate={base_rate} must lie between 0 and 1: the share of positives "
            "in training, which has both classes."
        )


def performance(
    scored: pd.DataFrame,
    *,
    base_rate: float,
    score: str = "score",
    label: str = "late",
    blocks: str = "date",
    alpha: float = 0.05,
    draws: int = 400,
    seed: int = 0,
) -> pd.DataFrame:
    """Measure a model on rows whose labels are mature, with intervals by day.

    Parameters
    ----------
    scored : DataFrame
        Scores (probabilities, used to three decimals but for the log-loss), labels
        (true, false, 1, 0, or null: left out), and the day of each row; seven days or
        more.
    base_rate : float
        What a constant model would answer: the share of positives in training.
    score, label, blocks : str
        The names of these columns.
    alpha : float
        One minus the level of the intervals.
    draws, seed : int
        Of the bootstrap of the calibration error, which draws whole days.

    Returns
    -------
    DataFrame
        `value`, `low`, `high` for each of METRICS, null for the AUC of one class or
        where a day alone has one of the classes: `skill` is the share of the constant
        model's log-loss that is saved; `gap` the mean score minus the share of
        positives; `calibration_error` the mean size of the gap over tenths by score.
        Noise makes the latter larger; its interval is corrected for that, and may lie
        below its value.

    Raises
    ------
    ValueError
        If a column is missing, the labels or scores are anything else, there are fewer
        than seven days, or `base_rate` or alpha is not between 0 and 1.
    """
    _must_be_possible(base_rate)
    must_be_a_rate(alpha)
    days = by_days(scored, Names(score, label, blocks))
    found = _estimate(days, base_rate)
    t = float(stats.t.isf(alpha / 2, found.days - 1))
    half = t * np.sqrt(found.variance)
    low, high = found.value - half, found.value + half
    error, rng = METRICS.index("calibration_error"), np.random.default_rng(seed)
    each = np.full(found.days, 1 / found.days)
    dealt = rng.multinomial(found.days, each, draws).astype(np.float64)
    drawn = _weighted(days, dealt, base_rate)[error]
    far, near = np.quantile(drawn, [1 - alpha / 2, alpha / 2])
    low[error], high[error] = (
        max(2 * found.value[error] - end, 0) for end in (far, near)
    )
    return pd.DataFrame({"value": found.value, "low": low, "high": high}, index=METRICS)


def worse(
    before: pd.DataFrame,
    after: pd.DataFrame,
    *,
    base_rate: float,
    score: str = "score",
    label: str = "late",
    blocks: str = "date",
    alpha: float = 0.05,
    draws: int = 400,
    seed: int = 0,
) -> pd.DataFrame:
    """Compare a model in two periods, by the change of each metric.

    Parameters
    ----------
    before, after : DataFrame
        As in `performance`.
    base_rate, score, label, blocks
        As in `performance`.
    alpha : float
        Twice the rate at which a metric is found worse by chance; for `gap` it may come
        up to alpha, if there was none before: then both signs are worse.
    draws, seed : int
        Of the noise of the calibration error.

    Returns
    -------
    DataFrame
        `value`, `low`, `high` of the change (for `gap`, of its size), and `found`:
        the interval lies wholly on the worse side. The change of the calibration error
        is what remains after that which noise makes in periods of these lengths. It
        has no interval, and is not found, if a period has fewer than 200 rows.

    Raises
    ------
    ValueError
        As in `performance`.

    Notes
    -----
    The variance of each metric comes from leaving out one day at a time, in each period
    alone; the degrees of freedom are Welch's. A bootstrap of seven days is too sure of
    itself: it finds a change in 5 to 7% of periods instead of 2.5%.
    """
    _must_be_possible(base_rate)
    must_be_a_rate(alpha)
    names = Names(score, label, blocks)
    sides = by_days(before, names), by_days(after, names)
    moved = change_of(*sides, base_rate)
    value = moved.value.copy()
    half = stats.t.isf(alpha / 2, moved.degrees) * moved.error
    low, high = value - half, value + half
    error = METRICS.index("calibration_error")
    change, noise = _calibration(*sides, draws, seed)
    value[error] = change - noise.mean()
    ends = [1 - alpha / 2, alpha / 2]
    far, near = np.quantile(noise, ends, method="higher")
    few = min(side.table.sum() for side in sides) < ROWS
    low[error], high[error] = (np.nan if few else change - end for end in (far, near))
    found = np.where(np.isin(METRICS, ["skill", "auc"]), high < 0, low > 0)
    columns = {"value": value, "low": low, "high": high, "found": found}
    return pd.DataFrame(columns, index=METRICS)


class Change(NamedTuple):
    """METRICS in two periods: their change, its standard error and Welch's degrees."""

    before: Floats
    after: Floats
    value: Floats
    error: Floats
    degrees: Floats


def change_of(before: _Days, after: _Days, base_rate: float) -> Change:
    """Return the change of each metric; of the gap, that of its size."""
    old, new = (_estimate(side, base_rate) for side in (before, after))
    value, gap = new.value - old.value, METRICS.index("gap")
    value[gap] = abs(new.value[gap]) - abs(old.value[gap])
    variance = old.variance + new.variance
    parts = sum(one.variance**2 / (one.days - 1) for one in (old, new))
    with np.errstate(invalid="ignore", divide="ignore"):
        degrees = np.where(parts > 0, variance**2 / parts, 1.0)
    return Change(old.value, new.value, value, np.sqrt(variance), degrees)


def _calibration(
    before: _Days, after: _Days, draws: int, seed: int
) -> tuple[float, Floats]:
    """Return the change of the calibration error, and what noise makes of it.

    Both periods are cut at the tenths of all rows. Without a change, both have the
    same gap in each tenth, that of all rows; each adds the noise of its own days.
    """
    rng = np.random.default_rng(seed)
    whole = before.table.sum(axis=0) + after.table.sum(axis=0)
    tenth = _tenths(whole.sum(axis=-1))
    rows = np.maximum(_in_tenths(whole.sum(axis=-1), tenth), 1)
    common = _in_tenths(_gaps(whole), tenth) / rows
    errors, noisy = [], []
    for side in (before, after):
        days = len(side.loss)
        gaps = _in_tenths(_gaps(side.table), tenth)
        held = _in_tenths(side.table.sum(axis=-1), tenth)
        total = held.sum()
        errors.append(float(np.abs(gaps.sum(axis=0)).sum() / total))
        part = held / np.maximum(held.sum(axis=0), 1)
        own = gaps.sum(axis=0) / np.maximum(held.sum(axis=0), 1)
        rest = (gaps - held * own) / np.sqrt(np.where(part < 1, 1 - part, 1))
        dealt = rng.multinomial(days, np.full(days, 1 / days), draws)
        moved = dealt @ rest + held.sum(axis=0) * common
        noisy.append(np.abs(moved).sum(axis=1) / total)
    return errors[1] - errors[0], np.asarray(noisy[1] - noisy[0])

"""A classifier as one test of all columns: it tells two samples apart, or cannot."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd
from scipy import stats

from flightline.drift.columns import (
    Booleans,
    Floats,
    Integers,
    as_floats,
    as_frame,
    difference,
    kind_of,
    must_be_compared,
)
from flightline.drift.days import must_name_blocks

if TYPE_CHECKING:
    from sklearn.ensemble import HistGradientBoostingClassifier

LEVELS = 60
"""How many levels of a category are told apart; the rarer ones share one."""

FAR = 1e300
"""What infinity counts as."""


class Classified(NamedTuple):
    """What a classifier of the two samples found.

    Parameters
    ----------
    auc : float
        The chance that a row of the current sample gets a higher score than one of the
        reference: 0.5 if the classifier cannot tell, 1 if it always can.
    pvalue : float
        How often an AUC as large comes by chance.
    used : Series of float64 by column
        How much of the AUC is lost if a column is shuffled, the most first. Columns
        that say the same share their loss.
    """

    auc: float
    pvalue: float
    used: pd.Series


class _Table(NamedTuple):
    """Both samples as numbers, with the block of each row and each block's side."""

    inputs: Floats
    names: list[str]
    category: Booleans
    block: Integers
    after: Booleans


def classify(
    reference: pd.DataFrame,
    current: pd.DataFrame,
    *,
    blocks: str | None = None,
    folds: int = 2,
    draws: int = 99,
    rows: int = 10_000,
    seed: int = 0,
) -> Classified:
    """Test all columns at once: train a classifier to tell the two samples apart.

    Parameters
    ----------
    reference, current : DataFrame
        Numbers, booleans and categories, and the column `blocks`, if it is named.
    blocks : str, optional
        As in `drift.report`: the day of each row. A block is wholly among the rows to
        learn from or among those to be told apart. Without it, rows are independent.
    folds : int
        In so many parts; each is told apart by a classifier trained on the others.
    draws : int
        How often the blocks are dealt out again. The classifier is trained `folds`
        times each time, so that the cost is `folds * (draws + 1)` trainings. The
        smallest p-value is 1 / (draws + 1).
    rows : int
        At most so many rows, drawn at random, are used.
    seed : int
        Of the draws.

    Returns
    -------
    Classified
        `auc`, the mean over the parts; `pvalue`; and the columns that it `used`.

    Raises
    ------
    ValueError
        If a sample has no rows or fewer blocks than `folds`, `blocks` is no column of
        both, there is no other column, or one is missing, of another kind, or holds
        times or lists; or if `folds`, `draws` or `rows` is too small.

    Notes
    -----
    Columns one by one cannot see a change of how they go together: that wind and rain
    come on the same days now, or that a carrier has moved to another airport, while
    each column has the shares that it had. Boosted trees can. They pay for it: where
    one column alone has moved, a test of that column sees it with fewer rows.

    With scores held fixed and only the labels dealt out, the parts would not be
    independent of each other, and the p-value too small: so every deal trains anew.
    Each training is short, and more threads than one seldom make it shorter: with
    OMP_NUM_THREADS=1 it does not wait for cores that others use.
    """
    if folds < 2 or draws < 0 or rows < 1:
        raise ValueError(
            f"folds={folds}, draws={draws}, rows={rows}: two folds and one row are the "
            "least, and no fewer than 0 draws."
        )
    table = _as_table(reference, current, blocks, rows, seed)
    sizes = np.bincount(table.after.astype(np.int64), minlength=2)
    if sizes.min() < folds:
        raise ValueError(
            f"{sizes[0]} blocks before and {sizes[1]} now: {folds} folds need as many "
            f"of each. At most {rows} rows were drawn."
        )
    rng = np.random.default_rng(seed)
    parts = list(_parts(table, folds, rng))
    auc = float(np.mean([part.auc for part in parts]))
    dealt = [_dealt(table, folds, rng) for _ in range(draws)]
    beyond = sum(one >= auc - 1e-12 for one in dealt)
    lost = np.mean([_lost(part, rng) for part in parts], axis=0)
    used = pd.Series(lost, table.names, name="used").sort_values(ascending=False)
    return Classified(auc, (1 + beyond) / (draws + 1), used)


def _as_table(
    reference: pd.DataFrame,
    current: pd.DataFrame,
    blocks: str | None,
    rows: int,
    seed: int,
) -> _Table:
    """Return the rows to use as numbers."""
    before, now = as_frame(reference, "reference"), as_frame(current, "current sample")
    if blocks is not None:
        must_name_blocks(before, blocks)
        must_name_blocks(now, blocks)
    named = [name for name in before if blocks is None or name != blocks]
    if not named:
        raise ValueError("there is no column to tell the samples apart by.")
    for name in named:
        must_be_compared(before[name])
        if fault := difference(str(name), kind_of(before[name]), now):
            raise ValueError(f"{name!r}: {fault}.")
    both = pd.concat([before, now[list(before)]], ignore_index=True)
    after = np.arange(len(both)) >= len(before)
    rng, size = np.random.default_rng(seed), min(rows, len(both))
    kept = np.sort(rng.choice(len(both), size, replace=False))
    both, after = both.iloc[kept], after[kept]
    block = np.arange(len(both))
    if blocks is not None:  # a day that is in both samples is two blocks
        block = pd.factorize(pd.MultiIndex.from_arrays([both[blocks], after]))[0]
    side = np.zeros(int(block.max()) + 1, np.bool_)
    side[block] = after
    made = [_as_inputs(both[name]) for name in named]
    category = np.array([is_category for _, is_category in made])
    inputs = np.column_stack([one for one, _ in made])
    return _Table(inputs, list(map(str, named)), category, block, side)


def _as_inputs(column: pd.Series) -> tuple[Floats, bool]:
    """Return a column as numbers, and whether they are codes.

    A null is NaN among numbers; of a category it is a level, as trees cannot part a
    category of one level from nulls.
    """
    if must_be_compared(column) == "number":
        return np.clip(as_floats(column), -FAR, FAR), False
    codes, levels = pd.factorize(column)
    filled = np.bincount(codes[codes >= 0], minlength=len(levels))
    rank = np.argsort(np.argsort(-filled, kind="stable"), kind="stable")
    inputs = np.append(np.minimum(rank, LEVELS - 1), LEVELS)
    return inputs[codes].astype(np.float64), True


class _Part(NamedTuple):
    """One part of the rows, told apart by a classifier that has not seen it."""

    model: "HistGradientBoostingClassifier"
    inputs: Floats
    after: Booleans
    auc: float


def _parts(table: _Table, folds: int, rng: np.random.Generator) -> Iterator[_Part]:
    """Tell each part apart by what the others teach; parts are of whole blocks."""
    from sklearn.ensemble import HistGradientBoostingClassifier  # takes a second

    part = np.empty(len(table.after), np.int64)
    for side in (table.after, ~table.after):
        part[side] = rng.permutation(np.arange(int(side.sum())) % folds)
    where, after = part[table.block], table.after[table.block]
    for k in range(folds):
        model = HistGradientBoostingClassifier(
            max_iter=20,
            max_leaf_nodes=8,
            max_bins=LEVELS + 4,
            learning_rate=0.2,
            categorical_features=table.category,
            early_stopping=False,
            random_state=0,
        )
        learned = table.inputs[where != k]
        learned[:, np.isnan(learned).all(axis=0)] = 0  # trees refuse nulls alone
        model.fit(learned, after[where != k])
        inputs, mine = table.inputs[where == k], after[where == k]
        yield _Part(model, inputs, mine, _auc(model, inputs, mine))


def _auc(
    model: "HistGradientBoostingClassifier", inputs: Floats, after: Booleans
) -> float:
    """Return how well a classifier ranks rows that it has not seen."""
    rank = stats.rankdata(model.decision_function(inputs))
    many, size = int(after.sum()), len(after)
    above = rank[after].sum() - many * (many + 1) / 2
    return float(above / (many * (size - many)))


def _dealt(table: _Table, folds: int, rng: np.random.Generator) -> float:
    """Return the AUC of blocks that are dealt out at random."""
    other = table._replace(after=rng.permutation(table.after))
    return float(np.mean([part.auc for part in _parts(other, folds, rng)]))


def _lost(part: _Part, rng: np.random.Generator) -> list[float]:
    """Return how much AUC is lost by shuffling each column."""
    lost = []
    for k in range(part.inputs.shape[1]):
        shuffled = part.inputs.copy()
        shuffled[:, k] = rng.permutation(shuffled[:, k])
        lost.append(part.auc - _auc(part.model, shuffled, part.after))
    return lost

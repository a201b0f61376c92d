"""A classifier as a test: what it sees, its rate, and days that stay on one side."""

import numpy as np
import pandas as pd
import pytest
from flightline import drift


def pair(rho, seed, rows=600):
    """Return two columns that go together as rho says, and one that is noise."""
    rng = np.random.default_rng(seed)
    x, y, z = rng.standard_normal((3, rows))
    return pd.DataFrame({"x": x, "y": rho * x + np.sqrt(1 - rho**2) * y, "z": z})


def stormy(days, seed, rows=15):
    """Return rows whose days have a level of their own."""
    rng = np.random.default_rng(seed)
    day = np.repeat(np.arange(days), rows)
    wind = rng.standard_normal(days)[day] + 0.1 * rng.standard_normal(len(day))
    return pd.DataFrame({"date": day, "wind": wind, "noise": rng.random(len(day))})


def test_it_sees_a_correlation_that_columns_one_by_one_do_not():
    sides = pair(0.0, 0), pair(0.9, 1)
    assert not drift.report(*sides)["drifted"].any()
    found = drift.classify(*sides, draws=19)
    assert found.auc > 0.7 and found.pvalue == 1 / 20
    assert set(found.used.index[:2]) == {"x", "y"} and found.used["x"] > 0.1
    assert abs(found.used["z"]) < 0.05


def test_the_p_value_keeps_its_rate_by_days_and_not_by_rows():
    by_day, by_row = [], []
    for k in range(16):
        sides = stormy(14, 2 * k), stormy(7, 2 * k + 1)
        by_day.append(drift.classify(*sides, blocks="date", draws=9).pvalue <= 0.1)
        if k < 6:
            plain = [side.drop(columns="date") for side in sides]
            by_row.append(drift.classify(*plain, draws=9).pvalue <= 0.1)
    assert np.mean(by_day) <= 0.27 and np.mean(by_row) >= 0.8


def test_a_day_is_never_on_both_sides():
    """A leaf for each day would tell all rows apart, if it knew the day."""
    aucs = [
        drift.classify(stormy(14, k), stormy(14, 99 + k), blocks="date", draws=1).auc
        for k in range(12)
    ]
    assert 0.35 < np.mean(aucs) < 0.65


def test_a_column_that_moved_is_named():
    before, now = stormy(20, 0), stormy(10, 1)
    now = now.assign(noise=now["noise"] + 0.5)
    found = drift.classify(before, now, blocks="date", draws=19)
    assert found.used.index[0] == "noise" and found.pvalue == 1 / 20


def test_nulls_infinities_booleans_and_many_levels_are_told_apart():
    rng = np.random.default_rng(0)
    word = [f"w{k}" for k in rng.integers(0, 500, 900)]
    before = pd.DataFrame({"word": word, "flag": rng.random(900) < 0.5})
    before["x"] = np.where(rng.random(900) < 0.1, np.inf, rng.random(900))
    now = before.assign(
        x=before["x"].mask(rng.random(900) < 0.5, np.nan),
        word=before["word"].mask(rng.random(900) < 0.5, "new"),
    )
    found = drift.classify(before, now, draws=9)
    assert found.pvalue == 0.1 and {*found.used.index[:2]} == {"x", "word"}


def test_the_same_seed_gives_the_same_answer():
    first, second = (drift.classify(pair(0, 0), pair(0.3, 1), draws=5) for _ in "ab")
    assert first[:2] == second[:2]
    pd.testing.assert_series_equal(first.used, second.used)


def test_a_part_of_the_rows_is_enough():
    found = drift.classify(pair(0, 0, 4000), pair(0.9, 1, 4000), draws=3, rows=800)
    assert found.auc > 0.65 and found.pvalue == 0.25


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"y": None}, "missing"),
        ({"y": "text"}, "a number in the reference, a category"),
        ({"when": pd.Timestamp("2013-07-01")}, "times"),
    ],
)
def test_what_cannot_be_compared_is_refused(change, message):
    before, now = pair(0, 0), pair(0, 1)
    if "when" in change:
        before, now = before.assign(**change), now.assign(**change)
    elif change["y"] is None:
        now = now.drop(columns="y")
    else:
        now = now.assign(**change)
    with pytest.raises(ValueError, match=message):
        drift.classify(before, now, draws=1)


def test_too_few_days_are_refused():
    with pytest.raises(ValueError, match="14 blocks before and 1 now: 2 folds"):
        drift.classify(stormy(14, 0), stormy(1, 1), blocks="date")
    with pytest.raises(ValueError, match="blocks='day'"):
        drift.classify(stormy(14, 0), stormy(7, 1), blocks="day")

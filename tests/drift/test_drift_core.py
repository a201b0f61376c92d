"""The core that lab 12 builds, against the package, SciPy and brute force."""

from itertools import combinations
from math import comb

import numpy as np
import pandas as pd
import pytest
from flightline import drift
from flightline.drift import core
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

COUNTS = st.lists(
    st.tuples(st.integers(0, 40), st.integers(0, 40)), min_size=2, max_size=8
)


@given(COUNTS)
@settings(max_examples=80, deadline=None)
def test_psi_of_counts_is_the_psi_of_the_samples(bins):
    before, now = np.array(bins).T
    if not before.any() or not now.any():
        return
    sides = [
        np.repeat(np.arange(len(side)).astype(str), side) for side in (before, now)
    ]
    found = float(core.psi_of_counts(before, now))
    used = (before > 0) | (now > 0)
    if (before[used] > 0).all():  # else the package has one bin for unseen values
        assert found == pytest.approx(drift.psi(*sides), abs=1e-12)
    assert found == pytest.approx(float(core.psi_of_counts(now, before)))
    assert found >= 0


def test_psi_of_counts_is_the_sum_of_both_entropies():
    before, now = np.array([[10, 30, 60], [30, 30, 40]]), np.array([20, 20, 60])
    p, q = before / 100, now / 100
    both = [stats.entropy(one, q) + stats.entropy(q, one) for one in p]
    assert core.psi_of_counts(before, now) == pytest.approx(both)


def test_bins_are_those_of_the_package_where_no_value_fills_one():
    rng = np.random.default_rng(0)
    before, now = pd.Series(rng.normal(size=999)), pd.Series(rng.normal(1, size=500))
    before[::7] = np.nan
    cuts = core.quantile_cuts(before)
    assert np.array_equal(cuts, drift.cut_points(before.dropna().to_numpy(), 10))
    pair = drift.counts(before, now)
    assert np.array_equal(core.bin_counts(before, cuts), pair.before[0])
    assert np.array_equal(core.bin_counts(now, cuts), pair.after[0])


@pytest.mark.parametrize("agreed", [(500, 500, 10, 0.05), (50, 10_000, 4, 0.001)])
def test_the_checked_threshold_is_that_of_the_lab(agreed):
    assert core.chance_threshold(*agreed) == drift.psi_threshold(*agreed)


def test_day_counts_keep_every_row_and_sort_the_days():
    values = pd.Series([1.0, 2.0, None, 5.0], index=[3, 3, 1, 0])
    days = pd.Series(["b", "a", "b", "a"], index=values.index)
    found = core.day_counts(values, days, np.array([1.0, 2.0]))
    assert found.tolist() == [[0, 1, 1, 0], [1, 0, 0, 1]]


def test_deals_are_whole_days_and_every_choice_is_as_likely():
    counts = np.array([[1, 9], [2, 8], [4, 6], [8, 2]])
    total = counts.sum(axis=0)
    possible = [counts[list(two)].sum(axis=0) for two in combinations(range(4), 2)]
    values = np.array([core.psi_of_counts(total - now, now) for now in possible])
    dealt = core.deal_days(counts, 2, 6_000)
    near = np.isclose(dealt[:, None], np.unique(values.round(9)), atol=1e-8)
    assert near.sum(axis=1).min() == 1
    expected = [
        np.isclose(values, v, atol=1e-8).mean() for v in np.unique(values.round(9))
    ]
    assert near.mean(axis=0) == pytest.approx(expected, abs=0.03)


def test_extreme_days_come_by_chance_as_often_as_the_formula_says():
    rng = np.random.default_rng(5)
    hits = []
    for _ in range(400):
        table = pd.DataFrame({"date": np.repeat(np.arange(12), 40)})
        table["x"] = np.where(rng.random(480) < 0.3, np.nan, 1.0)
        now = table["date"] >= 9
        hits.append(core.extreme_days(table[~now], table[now], "x"))
    for least in (1, 2):
        chance = comb(3, least) / comb(12, least)
        assert np.mean(np.array(hits) >= least) == pytest.approx(chance, abs=0.06)
    assert core.extreme_days(table, table, "x") == 0


def test_mature_rows_are_chosen_by_age_alone_and_hide_the_future():
    at = pd.date_range("2013-07-01", periods=30, freq="h", tz="UTC")
    rng = np.random.default_rng(1)
    table = pd.DataFrame({"prediction_time": at[rng.integers(0, 20, 200)]})
    waits = pd.to_timedelta(rng.integers(1, 30, 200), unit="h")
    table["label_time"] = (table["prediction_time"] + waits).mask(rng.random(200) < 0.1)
    table["late"] = pd.array(rng.random(200) < 0.3, dtype="boolean")
    found = drift.mature(table, at[20], pd.Timedelta("8h"))
    assert found.index.equals(table.index[table["prediction_time"] <= at[12]])
    known = table.loc[found.index, "label_time"] <= at[20]
    assert found["late"].notna().equals(known)
    assert found["late"][known].equals(table.loc[found.index, "late"][known])


@pytest.mark.parametrize("drifted", [False, True])
@pytest.mark.parametrize("worse", [None, False, True])
def test_nothing_is_learned_from_a_broken_feed(drifted, worse):
    assert drift.next_step(True, drifted, worse) == "investigate"
    sound = drift.next_step(False, drifted, worse)
    assert (sound == "retrain") == (worse is True)
    assert (sound == "investigate") == (drifted and worse is None)

"""Distances and tests: whole tables equal their columns; tiny samples."""

import numpy as np
import pandas as pd
import pytest
from flightline import drift
from scipy import stats
from statsmodels.stats.multitest import multipletests


@pytest.mark.parametrize("name", ["psi", "kl", "js", "chi2"])
def test_a_table_equals_its_columns_whatever_their_widths(name):
    rng, function = np.random.default_rng(2), getattr(drift, name)
    sides = [
        pd.DataFrame({"x": rng.random(500), "k": rng.choice(list("abcdefgh"), 500)})
        for _ in range(2)
    ]
    whole = function(*sides)
    for column in sides[0]:
        alone = function(sides[0][column], sides[1][column])
        row = whole.loc[column]
        assert np.allclose(row, alone, rtol=1e-12)


@pytest.mark.parametrize("sizes", [(1, 1), (2, 1), (3, 3), (7, 4), (40, 25)])
def test_ks_of_small_samples_is_exact(sizes):
    rng = np.random.default_rng(3)
    one, two = (rng.standard_normal(size) for size in sizes)
    theirs = stats.ks_2samp(one, two, method="exact")
    found = drift.ks(one, two)
    assert found.statistic == pytest.approx(theirs.statistic)
    assert found.pvalue == pytest.approx(theirs.pvalue) and found.pvalue > 0


def test_two_single_values_prove_nothing():
    assert drift.ks([1.0], [2.0]) == (1.0, 1.0)
    assert drift.ks([1.0, np.nan], [np.inf]).pvalue == 1


@pytest.mark.parametrize("name", ["psi", "js", "chi2"])
def test_nulls_alone_on_both_sides_are_no_distance(name):
    found = getattr(drift, name)([np.nan] * 5, [None] * 3)
    assert found == ((0.0, 1.0) if name == "chi2" else 0)


@pytest.mark.parametrize("size", [1, 2, 28])
def test_holm_equals_statsmodels(size):
    pvalues = np.random.default_rng(size).random(size) ** 4
    theirs = multipletests(pvalues, method="holm")[1]
    assert drift.holm(pvalues) == pytest.approx(theirs)

"""Many metrics: equal to statsmodels, and the slips of Benjamini-Hochberg."""

import numpy as np
import pandas as pd
import pytest
import tea_tasting
from flightline import decisions
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.multitest import multipletests

PAPER = [
    *(0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344),
    *(0.0459, 0.3240, 0.4262, 0.5719, 0.6528, 0.7590, 1.000),
]
"""The example in the paper of Benjamini and Hochberg."""

METHODS = {
    "fdr_bh": decisions.benjamini_hochberg,
    "holm": decisions.holm,
    "bonferroni": decisions.bonferroni,
}


def test_the_example_in_the_paper():
    assert decisions.benjamini_hochberg(PAPER, 0.05).sum() == 4
    assert decisions.bonferroni(PAPER, 0.05).sum() == 3


@settings(deadline=None, max_examples=40)
@given(
    st.lists(st.floats(0, 1, width=32), min_size=1, max_size=40),
    st.sampled_from([0.01, 0.05, 0.1, 0.25]),
    st.sampled_from(list(METHODS)),
)
def test_equal_to_statsmodels(pvalues, alpha, method):
    expected = multipletests(pvalues, alpha, method)[0]
    assert METHODS[method](pvalues, alpha).tolist() == expected.tolist()


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30))
@settings(deadline=None, max_examples=10)
def test_adjusted_equal_to_statsmodels(pvalues):
    expected = multipletests(pvalues, 0.05, "holm")[1]
    assert np.allclose(decisions.holm_adjusted(pvalues), expected, rtol=1e-9)


@pytest.mark.parametrize("method", METHODS)
def test_order_is_kept(method):
    rng = np.random.default_rng(1)
    pvalues = np.array(PAPER)
    order = rng.permutation(len(pvalues))
    found = METHODS[method](pvalues, 0.05)
    assert (METHODS[method](pvalues[order], 0.05) == found[order]).all()


def test_each_finds_what_a_stricter_one_finds():
    rng = np.random.default_rng(2)
    for _ in range(200):
        pvalues = rng.random(12) ** 3
        strict, middle, wide = (
            METHODS[name](pvalues, 0.1) for name in ("bonferroni", "holm", "fdr_bh")
        )
        assert (strict <= middle).all() and (middle <= wide).all()


def test_slips_of_benjamini_hochberg():
    """Stops at the first failure; unsorted; rank from 0: each gives another answer."""
    late = [0.03, 0.03, 0.03, 0.04]  # ranks 1 and 2 fail, 3 and 4 pass
    assert decisions.benjamini_hochberg(late, 0.05).tolist() == [True] * 4
    unsorted = [0.001, 0.9, 0.036, 0.8]  # the third place is not the third rank
    assert decisions.benjamini_hochberg(unsorted, 0.05).sum() == 1
    one = [0.04]  # rank 0 of 1 would need p <= 0
    assert decisions.benjamini_hochberg(one, 0.05).tolist() == [True]


@pytest.mark.parametrize("kind", ["Float64", "float[pyarrow]", "float32", "object"])
@pytest.mark.parametrize("method", METHODS)
def test_kinds_of_numbers(method, kind):
    pvalues = pd.Series(PAPER, index=[7] * len(PAPER)).astype(kind)
    expected = METHODS[method](np.array(PAPER, "float32"), 0.05)
    found = METHODS[method](pvalues, 0.05)
    assert found.dtype == bool and (found == expected).all()


def test_nothing_tested_finds_nothing():
    for method in METHODS.values():
        assert method([], 0.05).tolist() == []
    assert decisions.holm_adjusted([]).tolist() == []


def test_any_significant_metric_of_ten():
    """Ten correlated metrics without effect: one in three or four finds something."""
    rng = np.random.default_rng(4)
    shared = rng.standard_normal((4_000, 1))
    z = 0.5 * shared + np.sqrt(0.75) * rng.standard_normal((4_000, 10))
    pvalues = 2 * stats.norm.sf(np.abs(z))
    any_found = {
        name: np.mean([method(row, 0.05).any() for row in pvalues])
        for name, method in METHODS.items()
    }
    assert (pvalues < 0.05).any(axis=1).mean() > 0.25
    assert max(any_found.values()) < 0.062


@pytest.mark.parametrize(
    "pvalues, alpha, said",
    [
        ([0.1, np.nan], 0.05, "1 of 2 values"),
        (pd.array([0.1, None], dtype="Float64"), 0.05, "1 of 2 values"),
        ([0.1, None], 0.05, "1 of 2 values"),
        ([0.1, 1.2, -0.1], 0.05, "2 of 3 values outside of 0 to 1 .first: 1.2"),
        ([[0.1, 0.2]], 0.05, "in one row"),
        (0.01, 0.05, "in one row"),
        (["0.01"], 0.05, "something else than numbers"),
        ([True], 0.05, "something else than numbers"),
        ({"a": 0.1}, 0.05, "a dict"),
        ([0.1], 0, "alpha=0"),
        ([0.1], 1, "alpha=1"),
        ([0.1], np.nan, "alpha=nan"),
        ([0.1], "5%", "alpha='5%'"),
    ],
)
def test_refused(pvalues, alpha, said):
    for method in METHODS.values():
        with pytest.raises(ValueError, match=said):
            method(pvalues, alpha)


def test_equal_to_tea_tasting():
    """Its default is the method of Hochberg; Holm allows for any dependence."""
    rng = np.random.default_rng(6)
    users = 2_000
    data = pd.DataFrame({"user": range(users), "variant": np.arange(users) % 2})
    metrics = {}
    for number, effect in enumerate([0.0, 0.05, 0.1, 0.12, 0.15, 0.3]):
        name = f"m{number}"
        data[name] = rng.standard_normal(users) + effect * data["variant"]
        metrics[name] = tea_tasting.Mean(name)
    result = tea_tasting.Experiment(metrics).analyze(data)
    pvalues = [result[name].pvalue for name in metrics]
    both = {
        "holm": tea_tasting.adjust_fwer(
            result, alpha=0.05, arbitrary_dependence=True, method="bonferroni"
        ),
        "fdr_bh": tea_tasting.adjust_fdr(result, alpha=0.05),
    }
    found = {}
    for name, theirs in both.items():
        rows = theirs.to_dicts()
        assert [row["metric"] for row in rows] == list(metrics)
        found[name] = [bool(row["null_rejected"]) for row in rows]
        assert METHODS[name](pvalues, 0.05).tolist() == found[name]
    assert 0 < sum(found["holm"]) < len(metrics)

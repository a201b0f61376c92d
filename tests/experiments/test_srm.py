"""Sample ratio mismatch: held against SciPy and tea-tasting, and never a p of 0."""

import math

import numpy as np
import pandas as pd
import pytest
import tea_tasting
from flightline import experiments
from flightline.experiments import needs_exact, srm_exact, srm_pvalue
from flightline.experiments.srm import SMALLEST
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

HALVES = {"control": 0.5, "treatment": 0.5}


@given(
    st.lists(st.integers(0, 10**6), min_size=2, max_size=6).filter(any),
    st.data(),
)
def test_srm_is_the_chi_squared_of_scipy_whatever_the_unit_of_weights(counts, data):
    size = len(counts)
    weight = st.floats(0.01, 1)
    weights = data.draw(st.lists(weight, min_size=size, max_size=size))
    share = np.array(weights) / sum(weights)
    expected = stats.chisquare(counts, sum(counts) * share).pvalue
    arms = [f"arm{n}" for n in range(size)]
    by_arm = dict(zip(arms, share, strict=True))
    found = srm_pvalue(dict(zip(arms, counts, strict=True)), by_arm)
    assert math.isclose(found, max(expected, SMALLEST), rel_tol=1e-6, abs_tol=1e-12)
    scaled = {arm: 1000 * weight for arm, weight in by_arm.items()}
    again = srm_pvalue(dict(zip(arms, counts, strict=True)), scaled)
    assert math.isclose(found, again, rel_tol=1e-6, abs_tol=1e-12)
    assert 0 < found <= 1


@pytest.mark.parametrize("ratio", [1, 0.25])
@pytest.mark.parametrize("treated", [2_380, 2_500, 2_560, 620])
def test_srm_is_that_of_tea_tasting_without_its_correction(treated, ratio):
    table = pd.DataFrame({"variant": [0] * 2_500 + [1] * treated})
    sample = tea_tasting.SampleRatio(ratio, method="norm", correction=False)
    theirs = tea_tasting.Experiment(srm=sample).analyze(table)["srm"].pvalue
    weights = {"control": 1 / (1 + ratio), "treatment": ratio / (1 + ratio)}
    ours = srm_pvalue({"control": 2_500, "treatment": treated}, weights)
    assert math.isclose(ours, theirs, rel_tol=1e-9, abs_tol=1e-300)


@given(st.integers(0, 300), st.integers(0, 300), st.floats(0.02, 0.98))
def test_the_exact_test_of_two_arms_is_scipys(control, treated, share):
    if control + treated == 0:
        return
    weights = {"a": share, "b": 1 - share}
    found = srm_exact({"a": control, "b": treated}, weights)
    total = share / math.fsum((share, 1 - share))
    theirs = stats.binomtest(control, control + treated, total).pvalue
    assert math.isclose(found, min(max(theirs, SMALLEST), 1), rel_tol=1e-6)


@pytest.mark.parametrize("counts", [(1, 9, 5), (0, 0, 7), (4, 4, 4), (12, 0, 3)])
@pytest.mark.parametrize("weights", [(0.25, 0.25, 0.5), (1 / 3, 1 / 3, 1 / 3)])
def test_the_exact_test_of_three_arms_counts_every_outcome(counts, weights):
    units = sum(counts)
    law = stats.multinomial(units, weights)
    ways = [
        (i, j, units - i - j) for i in range(units + 1) for j in range(units + 1 - i)
    ]
    likely = np.array([law.pmf(way) for way in ways])
    expected = likely[likely <= law.pmf(counts) * (1 + 1e-7)].sum()
    arms = ("a", "b", "c")
    found = srm_exact(
        dict(zip(arms, counts, strict=True)), dict(zip(arms, weights, strict=True))
    )
    assert math.isclose(found, expected, rel_tol=1e-9)


def false_alarms(units, share, pvalue, alpha):
    """Return the exact rate at which a p-value alarms without a fault, two arms."""
    weights = {"a": share, "b": 1 - share}
    sizes = range(units + 1)
    found = np.array([pvalue({"a": n, "b": units - n}, weights) for n in sizes])
    return float(stats.binom.pmf(sizes, units, share)[found <= alpha].sum())


def test_chi_squared_alarms_too_often_on_small_counts_and_the_exact_test_never_does():
    for units, share in [(109, 0.05), (60, 0.1), (30, 0.2)]:
        few = needs_exact({"a": 0, "b": units}, {"a": share, "b": 1 - share})
        assert few
        assert false_alarms(units, share, srm_exact, 0.001) <= 0.001
    assert false_alarms(109, 0.05, srm_pvalue, 0.001) > 0.003
    assert not needs_exact({"a": 0, "b": 400}, {"a": 0.05, "b": 0.95})
    assert false_alarms(400, 0.05, srm_pvalue, 0.001) < 0.002


def test_bots_in_one_arm_alarm_and_equal_arms_do_not():
    assert srm_pvalue({"control": 10_000, "treatment": 10_500}, HALVES) < 0.001
    assert srm_pvalue({"control": 10_000, "treatment": 10_020}, HALVES) > 0.5
    assert srm_pvalue({"control": 5, "treatment": 5}, HALVES) == 1


def test_assigned_units_keep_the_ratio_and_lost_ones_do_not():
    one = experiments.Experiment("x", {"control": 0.2, "treatment": 0.8})
    units = pd.Series([f"u{n}" for n in range(20_000)])
    arms = experiments.assign_many(units, one)
    counts = arms.value_counts().to_dict()
    assert srm_pvalue(counts, one.weights) > 0.001
    counts["treatment"] -= 1_500
    assert srm_pvalue(counts, one.weights) < 0.001


@pytest.mark.parametrize("pvalue", [srm_pvalue, srm_exact])
@pytest.mark.parametrize(
    ("counts", "weights", "message"),
    [
        ({"control": 1}, HALVES, "lacks the arm 'treatment'. State 0"),
        ({}, HALVES, "lacks the arm 'control'"),
        ({"control": 1, "treatment": 1, "": 5}, HALVES, "the unknown arm ''"),
        ({"control": 1, "treatment": 1, "c": 5}, HALVES, "unknown arm 'c'"),
        ({"control": 0, "treatment": 0}, HALVES, "No unit is in any arm yet"),
        ({"control": -1, "treatment": 2}, HALVES, "the count of 'control' is -1"),
        ({"control": 1.5, "treatment": 2}, HALVES, "the count of 'control' is 1.5"),
        ({"control": np.nan, "treatment": 2}, HALVES, "'control' is nan"),
        ({"control": None, "treatment": 2}, HALVES, "'control' is None"),
        ({"control": "3", "treatment": 2}, HALVES, "'control' is '3'"),
        ({"control": True, "treatment": 2}, HALVES, "'control' is True"),
        ({"control": math.inf, "treatment": 2}, HALVES, "'control' is inf"),
        ({}, {}, "0 arms have a positive weight"),
        ({"a": 5}, {"a": 1.0}, "1 arms have a positive weight"),
        ({"a": 5, "b": 0}, {"a": 1, "b": 0}, "1 arms have a positive weight"),
        ({"a": 5, "b": 1}, {"a": 1, "b": 0}, "'b' has weight 0 and 1 units"),
        ({"a": 5, "b": 1}, {"a": 1, "b": -1}, "the weight of 'b' is -1"),
        ({"a": 5, "b": 1}, {"a": 1, "b": np.nan}, "the weight of 'b' is nan"),
        ([5, 1], HALVES, "counts is .*Give a mapping"),
        ({"a": 5, "b": 1}, [0.5, 0.5], "weights is .*Give a mapping"),
    ],
)
def test_counts_that_cannot_be_are_refused_by_name(pvalue, counts, weights, message):
    with pytest.raises(ValueError, match=message):
        pvalue(counts, weights)


def test_an_arm_of_weight_0_without_units_is_left_out():
    with_it = srm_pvalue({"a": 40, "b": 60, "c": 0}, {"a": 1, "b": 1, "c": 0})
    assert with_it == srm_pvalue({"a": 40, "b": 60}, {"a": 1, "b": 1})


def test_no_p_value_is_0_or_nan_however_large_the_numbers():
    assert 0 < srm_pvalue({"a": 10**9, "b": 0}, {"a": 1, "b": 1}) < 1e-300
    assert 0 < srm_exact({"a": 10**5, "b": 0}, {"a": 1, "b": 1}) < 1e-300
    assert srm_pvalue({"a": 10**300, "b": 10**300}, {"a": 1, "b": 1}) == 1
    assert srm_pvalue({"a": 50, "b": 50}, {"a": 1e308, "b": 1e308}) == 1
    tiny = srm_pvalue({"a": 50, "b": 0}, {"a": 1e100, "b": 1e-100})
    assert 0 < tiny <= 1
    with pytest.raises(ValueError, match="no exact test"):
        srm_exact({"a": 10**300, "b": 10**300}, {"a": 1, "b": 1})
    with pytest.raises(ValueError, match="ways into 4 arms, too many"):
        srm_exact(dict.fromkeys("abcd", 1_000), dict.fromkeys("abcd", 1))


@pytest.mark.parametrize("kind", [int, np.int8, np.uint64, float, np.float32])
def test_whole_counts_of_any_type_are_read(kind):
    found = srm_pvalue({"a": kind(40), "b": kind(60)}, {"a": 0.5, "b": 0.5})
    assert found == srm_pvalue({"a": 40, "b": 60}, {"a": 0.5, "b": 0.5})

"""Means of two arms: as SciPy and tea-tasting, and a named state where none can be."""

import math
import sys
import warnings
from decimal import Decimal

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import tea_tasting as tt
from flightline import experiments
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats

SMALL = st.floats(-1e6, 1e6, allow_nan=False)
ARMS = st.integers(2, 40).flatmap(lambda n: arrays(np.float64, n, elements=SMALL))


def two_arms(seed=0, sizes=(300, 500), shift=0.2):
    rng = np.random.default_rng(seed)
    return rng.normal(1 + shift, 2, sizes[0]), rng.normal(1, 1, sizes[1])


@given(ARMS, ARMS, st.floats(0.001, 0.5))
@settings(max_examples=100, deadline=None)
def test_equals_scipy_for_any_numbers(treated, control, alpha):
    if max(np.ptp(treated), np.ptp(control)) < 1e-3:
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # of SciPy, on a constant arm
        theirs = stats.ttest_ind(treated, control, equal_var=False)
        between = theirs.confidence_interval(1 - alpha)
    ours = experiments.mean_effect(treated, control, alpha)
    scale = max(np.abs(treated).max(), np.abs(control).max())
    assert ours.pvalue == pytest.approx(theirs.pvalue, rel=1e-6, abs=1e-12)
    assert ours.low == pytest.approx(between.low, rel=1e-9, abs=1e-9 * scale)
    assert ours.high == pytest.approx(between.high, rel=1e-9, abs=1e-9 * scale)


@given(ARMS, ARMS)
@settings(max_examples=100, deadline=None)
def test_arms_that_change_places_change_the_sign_alone(treated, control):
    if max(np.ptp(treated), np.ptp(control)) < 1e-3:
        return
    one = experiments.mean_effect(treated, control)
    other = experiments.mean_effect(control, treated)
    assert (one.estimate, one.low, one.high) == (
        -other.estimate,
        -other.high,
        -other.low,
    )
    assert one.pvalue == other.pvalue
    assert one.low <= one.estimate <= one.high and 0 < one.pvalue <= 1


def test_equals_tea_tasting():
    treated, control = two_arms()
    table = pd.DataFrame({"variant": [0] * 500 + [1] * 300})
    table["x"] = np.concatenate([control, treated])
    theirs = tt.Experiment(m=tt.Mean("x")).analyze(table)["m"]
    ours = experiments.mean_effect(treated, control)
    assert ours.estimate == pytest.approx(theirs.effect_size, rel=1e-12)
    assert ours.low == pytest.approx(theirs.effect_size_ci_lower, rel=1e-12)
    assert ours.high == pytest.approx(theirs.effect_size_ci_upper, rel=1e-12)
    assert ours.pvalue == pytest.approx(theirs.pvalue, rel=1e-9)


def test_a_missing_outcome_leaves_the_count_as_well():
    treated, control = two_arms()
    holes = treated.copy()
    holes[::3] = np.nan
    ours = experiments.mean_effect(holes, control)
    assert ours == experiments.mean_effect(holes[~np.isnan(holes)], control)
    assert ours.n == 200 + 500
    table = pd.DataFrame({"variant": [0] * 500 + [1] * 300})
    table["x"] = np.concatenate([control, holes])
    theirs = tt.Experiment(m=tt.Mean("x")).analyze(table)["m"]
    width = theirs.effect_size_ci_upper - theirs.effect_size_ci_lower
    assert width < 0.97 * (ours.high - ours.low)  # the trap: it counts them


def test_no_difference_is_found_as_often_as_alpha_says():
    rng = np.random.default_rng(1)
    found = sum(
        experiments.mean_effect(rng.exponential(1, 80), rng.exponential(1, 120)).pvalue
        < 0.05
        for _ in range(2_000)
    )
    assert 0.035 < found / 2_000 < 0.065


def test_the_interval_covers_the_truth_as_often_as_it_says():
    covered = 0
    for seed in range(1_000):
        effect = experiments.mean_effect(*two_arms(seed, (60, 40), 0.5), alpha=0.2)
        covered += effect.low <= 0.5 <= effect.high
    assert 0.76 < covered / 1_000 < 0.84


# --- types ----------------------------------------------------------------------------

WHOLE = [0, 1, 1, 0, 1, 1]
COLUMNS = {
    "list": WHOLE,
    "tuple": tuple(WHOLE),
    "bool": np.array(WHOLE, bool),
    "int8": np.array(WHOLE, np.int8),
    "uint64": np.array(WHOLE, np.uint64),
    "float16": np.array(WHOLE, np.float16),
    "Int64": pd.Series(WHOLE, dtype="Int64"),
    "boolean": pd.Series(np.array(WHOLE, bool), dtype="boolean"),
    "Float32": pd.Series(WHOLE, dtype="Float32"),
    "category": pd.Series(WHOLE, dtype="category"),
    "object": pd.Series(WHOLE, dtype=object),
    "decimal": [Decimal(x) for x in WHOLE],
    "arrow int": pd.Series(WHOLE, dtype=pd.ArrowDtype(pa.int16())),
    "arrow bool": pd.Series(np.array(WHOLE, bool), dtype=pd.ArrowDtype(pa.bool_())),
    "arrow decimal": pd.Series(
        [Decimal(x) for x in WHOLE], dtype=pd.ArrowDtype(pa.decimal128(5, 1))
    ),
    "sparse": pd.Series(pd.arrays.SparseArray(np.array(WHOLE, float))),
    "repeated index": pd.Series(WHOLE, index=[0, 0, 0, 1, 1, 1]),
    "polars": pl.Series(WHOLE),
    "index": pd.Index(WHOLE),
}


@pytest.mark.parametrize("kind", COLUMNS)
def test_any_type_of_number_gives_the_same(kind):
    control = np.array([0.0, 0.0, 1.0, 0.0])
    expected = experiments.mean_effect(np.array(WHOLE, float), control)
    assert experiments.mean_effect(COLUMNS[kind], control) == expected
    assert experiments.mean_effect(control, COLUMNS[kind]).estimate == pytest.approx(
        -expected.estimate
    )


@pytest.mark.parametrize(
    "column",
    [
        [1, 2, 4, None],
        [1, 2, 4, np.nan],
        pd.Series([1, 2, 4, pd.NA], dtype="Int64"),
        pd.Series([1, 2, 4, None], dtype=pd.ArrowDtype(pa.float64())),
        pd.Series([1, 2, 4, None], dtype="category"),
        pd.Series([1, 2, 4, pd.NA], dtype=object),
        pd.Series([1, 2, 4, None], dtype="Sparse[float64]"),
    ],
)
def test_every_kind_of_null_is_left_out(column):
    ours = experiments.mean_effect(column, [0.0, 1.0])
    assert ours == experiments.mean_effect([1, 2, 4], [0.0, 1.0])


def test_nan_inside_of_a_nullable_column_is_a_null():
    odd = pd.Series([1.0, 2.0, 4.0, 0.0], dtype="Float64") / [1, 1, 1, 0]
    assert experiments.mean_effect(odd, [0.0, 1.0]).n == 5


# --- refusals -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("treated", "state"),
    [
        ([], "empty arm"),
        (pd.Series([], dtype="Int64"), "empty arm"),
        (pd.Series([], dtype=object), "empty arm"),
        ([None, None], "no outcome yet"),
        ([np.nan], "no outcome yet"),
        (pd.Series([pd.NA, pd.NA], dtype="boolean"), "no outcome yet"),
        ([1.0], "one unit"),
        ([1.0, None], "one unit"),
    ],
)
def test_an_arm_without_two_outcomes_has_a_named_state(treated, state):
    for arms in ((treated, [1, 2]), ([1, 2], treated)):
        with pytest.raises(experiments.NotEstimable, match=state) as said:
            experiments.mean_effect(*arms)
        assert said.value.state == state


@pytest.mark.parametrize("value", [0.0, 0.1, 1e9, True])
def test_a_constant_metric_has_a_named_state(value):
    for other in (value, value + 1):
        with pytest.raises(experiments.NotEstimable, match="constant metric"):
            experiments.mean_effect([value] * 7, [other] * 7)


def test_one_constant_arm_is_no_obstacle():
    effect = experiments.mean_effect([0.1] * 7, [0, 1, 2, 3])
    assert effect.estimate == pytest.approx(-1.4)
    assert math.isfinite(effect.low) and 0 < effect.pvalue < 1


@pytest.mark.parametrize(
    ("treated", "message"),
    [
        (["1", "2"], "treated holds string values"),
        ([1, "2"], "treated holds mixed"),
        (pd.Series(pd.to_datetime(["2013-07-01", "2013-07-02"])), "datetime"),
        (pd.to_timedelta([1, 2], unit="s"), "timedelta"),
        ([1 + 2j, 3], "complex"),
        (np.array([1 + 2j, 3]), "complex"),
        ([[1], [2]], "treated"),
        (np.ones((2, 2)), "one column"),
        (pd.DataFrame({"a": [1, 2]}), "one column"),
        (3.0, "one column"),
        (None, "one column"),
        ([1.0, np.inf], "treated holds inf in 1 of 2 rows"),
        ([1e200, 1.0], "too large"),
        ([10**400, 1], "treated cannot be read"),
    ],
)
def test_what_is_no_column_of_numbers_is_refused(treated, message):
    with pytest.raises(ValueError, match=message):
        experiments.mean_effect(treated, [1, 2])


@pytest.mark.parametrize("alpha", [0, 1, -0.1, 2, math.nan])
def test_alpha_is_a_probability(alpha):
    with pytest.raises(ValueError, match="alpha"):
        experiments.mean_effect([1, 2], [3, 5], alpha)


def test_a_pvalue_is_never_0():
    treated, control = two_arms(shift=1e6)
    effect = experiments.mean_effect(treated, control)
    assert effect.pvalue == sys.float_info.min
    assert str(effect).startswith("+1e+06 (+1e+06 to +1e+06), p = 2.2e-308")


def test_an_effect_is_made_of_four_numbers():
    effect = experiments.Effect(0.1, -0.1, 0.3, 0.4)
    assert (effect.se, effect.n) == (None, None)
    with pytest.raises(AttributeError):
        effect.estimate = 1


def test_large_numbers_with_small_differences():
    near = np.array([1.0, 2.0, 3.0, 4.0])
    ours = experiments.mean_effect(1e12 + near, 1e12 + near[:3])
    exact = experiments.mean_effect(near, near[:3])
    assert ours.estimate == pytest.approx(exact.estimate, abs=1e-3)
    assert ours.se == pytest.approx(exact.se, rel=1e-3)

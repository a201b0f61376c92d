"""CUPED: one theta, the same mean, as tea-tasting, and refusals that name a cause."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import tea_tasting as tt
from flightline import experiments
from hypothesis import given, settings
from hypothesis import strategies as st


def units(seed=0, n=400, effect=0.3, slope=0.8):
    """Return units with a covariate from before, an arm and an outcome."""
    rng = np.random.default_rng(seed)
    before = rng.gamma(2, 1, n)
    treated = rng.random(n) < 0.4
    value = slope * before + effect * treated + rng.normal(0, 1, n)
    return pd.DataFrame({"before": before, "treated": treated, "value": value})


def effect_of(table, values):
    return experiments.mean_effect(values[table["treated"]], values[~table["treated"]])


def test_equals_tea_tasting():
    table = units()
    ours = effect_of(table, experiments.cuped(table["value"], table["before"]))
    metric = tt.Mean("value", "before")
    data = table.assign(variant=table["treated"].astype(int))
    theirs = tt.Experiment(m=metric).analyze(data)["m"]
    assert ours.estimate == pytest.approx(theirs.effect_size, rel=1e-12)
    assert ours.low == pytest.approx(theirs.effect_size_ci_lower, rel=1e-10)
    assert ours.high == pytest.approx(theirs.effect_size_ci_upper, rel=1e-10)
    assert ours.pvalue == pytest.approx(theirs.pvalue, rel=1e-8)


def test_what_is_left_is_one_minus_the_squared_correlation():
    table = units()
    left = experiments.cuped(table["value"], table["before"])
    r = np.corrcoef(table["value"], table["before"])[0, 1]
    assert left.var() / table["value"].var(ddof=0) == pytest.approx(1 - r**2)
    assert left.mean() == pytest.approx(table["value"].mean())
    assert np.cov(left, table["before"])[0, 1] == pytest.approx(0, abs=1e-12)


@given(
    st.integers(0, 10_000),
    st.floats(-1e3, 1e3).filter(lambda x: abs(x) > 1e-3),
    st.floats(-1e3, 1e3),
)
@settings(max_examples=50, deadline=None)
def test_the_unit_and_the_origin_of_the_covariate_do_not_matter(seed, unit, origin):
    table = units(seed, 50)
    one = experiments.cuped(table["value"], table["before"])
    other = experiments.cuped(table["value"], unit * table["before"] + origin)
    np.testing.assert_allclose(one, other, atol=1e-6)


def test_it_is_right_as_often_as_without_and_narrower():
    covered, narrower = 0, 0
    for seed in range(600):
        table = units(seed, 200, slope=1.0)
        plain = effect_of(table, table["value"].to_numpy())
        less = effect_of(table, experiments.cuped(table["value"], table["before"]))
        covered += less.low <= 0.3 <= less.high
        narrower += less.high - less.low < plain.high - plain.low
    assert 0.92 < covered / 600 < 0.98
    assert narrower == 600


def test_a_covariate_that_knows_nothing_changes_next_to_nothing():
    table = units(slope=0)
    plain = effect_of(table, table["value"].to_numpy())
    less = effect_of(table, experiments.cuped(table["value"], table["before"]))
    assert less.se == pytest.approx(plain.se, rel=0.02)


@pytest.mark.parametrize(
    "kind", ["float32", "Float64", pd.ArrowDtype(pa.float64()), object]
)
def test_any_type_of_number_gives_the_same(kind):
    table = units(n=40).round(1).astype({"value": np.float32, "before": np.float32})
    expected = experiments.cuped(table["value"], table["before"])
    for name in ("value", "before"):
        typed = table.astype({name: kind})
        found = experiments.cuped(typed["value"], typed["before"])
        assert found.dtype == np.float64
        np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_repeated_indexes_go_by_place():
    table = units(n=40)
    index = [7] * 40
    found = experiments.cuped(
        table["value"].set_axis(index), table["before"].set_axis(index)
    )
    np.testing.assert_array_equal(
        found, experiments.cuped(table["value"].to_numpy(), table["before"].to_numpy())
    )


def test_the_input_stays_as_it_was():
    table = units(n=40)
    copy = table.copy()
    experiments.cuped(table["value"], table["before"])
    pd.testing.assert_frame_equal(table, copy)


@pytest.mark.parametrize("scale", [1e-100, 1e100])
def test_very_small_and_very_large_covariates(scale):
    table = units(n=40)
    np.testing.assert_allclose(
        experiments.cuped(table["value"], scale * table["before"]),
        experiments.cuped(table["value"], table["before"]),
    )


# --- refusals -------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["value", "before"])
@pytest.mark.parametrize("null", [np.nan, None])
def test_a_missing_value_is_refused_by_name_and_row(name, null):
    table = units(n=9)
    table.loc[4, name] = null
    said = {"value": "values", "before": "covariate"}[name]
    with pytest.raises(ValueError, match=f"{said} is missing in 1 of 9 .* row 4"):
        experiments.cuped(table["value"], table["before"])


def test_lengths_and_indexes_must_fit():
    table = units(n=9)
    with pytest.raises(ValueError, match="values has 9, covariate has 8 rows"):
        experiments.cuped(table["value"], table["before"][:8])
    with pytest.raises(ValueError, match="different indexes"):
        experiments.cuped(table["value"], table["before"][::-1])


@pytest.mark.parametrize("value", [0.0, 0.1, -5.0])
def test_a_constant_covariate_has_a_named_state(value):
    with pytest.raises(experiments.NotEstimable) as said:
        experiments.cuped([1.0, 2.0, 4.0], [value] * 3)
    assert said.value.state == "constant covariate"


@pytest.mark.parametrize("turn", [1.0, -3.0])
def test_the_outcome_under_another_name_is_refused(turn):
    table = units(n=200)
    with pytest.raises(experiments.NotEstimable, match="covariate is the outcome"):
        experiments.cuped(table["value"], turn * table["value"] + 1)


def test_a_constant_metric_stays_constant():
    assert experiments.cuped([2.0] * 5, range(5)).tolist() == [2.0] * 5


@pytest.mark.parametrize("size", [0, 1, 2])
def test_too_few_units_are_refused(size):
    with pytest.raises(ValueError, match=f"{size} units"):
        experiments.cuped([1.0, 2.0][:size], [3.0, 5.0][:size])


def test_infinite_and_text_are_refused():
    with pytest.raises(ValueError, match="covariate holds inf"):
        experiments.cuped([1, 2, 3], [1, 2, np.inf])
    with pytest.raises(ValueError, match="covariate holds string"):
        experiments.cuped([1, 2, 3], ["a", "b", "c"])

"""Sizes as in statsmodels, planned power as simulated power, weeks that are whole."""

import math

import numpy as np
import pandas as pd
import pytest
import tea_tasting as tt
from flightline import experiments
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.power import TTestIndPower
from statsmodels.stats.proportion import samplesize_proportions_2indep_onetail

SIZES = [
    (0.5, 0.05, 0.8),
    (0.2, 0.05, 0.8),
    (0.1, 0.01, 0.9),
    (0.05, 0.1, 0.5),
    (1.0, 0.05, 0.95),
    (0.01, 0.05, 0.8),
]


@pytest.mark.parametrize(("size", "alpha", "power"), SIZES)
def test_equals_statsmodels_rounded_up(size, alpha, power):
    theirs = TTestIndPower().solve_power(size, alpha=alpha, power=power)
    ours = experiments.sample_size(effect=size, sd=1, alpha=alpha, power=power)
    assert ours == math.ceil(theirs)


@pytest.mark.parametrize("units", [5, 20, 199, 5_000])
@pytest.mark.parametrize("size", [0.05, 0.3, 1.0])
def test_power_equals_statsmodels(units, size):
    theirs = TTestIndPower().power(size, units, 0.05)
    if math.isnan(theirs):  # the wrong tail, far out: theirs has no number
        theirs = 1.0
    ours = experiments.power_of(effect=size, sd=1, units=units)
    assert ours == pytest.approx(theirs, abs=1e-9)


def test_total_of_both_arms_equals_tea_tasting():
    rng = np.random.default_rng(0)
    x = rng.normal(10, 3, 400)
    metric = tt.Mean("x", effect_size=0.4, power=0.8)
    theirs = metric.solve_power(pd.DataFrame({"x": x}), "n_obs")[0].n_obs
    ours = experiments.sample_size(effect=0.4, sd=x.std(ddof=1))
    assert abs(2 * ours - theirs) <= 2


def test_the_normal_formula_is_a_little_smaller():
    for effect in (0.02, 0.1, 0.3):
        normal = 2 * ((stats.norm.ppf(0.975) + stats.norm.ppf(0.8)) / effect) ** 2
        ours = experiments.sample_size(effect=effect, sd=1)
        assert 0 <= ours - math.ceil(normal) <= 2


def test_ten_to_eleven_percent():
    ours = experiments.proportion_size(before=0.10, after=0.11)
    theirs = samplesize_proportions_2indep_onetail(
        diff=0.01, prop2=0.10, power=0.8, alpha=0.05, alternative="two-sided"
    )
    assert abs(ours - theirs) < 4
    assert 14_744 <= ours <= 14_751


@given(
    st.floats(0.02, 5),
    st.floats(0.001, 0.2),
    st.floats(0.3, 0.99),
)
@settings(max_examples=60, deadline=None)
def test_the_size_is_the_smallest_that_has_the_power(effect, alpha, power):
    units = experiments.sample_size(effect=effect, sd=1, alpha=alpha, power=power)
    found = {"effect": effect, "sd": 1, "alpha": alpha}
    assert experiments.power_of(units=units, **found) >= power
    if units > 2:
        assert experiments.power_of(units=units - 1, **found) < power


@given(st.floats(0.001, 100), st.floats(0.001, 100), st.floats(0.5, 200))
@settings(max_examples=60, deadline=None)
def test_units_of_measure_do_not_matter(effect, sd, design):
    if effect / sd < 0.001:
        return
    one = experiments.sample_size(effect=effect, sd=sd)
    again = experiments.sample_size(effect=-1000 * effect, sd=1000 * sd)
    assert abs(one - again) <= 1
    clustered = experiments.sample_size(effect=effect, sd=sd, design_effect=design)
    assert clustered == pytest.approx(one * design, abs=1)


def test_planned_power_is_the_power_that_simulation_finds():
    rng = np.random.default_rng(3)
    units = experiments.sample_size(effect=0.3, sd=1.5, power=0.7)
    found = [
        experiments.mean_effect(rng.normal(0.3, 1.5, units), rng.normal(0, 1.5, units))
        for _ in range(1_500)
    ]
    power = np.mean([effect.pvalue < 0.05 for effect in found])
    assert abs(power - 0.7) < 0.04


def test_a_design_effect_plans_an_experiment_by_clusters():
    """Rows of a cluster are alike; as many rows as planned then find the effect."""
    rng = np.random.default_rng(4)
    size, between = 20, 0.5
    past = rng.normal(0, between, 2_000)[:, None] + rng.normal(0, 1, (2_000, size))
    clusters = np.repeat(np.arange(2_000), size)
    measured = experiments.design_effect(past.ravel(), clusters)
    assert measured.icc == pytest.approx(0.2, abs=0.03)
    rows = experiments.sample_size(
        effect=0.3, sd=past.std(), design_effect=measured.design_effect
    )
    many = math.ceil(rows / size)
    means = rng.normal(0, between, (1_000, 2, many)) + rng.normal(
        0, 1 / math.sqrt(size), (1_000, 2, many)
    )
    found = stats.ttest_ind(means[:, 0] + 0.3, means[:, 1], axis=1).pvalue < 0.05
    assert abs(found.mean() - 0.8) < 0.05


def test_no_effect_is_found_at_the_rate_alpha():
    found = experiments.power_of(effect=0, sd=1, units=50, alpha=0.07)
    assert found == pytest.approx(0.07)


@pytest.mark.parametrize("units", [2, 3, 20, 500, 50_000, 1e9])
@pytest.mark.parametrize("power", [0.1, 0.8, 0.99])
def test_the_detectable_effect_has_the_power(units, power):
    effect = experiments.detectable_effect(sd=2, units=units, power=power)
    found = experiments.power_of(effect=effect, sd=2, units=units)
    assert found == pytest.approx(power, abs=1e-3)


def test_size_and_detectable_effect_undo_each_other():
    units = experiments.sample_size(effect=0.25, sd=1)
    effect = experiments.detectable_effect(sd=1, units=units)
    assert 0.245 < effect <= 0.25


@pytest.mark.parametrize("effect", [1e-4, 1e-6, 1e-9])
def test_tiny_effects_need_many_units(effect):
    units = experiments.sample_size(effect=effect, sd=1)
    assert units == pytest.approx(15.698 / effect**2, rel=1e-4)


@pytest.mark.parametrize("effect", [10, 1e6, 1e300])
def test_huge_effects_need_two_units(effect):
    assert experiments.sample_size(effect=effect, sd=0.001) == 2


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"effect": 0}, "effect=0"),
        ({"effect": math.nan}, "effect is nan"),
        ({"effect": math.inf}, "effect is inf"),
        ({"effect": 1e-300}, "too small"),
        ({"sd": 0}, "sd=0"),
        ({"sd": -1}, "sd=-1"),
        ({"sd": math.nan}, "sd is nan"),
        ({"alpha": 0}, "alpha=0"),
        ({"alpha": 1.5}, "alpha=1.5"),
        ({"power": 1}, "power=1"),
        ({"power": 0.05}, "power=0.05"),
        ({"power": math.nan}, "power is nan"),
        ({"design_effect": 0}, "design_effect=0"),
        ({"design_effect": math.nan}, "design_effect is nan"),
    ],
)
def test_what_is_no_plan_is_refused(change, message):
    with pytest.raises(ValueError, match=message):
        experiments.sample_size(**{"effect": 0.1, "sd": 1} | change)


@pytest.mark.parametrize("units", [0, 1, -5, math.nan, math.inf])
def test_power_takes_two_units_in_each_arm(units):
    with pytest.raises(ValueError, match=r"units(=| is )"):
        experiments.power_of(effect=0.1, sd=1, units=units)


@pytest.mark.parametrize("share", [0, 1, -0.1, 1.1, math.nan])
def test_a_share_lies_between_0_and_1(share):
    with pytest.raises(ValueError, match="before"):
        experiments.proportion_size(before=share, after=0.5)


@pytest.mark.parametrize(
    ("units", "daily", "share", "weeks"),
    [
        (1, 1_000, 0.5, 1),
        (3_500, 1_000, 0.5, 1),
        (3_501, 1_000, 0.5, 2),
        (14_749, 2_000, 0.5, 3),
        (199, 1, 0.5, 57),
        (700, 1_000, 0.1, 1),
        (701, 1_000, 0.1, 2),
    ],
)
def test_weeks_are_whole(units, daily, share, weeks):
    assert experiments.duration(units, daily=daily, share=share) == weeks


@pytest.mark.parametrize(
    "change",
    [{"units": 0}, {"daily": 0}, {"share": 0}, {"share": 1.1}, {"daily": math.nan}],
)
def test_what_is_no_duration_is_refused(change):
    given = {"units": 10, "daily": 5} | change
    with pytest.raises(ValueError, match=r"units=|daily is "):
        experiments.duration(given.pop("units"), **given)

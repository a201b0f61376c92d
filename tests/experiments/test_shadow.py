"""The paired shadow, and an effect that fades (simulated)."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from flightline import experiments
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats


def policies(seed=0, days=40, size=30, gain=0.2):
    rng = np.random.default_rng(seed)
    day = np.repeat(np.arange(days), rng.integers(1, 2 * size, days))
    weather = rng.normal(0, 1, days)[day]
    old = weather + rng.normal(0, 1, len(day))
    new = old + gain + 0.3 * rng.normal(0, 1, days)[day] + rng.normal(0, 0.5, len(day))
    return pd.DataFrame({"new": new, "old": old, "day": day})


@given(st.integers(0, 10_000))
@settings(max_examples=30, deadline=None)
def test_equals_statsmodels_by_day(seed):
    table = policies(seed)
    ours = experiments.shadow_effect(table["new"], table["old"], table["day"])
    gain = (table["new"] - table["old"]).to_numpy()
    groups = {"groups": table["day"].to_numpy()}
    fit = sm.OLS(gain, np.ones(len(gain))).fit(
        cov_type="cluster", cov_kwds=groups, use_t=True
    )
    found = ours.estimate, ours.se, ours.pvalue, ours.low, ours.high
    theirs = fit.params[0], fit.bse[0], fit.pvalues[0], *fit.conf_int()[0]
    np.testing.assert_allclose(found, theirs, rtol=1e-8, atol=1e-14)


@given(st.integers(0, 10_000))
@settings(max_examples=30, deadline=None)
def test_without_days_it_is_the_paired_t_test(seed):
    table = policies(seed, days=5)
    ours = experiments.shadow_effect(table["new"], table["old"])
    theirs = stats.ttest_rel(table["new"], table["old"])
    assert ours.pvalue == pytest.approx(theirs.pvalue, rel=1e-8, abs=1e-14)
    between = theirs.confidence_interval()
    assert (ours.low, ours.high) == pytest.approx((between.low, between.high))


def test_the_interval_by_days_covers_the_gain_on_other_days():
    covered = {"day": 0, "unit": 0}
    for seed in range(500):
        table = policies(seed)
        for name, cluster in (("day", table["day"]), ("unit", None)):
            effect = experiments.shadow_effect(table["new"], table["old"], cluster)
            covered[name] += effect.low <= 0.2 <= effect.high
    assert 0.91 < covered["day"] / 500 < 0.98
    assert covered["unit"] / 500 < 0.75


def test_the_real_quarter(flights):
    """B is better by a margin, and days are less sure than flights."""
    rewards = flights["reward_b"], flights["reward_a"]
    days = experiments.shadow_effect(*rewards, flights["day"])
    units = experiments.shadow_effect(*rewards)
    assert 0.04 < days.low < days.estimate < days.high < 0.08
    assert days.estimate == pytest.approx(units.estimate)
    assert days.se > 4 * units.se
    assert (days.n, units.n) == (92, len(flights))


def test_the_same_policy_twice_has_a_named_state():
    table = policies()
    for shift in (0, 1):
        with pytest.raises(experiments.NotEstimable, match="constant metric"):
            experiments.shadow_effect(
                table["old"].round() + shift, table["old"].round(), table["day"]
            )


def test_a_unit_that_one_policy_lacks_is_left_out():
    table = policies()
    holes = table.copy()
    holes.loc[::3, "new"] = np.nan
    holes.loc[1::3, "old"] = np.nan
    columns = ("new", "old", "day")
    ours = experiments.shadow_effect(*(holes[name] for name in columns))
    kept = table[2::3]
    assert ours == experiments.shadow_effect(*(kept[name] for name in columns))


@pytest.mark.parametrize(
    ("columns", "state"),
    [
        (([], [], []), "empty arm"),
        (([None, 1], [1, None], ["a", "b"]), "no outcome yet"),
        (([1, 2], [1, 1], ["a", "a"]), "one unit"),
    ],
)
def test_what_has_no_interval_has_a_named_state(columns, state):
    with pytest.raises(experiments.NotEstimable) as said:
        experiments.shadow_effect(*columns)
    assert said.value.state == state


def test_columns_that_do_not_fit_are_refused():
    table = policies()
    with pytest.raises(ValueError, match="indexes"):
        experiments.shadow_effect(table["new"], table["old"][::-1])
    with pytest.raises(ValueError, match="alpha"):
        experiments.shadow_effect([1, 2], [1, 4], alpha=0)
    with pytest.raises(ValueError, match="cluster is missing"):
        experiments.shadow_effect([1, 2], [1, 4], ["a", None])


# --- novelty (simulated: the flights get used to nothing) -----------------------------


def visits(seed=0, users=600, extra=1.0, effect=0.5):
    """Return users who come back on ten days each, and what a novelty would do."""
    rng = np.random.default_rng(seed)
    user = np.repeat(np.arange(users), 10)
    age = rng.integers(0, 28, len(user))
    treated = (rng.random(users) < 0.5)[user]
    factor = experiments.simulated_novelty(age, extra)
    noise = rng.normal(0, 0.7, users)[user] + rng.normal(0, 0.7, len(user))
    value = noise + effect * factor * treated
    columns = {"values": value, "treated": treated, "age": age, "user": user}
    return pd.DataFrame(columns)


def by_age(table, **options):
    columns = (table[name] for name in ("values", "treated", "age"))
    return experiments.by_age(*columns, **options)


def test_a_simulated_novelty_fades_in_the_table():
    found = by_age(visits(), cluster=visits()["user"])
    assert list(found.index) == ["0 to 7", "7 to 14", "14 to 28", "change"]
    assert found["estimate"].iloc[0] > found["estimate"].iloc[2] > 0.3
    assert found.loc["change", "high"] < 0


def test_without_novelty_a_change_is_found_as_often_as_alpha_says():
    found = 0
    for seed in range(300):
        table = visits(seed, users=150, extra=0.0)
        change = by_age(table, cluster=table["user"]).loc["change"]
        found += change["pvalue"] < 0.05
    assert found / 300 < 0.09


def test_each_span_is_the_effect_of_its_rows():
    table = visits()
    found = by_age(table, cluster=table["user"], edges=(0, 3, 20))
    rows = table[table["age"] < 3]
    effect = experiments.clustered_effect(rows["values"], rows["treated"], rows["user"])
    assert found.loc["0 to 3", "estimate"] == pytest.approx(effect.estimate)
    assert found.loc["0 to 3", "pvalue"] == pytest.approx(effect.pvalue)
    gap = found["estimate"].iloc[1] - found["estimate"].iloc[0]
    assert found.loc["change", "estimate"] == pytest.approx(gap)


def test_a_span_nobody_reached_has_a_state_and_no_number():
    table = visits()
    found = by_age(table[table["age"] < 14])
    assert found.loc["14 to 28", "state"] == "one unit"
    assert found.loc["change", "state"] == "one unit"
    assert found.loc[["14 to 28", "change"], ["low", "pvalue"]].isna().all().all()
    assert found["state"].iloc[0] == ""


@pytest.mark.parametrize(
    ("age", "message"),
    [([-1.0], "below 0 in 1 of"), ([np.nan], "age is missing"), ([np.inf], "age")],
)
def test_an_age_counts_from_the_first_exposure(age, message):
    table = visits(users=20)
    table["age"] = table["age"].astype(float)
    table.loc[0, "age"] = age
    with pytest.raises(ValueError, match=message):
        by_age(table)


@pytest.mark.parametrize("edges", [(0, 7), (0, 7, 7), (7, 0, 3), (0, np.nan, 3)])
def test_edges_rise(edges):
    with pytest.raises(ValueError, match="rising ages"):
        by_age(visits(users=20), edges=edges)

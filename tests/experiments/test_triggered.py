"""Triggered analysis: the same effect, less noise, and a trigger that is checked."""

import numpy as np
import pandas as pd
import pytest
from flightline import experiments
from hypothesis import given, settings
from hypothesis import strategies as st


def units(seed=0, n=2_000, share=0.2, effect=0.5):
    rng = np.random.default_rng(seed)
    triggered, treated = rng.random(n) < share, rng.random(n) < 0.5
    value = rng.normal(0, 1, n) + effect * (triggered & treated)
    columns = {"values": value, "treated": treated, "triggered": triggered}
    return pd.DataFrame(columns)


def ours(table, **options):
    return experiments.triggered_effect(
        table["values"], table["treated"], table["triggered"], **options
    )


@given(st.integers(0, 10_000), st.floats(0.02, 1.0), st.floats(-1, 1))
@settings(max_examples=40, deadline=None)
def test_among_is_welch_and_overall_is_diluted(seed, share, effect):
    table = units(seed, share=share, effect=effect)
    found = ours(table)
    on = table[table["triggered"]]
    arm = on["treated"]
    assert found.among == experiments.mean_effect(on["values"][arm], on["values"][~arm])
    assert found.share == table["triggered"].mean()
    assert found.overall.estimate == found.share * found.among.estimate
    assert found.overall.low <= found.overall.estimate <= found.overall.high
    assert 0 < found.balance <= 1


def test_the_diluted_interval_covers_the_effect_on_all_traffic():
    covered, narrower, direct = 0, 0, 0
    for seed in range(800):
        found = ours(units(seed))
        covered += found.overall.low <= 0.2 * 0.5 <= found.overall.high
        direct += found.direct.low <= 0.2 * 0.5 <= found.direct.high
        narrower += found.overall.se < found.direct.se
    assert 0.93 < covered / 800 < 0.975
    assert 0.93 < direct / 800 < 0.975
    assert narrower == 800


def test_all_triggered_is_the_direct_effect():
    found = ours(units(share=1.0))
    assert found.share == 1 and found.balance == 1
    assert found.overall.estimate == found.direct.estimate
    assert found.overall.se == pytest.approx(found.direct.se)


def test_balance_is_even_without_a_fault_and_tiny_with_one():
    even = [ours(units(seed)).balance for seed in range(500)]
    assert 0.03 < np.mean(np.array(even) < 0.05) < 0.075
    table = units(1)
    lost = table["treated"] & table["triggered"] & (np.arange(len(table)) % 3 == 0)
    assert ours(table.assign(triggered=table["triggered"] & ~lost)).balance < 0.01


def test_units_without_an_outcome_are_left_out_with_their_trigger():
    table = units()
    holes = table.copy()
    holes.loc[::4, "values"] = np.nan
    assert ours(holes) == ours(holes.dropna())


@pytest.mark.parametrize("kind", ["boolean", "int8", float, object])
def test_flags_of_any_type(kind):
    table = units(n=200)
    typed = table.astype({"treated": kind, "triggered": kind}).set_axis([1] * 200)
    assert ours(typed) == ours(table)


def test_real_flights_need_fewer_where_decisions_differ(flights):
    treated = np.random.default_rng(0).random(len(flights)) < 0.5
    values = np.where(treated, flights["reward_b"], flights["reward_a"])
    differ = flights["warns_a"] != flights["warns_b"]
    found = experiments.triggered_effect(values, treated, differ)
    assert 0.3 < found.share < 0.4
    assert 0.05 < found.overall.estimate < 0.07
    assert found.overall.se < 0.6 * found.direct.se


@pytest.mark.parametrize(
    ("change", "state"),
    [
        ({"triggered": False}, "nothing triggered"),
        ({"treated": True}, "empty arm"),
        ({"values": np.nan}, "no outcome yet"),
        ({"values": 0.1}, "constant metric"),
    ],
)
def test_what_cannot_be_compared_has_a_named_state(change, state):
    with pytest.raises(experiments.NotEstimable) as said:
        ours(units(n=50).assign(**change))
    assert said.value.state == state


def test_one_triggered_unit_has_a_named_state():
    table = units(n=50).assign(triggered=False)
    table.loc[[int(np.argmax(table["treated"]))], "triggered"] = True
    with pytest.raises(experiments.NotEstimable, match=r"one unit|empty arm"):
        ours(table)


def test_columns_that_do_not_fit_are_refused():
    table = units(n=20)
    with pytest.raises(ValueError, match="triggered must be true or false"):
        ours(table.assign(triggered=[2] * 20))
    with pytest.raises(ValueError, match="length"):
        experiments.triggered_effect([1, 2], [True, False], [True])
    with pytest.raises(ValueError, match="indexes"):
        experiments.triggered_effect(
            table["values"], table["treated"], table["triggered"][::-1]
        )

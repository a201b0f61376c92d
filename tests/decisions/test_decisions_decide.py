"""Guardrails and the decision: promises, slips, and what is refused."""

import itertools
import math
from types import SimpleNamespace

import numpy as np
import pytest
from flightline import decisions, experiments
from flightline.decisions.core import no_worse, step_after
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

NUMBERS = st.floats(-1e6, 1e6)


def found(low, high, pvalue=0.5):
    return experiments.Effect((low + high) / 2, low, high, pvalue)


SAFE = decisions.Guardrail(0.0, 0.001, margin=0.01)
HARMED = decisions.Guardrail(-0.05, 0.001, margin=0.01)
UNKNOWN = decisions.Guardrail(-0.001, 0.02, margin=0.01)


# --- guardrails ----------------------------------------------------------------------


def test_non_inferior_by_hand():
    for estimate, se, margin in itertools.product(
        (-0.02, 0, 0.02), (0.005, 0.02), (0.01,)
    ):
        low = estimate - 1.6448536 * se
        assert decisions.non_inferior(estimate, se, margin) == (low > -margin)
        assert decisions.non_inferior(estimate, se, margin) == no_worse(
            estimate, se, margin
        )


def test_non_inferior_is_a_one_sided_test_at_the_margin():
    rng = np.random.default_rng(1)
    estimates = rng.normal(-0.01, 0.004, 4_000)
    shown = np.mean([decisions.non_inferior(e, 0.004, 0.01) for e in estimates])
    assert abs(shown - 0.05) < 4 * math.sqrt(0.05 * 0.95 / 4_000)


def test_slip_not_significant_is_not_safe():
    """A loss of .003 with an error of .002: p is .13, and it is not shown safe."""
    assert 2 * stats.norm.sf(0.003 / 0.002) > 0.05
    assert not decisions.non_inferior(-0.003, 0.002, margin=0.002)


def test_slip_sign_of_the_margin():
    assert decisions.non_inferior(-0.001, 0.0001, margin=0.002)
    assert not decisions.non_inferior(-0.003, 0.0001, margin=0.002)
    with pytest.raises(ValueError, match="positive number"):
        decisions.non_inferior(-0.001, 0.0001, margin=-0.002)


@pytest.mark.parametrize(
    "state, guard",
    zip(("safe", "harmed", "unknown"), (SAFE, HARMED, UNKNOWN), strict=True),
)
def test_states(state, guard):
    assert guard.state == state
    assert (state == "safe") == decisions.non_inferior(guard.estimate, guard.se, 0.01)
    assert "0.01" in str(guard)


def test_where_lower_is_better_a_rise_is_a_loss():
    slower = decisions.Guardrail(5.0, 0.1, margin=2.0, unit="ms", better="lower")
    faster = decisions.Guardrail(-5.0, 0.1, margin=2.0, unit="ms", better="lower")
    assert slower.state == "harmed" and faster.state == "safe"
    assert slower.gain == -5


def test_few_days_make_it_harder_to_be_safe():
    known = decisions.Guardrail(0.0, 1.0, margin=1.7)
    week = decisions.Guardrail(0.0, 1.0, margin=1.7, days=7)
    assert known.state == "safe" and week.state == "unknown"
    assert week.reach == pytest.approx(stats.t.isf(0.05, 6))


def test_margin_and_metric_have_one_unit():
    decisions.Guardrail(0.0, 1.0, margin=1.0, unit="points", margin_unit="points")
    with pytest.raises(ValueError, match="'percent' and the metric in 'points'"):
        decisions.Guardrail(0.0, 1.0, margin=1.0, unit="points", margin_unit="percent")


def test_days_to_show_reach_the_power():
    rng = np.random.default_rng(2)
    for truth in (0.0, 0.002):
        days = decisions.days_to_show(0.004, sd=0.02, truth=truth)
        means = truth + rng.normal(0, 0.02 / math.sqrt(days), 4_000)
        se = 0.02 / math.sqrt(days)
        power = np.mean([decisions.non_inferior(m, se, 0.004) for m in means])
        assert abs(power - 0.8) < 0.03
    assert decisions.days_to_show(0.002, 0.0273) > 5 * decisions.days_to_show(
        0.005, 0.0273
    )


@pytest.mark.parametrize(
    "arguments, said",
    [
        ((np.nan, 1, 1), "estimate=nan"),
        ((0, np.inf, 1), "se=inf"),
        ((0, 0, 1), "without variance"),
        ((0, -1, 1), "without variance"),
        ((0, 1, 0), "margin=0"),
        ((0, 1, np.nan), "margin=nan"),
        ((0, 1, None), "margin=None"),
        (("0", 1, 1), "estimate='0'"),
        ((True, 1, 1), "estimate=True"),
        ((0, 1, 1, 0), "alpha=0"),
        ((0, 1, 1, 0.9), "alpha=0.9"),
    ],
)
def test_non_inferior_refuses(arguments, said):
    with pytest.raises(ValueError, match=said):
        decisions.non_inferior(*arguments)


@pytest.mark.parametrize(
    "margin, options, said",
    [
        (0.01, {"sd": 0}, "sd=0"),
        (-0.01, {"sd": 1}, "margin=-0.01"),
        (0.01, {"sd": 1, "truth": -0.01}, "no number of days"),
        (0.01, {"sd": 1, "power": 0.05}, "power=0.05"),
        (0.01, {"sd": 1, "power": 1}, "power=1"),
        (0.01, {"sd": np.nan}, "sd=nan"),
        (1e-9, {"sd": 100}, "in one unit"),
    ],
)
def test_days_to_show_refuses(margin, options, said):
    with pytest.raises(ValueError, match=said):
        decisions.days_to_show(margin, **options)


@pytest.mark.parametrize(
    "options, said",
    [
        ({"se": 0}, "variance"),
        ({"margin": -1}, "margin=-1"),
        ({"better": "up"}, "better='up'"),
        ({"alpha": 2}, "alpha=2"),
        ({"days": 1}, "days=1"),
        ({"estimate": None}, "estimate=None"),
    ],
)
def test_guardrail_refuses(options, said):
    given = {"estimate": 0.0, "se": 1.0, "margin": 1.0} | options
    with pytest.raises(ValueError, match=said):
        decisions.Guardrail(**given)


# --- the decision --------------------------------------------------------------------


@pytest.mark.parametrize(
    "low, high, guards, cost, action",
    [
        (0.01, 0.02, {}, 0.0, "ship"),
        (0.01, 0.02, {}, 0.015, "iterate"),
        (0.01, 0.02, {}, 0.03, "kill"),
        (-0.02, -0.01, {}, 0.0, "kill"),
        (-0.01, 0.01, {}, 0.0, "iterate"),
        (0.0, 0.01, {}, 0.0, "iterate"),
        (-0.01, 0.0, {}, 0.0, "iterate"),
        (0.01, 0.02, {"a": SAFE}, 0.0, "ship"),
        (0.01, 0.02, {"a": SAFE, "b": True}, 0.0, "ship"),
        (0.01, 0.02, {"a": UNKNOWN}, 0.0, "iterate"),
        (0.01, 0.02, {"a": HARMED}, 0.0, "iterate"),
        (0.01, 0.02, {"a": False}, 0.0, "iterate"),
        (0.01, 0.02, {"a": None}, 0.0, "iterate"),
        (0.01, 0.02, {"a": np.bool_(True)}, 0.0, "ship"),
        (-math.inf, math.inf, {}, 0.0, "iterate"),
    ],
)
def test_actions(low, high, guards, cost, action):
    effect = experiments.Effect(max(min((low + high) / 2, high), low), low, high, 0.5)
    if math.isinf(low):
        effect = experiments.Effect(0.0, low, high, 1.0)
    decision = decisions.decide(effect, guards, cost=cost)
    assert decision.action == action
    assert len(decision.reasons) == 2 + len(guards)
    assert all(reason.endswith(".") for reason in decision.reasons)
    safe = {n: g is SAFE or g is True or g is np.True_ for n, g in guards.items()}
    assert action == step_after(low, high, safe, cost)


@given(
    st.tuples(NUMBERS, NUMBERS).map(sorted),
    st.floats(0, 1e6),
    st.dictionaries(
        st.text(max_size=3),
        st.sampled_from([SAFE, HARMED, UNKNOWN, True, False, None]),
        max_size=3,
    ),
)
def test_promises(ends, cost, guards):
    low, high = ends
    effect = SimpleNamespace(estimate=low, low=low, high=high, pvalue=0.5)
    action = decisions.decide(effect, guards, cost=cost).action
    safe = all(guard is SAFE or guard is True for guard in guards.values())
    if action == "ship":
        assert low > cost and safe
    if action == "kill":
        assert high < cost
    if low > cost and safe:
        assert action == "ship"
    if low <= cost <= high:
        assert action == "iterate"


def test_reasons_name_the_numbers():
    decision = decisions.decide(
        found(0.0477, 0.0731), {"precision": UNKNOWN}, cost=0.005
    )
    said = str(decision)
    for number in ("0.0604", "0.0477", "0.0731", "0.005", "0.01", "precision"):
        assert number in said
    assert said.startswith("ITERATE\n- The effect is")


def test_any_object_with_the_four_attributes_will_do():
    row = SimpleNamespace(
        estimate=np.float32(1), low=np.float64(0.5), high=2, pvalue=np.float64(0)
    )
    assert decisions.decide(row, {}, cost=0).action == "ship"


@pytest.mark.parametrize(
    "changes, guards, cost, said",
    [
        ({"low": math.nan}, {}, 0, "primary.low=nan"),
        ({"estimate": None}, {}, 0, "primary.estimate=None"),
        ({"estimate": math.inf}, {}, 0, "primary.estimate=inf"),
        ({"low": 2, "high": -2}, {}, 0, "not in order"),
        ({"estimate": 9.0}, {}, 0, "not in order"),
        ({"pvalue": 1.2}, {}, 0, "pvalue=1.2"),
        ({"pvalue": math.nan}, {}, 0, "pvalue=nan"),
        ({}, {}, -0.1, "cost=-0.1"),
        ({}, {}, math.nan, "cost=nan"),
        ({}, {}, math.inf, "cost=inf"),
        ({}, {}, "free", "cost='free'"),
        ({}, {"a": 0.03}, 0, "guardrail 'a' is 0.03"),
        ({}, {"a": "safe"}, 0, "guardrail 'a' is 'safe'"),
        ({}, {"a": 1}, 0, "guardrail 'a' is 1"),
        ({}, [SAFE], 0, "guardrails is a list"),
        ({}, None, 0, "guardrails is a NoneType"),
    ],
)
def test_decide_refuses(changes, guards, cost, said):
    effect = {"estimate": 0.0, "low": -1.0, "high": 1.0, "pvalue": 0.5} | changes
    with pytest.raises(ValueError, match=said):
        decisions.decide(SimpleNamespace(**effect), guards, cost=cost)


def test_decide_names_what_an_effect_lacks():
    with pytest.raises(ValueError, match="primary has no low, high, pvalue"):
        decisions.decide(SimpleNamespace(estimate=1.0), {}, cost=0)

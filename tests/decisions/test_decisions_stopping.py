"""Rules that stop: what they say, how often they are wrong, what they refuse."""

import numpy as np
import pytest
from flightline import decisions
from labkit.decisions import pairs
from scipy import stats

DAYS = 28


@pytest.fixture(scope="module")
def nothing():
    """Return what dashboards show of 8,000 experiments without effect."""
    rng = np.random.default_rng(7)
    return pairs.looks(rng.standard_normal((8_000, DAYS)))


def wrong(rule, shown):
    return np.mean(rule(*shown).said != 0)


def test_promises_hold_without_effect(nothing):
    rules = decisions.rules(DAYS)
    rates = {name: wrong(rule, nothing) for name, rule in rules.items()}
    for name in ("fixed", "pocock", "obrien_fleming", "spending daily", "sequence"):
        assert rates[name] < 0.065, name
    for name in ("fixed", "obrien_fleming", "spending daily"):
        assert rates[name] > 0.035, name
    assert rates["peek daily"] > 0.13
    assert rates["bayes"] > rates["peek daily"]
    assert rates["sign"] == 1


def test_a_large_effect_stops_early():
    rng = np.random.default_rng(8)
    shown = pairs.looks(rng.normal(1.2, 1, (2_000, DAYS)))
    for name, rule in decisions.rules(DAYS).items():
        stopped = rule(*shown)
        assert (stopped.said == 1).mean() > 0.95, name
        assert (np.median(stopped.day) < DAYS) == (name not in ("fixed", "sign")), name
        down = rule(-shown[0], shown[1])
        assert (down.said == -stopped.said).all() and (down.day == stopped.day).all()


def test_looks_only_where_the_rule_looks(nothing):
    rules = decisions.rules(DAYS)
    assert set(rules["fixed"](*nothing).day) == {28}
    assert set(rules["pocock"](*nothing).day) == {7, 14, 21, 28}
    assert min(rules["peek daily"](*nothing).day) == 7


def test_first_crossing_by_hand():
    rule = decisions.Crossing((np.inf, 2.0, np.inf, 2.0), known=True)
    estimates = [[9, 1, 9, -3], [9, -2.5, 9, 9], [9, 1, 9, 2]]
    stopped = rule(estimates, np.ones((3, 4)))
    assert stopped.day.tolist() == [4, 2, 4]
    assert stopped.said.tolist() == [-1, -1, 0]
    one = rule(estimates[0], np.ones(4))
    assert (one.day, one.said) == (4, -1)


def test_normal_scores_keep_the_tail():
    t = np.array([[0.5, -1.0, 2.0, -4.0]])
    z = decisions.normal_scores(t, np.ones_like(t))
    freedom = [1, 1, 2, 3]
    assert np.allclose(stats.norm.sf(np.abs(z)), stats.t.sf(np.abs(t), freedom))
    assert (np.sign(z) == np.sign(t)).all()


def test_slip_fixed_bound_on_few_days(nothing):
    """Seven days: |t| exceeds 1.96 in a tenth of experiments, its score in a 20th."""
    estimates, ses = (each[:, :7] for each in nothing)
    z = decisions.normal_scores(estimates, ses)[:, -1]
    assert np.mean(np.abs(estimates / ses)[:, -1] > 1.96) > 0.085
    assert abs(np.mean(np.abs(z) > 1.96) - 0.05) < 0.01


def test_bayes_is_the_posterior_with_a_flat_prior(nothing):
    estimates, ses = (each[:50] for each in nothing)
    likely = decisions.probability_better(estimates[:, 6:], ses[:, 6:])
    stops = ((likely > 0.975) | (likely < 0.025)).any(axis=1)
    assert (stops == (decisions.rules(DAYS)["bayes"](estimates, ses).said != 0)).all()


@pytest.mark.parametrize(
    "estimates, ses, said",
    [
        (np.zeros((2, 27)), np.ones((2, 27)), "27 days were given"),
        (np.zeros((2, 29)), np.ones((2, 29)), "may not see more or fewer"),
        (np.zeros((2, 28)), np.ones((3, 28)), "one of each a day"),
        (np.zeros((2, 28)), np.zeros((2, 28)), "no variance"),
        (np.zeros((2, 28)), -np.ones((2, 28)), "none is below 0"),
        (np.full((2, 28), np.nan), np.ones((2, 28)), "56 of 56 values"),
        (np.zeros(28), np.full(28, np.nan), "no variance"),
        (0.0, 1.0, "one of each a day"),
    ],
)
def test_rules_refuse(estimates, ses, said):
    with pytest.raises(ValueError, match=said):
        decisions.rules(DAYS)["peek daily"](estimates, ses)


@pytest.mark.parametrize(
    "days, options, said",
    [
        (30, {}, "not a multiple"),
        (7, {"first": 8}, "ends before"),
        (28, {"first": 1}, "first=1"),
        (28, {"alpha": 0}, "alpha=0"),
        (0, {}, "days=0"),
        (28.0, {}, "days=28.0"),
        (28, {"every": 0}, "every=0"),
    ],
)
def test_no_rules_for(days, options, said):
    with pytest.raises(ValueError, match=said):
        decisions.rules(days, **options)


@pytest.mark.parametrize(
    "arguments, options, said",
    [
        (([1.0], [0.0]), {}, "above 0"),
        (([1.0], [1.0]), {"prior_sd": 0}, "above 0"),
        (([1.0], [1.0, 2.0]), {}, "differ"),
        (([np.nan], [1.0]), {}, "1 of 1 values"),
        (([1.0], [1.0]), {"prior_mean": np.nan}, "prior_mean=nan"),
    ],
)
def test_probability_refuses(arguments, options, said):
    with pytest.raises(ValueError, match=said):
        decisions.probability_better(*arguments, **options)


def test_posterior_by_hand():
    found = decisions.probability_better([0.02], [0.01], prior_sd=0.01, beyond=0.005)
    mean, sd = 0.01, np.sqrt(1 / (1 / 0.01**2 + 1 / 0.01**2))
    assert found == pytest.approx([stats.norm.sf((0.005 - mean) / sd)])

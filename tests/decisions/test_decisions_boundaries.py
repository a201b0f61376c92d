"""Bounds beside published tables, SciPy's multivariate normal, and simulation."""

import numpy as np
import pytest
from flightline import decisions
from flightline.decisions.core import crossing, z_bounds
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

FIVE_LOOKS = {
    "pocock": [2.413] * 5,
    "obrien_fleming": [4.562, 3.226, 2.634, 2.281, 2.040],
    "lan_demets": [4.877, 3.357, 2.680, 2.290, 2.031],
}
"""Published, two-sided, alpha .05."""

POCOCK_P = {2: 0.0294, 3: 0.0221, 4: 0.0182, 5: 0.0158}
"""Published nominal p-value at each of so many looks, alpha .05."""


def exceeds(bounds, times=None):
    """Return how often any |Z| exceeds its bound, by SciPy's multivariate normal."""
    looks = len(bounds)
    t = np.arange(1, looks + 1) / looks if times is None else np.asarray(times)
    covariance = np.sqrt(np.minimum.outer(t, t) / np.maximum.outer(t, t))
    edges = np.minimum(bounds, 9.0)
    inside = stats.multivariate_normal.cdf(
        edges,
        cov=covariance,
        lower_limit=-edges,
        abseps=1e-6,
        releps=1e-6,
        maxpts=1_000_000,
        rng=np.random.default_rng(0),
    )
    return 1 - inside


@pytest.mark.parametrize("kind", decisions.KINDS)
def test_published_five_looks(kind):
    assert np.allclose(decisions.boundaries(kind, 5), FIVE_LOOKS[kind], atol=6e-4)


@pytest.mark.parametrize("looks", POCOCK_P)
def test_published_nominal_levels_of_pocock(looks):
    nominal = 2 * stats.norm.sf(decisions.boundaries("pocock", looks))
    assert np.allclose(nominal, POCOCK_P[looks], atol=6e-5)


def test_published_spending_at_four_looks():
    """One-sided .05 of another library: two sides of .05 each are alpha .1 here."""
    found = decisions.spending_bounds([0.25, 0.5, 0.75, 1], alpha=0.1)
    assert np.allclose(found, [3.74955, 2.53993, 2.01604, 1.72014], atol=2e-3)


@pytest.mark.parametrize("kind", decisions.KINDS)
@pytest.mark.parametrize("looks", [2, 3, 7, 11])
def test_beside_scipy(kind, looks):
    bounds = decisions.boundaries(kind, looks)
    assert exceeds(bounds) == pytest.approx(0.05, abs=2e-4)


def test_beside_scipy_at_odd_times():
    times = [0.05, 0.11, 0.5, 0.52, 0.93]
    for kind in decisions.SPENDING:
        bounds = decisions.spending_bounds(times, 0.2, kind)
        most = decisions.spent(times, 0.2, kind)[-1]
        assert exceeds(bounds, times) == pytest.approx(most, abs=2e-4)


@pytest.mark.parametrize("looks", range(2, 29))
def test_from_2_to_28_looks(looks):
    for kind in decisions.KINDS:
        bounds = decisions.boundaries(kind, looks)
        assert crossing(bounds, 128) == pytest.approx(0.05, abs=1e-7)
        if kind != "lan_demets":
            assert np.allclose(bounds, z_bounds(kind, looks), atol=1e-6)


def test_the_first_spending_bound_of_28_looks_is_beyond_nine():
    bounds = decisions.boundaries("lan_demets", 28)
    assert 11 < bounds[0] < 12
    assert (np.diff(bounds) < 0).all()


@pytest.mark.parametrize("looks", [60, 100])
def test_many_looks_need_more_nodes(looks):
    for kind in decisions.KINDS:
        bounds = decisions.boundaries(kind, looks)
        assert crossing(bounds, 2 * looks) == pytest.approx(0.05, abs=1e-6)
    assert abs(crossing(decisions.boundaries("pocock", 100), 32) - 0.05) > 1e-3


def test_one_look_is_the_fixed_bound():
    for kind in decisions.KINDS:
        for alpha in (0.5, 0.05, 1e-6):
            fixed = [stats.norm.isf(alpha / 2)]
            assert decisions.boundaries(kind, 1, alpha) == pytest.approx(fixed)


@pytest.mark.parametrize("alpha", [0.5, 0.3, 0.2, 0.01, 1e-4, 1e-7, 1e-12, 1e-100])
@pytest.mark.parametrize("kind", decisions.KINDS)
def test_any_error_rate(kind, alpha):
    bounds = decisions.boundaries(kind, 6, alpha)
    fixed, split = stats.norm.isf([alpha / 2, alpha / 12])
    assert fixed - 1e-6 <= bounds[-1] <= split + 1e-6
    if alpha >= 1e-7:
        assert crossing(bounds, 256) == pytest.approx(alpha, rel=1e-4)


def test_far_more_precise_than_one_minus_the_rest():
    """Bonferroni is nearly exact when alpha is tiny."""
    bound = decisions.boundaries("pocock", 4, 1e-40)[0]
    assert stats.norm.isf(1e-40 / 8) - 0.01 < bound < stats.norm.isf(1e-40 / 8)


@pytest.mark.parametrize(
    "looks, crossed", [(2, 0.083), (5, 0.142), (14, 0.220), (28, 0.275), (92, 0.367)]
)
def test_peeking_unadjusted(looks, crossed):
    assert crossing(np.full(looks, 1.959964), 200) == pytest.approx(crossed, abs=6e-4)


def test_simulated_false_alarms():
    rng = np.random.default_rng(5)
    steps = rng.standard_normal((20_000, 14))
    z = np.abs(steps.cumsum(axis=1)) / np.sqrt(np.arange(1, 15))
    for kind in decisions.KINDS:
        rate = (z > decisions.boundaries(kind, 14)).any(axis=1).mean()
        assert abs(rate - 0.05) < 4 * np.sqrt(0.05 * 0.95 / 20_000)
    assert (z > 1.96).any(axis=1).mean() > 0.2


@settings(deadline=None, max_examples=30)
@given(
    st.lists(st.floats(0.02, 1), min_size=1, max_size=8, unique=True),
    st.floats(1e-3, 0.5),
    st.sampled_from(decisions.SPENDING),
)
def test_spending_at_any_times(times, alpha, kind):
    times = np.sort(times)
    if (np.diff(times, prepend=0) < 1e-3).any():
        times = times[:1]
    bounds = decisions.spending_bounds(times, alpha, kind)
    most = decisions.spent(times, alpha, kind)[-1]
    found = decisions.next_bound(times[:-1], times[-1], alpha, kind)
    assert found == pytest.approx(bounds[-1])
    assert most <= alpha * (1 + 1e-12)
    alone = stats.norm.isf(most / 2)
    assert bounds[-1] >= alone - 1e-9 or len(times) > 1


def test_a_bound_depends_on_the_past_alone():
    first = decisions.spending_bounds([0.1, 0.35, 0.4, 0.9])
    second = decisions.spending_bounds([0.1, 0.35, 0.6])
    assert np.allclose(first[:2], second[:2], rtol=1e-12)


def test_the_last_look_may_spend_what_is_left():
    usual = decisions.next_bound([0.5], 1.0)
    assert decisions.next_bound([0.5], 1.0, final=True) == pytest.approx(usual)
    early = decisions.next_bound([0.5], 0.8, final=True)
    assert early < decisions.next_bound([0.5], 0.8)
    assert exceeds([decisions.next_bound([], 0.5), early], [0.5, 0.8]) == (
        pytest.approx(0.05, abs=2e-4)
    )
    late = decisions.next_bound([0.5], 1.4, final=True)
    assert exceeds([decisions.next_bound([], 0.5), late], [0.5, 1.4]) == (
        pytest.approx(0.05, abs=2e-4)
    )


# --- the slips -----------------------------------------------------------------------


def test_slip_pocock_of_five_looks_used_at_eight():
    planned = decisions.boundaries("pocock", 5)[0]
    assert crossing(np.full(8, planned), 128) == pytest.approx(0.064, abs=6e-4)


def test_slip_alpha_over_looks_wastes_power():
    split = stats.norm.isf(0.05 / 28 / 2)
    assert split > decisions.boundaries("pocock", 28)[0] + 0.3
    assert crossing(np.full(28, split), 256) < 0.025


def test_slip_bounds_on_the_sum_instead_of_z():
    on_sums = decisions.boundaries("obrien_fleming", 5)[-1]
    assert crossing(np.full(5, on_sums)) > 0.1


def test_slip_two_sided_total_spent_on_one_curve():
    times = np.arange(1, 6) / 5
    total = 2 * stats.norm.sf(stats.norm.isf(0.025) / np.sqrt(times))
    ours = decisions.spent(times)
    assert total[0] > 8 * ours[0]
    assert total[-1] == pytest.approx(ours[-1])
    assert stats.norm.isf(total[0] / 2) == pytest.approx(4.383, abs=1e-3)
    assert stats.norm.isf(ours[0] / 2) == pytest.approx(4.877, abs=1e-3)


# --- what is refused -----------------------------------------------------------------


@pytest.mark.parametrize(
    "kind, looks, alpha, said",
    [
        ("haybittle", 5, 0.05, "kind='haybittle'"),
        (None, 5, 0.05, "kind=None"),
        ("pocock", 0, 0.05, "looks=0"),
        ("pocock", -2, 0.05, "looks=-2"),
        ("pocock", 2.5, 0.05, "looks=2.5"),
        ("pocock", True, 0.05, "looks=True"),
        ("pocock", "5", 0.05, "looks='5'"),
        ("pocock", 366, 0.05, "confidence_sequence"),
        ("pocock", 5, 0, "alpha=0"),
        ("pocock", 5, 0.51, "alpha=0.51"),
        ("pocock", 5, 5, "alpha=5"),
        ("pocock", 5, float("nan"), "alpha=nan"),
        ("pocock", 5, None, "alpha=None"),
    ],
)
def test_boundaries_refuse(kind, looks, alpha, said):
    with pytest.raises(ValueError, match=said):
        decisions.boundaries(kind, looks, alpha)


@pytest.mark.parametrize(
    "times, said",
    [
        ([], "give one for each look"),
        ([[0.5, 1]], "give one for each look"),
        ([0.5, 0.4], "look 2 is at 0.4 after 0.5"),
        ([0.5, 0.5], "look 2"),
        ([0.0, 0.5], "look 1 is at 0 after 0"),
        ([-0.1, 0.5], "look 1"),
        ([0.5, 0.50001], "look 2"),
        ([7, 14], "beyond the plan"),
        ([0.5, 1.2], "beyond the plan"),
        ([0.5, np.nan], "1 of 2 values"),
        ([0.5, None], "1 of 2 values"),
        (["a", "b"], "something else than numbers"),
        ([True, False], "something else than numbers"),
    ],
)
def test_spending_refuses(times, said):
    for call in (decisions.spending_bounds, decisions.spent):
        with pytest.raises(ValueError, match=said):
            call(times)


@pytest.mark.parametrize(
    "past, now, final, said",
    [
        ([0.5, 1.0], 1.1, False, "all of alpha was spent"),
        ([0.5, 1.0], 1.1, True, "all of alpha was spent"),
        ([0.5], 0.4, False, "look 2 is at 0.4"),
        ([0.5], 0.5, True, "look 2"),
        ([0.5], 1.1, False, "beyond the plan"),
        ([0.5], np.nan, False, "now=nan"),
        ([0.6, 0.5], 0.9, False, "look 2 is at 0.5"),
    ],
)
def test_next_bound_refuses(past, now, final, said):
    with pytest.raises(ValueError, match=said):
        decisions.next_bound(past, now, final=final)


def test_looks_may_be_any_kind_of_whole_number():
    expected = decisions.boundaries("pocock", 3)
    for looks in (np.int8(3), np.uint64(3)):
        assert (decisions.boundaries("pocock", looks) == expected).all()


def test_a_look_that_can_spend_nothing_stops_nothing():
    bounds = decisions.boundaries("lan_demets", 365)
    assert np.isinf(bounds[0]) and np.isfinite(bounds[30:]).all()
    assert not np.isnan(bounds).any()

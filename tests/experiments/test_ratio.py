"""Ratios of sums by the delta method: as tea-tasting, right in size, never a NaN."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import tea_tasting as tt
from flightline import experiments
from hypothesis import given, settings
from hypothesis import strategies as st


def arm(seed, n=200, ratio=0.4):
    """Return units with a random number of rows, and hits of their own rate."""
    rng = np.random.default_rng(seed)
    rows = rng.poisson(6, n)
    rate = rng.beta(8 * ratio, 8 * (1 - ratio), n)
    return pd.DataFrame({"hits": rng.binomial(rows, rate), "rows": rows})


def by_tea(treated, control):
    both = pd.concat([control.assign(variant=0), treated.assign(variant=1)])
    metric = tt.RatioOfMeans(numer="hits", denom="rows")
    return tt.Experiment(m=metric).analyze(both)["m"]


@given(st.integers(0, 10_000), st.integers(2, 60), st.integers(2, 60))
@settings(max_examples=40, deadline=None)
def test_equals_tea_tasting(seed, n, m):
    treated, control = arm(seed, n, 0.5), arm(seed + 1, m)
    if min(treated["rows"].sum(), control["rows"].sum()) == 0:
        return
    try:
        ours = experiments.ratio_effect(treated, control)
    except experiments.NotEstimable:
        return
    theirs = by_tea(treated, control)
    near = {"rel": 1e-9, "abs": 1e-12}
    assert ours.estimate == pytest.approx(theirs.effect_size, **near)
    assert ours.low == pytest.approx(theirs.effect_size_ci_lower, **near)
    assert ours.high == pytest.approx(theirs.effect_size_ci_upper, **near)
    assert ours.pvalue == pytest.approx(theirs.pvalue, rel=1e-6, abs=1e-12)


def test_rows_of_one_make_a_difference_of_means():
    rng = np.random.default_rng(0)
    treated, control = rng.normal(1, 1, 50), rng.normal(0, 2, 70)
    ratio = experiments.ratio_effect((treated, np.ones(50)), (control, np.ones(70)))
    mean = experiments.mean_effect(treated, control)
    assert ratio.estimate == pytest.approx(mean.estimate)
    assert ratio.pvalue == pytest.approx(mean.pvalue)


def test_it_is_a_ratio_of_sums_and_no_mean_of_ratios():
    treated = pd.DataFrame({"hits": [1, 0], "rows": [1, 99]})
    control = pd.DataFrame({"hits": [0, 1], "rows": [50, 50]})
    effect = experiments.ratio_effect(treated, control)
    assert effect.estimate == pytest.approx(1 / 100 - 1 / 100)


def test_no_difference_is_found_at_alpha_where_rows_find_it_too_often():
    ours, by_rows = 0, 0
    for seed in range(600):
        treated, control = arm(2 * seed, 100), arm(2 * seed + 1, 100)
        ours += experiments.ratio_effect(treated, control).pvalue < 0.05
        sides = [
            np.repeat([1.0, 0.0], [t["hits"].sum(), (t["rows"] - t["hits"]).sum()])
            for t in (treated, control)
        ]
        by_rows += experiments.mean_effect(*sides).pvalue < 0.05
    assert 0.03 < ours / 600 < 0.075
    assert by_rows / 600 > 0.09


def test_every_form_of_input_gives_the_same():
    treated, control = arm(0), arm(1)
    expected = experiments.ratio_effect(treated, control)
    for form in (
        lambda t: t.to_numpy(),
        lambda t: (t["hits"], t["rows"]),
        lambda t: [t["hits"].tolist(), t["rows"].tolist()],
        lambda t: t.set_axis([3] * len(t)),
        lambda t: t.set_axis(["same", "same"], axis=1),
        lambda t: t.astype("Int64"),
        lambda t: t.astype(pd.ArrowDtype(pa.int32())),
        lambda t: t.astype(object),
        lambda t: t.sample(frac=1, random_state=0),
    ):
        found = experiments.ratio_effect(form(treated), control)
        assert found.estimate == pytest.approx(expected.estimate, rel=1e-12)
        assert found.se == pytest.approx(expected.se, rel=1e-12)


def test_a_unit_with_half_a_pair_is_left_out_whole():
    treated, control = arm(0).astype(float), arm(1)
    holes = treated.copy()
    holes.loc[:9, "hits"] = np.nan
    holes.loc[10:19, "rows"] = np.nan
    assert experiments.ratio_effect(holes, control) == experiments.ratio_effect(
        treated[20:], control
    )


def test_a_unit_without_rows_stays():
    treated, control = arm(0), arm(1)
    more = pd.concat([treated, pd.DataFrame({"hits": [0] * 50, "rows": [0] * 50})])
    effect = experiments.ratio_effect(more, control)
    assert effect.n == 450
    plain = experiments.ratio_effect(treated, control)
    assert effect.estimate == pytest.approx(plain.estimate)


# --- refusals -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pair", "state"),
    [
        (([], []), "empty arm"),
        (pd.DataFrame({"a": [], "b": []}), "empty arm"),
        (([None, None], [1, 2]), "no outcome yet"),
        (([1, None], [None, 1]), "no outcome yet"),
        (([1], [2]), "one unit"),
        (([0, 0], [0, 0]), "nothing to divide by"),
    ],
)
def test_an_arm_without_a_ratio_has_a_named_state(pair, state):
    for arms in ((pair, arm(0)), (arm(0), pair)):
        with pytest.raises(experiments.NotEstimable) as said:
            experiments.ratio_effect(*arms)
        assert said.value.state == state


@pytest.mark.parametrize("rate", [0.0, 0.1, 1 / 3, 1.0])
def test_the_same_ratio_in_each_unit_has_a_named_state(rate):
    rows = np.arange(1.0, 30.0)
    with pytest.raises(experiments.NotEstimable, match="constant metric"):
        experiments.ratio_effect((rate * rows, rows), (rate * rows, rows))


@pytest.mark.parametrize(
    ("pair", "message"),
    [
        (pd.DataFrame({"a": [1, 2]}), "two columns"),
        (pd.DataFrame({"a": [1], "b": [1], "c": [1]}), "two columns"),
        (np.ones(5), "two columns"),
        (np.ones((5, 3)), "two columns"),
        (3, "two columns"),
        (None, "two columns"),
        (([1, 2, 3], [1, 2]), "length"),
        ((["a", "b"], [1, 2]), "numerator holds string"),
        (([1, 2], [1, -2]), "below 0"),
        (([1, 2], [1, np.inf]), "denominator holds inf"),
        ((pd.Series([1, 2]), pd.Series([1, 2], index=[1, 0])), "indexes"),
    ],
)
def test_what_is_no_pair_is_refused(pair, message):
    with pytest.raises(ValueError, match=message):
        experiments.ratio_effect(pair, arm(0))

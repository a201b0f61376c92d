"""Errors by cluster: as statsmodels, and right where rows of a day are alike."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import statsmodels.api as sm
from flightline import experiments
from hypothesis import given, settings
from hypothesis import strategies as st


def rows(seed=0, clusters=40, size=12, between=1.0, effect=0.0):
    """Return rows in clusters of random sizes, each cluster in one arm."""
    rng = np.random.default_rng(seed)
    sizes = rng.integers(1, 2 * size, clusters)
    cluster = np.repeat(np.arange(clusters), sizes)
    treated = np.arange(clusters) % 2 == 1
    rng.shuffle(treated)
    level = rng.normal(0, between, clusters) + effect * treated
    table = pd.DataFrame({"cluster": cluster, "treated": treated[cluster]})
    return table.assign(value=level[cluster] + rng.normal(0, 1, len(table)))


def ours(table, **options):
    return experiments.clustered_effect(
        table["value"], table["treated"], table["cluster"], **options
    )


def by_statsmodels(table, alpha=0.05):
    """Return estimate, error, p-value and interval of least squares by cluster."""
    design = sm.add_constant(table["treated"].to_numpy(float))
    groups = pd.factorize(table["cluster"])[0]
    fit = sm.OLS(table["value"].to_numpy(float), design).fit(
        cov_type="cluster", cov_kwds={"groups": groups}, use_t=True
    )
    return fit.params[1], fit.bse[1], fit.pvalues[1], *fit.conf_int(alpha)[1]


@given(st.integers(0, 10_000), st.integers(4, 60), st.integers(2, 20))
@settings(max_examples=40, deadline=None)
def test_equals_statsmodels(seed, clusters, size):
    table = rows(seed, clusters, size)
    effect = ours(table, alpha=0.1)
    found = effect.estimate, effect.se, effect.pvalue, effect.low, effect.high
    theirs = by_statsmodels(table, 0.1)
    np.testing.assert_allclose(found, theirs, rtol=1e-8, atol=1e-12)
    assert effect.n == clusters


@given(st.integers(0, 10_000))
@settings(max_examples=20, deadline=None)
def test_equals_statsmodels_where_clusters_are_in_both_arms(seed):
    table = rows(seed)
    table["treated"] = np.random.default_rng(seed).random(len(table)) < 0.5
    effect = ours(table)
    theirs = by_statsmodels(table)
    np.testing.assert_allclose((effect.estimate, effect.se), theirs[:2], rtol=1e-8)


def test_no_difference_is_found_at_alpha_where_rows_find_it_most_of_the_time():
    by_cluster, by_row = 0, 0
    for seed in range(500):
        table = rows(seed, clusters=60)
        by_cluster += ours(table).pvalue < 0.05
        arm = table["treated"]
        plain = experiments.mean_effect(table["value"][arm], table["value"][~arm])
        by_row += plain.pvalue < 0.05
    assert 0.03 < by_cluster / 500 < 0.085
    assert by_row / 500 > 0.4


def test_rows_that_are_their_own_clusters_are_nearly_welch():
    table = rows(1, between=0)
    table["cluster"] = np.arange(len(table))
    arm = table["treated"]
    plain = experiments.mean_effect(table["value"][arm], table["value"][~arm])
    assert ours(table).estimate == pytest.approx(plain.estimate)
    assert ours(table).se == pytest.approx(plain.se, rel=0.01)


def test_the_order_of_rows_and_the_names_of_clusters_do_not_matter():
    table = rows(2)
    shuffled = table.sample(frac=1, random_state=0)
    shuffled["cluster"] = "day " + shuffled["cluster"].astype(str)
    assert ours(shuffled).se == pytest.approx(ours(table).se, rel=1e-12)


@pytest.mark.parametrize(
    "types",
    [
        {"value": "Float32", "treated": "boolean", "cluster": "category"},
        {"value": object, "treated": "Int8", "cluster": "string"},
        {
            "value": pd.ArrowDtype(pa.float64()),
            "treated": pd.ArrowDtype(pa.bool_()),
            "cluster": pd.ArrowDtype(pa.int64()),
        },
        {"treated": float, "cluster": "datetime64[s]"},
    ],
)
def test_any_type_gives_the_same(types):
    table = rows(3)
    table["value"] = table["value"].round(2)
    expected = ours(table)
    typed = table.astype(types).set_axis([0] * len(table))
    assert ours(typed).se == pytest.approx(expected.se, rel=1e-5)


def test_rows_without_an_outcome_are_left_out():
    table = rows(4)
    holes = table.copy()
    holes.loc[::5, "value"] = np.nan
    assert ours(holes) == ours(holes.dropna())


def test_a_day_that_is_assigned_needs_errors_by_day(flights):
    """The lab's fault, on the real quarter: nothing changed, and it is "found"."""
    found = {"flight": 0, "day": 0}
    days, day = pd.factorize(flights["day"])[::-1]
    reward = flights["reward_a"].to_numpy()
    for seed in range(150):
        arm = np.random.default_rng(seed).permutation(len(days)) < len(days) / 2
        treated = arm[day]
        flat = experiments.mean_effect(reward[treated], reward[~treated])
        found["flight"] += flat.pvalue < 0.05
        found["day"] += experiments.clustered_effect(reward, treated, day).pvalue < 0.05
    assert found["flight"] / 150 > 0.7
    assert found["day"] / 150 < 0.12


# --- refusals -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("columns", "state"),
    [
        (([], [], []), "empty arm"),
        (([1, 2], [True, True], "ab"), "empty arm"),
        (([1, 2, None], [True, True, False], "abc"), "no outcome yet"),
        (([1, 2, 3], [True, False, False], "abc"), "one unit"),
        (([1, 2, 3, 5], [True, True, False, False], "aabc"), "one unit"),
        (([1, 1, 1, 1], [True, True, False, False], "abcd"), "constant metric"),
        (([0.1] * 6, [True] * 3 + [False] * 3, "abcdef"), "constant metric"),
        (([1, 1, 2, 2], [True, True, False, False], "abcd"), "constant metric"),
    ],
)
def test_what_has_no_error_by_cluster_has_a_named_state(columns, state):
    values, treated, cluster = columns
    with pytest.raises(experiments.NotEstimable) as said:
        experiments.clustered_effect(values, treated, list(cluster))
    assert said.value.state == state


def test_clusters_that_do_not_differ_have_a_named_state():
    values, treated = [0, 1] * 4, [True] * 4 + [False] * 4
    with pytest.raises(experiments.NotEstimable, match="no unit differs"):
        experiments.clustered_effect(values, treated, [0, 0, 1, 1, 2, 2, 3, 3])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"treated": [True, False, None, True]}, "treated must be true or false"),
        ({"treated": [0, 1, 2, 1]}, "treated must be true or false"),
        ({"treated": ["a", "b", "a", "b"]}, "treated holds string"),
        ({"cluster": ["a", None, "b", "b"]}, "cluster is missing in 1 of 4"),
        ({"cluster": [[1], [2], [3], [4]]}, "nested"),
        ({"cluster": ["a"]}, "length"),
        ({"values": [1, 2, 3, np.inf]}, "values holds inf"),
        ({"alpha": 0}, "alpha"),
    ],
)
def test_what_is_no_table_of_rows_is_refused(change, message):
    given = {
        "values": [1.0, 2.0, 4.0, 3.0],
        "treated": [True, True, False, False],
        "cluster": ["a", "b", "c", "d"],
    } | change
    with pytest.raises(ValueError, match=message):
        experiments.clustered_effect(**given)


# --- design effect --------------------------------------------------------------------


@pytest.mark.parametrize("icc", [0.0, 0.1, 0.5, 0.9])
def test_the_intraclass_correlation_is_found(icc):
    rng = np.random.default_rng(5)
    level = rng.normal(0, np.sqrt(icc), (800, 1))
    values = level + rng.normal(0, np.sqrt(1 - icc), (800, 15))
    found = experiments.design_effect(values.ravel(), np.repeat(np.arange(800), 15))
    assert found.icc == pytest.approx(icc, abs=0.04)
    assert found.size == 15 and found.clusters == 800
    assert found.design_effect == pytest.approx(1 + 14 * max(found.icc, 0))


def test_it_is_by_how_much_the_variance_of_a_mean_grows():
    """Clusters of unequal sizes: a mean varies as the design effect says."""
    rng = np.random.default_rng(6)
    sizes = np.tile([1, 5, 30], 20)
    cluster = np.repeat(np.arange(60), sizes)
    means, effects, variances = [], [], []
    for _ in range(1_500):
        values = rng.normal(0, 0.5, 60)[cluster] + rng.normal(0, 1, len(cluster))
        found = experiments.design_effect(values, cluster)
        means.append(values.mean())
        effects.append(found.design_effect)
        variances.append(values.var() / len(values))
    grown = np.var(means) / np.mean(variances)
    assert grown == pytest.approx(np.mean(effects), rel=0.12)


@given(st.integers(0, 1_000))
@settings(max_examples=20, deadline=None)
def test_it_is_never_below_1(seed):
    rng = np.random.default_rng(seed)
    found = experiments.design_effect(rng.normal(0, 1, 30), np.repeat(range(10), 3))
    assert found.design_effect >= 1


@pytest.mark.parametrize(
    ("values", "cluster"),
    [([], []), ([1, 2], ["a", "a"]), ([1, 2], ["a", "b"]), ([1, None], ["a", "a"])],
)
def test_it_takes_two_clusters_and_two_rows_in_one(values, cluster):
    with pytest.raises(ValueError, match="it takes two clusters"):
        experiments.design_effect(values, cluster)


def test_a_constant_has_no_design_effect():
    with pytest.raises(experiments.NotEstimable, match="constant metric"):
        experiments.design_effect([0.1] * 6, list("aabbcc"))

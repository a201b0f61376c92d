"""The module `drift` against SciPy, brute force, and bad input."""

import doctest
import importlib
import math
import pkgutil

import numpy as np
import pandas as pd
import pytest
from flightline import drift
from hypothesis import given, settings
from hypothesis import strategies as st
from labkit import data
from scipy import stats
from scipy.spatial import distance
from sklearn.metrics import log_loss, roc_auc_score

SETTINGS = settings(max_examples=60, deadline=None)
NUMBERS = st.lists(
    st.one_of(st.none(), st.integers(-3, 3).map(float), st.just(math.inf)),
    min_size=1,
    max_size=40,
)
TEXTS = st.lists(st.sampled_from(["a", "b", "c", "d", None]), min_size=1, max_size=40)


@pytest.mark.parametrize(
    "name", [one.name for one in pkgutil.iter_modules(drift.__path__)]
)
def test_examples_run(name):
    module = importlib.import_module(f"flightline.drift.{name}")
    assert doctest.testmod(module).failed == 0


@pytest.fixture(scope="module")
def normal():
    rng = np.random.default_rng(12)
    return rng.standard_normal(5_000), rng.standard_normal(4_000) + 0.1


# --- bins -----------------------------------------------------------------------------


@SETTINGS
@given(NUMBERS, st.integers(2, 12))
def test_cuts_bin_every_value_and_no_bin_of_the_reference_is_empty(values, bins):
    numbers = np.sort(np.array([v for v in values if v is not None], float))
    cuts = drift.cut_points(numbers, bins)
    assert (np.diff(cuts) > 0).all() and len(cuts) <= max(bins - 1, 2)
    if len(np.unique(numbers)) > 1:
        filled = np.bincount(np.searchsorted(cuts, numbers), minlength=len(cuts) + 1)
        assert (filled > 0).all() and filled.sum() == len(numbers)


def test_quantile_bins_are_equal_without_ties():
    column = drift.profile(np.arange(1000.0))["value"]
    assert column.counts.tolist() == [100] * 10 + [0]


@pytest.mark.parametrize("atom", [0.0, 5.0, 9.0])
def test_a_heavy_value_gets_a_bin_of_its_own(atom):
    values = np.sort(np.append(np.linspace(0, 9, 40), np.full(200, atom)))
    column = drift.profile(values)["value"]
    others = np.unique(values[values != atom])
    own = column.codes(pd.Series([atom]))[0]
    assert own not in column.codes(pd.Series(others))


def test_few_values_get_a_bin_each():
    week = pd.Series(np.tile(np.arange(7.0), 50))
    assert drift.profile(week)["value"].counts.tolist() == [50] * 7 + [0]


@SETTINGS
@given(st.one_of(st.tuples(NUMBERS, NUMBERS), st.tuples(TEXTS, TEXTS)))
def test_counts_are_complete(samples):
    one, two = (pd.Series(side, dtype=None) for side in samples)
    kind = (
        float if any(isinstance(v, float) for v in samples[0] + samples[1]) else object
    )
    one, two = one.astype(kind), two.astype(kind)
    pair = drift.counts(one, two)
    assert pair.before.sum() == len(one) and pair.after.sum() == len(two)
    column = drift.profile(one)["value"]
    assert column.counts[-1] == one.isna().sum()
    codes = np.bincount(column.codes(two), minlength=len(column.counts))
    assert codes.tolist() == pair.after[0].tolist()
    assert np.isfinite(drift.psi(one, two)) and drift.psi(one, two) >= 0
    assert drift.psi(one, one) == 0


def test_a_profile_stands_for_its_table(normal):
    table = pd.DataFrame({"x": normal[0], "y": normal[0] > 0})
    now = pd.DataFrame({"x": normal[1], "y": normal[1] > 0})
    made = drift.profile(table)
    pd.testing.assert_series_equal(drift.psi(made, now), drift.psi(table, now))
    assert list(drift.ks(drift.profile(table[["x"]]), now).index) == ["x"]


# --- distances and tests --------------------------------------------------------------


def test_distances_equal_scipy(normal):
    one, two = normal
    pair = drift.counts(one, two)
    p, q = (side[side > 0] / side.sum() for side in (pair.before[0], pair.after[0]))
    both = stats.entropy(q, p) + stats.entropy(p, q)
    assert drift.psi(one, two) == pytest.approx(both, rel=1e-12)
    assert drift.kl(one, two) == pytest.approx(stats.entropy(q, p), rel=1e-12)
    assert drift.js(one, two) == pytest.approx(distance.jensenshannon(p, q))
    expected = stats.wasserstein_distance(one, two)
    assert drift.wasserstein(one, two) == pytest.approx(expected)


@pytest.mark.parametrize("digits", [9, 1, 0])
def test_ks_equals_scipy(normal, digits):
    one, two = (np.round(side, digits) for side in normal)
    found, theirs = drift.ks(one, two), stats.ks_2samp(one, two, method="asymp")
    assert found.statistic == pytest.approx(theirs.statistic, abs=1e-12)
    assert found.pvalue == pytest.approx(theirs.pvalue, rel=1e-6, abs=1e-300)


@pytest.mark.parametrize("shift", [0.0, 0.01])
def test_ks_of_many_rows_is_close_to_scipy(shift):
    rng = np.random.default_rng(8)
    one, two = rng.standard_normal(120_000), rng.standard_normal(120_000) + shift
    found, theirs = drift.ks(one, two), stats.ks_2samp(one, two, method="asymp")
    assert found.statistic == pytest.approx(theirs.statistic, abs=1e-12)
    assert found.pvalue == pytest.approx(theirs.pvalue, rel=2e-3)


def test_chi2_equals_scipy():
    flights = data.load_flights(months=[1, 2])
    one, two = (flights[flights["month"] == m] for m in (1, 2))
    for name in ("carrier", "origin", "dest", "tailnum"):
        pair = drift.counts(one[name], two[name])
        table = np.concatenate(pair)
        table = table[:, table.sum(axis=0) > 0]
        theirs = stats.chi2_contingency(table, correction=False)
        assert drift.chi2(one[name], two[name]) == pytest.approx(theirs[:2])


def test_kl_has_two_directions_and_psi_is_their_sum(normal):
    one, two = (pd.Series(np.where(side > 1, "a", "b")) for side in normal)
    there, back = drift.kl(one, two), drift.kl(two, one)
    assert there != back and drift.psi(one, two) == pytest.approx(there + back)


def test_an_empty_bin_counts_half_a_row():
    before, after = ["a"] * 4 + ["b"] * 4, ["a"] * 8
    p, q = np.array([4, 4]) / 8, np.array([8, 0.5]) / 8.5
    assert drift.psi(before, after) == pytest.approx(((q - p) * np.log(q / p)).sum())
    assert drift.js(before, after) == pytest.approx(distance.jensenshannon(p, [1, 0]))


def test_unseen_categories_share_one_bin():
    before = ["a"] * 50 + ["b"] * 50
    one, two = ["a"] * 50 + ["x"] * 50, ["a"] * 50 + ["x", "y"] * 25
    assert drift.psi(before, one) == drift.psi(before, two) > 1


# --- thresholds -----------------------------------------------------------------------


def test_the_threshold_keeps_its_rate():
    rng = np.random.default_rng(1)
    for n, m, bins in ((1_000, 1_000, 10), (5_000, 600, 10), (2_000, 2_000, 5)):
        sides = [pd.DataFrame(rng.random((rows, 500))) for rows in (n, m)]
        rate = (drift.psi(*sides, bins) > drift.psi_threshold(n, m, bins)).mean()
        assert 0.025 < rate < 0.085, (n, m, bins, rate)


@pytest.mark.parametrize(
    ("arguments", "name"),
    [((0, 5), "n=0"), ((5, -1), "m=-1"), ((5, 5, 1), "bins"), ((5, 5, 10, 1), "alpha")],
)
def test_psi_threshold_refuses(arguments, name):
    with pytest.raises(ValueError, match=name):
        drift.psi_threshold(*arguments)


def test_holm_is_the_textbook_rule():
    adjusted = drift.holm([0.01, 0.04, np.nan, 0.03, 0.005])
    assert adjusted == pytest.approx([0.03, 0.06, np.nan, 0.06, 0.02], nan_ok=True)
    assert drift.holm([]).tolist() == [] and drift.holm([0.9, 0.8]).tolist() == [1, 1]


def test_rank_limits_keep_their_rate():
    rng = np.random.default_rng(2)
    series = rng.exponential(size=(4_000, 41))
    outside = []
    for row in series:
        limits = drift.rank_limits(row[:-1], 0.2)
        outside.append(not limits.low <= row[-1] <= limits.high)
    assert limits.false_alarm == pytest.approx(8 / 41)
    assert abs(np.mean(outside) - 8 / 41) < 0.025


def test_a_short_history_says_so():
    assert drift.rank_limits([1, 2, np.nan], 0.01).false_alarm == pytest.approx(2 / 3)
    for history, alpha in (([1.0], 0.1), ([1, 2], 0), ([], 0.5)):
        with pytest.raises(ValueError, match="alpha"):
            drift.rank_limits(history, alpha)


def test_rows_needed_gives_the_power_that_was_asked_for():
    p = np.full(10, 0.1)
    q = p * np.linspace(0.82, 1.18, 10)
    true = float(((q - p) * np.log(q / p)).sum())
    rows, rng = drift.rows_needed(true, power=0.8), np.random.default_rng(3)
    one, two = (rng.multinomial(rows, side, 4_000) for side in (p, q))
    one, two = one / rows, two / rows
    found = ((two - one) * np.log(two / one)).sum(axis=1)
    assert np.mean(found > drift.psi_threshold(rows, rows)) == pytest.approx(
        0.8, abs=0.03
    )


# --- blocks and the report ------------------------------------------------------------


def clustered(days, seed, shift=0.0):
    """Return a table whose rows of one day share most of their value."""
    rng = np.random.default_rng(seed)
    level = np.repeat(rng.standard_normal(days) + shift, 50)
    return pd.DataFrame(
        {
            "warm": level + 0.1 * rng.standard_normal(50 * days),
            "free": rng.standard_normal(50 * days),
            "kind": rng.choice(["a", "b"], 50 * days),
            "date": [f"{seed}-{day}" for day in np.repeat(np.arange(days), 50)],
        }
    )


def test_days_are_dealt_out_whole():
    naive, by_day = [], []
    for seed in range(40):
        sides = clustered(20, 2 * seed), clustered(10, 2 * seed + 1)
        plain = [side.drop(columns="date") for side in sides]
        naive.append(drift.report(*plain)["pvalue"] <= 0.05)
        by_day.append(drift.report(*sides, blocks="date", draws=199)["pvalue"] <= 0.05)
    naive, by_day = pd.DataFrame(naive).mean(), pd.DataFrame(by_day).mean()
    assert naive["warm"] > 0.9 and naive[["free", "kind"]].max() < 0.15
    assert by_day.max() <= 0.15


def test_the_effect_says_what_a_day_is_worth():
    sides = clustered(30, 5), clustered(20, 6)
    effect = drift.report(*sides, blocks="date")["effect"]
    assert effect["warm"] > 10 and 0.5 < effect["free"] < 2


def test_drift_by_days_is_seen():
    table = drift.report(clustered(20, 1), clustered(10, 2, shift=3), blocks="date")
    assert table["drifted"].to_dict() == {"warm": True, "free": False, "kind": False}
    assert "of the rows before" in table.loc["warm", "evidence"]


def test_the_null_equals_a_slow_deal():
    made = drift.profile(clustered(8, 1).drop(columns="date"), 4)
    one, two = (
        drift.block_counts(made, clustered(d, s), "date") for d, s in ((8, 1), (3, 2))
    )
    null = drift.block_null(one, two, draws=5, seed=9)
    blocks = np.concatenate([one, two])
    order = np.random.default_rng(9).permuted(np.tile(np.arange(11), (5, 1)), axis=1)
    for draw in range(5):
        new = blocks[order[draw] < 3].sum(axis=0)
        p, q = drift.shares(drift.Pair(blocks.sum(axis=0) - new, new))
        assert null[draw] == pytest.approx(
            ((q - p) * drift.log_ratio(q, p)).sum(axis=-1)
        )


def test_the_report_equals_its_pieces(normal):
    before, now = (pd.DataFrame({"x": side}) for side in normal)
    table = drift.report(before, now)
    row = table.loc["x"]
    assert row["psi"] == drift.psi(before, now)["x"] and row["bins"] == 10
    assert row["threshold"] == pytest.approx(drift.psi_threshold(5_000, 4_000))
    assert row["ks"] == drift.ks(before, now).loc["x", "statistic"]
    assert row["effect"] == 1 and row["drifted"] == (row["pvalue"] <= 0.05)


def test_pooling_keeps_totals_and_merges_rare_bins():
    before = ["a"] * 100 + ["b"] * 100 + list("cdefg")
    pair = drift.counts(before, before)
    merged = drift.pool(pair)
    assert [side.sum() for side in merged] == [205, 205]
    assert sorted(merged[0][0][merged[0][0] > 0].tolist()) == [5, 100, 100]


# --- the corners ----------------------------------------------------------------------


def base(rows=400):
    rng = np.random.default_rng(7)
    return pd.DataFrame(
        {
            "x": rng.standard_normal(rows),
            "same": np.full(rows, 3.0),
            "empty": np.full(rows, np.nan),
            "kind": rng.choice(["a", "b", "c"], rows),
        }
    )


def test_constant_and_all_null_columns_give_a_clear_answer():
    table = drift.report(base(), base(300))
    assert not table["drifted"].any()
    for name in ("same", "empty"):
        assert table.loc[name, "psi"] == 0 and table.loc[name, "bins"] == 1
        assert table.loc[name, "evidence"] == "one value alone, before and now"


def test_a_constant_that_changes_and_a_null_column_that_fills_are_drift():
    now = base(300).assign(same=4.0, empty=1.0)
    table = drift.report(base(), now)
    assert table.loc[["same", "empty"], "drifted"].all()
    assert drift.psi(base()["same"], base()["same"] - 1) > 1
    assert table["psi"].map(math.isfinite).all()


def test_a_column_that_goes_null_is_drift():
    table = drift.report(base(), base().assign(x=np.nan, kind=None))
    assert table.loc[["x", "kind"], "drifted"].all()
    assert table.loc["x", "evidence"].startswith("null: 0.0%")


def test_one_row_is_too_few_and_no_rows_are_refused():
    table = drift.report(base(), base(1))
    assert not table["drifted"].any()
    assert table.loc["x", "evidence"] == "too few rows to tell"
    assert math.isfinite(drift.psi(base()["x"], [0.0]))
    for function in (drift.psi, drift.ks, drift.chi2, drift.report):
        with pytest.raises(ValueError, match="current sample has no rows"):
            function(base(), base(0))
        with pytest.raises(ValueError, match="reference has no rows"):
            function(base(0), base())


def test_infinities_fall_into_the_outer_bins():
    now = base().assign(x=np.where(np.arange(400) < 200, np.inf, -np.inf))
    assert drift.psi(base()["x"], now["x"]) > 1
    assert drift.ks(base()["x"], now["x"]).statistic == pytest.approx(0.5, abs=0.1)
    with pytest.raises(ValueError, match="infinite"):
        drift.wasserstein(base()["x"], now["x"])
    assert math.isfinite(drift.psi(np.array([np.inf, 1, 2, -np.inf]), [0.0, np.inf]))


def test_new_categories_are_seen_and_named():
    now = base().assign(kind="new")
    table = drift.report(base(), now)
    assert table.loc["kind", "drifted"]
    assert table.loc["kind", "evidence"].startswith("unseen values")


@pytest.mark.parametrize("kind", ["x", "kind"])
def test_changed_types_are_reported_or_refused(kind):
    now = base()
    now[kind] = now[kind].astype(str) if kind == "x" else np.arange(400.0)
    row = drift.report(base(), now).loc[kind]
    assert (
        row["drifted"]
        and math.isnan(row["psi"])
        and "in the reference" in row["evidence"]
    )
    with pytest.raises(ValueError, match=f"'{kind}': a"):
        drift.psi(base(), now)


def test_missing_columns_are_reported_or_refused():
    row = drift.report(base(), base().drop(columns="x")).loc["x"]
    assert row["drifted"] and row["evidence"] == "missing from the current sample"
    with pytest.raises(ValueError, match="'x': missing"):
        drift.psi(base(), base().drop(columns="x"))
    assert drift.report(base(), base().drop(columns=list(base()))[[]].assign(q=1))[
        "drifted"
    ].all()


def test_integer_float_and_nullable_types_are_one_kind():
    whole = pd.Series(np.arange(200))
    for kind in ("float32", "Int64", "float64", "uint8"):
        assert drift.psi(whole.rename("v"), whole.astype(kind).rename("v")) == 0
    holes = whole.astype("Int64").mask(whole < 100)
    assert drift.psi(whole, holes) > 1


def test_booleans_and_pandas_categories_are_categories():
    yes = pd.Series([True, False] * 50)
    assert drift.psi(yes, ~yes) == 0
    assert drift.psi(yes.astype("boolean"), yes.astype("boolean").mask(yes)) > 1
    kind = pd.Series(["a", "b"] * 50, dtype="category")
    assert drift.psi(kind, kind.astype(str)) == 0


def test_times_doubled_columns_and_blocks_are_refused():
    times = pd.DataFrame({"t": pd.date_range("2013", periods=5)})
    with pytest.raises(ValueError, match="'t' holds times"):
        drift.psi(times, times)
    twice = pd.DataFrame([[1.0, 2.0]], columns=["a", "a"])
    with pytest.raises(ValueError, match="two columns 'a'"):
        drift.psi(twice, twice)
    with pytest.raises(ValueError, match="blocks='date'"):
        drift.report(base(), base(), blocks="date")
    with pytest.raises(ValueError, match="bins=1"):
        drift.psi([1.0], [1.0], bins=1)


def test_tests_of_order_refuse_categories_and_nulls():
    with pytest.raises(ValueError, match="category"):
        drift.ks(["a"], ["b"])
    with pytest.raises(ValueError, match="only nulls"):
        drift.wasserstein([1.0], [np.nan])


def test_columns_may_have_any_name():
    table = pd.DataFrame({0: [1.0, 2.0], "x": [1.0, 2.0]})
    assert list(drift.psi(table, table).index) == ["0", "x"]


# --- quality --------------------------------------------------------------------------


def test_quality_keeps_its_rate():
    rng, found = np.random.default_rng(4), 0
    for _ in range(100):
        values = rng.standard_normal(600)
        table = pd.DataFrame({"x": np.where(rng.random(600) < 0.1, np.nan, values)})
        table["kind"] = rng.choice(list("abcdef"), 600)
        found += drift.quality(table[:400], table[400:], alpha=0.2)["found"].any()
    assert found / 100 < 0.2 + 0.08


def test_quality_by_days_keeps_its_rate_where_rows_do_not():
    rows = days = 0
    for seed in range(50):
        sides = clustered(20, 2 * seed), clustered(8, 2 * seed + 1)
        plain = [side.drop(columns="date") for side in sides]
        rows += drift.quality(*plain)["found"].any()
        days += drift.quality(*sides, blocks="date")["found"].any()
    assert days <= 6 < 15 < rows


@pytest.mark.parametrize("blocks", [None, "date"])
def test_quality_finds_what_is_wrong(blocks):
    before = clustered(20, 1).assign(gone=1.0, typed=1.0, inf=1.0)
    now = clustered(8, 2).assign(typed="a", inf=np.inf, new=1, free=9.0, kind="z")
    now["warm"] = np.nan
    if blocks is None:
        before, now = before.drop(columns="date"), now.drop(columns="date")
    table = drift.quality(before, now, blocks=blocks)
    found = set(
        table.loc[table["found"], ["metric", "subject"]].itertuples(index=False)
    )
    assert found >= {
        ("missing column", "gone"),
        ("changed type", "typed"),
        ("new column", "new"),
        ("infinite", "inf"),
        ("above range", "free"),
        ("unseen", "kind"),
        ("nulls", "warm"),
    }
    assert list(table.columns) == drift.CHECK
    assert table["false_alarm"].sum() <= 0.05 + 1e-9
    schema = table["metric"].isin(["missing column", "changed type", "new column"])
    assert (table.loc[schema, "false_alarm"] == 0).all()


def test_no_rows_are_one_finding():
    table = drift.quality(base(), base(0))
    assert table["metric"].tolist() == ["rows"] and table["found"].all()
    with pytest.raises(ValueError, match="reference has no rows"):
        drift.quality(base(0), base())
    assert len(drift.quality(base()[["x"]], base()[["kind"]])) == 2


# --- performance ----------------------------------------------------------------------


def scored(days, seed, shift=0.0):
    rng = np.random.default_rng(seed)
    score = rng.beta(2, 5, 200 * days).round(3)
    late = rng.random(len(score)) < np.clip(score + shift, 0, 1)
    date = np.repeat(np.arange(days), 200)
    return pd.DataFrame({"score": score, "late": late, "date": date})


def test_performance_equals_sklearn():
    table = scored(10, 1)
    found = drift.performance(table, base_rate=0.3)["value"]
    late, score = table["late"], table["score"]
    assert found["auc"] == pytest.approx(roc_auc_score(late, score), abs=1e-9)
    assert found["log_loss"] == pytest.approx(log_loss(late, score))
    blind = log_loss(late, np.full(len(late), 0.3))
    assert found["skill"] == pytest.approx(1 - log_loss(late, score) / blind)
    assert found["gap"] == pytest.approx((score - late).mean())


def test_calibration_error_is_the_mean_gap_over_tenths():
    table = scored(10, 2).assign(late=True)
    found = drift.performance(table, base_rate=0.3)["value"]
    assert found["calibration_error"] == pytest.approx((1 - table["score"]).mean())


def test_worse_keeps_its_rate_and_sees_a_gap():
    alarms = []
    for seed in range(40):
        change = drift.worse(
            scored(20, 2 * seed), scored(10, 2 * seed + 1), base_rate=0.3, draws=200
        )
        alarms.append(change["found"])
    assert np.mean([found["gap"] for found in alarms]) < 0.12
    change = drift.worse(scored(20, 1), scored(10, 2, shift=0.15), base_rate=0.3)
    assert change["found"].to_dict()["gap"] and change.loc["gap", "value"] > 0.1


@pytest.mark.parametrize(
    ("before", "after", "found"),
    [(0.08, 0, False), (0.08, -0.08, False), (0, -0.1, True), (-0.05, 0.15, True)],
)
def test_worse_compares_the_size_of_a_gap(before, after, found):
    sides = scored(40, 1, shift=before), scored(30, 2, shift=after)
    change = drift.worse(*sides, base_rate=0.3).loc["gap"]
    gaps = [abs(drift.performance(s, base_rate=0.3)["value"]["gap"]) for s in sides]
    assert change["value"] == pytest.approx(gaps[1] - gaps[0])
    assert change["low"] < change["value"] < change["high"]
    assert change["found"] == found


def test_labels_that_are_missing_are_left_out():
    table = scored(10, 3).astype({"late": "boolean"})
    none = pd.Series(pd.NA, table.index, dtype="boolean")
    holes = pd.concat([table, table.assign(late=none)])
    pd.testing.assert_frame_equal(
        drift.performance(table, base_rate=0.3), drift.performance(holes, base_rate=0.3)
    )


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (scored(6, 1), "wait for seven"),
        (scored(8, 1).assign(score=2.0), "probabilities"),
        (scored(8, 1).assign(late=None), "label"),
    ],
)
def test_performance_refuses(table, message):
    with pytest.raises(ValueError, match=message):
        drift.performance(table, base_rate=0.3)


def test_one_class_alone_has_no_auc():
    found = drift.performance(scored(8, 1).assign(late=False), base_rate=0.3)
    assert math.isnan(found.loc["auc", "value"]) and found.loc["gap", "value"] > 0


# --- the store ------------------------------------------------------------------------


def test_the_store_keeps_and_replaces(tmp_path):
    store, at = tmp_path / "m.sqlite", pd.Timestamp("2013-07-01", tz="America/New_York")
    table = drift.quality(base(), base().drop(columns="kind"))
    assert drift.write_metrics(store, at, table) == len(table)
    drift.write_metrics(store, at, table)
    drift.write_metrics(store, at + pd.Timedelta("1D"), table.iloc[:2], table.iloc[2:3])
    read = drift.read_metrics(store)
    assert len(read) == len(table) + 3 and read["at"].is_monotonic_increasing
    first = read[read["at"] == at].drop(columns="at").reset_index(drop=True)
    wanted = table.sort_values(["metric", "subject"], ignore_index=True)
    pd.testing.assert_frame_equal(first, wanted, check_dtype=False)
    assert set(drift.read_metrics(store, "nulls")["metric"]) == {"nulls"}


def test_the_store_refuses(tmp_path):
    with pytest.raises(ValueError, match="time zone"):
        drift.write_metrics(
            tmp_path / "m", pd.Timestamp("2013"), drift.quality(base(), base())
        )
    with pytest.raises(ValueError, match="no metrics store"):
        drift.read_metrics(tmp_path / "none.sqlite")

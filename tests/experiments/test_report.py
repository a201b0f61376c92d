"""A running experiment: what is found, what waits, and a page that needs no network."""

import re
import warnings

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from flightline import experiments
from running import TEST, exposures


def row_of(report, metric="reward"):
    return report.metrics.set_index("metric").loc[metric]


# --- what is found --------------------------------------------------------------------


def test_a_healthy_experiment_has_no_finding():
    table = exposures(effect=0.3)
    found = experiments.report(TEST, table)
    treated = table["arm"] == "treatment"
    effect = experiments.mean_effect(
        table["reward"][treated], table["reward"][~treated]
    )
    row = row_of(found)
    assert found.findings() == []
    assert list(found.metrics.columns) == experiments.METRIC
    assert (row["estimate"], row["low"], row["high"]) == (
        effect.estimate,
        effect.low,
        effect.high,
    )
    assert found.counts == table["arm"].value_counts().to_dict()
    assert row["control value"] == pytest.approx(table["reward"][~treated].mean())
    assert (row["role"], row["units"], row["waiting"]) == ("primary", 2_000, 0)
    assert re.fullmatch(r"running, \d\d% of the plan", row["state"])


def test_findings_without_a_fault_are_rare():
    found = [
        experiments.report(TEST, exposures(seed)).findings() for seed in range(150)
    ]
    assert sum(map(bool, found)) <= 8  # a guardrail alarms in 2.5% of the looks


def test_bots_in_one_arm_are_a_mismatch():
    table = exposures()
    bots = table[table["arm"] == "treatment"].head(250).copy()
    bots["unit_id"] = "bot " + bots["unit_id"]
    found = experiments.report(TEST, pd.concat([table, bots]))
    assert found.srm < 0.001
    assert "sample ratio mismatch" in found.findings()[0]


def test_units_are_counted_once_however_many_rows_they_have():
    table = exposures()
    many = pd.concat([table] + 5 * [table[table["arm"] == "treatment"]])
    found, once = experiments.report(TEST, many), experiments.report(TEST, table)
    assert found.counts == once.counts and found.srm == once.srm
    assert row_of(found)["units"] == 2_000


def test_errors_follow_the_unit_that_has_many_rows():
    rng = np.random.default_rng(0)
    table = exposures(n=400)
    level = rng.normal(0, 1, 400)
    rows = table.loc[table.index.repeat(10)]
    rows["reward"] = level[rows.index] + rng.normal(0, 0.1, len(rows))
    row = row_of(experiments.report(TEST, rows))
    effect = experiments.clustered_effect(
        rows["reward"], rows["arm"] == "treatment", rows["unit_id"]
    )
    assert (row["low"], row["high"]) == (effect.low, effect.high)
    by_row = experiments.mean_effect(
        rows["reward"][rows["arm"] == "treatment"],
        rows["reward"][rows["arm"] == "control"],
    )
    assert row["high"] - row["low"] > 2 * (by_row.high - by_row.low)


def test_units_in_two_arms_are_left_out_and_told():
    table = exposures()
    again = table.head(3).assign(arm=table["arm"].head(3).map(other))
    found = experiments.report(TEST, pd.concat([table, again]))
    assert found.crossed == 3 and sum(found.counts.values()) == 1_997
    assert found.findings() == [f for f in found.findings() if f.startswith("3 units")]
    assert experiments.report(TEST, table, crossed=2).crossed == 2


def other(arm):
    return {"control": "treatment", "treatment": "control"}[arm]


def test_a_guardrail_with_a_loss_is_a_finding_and_a_small_one_is_not():
    for slower, state in (
        (5.0, "harm shown"),
        (-5.0, "a loss of 2 is excluded"),
        (0.6, "a loss of 2 is excluded"),
        (1.9, "harm shown"),
    ):
        found = experiments.report(TEST, exposures(slower=slower))
        row = row_of(found, "latency_ms")
        assert (row["role"], row["margin"]) == ("guardrail", 2.0)
        assert row["state"] == state
        assert bool(found.findings()) == (state == "harm shown")
    open_question = experiments.report(TEST, exposures(n=40, slower=0.5))
    assert row_of(open_question, "latency_ms")["state"] == "a loss of 2 is not excluded"


def test_the_direction_of_a_loss_is_the_metrics():
    guarded = experiments.Experiment(
        "x", {"a": 0.5, "b": 0.5}, primary="reward", guardrails={"taps": 0.5}
    )
    table = exposures().replace({"arm": {"control": "a", "treatment": "b"}})
    table["taps"] = np.arange(2_000) % 7 + 2.0 * (table["arm"] == "b")
    more_is_better = experiments.report(guarded, table)
    assert row_of(more_is_better, "taps")["state"] == "a loss of 0.5 is excluded"
    assert row_of(more_is_better, "taps")["margin"] == -0.5
    less = experiments.report(guarded, table, lower_is_better=["taps"])
    assert row_of(less, "taps")["state"] == "harm shown"


def test_outcomes_that_are_missing_unevenly_are_a_finding():
    table = exposures(n=4_000)
    lost = (table["arm"] == "treatment") & (table["reward"] < -1.3)
    found = experiments.report(TEST, table.assign(reward=table["reward"].mask(lost)))
    assert "outcomes are missing unevenly" in found.findings()[0]
    evenly = np.random.default_rng(0).random(4_000) < 0.1
    found = experiments.report(TEST, table.assign(reward=table["reward"].mask(evenly)))
    assert found.findings() == []
    assert row_of(found)["waiting"] == evenly.sum()


def test_a_ratio_is_measured_by_the_delta_method():
    table = exposures(n=400)
    rows = table.loc[table.index.repeat(6)]
    rng = np.random.default_rng(1)
    rows["warned"] = (rng.random(len(rows)) < 0.4).astype(float)
    rows["hit"] = rows["warned"] * (rng.random(len(rows)) < 0.5)
    found = row_of(experiments.report(TEST, rows, metrics=["precision"]), "precision")
    sums = rows.groupby(["arm", "unit_id"])[["hit", "warned"]].sum()
    effect = experiments.ratio_effect(sums.loc["treatment"], sums.loc["control"])
    assert found["estimate"] == pytest.approx(effect.estimate)
    assert found["low"] == pytest.approx(effect.low)
    assert found["control value"] == pytest.approx(
        sums.loc["control", "hit"].sum() / sums.loc["control", "warned"].sum()
    )


def test_an_answer_that_never_came_counts_if_the_metric_says_so():
    table = exposures().assign(answered=1.0, mature=True)
    lost = table.index[table["arm"] == "treatment"][:100]
    table.loc[lost, "answered"] = np.nan
    row = row_of(experiments.report(TEST, table, metrics=["answered"]), "answered")
    assert row["estimate"] == pytest.approx(-100 / (table["arm"] == "treatment").sum())
    young = table.assign(mature=table.index % 2 == 0)
    row = row_of(experiments.report(TEST, young, metrics=["answered"]), "answered")
    assert row["waiting"] == sum(lost % 2 == 1)


def test_what_could_be_found_shrinks_with_the_plan():
    row = row_of(experiments.report(TEST, exposures()))
    units = experiments.sample_size(effect=row["detectable at plan"], sd=1.0)
    assert units == pytest.approx(4_000, rel=0.1)
    assert row["detectable now"] > 1.3 * row["detectable at plan"]
    reached = experiments.report(TEST, exposures(n=9_000))
    assert row_of(reached)["state"] == "planned size reached"


def test_three_arms_and_unequal_weights():
    three = experiments.Experiment("three", {"a": 0.6, "b": 0.3, "c": 0.1})
    ids = pd.Series([f"u{k}" for k in range(3_000)])
    table = pd.DataFrame({"unit_id": ids, "arm": experiments.assign_many(ids, three)})
    table["reward"] = np.random.default_rng(0).normal(0, 1, 3_000)
    found = experiments.report(three, table)
    assert list(found.metrics["arm"]) == ["b", "c"]
    assert found.srm > 0.001
    assert (found.metrics["state"] == "running, without a planned size").all()
    assert found.metrics["detectable at plan"].isna().all()


# --- states ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "state"),
    [
        (lambda t: t.assign(reward=np.nan), "no outcome yet"),
        (lambda t: t.assign(reward=pd.Series(pd.NA, t.index)), "no outcome yet"),
        (lambda t: t.assign(reward=0.1), "constant metric"),
        (lambda t: t[t["arm"] == "control"], "empty arm"),
        (lambda t: t.head(0), "empty arm"),
        (lambda t: t.assign(arm=""), "empty arm"),
        (lambda t: t.groupby("arm").head(1), "one unit"),
    ],
)
def test_a_metric_without_an_estimate_has_a_state_and_no_number(change, state):
    found = experiments.report(TEST, change(exposures()))
    row = row_of(found)
    assert row["state"] == state
    numbers = ["estimate", "low", "high", "detectable now", "detectable at plan"]
    assert row[numbers].isna().all()
    said = experiments.to_text(found) + experiments.to_html(found)
    assert "nan" not in said.lower() and state in said


def test_nobody_is_in_yet():
    found = experiments.report(TEST, exposures().head(0))
    assert (found.srm, found.counts) == (None, {"control": 0, "treatment": 0})
    assert found.findings() == []
    assert "No unit is in the experiment yet" in experiments.to_text(found)


def test_an_empty_arm_beside_a_full_one_is_a_mismatch():
    table = exposures()
    found = experiments.report(TEST, table[table["arm"] == "control"])
    assert 0 < found.srm < 0.001 and found.findings()


# --- bad input ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t.drop(columns="unit_id"), "no column 'unit_id'"),
        (lambda t: t.drop(columns="reward"), "no column 'reward'"),
        (lambda t: pd.concat([t, t["arm"]], axis=1), "2 columns 'arm'"),
        (lambda t: t.assign(arm=t["arm"].replace("control", "old")), "arm 'old'"),
        (lambda t: t.assign(arm=t["arm"].where(t.index > 4)), "arm is missing in 5"),
        (lambda t: t.assign(unit_id=t["unit_id"].where(t.index > 2)), "missing in 3"),
        (lambda t: t.assign(unit_id=" "), "without an id"),
        (lambda t: t.assign(reward="much"), "reward holds string"),
        (lambda t: t.assign(reward=np.inf), "reward holds inf"),
    ],
)
def test_a_table_that_cannot_be_judged_is_refused(change, message):
    with pytest.raises(ValueError, match=message):
        experiments.report(TEST, change(exposures(n=50)))


def test_metrics_that_cannot_be_had_are_refused():
    table = exposures(n=50)
    with pytest.raises(ValueError, match="by_segment"):
        experiments.report(TEST, table, metrics=["reward_by_origin"])
    with pytest.raises(ValueError, match="'x' is no metric"):
        experiments.report(TEST, table, lower_is_better=["x"])
    with pytest.raises(ValueError, match="alpha"):
        experiments.report(TEST, table, alpha=1)


@pytest.mark.parametrize(
    "types",
    [
        {"unit_id": "string", "arm": "category", "reward": "Float64"},
        {"unit_id": "category", "arm": "string", "reward": "float32"},
        {
            "unit_id": pd.ArrowDtype(pa.string()),
            "arm": pd.ArrowDtype(pa.string()),
            "reward": pd.ArrowDtype(pa.float64()),
        },
    ],
)
def test_any_type_and_index_give_the_same(types):
    table = exposures(n=300)
    expected = experiments.report(TEST, table)
    typed = table.astype(types).set_axis([0] * 300).sample(frac=1, random_state=0)
    found = experiments.report(TEST, typed)
    assert found.counts == expected.counts
    assert row_of(found)["low"] == pytest.approx(row_of(expected)["low"], rel=1e-5)


def test_the_table_stays_as_it_was():
    table = exposures(n=100)
    copy = table.copy()
    experiments.report(TEST, table)
    pd.testing.assert_frame_equal(table, copy)


# --- the page -------------------------------------------------------------------------

NAMES = ["<b>x&y</b>", r"\1", "日本語", "$x^2$", "#0072b2", "a" * 90, 'q"uote']


@pytest.mark.parametrize("name", NAMES)
def test_a_page_bears_any_name_escaped(name):
    table = exposures(n=100).assign(**{name: np.arange(100)})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        page = experiments.to_html(experiments.report(TEST, table, metrics=[name]))
    assert "<b>x" not in page
    escaped = name.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    described = "".join(re.findall("(?s)<desc>.*?</desc>", page))
    assert escaped.replace('"', "&quot;") in described


def test_a_page_asks_nothing_of_a_host_and_follows_light_and_dark():
    page = experiments.to_html(experiments.report(TEST, exposures(slower=5)))
    links = re.findall(r'(?:src|href|xlink:href)="([^"]*)"', page)
    assert all(link.startswith(("data:", "#")) for link in links)
    assert "url(http" not in page and "@import" not in page
    assert "prefers-color-scheme: dark" in page
    _, drawings = page.split("</style>", 1)
    assert not re.search(r"(fill|stroke): #(?!0{6})", drawings)
    assert page.count("<svg") == 2 and page.count("aria-label") >= 4
    assert "harm shown" in page and "<strong>Finding:</strong>" in page


def test_the_same_report_gives_the_same_bytes():
    found = experiments.report(TEST, exposures())
    assert experiments.to_html(found) == experiments.to_html(found)


def test_a_page_of_extreme_intervals():
    table = exposures(n=60)
    for scale in (1e-120, 1e130):
        found = experiments.report(TEST, table.assign(reward=scale * table["reward"]))
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            page = experiments.to_html(found)
        assert page.count("<svg") == 2 and "inf" not in page.lower().replace("info", "")

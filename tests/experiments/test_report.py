"""A running experiment: what is found, what waits, and a page that needs no network."""

import json
import os
import re
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from flightline import experiments
from flightline.experiments import __main__ as command

LABS = Path(__file__).resolve().parents[2] / "labs"

TEST = experiments.Experiment(
    "b_warns",
    {"control": 0.5, "treatment": 0.5},
    primary="reward",
    guardrails={"latency_ms": 2.0},
    units_per_arm=4_000,
)


def exposures(seed=0, n=2_000, effect=0.0, slower=0.0):
    """Return one row a unit, assigned by the experiment, with two metrics."""
    rng = np.random.default_rng(seed)
    ids = pd.Series([f"2013-07-01-UA-{k}-EWR" for k in range(seed * n, (seed + 1) * n)])
    table = pd.DataFrame({"unit_id": ids, "arm": experiments.assign_many(ids, TEST)})
    treated = table["arm"] == "treatment"
    table["reward"] = rng.normal(0, 1, n) + effect * treated
    table["latency_ms"] = rng.gamma(2, 5, n) + slower * treated
    return table


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


# --- the command line -----------------------------------------------------------------


@pytest.fixture
def run(tmp_path, capsys):
    """Write a configuration and a table, report, and return code, output, errors."""
    experiments.save_config(experiments.Config((TEST,)), tmp_path / "config.json")

    def look(table, *arguments, suffix=".csv"):
        path = tmp_path / f"table{suffix}"
        if suffix == ".csv":
            table.to_csv(path, index=False)
        else:
            table.to_parquet(path)
        config = str(tmp_path / "config.json")
        code = command.main(["report", config, str(path), *arguments])
        return code, *capsys.readouterr()

    return look


def test_fine_is_0_and_a_finding_is_1(run, tmp_path):
    page = tmp_path / "page.html"
    code, out, said = run(exposures(effect=0.2), "--html", str(page))
    assert (code, said) == (0, "") and "primary reward, treatment: running" in out
    assert page.read_text().startswith("<!DOCTYPE html>")
    code, out, said = run(exposures(slower=5))
    assert (code, said) == (1, "") and out.startswith("FINDING guardrail latency_ms")


def test_csv_and_parquet_say_the_same(run):
    table = exposures(n=300)
    table.loc[::7, "reward"] = np.nan
    table["good"] = table["reward"] > 0
    texts = run(table, "--metric", "good")
    assert texts == run(table, "--metric", "good", suffix=".parquet")
    assert texts[0] == 0 and "43 without" in texts[1]


def test_codes_and_null_texts_of_a_csv_file(run):
    table = exposures(n=200)
    table["unit_id"] = [f"{k:06d}" for k in range(200)]
    table["reward"] = table["reward"].map("{:.3f}".format).where(table.index > 3, "NA")
    code, out, _ = run(table)
    assert code == 0 and "196 units with an outcome, 4 without" in out


@pytest.mark.parametrize(
    "arguments",
    [
        ["--html", "none/page.html"],
        ["--alpha", "0"],
        ["--alpha", "nan"],
        ["--experiment", "none"],
        ["--metric", "none"],
        ["--metric", "reward_by_origin"],
        ["--unit", "none"],
        ["--arm", "unit_id"],
    ],
)
def test_every_failure_is_2_and_one_line(run, arguments, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, _, said = run(exposures(n=100, slower=9), *arguments)
    assert code == 2
    assert said.startswith("experiments: ") and said.count("\n") == 1


@pytest.mark.parametrize("text", [b"", b"\x00\xff\xfe", b"a\n1\n1,2\n", b"{", b"[]"])
@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".json", ""])
def test_a_file_that_cannot_be_read_is_2(text, suffix, tmp_path, capsys):
    path = tmp_path / f"torn{suffix}"
    path.write_bytes(text)
    good = tmp_path / "config.json"
    experiments.save_config(experiments.Config((TEST,)), good)
    for pair in ((good, path), (path, path), (good, tmp_path / "none.csv")):
        assert command.main(["report", *map(str, pair)]) == 2
        assert capsys.readouterr().err.count("\n") == 1


def test_a_folder_that_is_no_lake_is_2(tmp_path, capsys):
    experiments.save_config(experiments.Config((TEST,)), tmp_path / "config.json")
    (tmp_path / "lake").mkdir()
    paths = [str(tmp_path / name) for name in ("config.json", "lake")]
    assert command.main(["report", *paths]) == 2
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.parametrize(
    "arguments", [[], ["report"], ["report", "a", "b", "--alpha", "x"], ["x"], ["plan"]]
)
def test_bad_arguments_are_2_and_one_line(arguments, capsys):
    with pytest.raises(SystemExit) as stopped:
        command.main(arguments)
    said = capsys.readouterr().err
    assert stopped.value.code == 2 and said.count("\n") == 1


def test_an_output_that_nobody_reads_is_no_traceback(tmp_path):
    experiments.save_config(experiments.Config((TEST,)), tmp_path / "config.json")
    exposures(n=100).to_csv(tmp_path / "t.csv", index=False)
    line = f"{sys.executable} -m flightline.experiments report config.json t.csv | true"
    done = subprocess.run(
        ["bash", "-c", line],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(LABS)},
        capture_output=True,
        text=True,
    )
    assert "Traceback" not in done.stderr and done.stderr.count("\n") <= 1


def test_a_lake_is_read_at_a_moment(tmp_path, capsys):
    experiments.save_config(experiments.Config((TEST,)), tmp_path / "config.json")
    table = exposures(n=300, effect=0.5)
    start = pd.Timestamp("2013-07-01T12:00Z")
    at = {"event_time": start, "available_at": start}
    lake = tmp_path / "lake"
    experiments.log_exposures(lake, table[["unit_id", "arm"]].assign(**at), TEST)
    later = {"event_time": start + pd.Timedelta("6h")}
    rows = table.melt("unit_id", ["reward", "latency_ms"], "metric", "value")
    experiments.log_outcomes(lake, rows.assign(**later))
    looks = {
        "2013-07-01T13:00Z": "no outcome yet",
        "2013-07-03T00:00Z": "300 units with an outcome, 0 without",
    }
    for moment, text in looks.items():
        config = str(tmp_path / "config.json")
        code = command.main(["report", config, str(lake), "--now", moment])
        out, said = capsys.readouterr()
        assert (code, said) == (0, "") and text in out
    assert command.main(["report", config, str(lake), "--now", "2013-07-03"]) == 2


def test_arms_of_units_are_printed(tmp_path, capsys):
    path = tmp_path / "config.json"
    near = experiments.Experiment(
        "near", {"a": 0.5, "b": 0.5}, segments={"origin": ["JFK"]}
    )
    experiments.save_config(experiments.Config((TEST, near)), path)
    assert command.main(["assign", str(path), "f1", "f2", "--field", "origin=JFK"]) == 0
    lines = [line.split("\t") for line in capsys.readouterr().out.splitlines()]
    assert [line[:2] for line in lines] == [
        [unit, name] for unit in ("f1", "f2") for name in ("b_warns", "near")
    ]
    assert lines[0][2] == experiments.assign("f1", TEST)
    assert lines[1][2] == experiments.assign("f1", near)
    for wrong in (["f1", "--field", "origin"], ["f1"], [""]):
        assert command.main(["assign", str(path), *wrong]) == 2
        assert capsys.readouterr().err.count("\n") == 1


def test_a_plan_is_printed(capsys):
    words = ["plan", "--effect", "0.1", "--sd", "1", "--daily", "100"]
    assert command.main(words) == 0
    units = experiments.sample_size(effect=0.1, sd=1)
    weeks = experiments.duration(units, daily=100)
    said = capsys.readouterr().out
    assert f"{units:,} units in each arm" in said and f"{weeks} weeks" in said
    assert command.main(["plan", "--effect", "0", "--sd", "1"]) == 2


def test_the_configuration_is_the_one_that_the_service_reads(tmp_path):
    """A document as a reader writes it, not as the package saves it."""
    document = {
        "experiments": [
            {"name": "x", "weights": {"a": 0.5, "b": 0.5}, "primary": "reward"}
        ]
    }
    path = tmp_path / "config.json"
    path.write_text(json.dumps(document))
    table = exposures(n=50).replace({"arm": {"control": "a", "treatment": "b"}})
    table.to_csv(tmp_path / "t.csv", index=False)
    assert command.main(["report", str(path), str(tmp_path / "t.csv")]) == 0

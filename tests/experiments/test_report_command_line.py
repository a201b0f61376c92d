"""Exit codes: 0 is fine, 1 a finding, 2 no answer and one line that says why."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from flightline import experiments
from flightline.experiments import __main__ as command
from running import TEST, exposures

LABS = Path(__file__).resolve().parents[2] / "labs"


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

"""python -m flightline.estimate: text, JSON, ranges and refusals."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from flightline import estimate
from flightline.estimate import __main__ as app

LABS = Path(__file__).resolve().parents[2] / "labs"


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict:
    assert app.main([*arguments, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_training_equals_the_module(capsys: pytest.CaptureFixture[str]) -> None:
    found = run(capsys, "training", "--tokens", "512", "--mfu", "0.4")
    days = estimate.training_days(
        params=100e6,
        examples=100e6,
        tokens_per_example=512,
        accelerators=8,
        peak_tflops=312,
        mfu=0.4,
    )
    assert found["estimates"]["days"] == pytest.approx([days] * 3)
    assert found["assumptions"] == {}
    dollars = estimate.cost_usd(8, 24 * days, 2)
    assert found["estimates"]["US dollars"][1] == pytest.approx(dollars)


def test_ranges_in_ranges_out(capsys: pytest.CaptureFixture[str]) -> None:
    found = run(capsys, "training", "--epochs", "1,2,3")
    low, median, high = found["estimates"]["days"]
    assert low < median < high
    assert list(found["assumptions"]) == ["tokens", "epochs", "mfu"]


def test_serving_equals_the_module(capsys: pytest.CaptureFixture[str]) -> None:
    found = run(
        capsys, "serving", "--batch", "8", "--service", "0.04", "--target", "0.2"
    )
    servers = estimate.fleet_size(qps=10_000, service_s=0.04, target_s=0.2, batch=8)
    assert found["estimates"]["servers"] == [servers] * 3
    pooled = run(capsys, "serving", "--model", "M/M/c")
    assert pooled["estimates"]["servers"][0] < servers * 4


def test_storage_equals_the_module(capsys: pytest.CaptureFixture[str]) -> None:
    found = run(capsys, "storage", "--days", "1,2,3", "--ratio", "1")
    assert found["estimates"]["GB of features"][1] == pytest.approx(0.696)
    assert found["estimates"]["MB/s of events"][0] == pytest.approx(2.5)
    assert found["estimates"]["TB of log"][2] <= 10_000 * 86_400 * 3 * 250 * 3 / 1e12


def test_the_text_ranks_the_assumptions(capsys: pytest.CaptureFixture[str]) -> None:
    assert app.main(["training"]) == 0
    text = capsys.readouterr().out
    assert text.index("tokens") < text.index("mfu")
    assert "days" in text and "x 16.00" in text


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        (["serving", "--target", "0.001"], "target_s"),
        (["serving", "--qps", "-1"], "qps"),
        (["serving", "--batch", "1.5"], "batch"),
        (["serving", "--batch", "1,4,8"], "batch"),
        (["serving", "--batch", "inf"], "batch"),
        (["serving", "--spare", "nan"], "spare"),
        (["serving", "--qps", "1e300"], "qps"),
        (["serving", "--hits", "0.5,0.7,1"], "hit_rate"),
        (["storage", "--copies", "1e400"], "copies"),
        (["training", "--tokens", "nan"], "tokens"),
        (["training", "--mfu", "0,0.4,0.5"], "mfu"),
        (["training", "--mfu", "1.5"], "mfu"),
        (["storage", "--copies", "0"], "copies"),
    ],
)
def test_impossible_input_is_named(
    capsys: pytest.CaptureFixture[str], arguments: list[str], name: str
) -> None:
    assert app.main(arguments) == 2
    assert name in capsys.readouterr().err


@pytest.mark.parametrize("text", ["fast", "1,2", "3,2,1", "1,2,3,4", ""])
def test_no_number_and_no_range(capsys: pytest.CaptureFixture[str], text: str) -> None:
    with pytest.raises(SystemExit) as stopped:
        app.main(["training", "--mfu", text])
    assert stopped.value.code == 2
    assert "low,likely,high" in capsys.readouterr().err


def test_it_runs_as_a_module() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "flightline.estimate", "serving", "--json"],
        cwd=LABS,
        env={**os.environ, "PYTHONPATH": str(LABS)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["estimates"]["servers"][0] > 200

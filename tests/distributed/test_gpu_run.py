"""The standalone GPU run: its code path on the CPU, and what it says without a GPU."""

import json
from pathlib import Path

import pytest
import torch
from flightline import distributed as d
from flightline.distributed import gpu_run

FAST = ["--widths", "4", "--batch", "8", "--share-s", "0", "--curve"]


@pytest.fixture
def data(tmp_path: Path) -> str:
    chance = torch.Generator().manual_seed(0)
    numbers = torch.randn(40, 3, generator=chance)
    codes = torch.zeros(40, 1, dtype=torch.int16)
    late = (numbers.sum(1) > 0).float()
    packed = {"numbers": numbers, "codes": codes, "late": late, "values": {"x": ["a"]}}
    torch.save(packed, tmp_path / "x.pt")
    return str(tmp_path / "x.pt")


def test_without_a_gpu_nothing_is_recorded(
    monkeypatch, data: str, tmp_path: Path, capsys
) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    assert gpu_run.main([data, str(tmp_path / "r.json"), *FAST]) == 3
    assert "nothing is recorded" in capsys.readouterr().err
    assert not (tmp_path / "r.json").exists()


def test_the_record_names_the_machine_and_no_path(data: str, tmp_path: Path) -> None:
    target = tmp_path / "r.json"
    assert gpu_run.main([data, str(target), "--cpu-only", *FAST]) == 0
    found = json.loads(target.read_text())
    assert found["machine"]["cpu"] and found["machine"]["gpu"] is None
    [row] = found["rows"]
    assert (row["device"], row["backend"], row["precision"]) == (
        "cpu",
        "gloo",
        "float32",
    )
    assert row["rows_per_s"] > 0 and row["peak_mb"] is None
    assert len(row["losses"]) == gpu_run.FIRST_STEPS
    assert row["losses"][-1] < row["losses"][0]
    assert str(tmp_path) not in target.read_text()


def test_no_time_is_said_and_nothing_invented(data: str, tmp_path: Path) -> None:
    target = tmp_path / "r.json"
    gpu_run.main([data, str(target), "--cpu-only", *FAST, "--limit-s", "0"])
    found = json.loads(target.read_text())
    assert found["rows"] == []
    assert found["left_out"] == ["cpu, width 4, batch 8, float32"]


def test_the_middle_width_is_trained_at_growing_batches(
    data: str, tmp_path: Path
) -> None:
    target = tmp_path / "r.json"
    options = ["--widths", "2", "4", "6", *FAST[2:], "2", "8", "16", "1000"]
    assert gpu_run.main([data, str(target), "--cpu-only", *options]) == 0
    rows = json.loads(target.read_text())["rows"]
    found = [(row["width"], row["batch"]) for row in rows]
    assert found == [(2, 8), (4, 8), (6, 8), (4, 2), (4, 16)]
    for row in rows:
        assert 0 < row["mfu"] < 1 and row["params"] > 0


def test_the_rate_of_a_product_is_that_of_its_operations(monkeypatch) -> None:
    ticks = iter(range(100))
    monkeypatch.setattr(gpu_run.time, "perf_counter", lambda: next(ticks))
    monkeypatch.setitem(gpu_run.SQUARE, "cpu", 16)
    for precision in ("float32", "bfloat16"):
        rate = gpu_run.product_rate(torch.device("cpu"), precision)
        assert rate == 2 * 16**3  # a second each


def test_on_a_gpu_it_asks_for_nccl_and_both_precisions(monkeypatch, data: str) -> None:
    """The rounds of a machine with a GPU, with the measurement itself left out."""
    asked = []

    class World:
        def __init__(self, gpus: int) -> None:
            device = torch.device("meta" if gpus else "cpu")
            self.here = d.Rank(0, 1, device, d.choose_backend(gpus, 1))

        def __enter__(self) -> d.Rank:
            return self.here

        def __exit__(self, *error: object) -> None:
            return None

    def measure(examples, plan, here, share_s, end, rate):
        devices = {side.device.type for side in examples}
        asked.append((here.backend, devices, plan.width, plan.precision))
        return {"rows_per_s": 1}

    monkeypatch.setattr(gpu_run.d, "world", World)
    monkeypatch.setattr(gpu_run, "measure", measure)
    monkeypatch.setattr(gpu_run, "product_rate", lambda device, precision: 1.0)
    options = gpu_run.argparse.Namespace(
        limit_s=9, share_s=0, widths=[4], batch=8, curve=[]
    )
    names = [name for name, _ in gpu_run.rounds(Path(data), 1, options)]
    assert names == [
        "cuda, width 4, batch 8, float32",
        "cuda, width 4, batch 8, bfloat16",
        "cpu, width 4, batch 8, float32",
    ]
    assert asked == [
        ("nccl", {"meta"}, 4, "float32"),
        ("nccl", {"meta"}, 4, "bfloat16"),
        ("gloo", {"cpu"}, 4, "float32"),
    ]


@pytest.mark.skipif(not torch.cuda.device_count(), reason="needs a GPU")
def test_a_gpu_trains_like_the_cpu(data: str, tmp_path: Path) -> None:
    target = tmp_path / "r.json"
    assert gpu_run.main([data, str(target), *FAST]) == 0
    rows = json.loads(target.read_text())["rows"]
    assert [row["backend"] for row in rows] == ["nccl", "nccl", "gloo"]
    exact, mixed, cpu = (row["losses"] for row in rows)
    assert exact == pytest.approx(cpu, rel=1e-3)
    assert mixed == pytest.approx(cpu, rel=5e-2)

"""The package as a whole: what it offers, its examples, and what it does not load."""

import doctest
import importlib
import importlib.util
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest
from flightline import latency, training
from labkit.data import MODELS

GPU_RUN = Path(__file__).parent / "bench" / "gpu_latency.py"

MODULES = [each.name for each in pkgutil.iter_modules(latency.__path__)]


@pytest.mark.parametrize("name", [n for n in MODULES if n not in ("core", "__main__")])
def test_the_examples_hold(name):
    module = importlib.import_module(f"{latency.__name__}.{name}")
    assert doctest.testmod(module).failed == 0


def test_all_that_is_offered_is_there():
    assert sorted(latency.__all__) == sorted(set(latency.__all__))
    assert [name for name in latency.__all__ if not hasattr(latency, name)] == []


def test_the_module_is_light():
    heavy = ("torch", "onnx", "onnxruntime", "lightgbm")
    code = f"import sys, flightline.latency; print({{*{heavy}}} & {{*sys.modules}})"
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": ":".join(sys.path)},
    )
    assert done.stdout.strip() == "set()"


@pytest.fixture
def gpu_run():
    """The standalone script for a machine with an accelerator."""
    spec = importlib.util.spec_from_file_location("gpu_latency", GPU_RUN)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_gpu_run_takes_the_network_that_the_manifest_names(gpu_run):
    expected = training.load_model(MODELS, "delay_mlp").content
    assert gpu_run.stored_model("delay_mlp") == expected
    net = gpu_run.make(gpu_run.NETS["network 512-256"])
    assert gpu_run.with_stored_weights(net) == "the reference network's own"


def test_the_gpu_run_refuses_a_file_that_was_changed(gpu_run, tmp_path, monkeypatch):
    (tmp_path / "models.json").write_bytes((MODELS / "models.json").read_bytes())
    (tmp_path / "delay_mlp.onnx").write_bytes(b"something else")
    monkeypatch.setattr(gpu_run, "MODELS", tmp_path)
    with pytest.raises(SystemExit, match="is not the file"):
        gpu_run.stored_model("delay_mlp")

"""The package as a whole: what it offers, its examples, and what it does not load."""

import doctest
import importlib
import pkgutil
import subprocess
import sys

import pytest
from flightline import latency

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

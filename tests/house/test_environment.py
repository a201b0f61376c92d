"""Is everything installed that requirements.txt names, in the version that it names?"""

import importlib
import re
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
IMPORT_NAMES = {
    "axe-playwright-python": "axe_playwright_python.sync_playwright",
    "codespell": "codespell_lib",
    "grpcio": "grpc",
    "grpcio-health-checking": "grpc_health",
    "grpcio-tools": "grpc_tools",
    "jupyter-book": "jupyter_book",
    "pytest-xdist": "xdist",
    "scikit-learn": "sklearn",
    "sphinx-mathjax-offline": "sphinx-mathjax-offline",
}


def pins(name: str) -> dict[str, str]:
    """Return version by distribution name, from requirements.txt or constraints.txt."""
    lines = (ROOT / name).read_text().splitlines()
    pattern = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==([^\s#]+)")
    return dict(match.groups() for match in map(pattern.match, lines) if match)


DIRECT = pins("requirements.txt")


@pytest.mark.parametrize("name", DIRECT)
def test_direct_dependency_imports_in_its_pinned_version(name: str) -> None:
    found = version(name).split("+")[0]
    hint = "run `make book`, which installs what requirements.txt names"
    assert found == DIRECT[name], f"{name} is {found}, not {DIRECT[name]}: {hint}"
    importlib.import_module(IMPORT_NAMES.get(name, name.replace("-", "_")))


def test_every_line_of_requirements_is_pinned() -> None:
    lines = (ROOT / "requirements.txt").read_text().splitlines()
    named = [line for line in lines if line.strip() and not line.startswith("#")]
    assert len(named) == len(DIRECT) > 20


def test_constraints_hold_the_rest_and_no_gpu_package() -> None:
    rest = pins("constraints.txt")
    assert len(rest) > 100
    assert not set(rest) & set(DIRECT), "a direct dependency stands in both files"
    heavy = [name for name in rest if name.startswith(("nvidia-", "triton", "cuda-"))]
    assert heavy == [], f"{heavy}: a GPU package is in the lock; see `make lock`"


def test_what_is_installed_fits_together() -> None:
    command = [sys.executable, "-m", "pip", "check"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout

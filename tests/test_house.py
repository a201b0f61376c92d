"""Rules of the house: style, types, spelling, imports, and what may not be written."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "labs" / "flightline"

CHECKS = {
    "ruff check": ["ruff", "check", "."],
    "ruff format": ["ruff", "format", "--check", "."],
    "mypy": ["mypy"],
    "codespell": ["codespell_lib"],
}


@pytest.mark.parametrize("name", CHECKS)
def test_checker_is_content(name: str) -> None:
    command = [sys.executable, "-m", *CHECKS[name]]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, f"{name}: run `make lint`\n{done.stdout}{done.stderr}"


def test_two_processes_share_no_notebook_and_no_site() -> None:
    """`make test` runs two processes; a notebook's cells need their own kernel."""
    from conftest import Together

    group = Together.group
    lab = "labs/01_lifecycle.ipynb::Cell"
    assert group(f"{lab} 0") == group(f"{lab} 7")
    assert group("tests/test_site.py::test_a") == group("tests/test_browser.py::b[x]")
    graded = "tests/test_exercises.py::test_"
    assert group(f"{graded}a[02_estimate]") == group(f"{graded}b[02_estimate]")
    assert group(f"{graded}a[02_estimate]") != group(f"{graded}a[03_lake]")


def tracked() -> list[Path]:
    """Return the text files that git tracks, or would track if they were added."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, check=True)
    names = done.stdout.decode().split("\0")
    binary = {".parquet", ".png", ".ico", ".onnx"}
    paths = [ROOT / name for name in names if name]
    return [p for p in paths if p.is_file() and p.suffix not in binary]


# written in pieces, so that this file does not hold what it forbids
FORBIDDEN = {
    "a package registry's host": r"(pypi|npmjs|pythonhosted)"
    + r"\.org|deb\."
    + "debian",
    "a path of somebody's machine": r"(?<![\w.])/(root|home|Users)/" + r"\w",
}


@pytest.mark.parametrize("what", FORBIDDEN)
def test_no_file_names(what: str) -> None:
    pattern = re.compile(FORBIDDEN[what])
    found = [
        f"{path.relative_to(ROOT)}: {match[0]}"
        for path in tracked()
        if (match := pattern.search(path.read_text(encoding="utf-8")))
    ]
    assert found == [], f"{what} is written in {found}"


def imports(path: Path) -> set[str]:
    """Return the dotted names that a Python file imports."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def lifecycle() -> list[str]:
    """Return the stems of the labs, in the order of their numbers."""
    return [
        path.stem[3:] for path in sorted((ROOT / "labs").glob("[0-9][0-9]_*.ipynb"))
    ]


def test_flightline_never_imports_the_bench_or_the_tools() -> None:
    for path in PACKAGE.rglob("*.py"):
        used = {name.split(".")[0] for name in imports(path)}
        assert not used & {"labkit", "tools"}, (
            f"{path.relative_to(ROOT)} imports {used}"
        )


def test_modules_import_only_those_of_earlier_labs() -> None:
    order = lifecycle()
    for path in PACKAGE.glob("[a-z]*.py"):
        used = {n.split(".")[1] for n in imports(path) if n.startswith("flightline.")}
        later = {name for name in used if order.index(name) >= order.index(path.stem)}
        assert not later, f"flightline.{path.stem} imports {later} of a later lab"


def test_no_module_imports_the_shell() -> None:
    for path in PACKAGE.glob("[a-z]*.py"):
        assert not [n for n in imports(path) if n.startswith("flightline.apps")]


def test_the_bench_imports_the_system_only_inside_functions() -> None:
    for path in (ROOT / "labs" / "labkit").glob("*.py"):
        body = ast.parse(path.read_text()).body
        top = [n for n in body if isinstance(n, ast.Import | ast.ImportFrom)]
        names = {getattr(n, "module", None) or n.names[0].name for n in top}
        assert not [n for n in names if n.startswith("flightline")], path.name


def test_the_readme_and_ci_run_the_same_command() -> None:
    readme = (ROOT / "README.md").read_text()
    assert re.search(r"^make book\nmake test$", readme, re.MULTILINE)
    assert "make test" in (ROOT / ".ci" / "run").read_text().splitlines()


def test_make_knows_every_target_that_the_readme_names() -> None:
    targets = set(
        re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    )
    texts = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *ROOT.glob("book/*.md")]
    for path in texts:
        named = set(re.findall(r"`make ([a-z]+)", path.read_text()))
        assert named <= targets, f"{path.name} names {named - targets}"

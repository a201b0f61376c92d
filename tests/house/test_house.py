"""Rules of the house: style, types, spelling, imports, and what may not be written."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
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


def stems() -> list[str]:
    """Return the stages of the lifecycle: the labs, in the order of their numbers."""
    labs = sorted((ROOT / "labs").glob("[0-9][0-9]_*.ipynb"))
    return [path.stem[3:] for path in labs]


def public(stem: str) -> set[str]:
    """Return the names that a stage offers: `__all__` of its package."""
    for node in ast.parse((PACKAGE / stem / "__init__.py").read_text()).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            return set(ast.literal_eval(node.value))
    raise AssertionError(f"flightline/{stem}/__init__.py has no __all__")


def test_one_stem_everywhere() -> None:
    """Whoever knows the stem of a chapter knows every folder."""
    known = {*stems(), "__pycache__"}
    for folder in (PACKAGE, ROOT / "labs" / "labkit"):
        packages = {path.name for path in folder.iterdir() if path.is_dir()}
        assert packages <= known, f"{folder}: {packages - known} is no stem of a lab"
    shared = {"book", "tools", "data", "house", "labkit"}
    tests = {path.name for path in (ROOT / "tests").iterdir() if path.is_dir()}
    assert tests <= known | shared, f"tests: {tests - known - shared}"


def test_flightline_never_imports_the_bench_or_the_tools() -> None:
    for path in PACKAGE.rglob("*.py"):
        used = {name.split(".")[0] for name in imports(path)}
        assert not used & {"labkit", "tools"}, (
            f"{path.relative_to(ROOT)} imports {used}"
        )


def test_stages_import_only_earlier_ones_and_through_the_front() -> None:
    """Imports point backwards along the lifecycle, and name what a stage offers."""
    order = stems()
    for path in PACKAGE.glob("*/*.py"):
        stem, place = path.parent.name, path.relative_to(ROOT)
        for name in sorted(imports(path)):
            package, _, rest = name.partition(".")
            stage, _, inner = rest.partition(".")
            if package != "flightline" or stage in ("", stem):
                continue
            assert order.index(stage) < order.index(stem), (
                f"{place} imports {name} of a later stage"
            )
            assert not inner or inner in public(stage), (
                f"{place} imports {name}: take what flightline.{stage} offers"
            )


def test_a_core_imports_none_of_its_siblings() -> None:
    for path in PACKAGE.glob("*/core.py"):
        own = f"flightline.{path.parent.name}"
        assert not [n for n in imports(path) if n.startswith(own)], path


def test_the_bench_takes_what_a_stage_offers() -> None:
    """Labs alone import from a core: there a reader gets the function they wrote."""
    for path in (ROOT / "labs" / "labkit").rglob("*.py"):
        for name in sorted(imports(path)):
            package, _, rest = name.partition(".")
            stage, _, inner = rest.partition(".")
            if package == "flightline" and inner:
                assert inner.split(".")[0] in public(stage), (
                    f"{path.relative_to(ROOT)} imports {name}"
                )


def test_test_files_import_no_other_test_file() -> None:
    for path in (ROOT / "tests").rglob("*.py"):
        if "wrong_answers" not in path.parts:
            used = {name.split(".")[0] for name in imports(path)}
            others = {name for name in used if name.startswith(("test_", "conftest"))}
            assert not others, f"{path.relative_to(ROOT)} imports {others}"


MAY_OPEN = {
    "data/README.md",
    "labs/flightline/lake/sealed.py",
    "labs/labkit/data.py",
    "tests/house/test_house.py",
    "tests/labkit/test_labkit_data.py",
}
"""Where the sealed week may be named: its definition, its loader, and their tests."""


def test_nobody_opens_the_sealed_week_before_the_capstone() -> None:
    """24 to 30 December is kept for the last lab; nothing is chosen by looking at it.

    What reads the flights' files itself must drop those days, and is listed here.
    """
    reads_files = {
        "data/build.py",
        "labs/flightline/loop/source.py",
        "labs/flightline/serving/serve.py",
        "labs/flightline/training/data.py",
        "tests/data/test_data.py",
        "tests/training/test_training.py",
    }
    for path in tracked():
        place, code = (
            path.relative_to(ROOT).as_posix(),
            path.suffix in (".py", ".ipynb"),
        )
        if place in MAY_OPEN or not (code or path.suffix == ".md"):
            continue
        text = path.read_text()
        assert "load_sealed_week" not in text, f"{place} opens the sealed week"
        direct = re.search(r"flights.{0,4}/.{0,4}2013-(12|\{)", text)
        assert not (code and direct) or place in reads_files, (
            f"{place} reads the flights' files itself: use labkit.data.load_flights"
        )


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

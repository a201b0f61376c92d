"""How `make test` runs: two processes, one stage alone, and never without the labs."""

import subprocess
import sys

import pytest
from small_notebooks import code, markdown, save

from tools.labs import notebooks

SETTINGS = (
    "[pytest]\ntestpaths = labs tests\naddopts = -p no:cacheprovider"
    " --nbval --nbval-current-env"
    f" --nbval-sanitize-with={notebooks.ROOT / 'nbval_sanitize.cfg'}\n"
)
TEST = "def test_one():\n    pass\n\n\ndef test_two():\n    pass\n"


def run(root, *arguments):
    notebooks.write_text(root / "pytest.ini", SETTINGS)
    source = (notebooks.ROOT / "conftest.py").read_text()
    notebooks.write_text(root / "conftest.py", source)
    command = [sys.executable, "-m", "pytest", *arguments]
    return subprocess.run(
        command,
        cwd=root,
        env={"PYTHONPATH": str(notebooks.ROOT), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=120,
    )


@pytest.fixture
def small(tmp_path):
    """Two labs whose cells need their own kernel, and tests of two stages."""
    for name in ("01_one", "02_two"):
        cells = [code("x = 1"), *(code("x += 1") for _ in range(5))]
        last = code("x", result="6")
        save(tmp_path / "labs", name, markdown("# Title"), *cells, last)
    for folder in ("one", "two"):
        path = tmp_path / "tests" / folder / f"test_{folder}.py"
        notebooks.write_text(path, TEST)
    return tmp_path


def test_two_processes_never_share_a_notebook(small):
    done = run(small, "-n", "2", "--dist", "loadgroup")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "18 passed" in done.stdout


def test_one_stage_is_its_tests_and_its_lab(small):
    done = run(small, "--stem", "two", "--collect-only", "-q")
    assert done.returncode == 0, done.stdout
    chosen = {line.partition("::")[0] for line in done.stdout.split() if "::" in line}
    assert chosen == {"labs/02_two.ipynb", "tests/two/test_two.py"}


def test_an_unknown_stage_is_refused_with_those_there_are(small):
    done = run(small, "--stem", "three")
    assert done.returncode == 4
    assert "--stem three: name one of" in done.stderr


@pytest.mark.parametrize(
    ("given", "last"), [([], ""), (["LAB="], " ''"), (["LAB=1"], " '1'")]
)
def test_make_execute_hands_on_what_it_was_given(given, last):
    """The tool refuses what names no lab; make must not turn it into all labs."""
    command = ["make", "--no-print-directory", "--dry-run", "execute", *given]
    done = subprocess.run(
        command, cwd=notebooks.ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1].rstrip().endswith(f"tools.labs.execute{last}")

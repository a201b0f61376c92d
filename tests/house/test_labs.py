"""Every lab, and the template, keeps the rules and is in step with its module."""

import importlib.util
import subprocess
import sys
import tomllib

import pytest

from tools.labs import attempts, export, minutes, notebooks, structure
from tools.labs.checks import Lab

TEMPLATE = structure.TEMPLATE
LABS = [*notebooks.find_labs(), TEMPLATE]
PAGES = sorted(structure.BOOK.glob("*.md"))
EXPORTING = [path for path in LABS if export.module_path(path).exists()]


def name(path):
    return path.stem


def test_there_are_labs():
    assert notebooks.find_labs(), "labs/ holds no notebook NN_stem.ipynb."


@pytest.mark.parametrize("path", LABS, ids=name)
def test_structure(path):
    complaints = structure.check(path)
    assert not complaints, "\n".join(map(str, complaints))


@pytest.mark.parametrize("path", notebooks.find_labs(), ids=name)
def test_the_card_states_the_time_that_the_formula_gives(path):
    lab = Lab(path, notebooks.read(path))
    chapter = minutes.of_page(structure.BOOK / f"{path.stem}.md")
    line = minutes.card(minutes.of_lab(lab), chapter)
    states = line in lab.notebook.cells[0].source.splitlines()
    assert states, f"write: {line}"


def test_ruff_spares_no_lab():
    settings = tomllib.loads((notebooks.ROOT / "pyproject.toml").read_text())
    ignored = settings["tool"]["ruff"]["lint"]["per-file-ignores"]
    assert not [files for files, rules in ignored.items() if "E501" in rules]


@pytest.mark.parametrize("path", PAGES, ids=name)
def test_no_measured_number_is_typed(path):
    complaints = structure.check(path)
    assert not complaints, "\n".join(map(str, complaints))


@pytest.mark.parametrize("path", LABS, ids=name)
def test_stored_as_the_tools_write_it(path):
    book = notebooks.normalise(notebooks.read(path))
    assert notebooks.dumps(book) == path.read_text(encoding="utf-8"), (
        f"{notebooks.show(path)} holds an editor's metadata or is formatted otherwise. "
        f"Run `python -m tools.labs.execute {notebooks.show(path)}`."
    )


@pytest.mark.parametrize("path", LABS, ids=name)
def test_module_is_what_the_lab_exports(path):
    complaints = export.check([path])
    assert not complaints, "\n".join(complaints)


def test_every_module_comes_from_a_lab():
    for labs in (notebooks.LABS, TEMPLATE.parent):
        assert not export.strays(labs), "\n".join(export.strays(labs))


@pytest.mark.parametrize("path", EXPORTING, ids=name)
def test_module_imports_and_exports_what_it_says(path):
    target = export.module_path(path)
    spec = importlib.util.spec_from_file_location(f"exported_{path.stem}", target)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert all(hasattr(module, public) for public in module.__all__)


@pytest.mark.parametrize("path", EXPORTING, ids=name)
def test_ruff_is_content_with_the_module(path):
    command = [sys.executable, "-m", "ruff", "check", str(export.module_path(path))]
    done = subprocess.run(command, cwd=notebooks.ROOT, capture_output=True, text=True)
    assert done.returncode == 0, f"Mend the lab, not the module.\n{done.stdout}"


@pytest.mark.parametrize("path", LABS, ids=name)
def test_wrong_answers_fit_the_exercises(path):
    complaints = attempts.plain_complaints(path)
    assert not complaints, "\n".join(complaints)


def test_wrong_answers_belong_to_a_lab():
    folders = set((notebooks.ROOT / "tests").rglob("wrong_answers"))
    loose = folders - {attempts.folder(path) for path in notebooks.find_labs()}
    assert not loose, f"Wrong answers of no lab: {sorted(map(notebooks.show, loose))}."

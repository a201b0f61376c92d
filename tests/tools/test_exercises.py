"""Every lab as a reader gets it: no solution in it, graded by nbgrader itself.

nbgrader executes the student edition outside the repository, as `make lab` does: in
another folder, with PYTHONPATH on the labs. Nothing but unsolved checks may fail there.
"""

import os
import sys
from pathlib import Path

import pytest
from nbgrader.utils import determine_grade
from nbgrader_course import Course, surprises
from small_notebooks import LABS, TEMPLATE

from tools.labs import leaks, notebooks, student
from tools.labs.unsolved import needy

pytestmark = pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SAWarning")


def stem(path):
    return path.stem


EXECUTED = [p for p in LABS if p == TEMPLATE or needy(notebooks.read(p))]


@pytest.fixture(scope="module", params=LABS, ids=stem)
def course(request, tmp_path_factory):
    path = request.param
    root = tmp_path_factory.mktemp(path.stem)
    search = dict.fromkeys([str(path.parent), str(notebooks.LABS)])
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", os.pathsep.join(search))
        patch.setenv("JUPYTER_PREFER_ENV_PATH", "1")
        # nbgrader calls alembic by name, and `make test` does not activate .venv
        beside_python = str(Path(sys.executable).parent)
        patch.setenv("PATH", os.pathsep.join([beside_python, os.environ["PATH"]]))
        for variable in ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "IPYTHONDIR"):
            patch.setenv(variable, str(root / variable.lower()))
        yield Course(root, path)


@pytest.fixture(scope="module")
def unsolved(course):
    """Let nbgrader execute and grade what nobody has solved.

    Of most labs `tools.labs.unsolved` tells from the names that no cell but a check
    needs a solution; one more execution would prove it again. It does for the others,
    and for the template, which takes nbgrader's whole way.
    """
    return course.grade("nobody", student.render(course.path))


def test_student_edition_shows_no_solution(course):
    book = notebooks.read(course.path)
    made = student.student_edition(book)
    assert leaks.solutions(book) and not leaks.leaked(book, made)
    assert "SOLUTION" not in "".join(cell.source for cell in made.cells)


def test_stubs_are_those_of_nbgrader(course):
    made = student.student_edition(notebooks.read(course.path))
    released = {cell.id: cell.source for cell in course.release().cells}
    graded = [cell for cell in made.cells if notebooks.grading(cell)]
    assert graded and all(cell.source == released[cell.id] for cell in graded)


@pytest.mark.parametrize("course", EXECUTED, ids=stem, indirect=True, scope="module")
def test_unsolved_lab_runs_to_its_end_and_scores_nothing(unsolved):
    cells = [cell for _, cell in notebooks.code_cells(unsolved.notebook)]
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    assert not surprises(unsolved.notebook)
    assert unsolved.possible and all(unsolved.possible.values())
    assert set(unsolved.scores.values()) == {0}


def test_solved_lab_scores_all(course):
    """Grade the solution; for a lab, from the stored outputs that nbval reproduces.

    One more execution of each lab would prove the same again. The template's is
    executed, so that nbgrader's whole way is taken once.
    """
    if course.path == TEMPLATE:
        solved = course.grade("everybody", TEMPLATE.read_text(encoding="utf-8"))
        assert solved.scores == solved.possible
    book = notebooks.read(course.path)
    for _, cell in notebooks.code_cells(book):
        if notebooks.is_check(cell):
            score, possible = determine_grade(cell)
            assert score == possible > 0, cell.source

"""A course of nbgrader's own in a temporary folder, to grade submissions with it."""

import contextlib
import io
from dataclasses import dataclass
from pathlib import Path

from nbformat import NotebookNode
from nbgrader.api import Gradebook
from nbgrader.apps import NbGraderAPI
from nbgrader.coursedir import CourseDirectory
from traitlets.config import Config

from tools.labs import notebooks, student
from tools.labs.execute import TIMEOUT_S

LAB = "lab"


@dataclass(frozen=True)
class Graded:
    """What autograde made of a submission: points for each check, and the notebook."""

    scores: dict[str, float]
    possible: dict[str, float]
    notebook: NotebookNode


def surprises(unsolved: NotebookNode) -> list[str]:
    """Return what is unexpected in an executed lab that nobody has solved.

    Each check fails, plainly, and no other cell does.
    """
    found = []
    for index, cell in notebooks.code_cells(unsolved):
        errors = [out.ename for out in cell.outputs if out.output_type == "error"]
        plain = errors in (["NotImplementedError"], ["AssertionError"])
        if notebooks.is_check(cell) and not plain:
            found.append(f"the check in cell {index} ends with {errors}")
        if errors and not notebooks.is_check(cell):
            found.append(f"cell {index} needs a solution: {errors}\n{cell.source}")
    return found


class Course:
    """A course with one assignment, which is one lab."""

    def __init__(self, root: Path, path: Path):
        self.root, self.path = root, path
        config = Config()
        config.CourseDirectory.root = str(root)
        config.ClearSolutions.code_stub = {"python": student.STUB}
        config.Execute.timeout = TIMEOUT_S
        config.Execute.extra_arguments = ["--log-level=ERROR"]
        self.api = NbGraderAPI(CourseDirectory(config=config), config=config)
        self.api.log_level = "ERROR"
        self._put("source", ".", path.read_text(encoding="utf-8"))
        self._run(self.api.generate_assignment(LAB, force=True))

    def _put(self, stage: str, who: str, text: str) -> None:
        target = self.root / stage / who / LAB / self.path.name
        notebooks.write_text(target, text)

    @staticmethod
    def _run(result: dict) -> None:
        assert result["success"], result.get("error", "") + result.get("log", "")

    def release(self) -> NotebookNode:
        """Return nbgrader's own student edition."""
        return notebooks.read(self.root / "release" / LAB / self.path.name)

    def grade(self, who: str, text: str) -> Graded:
        """Hand in a notebook, let nbgrader execute and grade it."""
        self._put("submitted", who, text)
        with contextlib.redirect_stderr(io.StringIO()):
            self._run(self.api.autograde(LAB, who, force=True, create=True))
        with Gradebook(self.api.coursedir.db_url) as gradebook:
            found = gradebook.find_submission_notebook(self.path.stem, LAB, who)
            scores = {g.name: g.auto_score for g in found.grades}
            possible = {g.name: g.max_score for g in found.grades}
        graded = self.root / "autograded" / who / LAB / self.path.name
        return Graded(scores, possible, notebooks.read(graded))

"""Write the student edition of the labs.

`python -m tools.labs.student OUT_DIR` writes each lab with its solutions replaced by
stubs, its outputs cleared and its checks locked, by nbgrader's own preprocessors.
Roles of the book become text and links, and `book/` beside the labs holds the chapters
and figures to read. `labkit` and `flightline` are not copied: Python finds them through
PYTHONPATH, as `make lab` and nbgrader set it.
"""

import argparse
import ast
import copy
import sys
from pathlib import Path

from nbformat import NotebookNode
from nbgrader.preprocessors import ClearOutput, ClearSolutions, LockCells

from tools.labs import names, notebooks, targets
from tools.labs.leaks import leaked, unix
from tools.labs.notebooks import NotebookError, show
from tools.labs.plain import Page
from tools.labs.targets import Course

STUB = "raise NotImplementedError  # your code here"
COURSE_TAGS = {"export", "hide-cell"}


def student_edition(notebook: NotebookNode) -> NotebookNode:
    """Return the student edition of a lab.

    Signatures and docstrings stay, solutions become stubs. A check may fail without
    ending a run of the whole notebook; nbgrader scores it all the same.

    Parameters
    ----------
    notebook : NotebookNode
        The lab with its solutions; it is not changed.

    Returns
    -------
    NotebookNode
        A new notebook.

    Raises
    ------
    NotebookError
        If a line of a solution would still stand in it.
    """
    student = copy.deepcopy(notebook)
    for cell in student.cells:
        cell.source = unix(cell.source)
    spare = backstage(student)
    student.cells = [cell for cell in student.cells if cell.id not in spare]
    for preprocessor in (
        ClearSolutions(code_stub={"python": STUB}),
        LockCells(),
        ClearOutput(),
    ):
        student, _ = preprocessor.preprocess(student, {})
    for _, cell in notebooks.code_cells(student):
        kept = set(notebooks.tags(cell)) - COURSE_TAGS
        cell.metadata["tags"] = sorted(
            kept | ({"raises-exception"} if notebooks.is_check(cell) else set())
        )
        cell.source = without_guesses(cell.source)
    student = notebooks.normalise(student)
    if leaks := leaked(notebook, student):
        raise NotebookError(
            "the student edition shows a solution: " + "; ".join(map(repr, leaks[:3]))
        )
    return student


def without_guesses(source: str) -> str:
    """Return a cell with `...` for each guess that it hands to `guesses.keep`."""
    try:
        nodes = list(ast.walk(ast.parse(source)))
    except SyntaxError:  # a magic, which holds no guess
        return source
    calls = [node for node in nodes if isinstance(node, ast.Call)]
    asked = [c.args[-1] for c in calls if ast.unparse(c.func) == "guesses.keep"]
    values = [v for given in asked if isinstance(given, ast.Dict) for v in given.values]
    for value in sorted(values, key=lambda v: (v.lineno, v.col_offset), reverse=True):
        source = _replaced(source, value, "...")
    return source


def _replaced(source: str, node: ast.expr, new: str) -> str:
    """Return a source with another text for a node; columns count bytes."""
    lines = source.encode().splitlines(keepends=True)
    first, last = node.lineno - 1, (node.end_lineno or node.lineno) - 1
    before = lines[first][: node.col_offset]
    after = lines[last][node.end_col_offset :]
    lines[first : last + 1] = [before + new.encode() + after]
    return b"".join(lines).decode()


def backstage(notebook: NotebookNode) -> set[str]:
    """Return the ids of cells that only glue and assert outputs, for the book.

    A reader's copy is easier to read without them, and what they assert of our outputs
    need not hold of the reader's. A cell stays if another one uses a name that it sets.
    """
    cells = [cell for _, cell in notebooks.code_cells(notebook)]
    spare = {c.id: c for c in cells if "remove-cell" in notebooks.tags(c)}
    while True:  # a cell that stays may itself need another one
        stay = (cell for cell in cells if cell.id not in spare)
        read = set[str]().union(*map(names.needed, stay))
        held = [id for id, c in spare.items() if names.made(c) & read]
        if not held:
            return set(spare)
        for id in held:
            del spare[id]


def stub(cell: NotebookNode) -> str:
    """Return the source of a solution cell as a student first sees it."""
    holder = NotebookNode(  # type: ignore[no-untyped-call]
        cells=[copy.deepcopy(cell)], metadata={}
    )
    cleared, _ = ClearSolutions(code_stub={"python": STUB}).preprocess(holder, {})
    return str(cleared.cells[0].source)


def render(path: Path, course: Course | None = None) -> str:
    """Return the student edition of a lab as the text of a notebook file."""
    page = Page(course or Course(path.resolve().parents[1]), f"labs/{path.name}")
    try:
        made = student_edition(notebooks.read(path))
        for cell in made.cells:
            if cell.cell_type == "markdown":
                cell.source = page.text(cell.source)
        return notebooks.dumps(made)
    except RuntimeError as error:  # nbgrader: markers and metadata disagree
        raise NotebookError(
            f"{show(path)}: {error} Run tools.labs.structure."
        ) from error
    except NotebookError as error:
        raise NotebookError(f"{show(path)}: {error}") from error


def editions(labs: Path = notebooks.LABS) -> dict[str, str]:
    """Return all that a reader gets, by its path in the reader's folder.

    The labs come first, then the chapters to read with them, and the figures.
    """
    course = Course(labs.resolve().parent)
    made = {path.name: render(path, course) for path in notebooks.find_labs(labs)}
    for page, text in course.pages.items():
        if page.endswith(".md"):
            made[targets.place(page)] = Page(course, page).text(text)
    for path in sorted(course.root.glob("book/figures/*.svg")):
        made[f"book/figures/{path.name}"] = path.read_text(encoding="utf-8")
    return made


def write(out: Path, labs: Path = notebooks.LABS) -> list[Path]:
    """Write the student edition, with what there is to read, and return the files.

    Raises
    ------
    NotebookError
        If the folder is the labs' own, or a lab cannot be converted.
    """
    if out.resolve().is_relative_to(labs.resolve()):
        raise NotebookError(f"{show(out)} holds the labs themselves. Name another.")
    made = editions(labs)
    for name, text in made.items():
        notebooks.write_text(out / name, text)
    return [out / name for name in made]


def main(arguments: list[str] | None = None) -> int:
    """Write the student edition and name its files."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.labs.student", description=__doc__
    )
    parser.add_argument("out", type=Path, metavar="OUT_DIR")
    try:
        for path in write(parser.parse_args(arguments).out):
            print(path)
    except NotebookError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

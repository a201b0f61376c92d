"""Read, write and take apart the notebooks of the course.

Everything that more than one tool needs to know about a lab stands here: where labs
are, what their cells are called, and how a notebook becomes the same bytes each time.
"""

import hashlib
import itertools
import os
import re
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode

ROOT = Path(__file__).resolve().parents[2]
LABS = ROOT / "labs"
LAB_PATTERN = re.compile(r"^(?P<number>\d\d)_(?P<stem>[a-z][a-z0-9_]*)$")

KERNELSPEC = {
    "display_name": "Python 3 (ipykernel)",
    "language": "python",
    "name": "python3",
}
LANGUAGE_INFO = {
    "codemirror_mode": {"name": "ipython", "version": 3},
    "file_extension": ".py",
    "mimetype": "text/x-python",
    "name": "python",
    "pygments_lexer": "ipython3",
}
KEPT_NOTEBOOK_METADATA = ("mystnb",)
NOISY_CELL_METADATA = (
    "collapsed",
    "execution",
    "ExecuteTime",
    "lines_to_next_cell",
    "scrolled",
    "vscode",
)

KEEPSAKE = "what you built"
MARKER = re.compile(
    r"^[ \t]*###[ \t]*(?:BEGIN|END) SOLUTION[ \t]*(?:\n|\Z)", re.MULTILINE
)
TITLE = re.compile(r"^# +(?P<title>.+?) *$", re.MULTILINE)
SECTION = re.compile(r"^## +(?P<heading>.+?) *$", re.MULTILINE)


class NotebookError(ValueError):
    """A notebook cannot be used; the message says which, where and what to do."""


@dataclass(frozen=True)
class Section:
    """One level-2 section: its heading and the indices of its first and last cell."""

    heading: str
    start: int
    stop: int

    @property
    def word(self) -> str:
        """What the section is recognised by: its first word, in lower case."""
        head = self.heading.lower()
        return KEEPSAKE if head.startswith(KEEPSAKE) else re.split(r"\W", head)[0]


@dataclass(frozen=True)
class Exercise:
    """One graded exercise: the indices of its solution cell and of its check cell."""

    grade_id: str
    solution: int
    check: int


def find_labs(labs: Path = LABS) -> list[Path]:
    """Return the lab notebooks of a folder, in the order of their numbers."""
    return sorted(p for p in labs.glob("*.ipynb") if LAB_PATTERN.match(p.stem))


def named(name: str, labs: Path = LABS) -> Path:
    """Return the one lab of that number, stem, name or path.

    Raises
    ------
    NotebookError
        If there is no such lab; the message names those there are.
    """
    if Path(name).is_file():
        return Path(name)
    found = find_labs(labs)
    for path in found:
        if name in (path.stem[:2], path.stem[3:], path.stem, path.name):
            return path
    known = ", ".join(path.stem for path in found)
    raise NotebookError(f"no lab {name!r}. Name one by number or stem: {known}.")


def module_name(path: Path) -> str:
    """Return the name of the module that a lab exports: its stem without the number.

    Raises
    ------
    NotebookError
        If the file is not named `NN_stem.ipynb`.
    """
    match = LAB_PATTERN.match(path.stem)
    if match is None:
        raise NotebookError(
            f"{show(path)}: a lab is named NN_stem.ipynb, such as 02_estimate.ipynb. "
            "Rename the file."
        )
    return match["stem"]


def show(path: Path) -> str:
    """Return a path as messages show it: relative to the repository where possible."""
    path = path.resolve()
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else str(path)


def read(path: Path) -> NotebookNode:
    """Read a notebook.

    Raises
    ------
    NotebookError
        If the file is missing, or is no notebook of format 4.5 or later.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise NotebookError(f"{show(path)}: no such file. Check the path.") from None
    try:
        notebook = nbformat.reads(text, as_version=4)  # type: ignore[no-untyped-call]
        nbformat.validate(notebook)
    except Exception as error:  # nbformat raises many kinds, all mean the same here
        raise NotebookError(
            f"{show(path)}: not a valid notebook ({str(error).splitlines()[0]}). "
            "Open it in JupyterLab and save it, or restore it with git."
        ) from error
    assert isinstance(notebook, NotebookNode)
    return notebook


def dumps(notebook: NotebookNode) -> str:
    """Return a notebook as the text that is stored: sorted keys, one final newline."""
    text = nbformat.writes(notebook, version=4)  # type: ignore[no-untyped-call]
    return str(text).rstrip("\n") + "\n"


def write_text(path: Path, text: str) -> bool:
    """Write a file atomically, and only if its text changes.

    Returns
    -------
    bool
        True if the file was written, False if it held that text already.

    Raises
    ------
    NotebookError
        If a file is in the place of its folder.
    """
    data = text.encode("utf-8")
    if path.exists() and path.read_bytes() == data:
        return False
    make_folder(path.parent)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
        mode = path.stat().st_mode & 0o777 if path.exists() else 0o644
        Path(name).chmod(mode)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    return True


def make_folder(path: Path) -> None:
    """Make a folder, unless it is there.

    Raises
    ------
    NotebookError
        If something else has that name.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        raise NotebookError(
            f"{show(path)} must be a folder, and a file is in its place. Move the file."
        ) from None


def normalise(notebook: NotebookNode) -> NotebookNode:
    """Give a notebook its constant metadata, sorted tags and stable cell ids, in place.

    Returns
    -------
    NotebookNode
        The same notebook, for chaining.
    """
    kept = {k: v for k, v in notebook.metadata.items() if k in KEPT_NOTEBOOK_METADATA}
    fixed = {"kernelspec": KERNELSPEC, "language_info": LANGUAGE_INFO}
    notebook.metadata.clear()
    notebook.metadata.update({**kept, **fixed})
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    for index, cell in enumerate(notebook.cells):
        for key in NOISY_CELL_METADATA:
            cell.metadata.pop(key, None)
        if "tags" in cell.metadata:
            cell.metadata["tags"] = sorted(set(cell.metadata["tags"]))
            if not cell.metadata["tags"]:
                del cell.metadata["tags"]
        if not cell.get("id"):
            digest = hashlib.sha256(cell.source.encode()).hexdigest()
            cell["id"] = f"{index:02d}-{digest[:8]}"
    return notebook


def tags(cell: NotebookNode) -> list[str]:
    """Return the tags of a cell, an empty list where it has none."""
    return list(cell.metadata.get("tags", []))


def grading(cell: NotebookNode) -> dict[str, Any]:
    """Return the nbgrader metadata of a cell, an empty dict where it has none."""
    return dict(cell.metadata.get("nbgrader", {}))


def is_solution(cell: NotebookNode) -> bool:
    """Return whether nbgrader takes the cell as one that holds a solution."""
    return bool(grading(cell).get("solution"))


def is_check(cell: NotebookNode) -> bool:
    """Return whether nbgrader takes the cell as one that is graded."""
    return bool(grading(cell).get("grade"))


def code_cells(notebook: NotebookNode) -> Iterator[tuple[int, NotebookNode]]:
    """Yield index and cell of each code cell; the index counts all cells, from 0."""
    for index, cell in enumerate(notebook.cells):
        if cell.cell_type == "code":
            yield index, cell


def exercises(notebook: NotebookNode) -> list[Exercise]:
    """Return the exercises: each solution cell with the code cell that follows it."""
    pairs = itertools.pairwise(code_cells(notebook))
    return [
        Exercise(str(grading(cell)["grade_id"]), index, following)
        for (index, cell), (following, check) in pairs
        if is_solution(cell) and is_check(check)
    ]


def strip_markers(source: str) -> str:
    """Return the source without the lines that mark the solution."""
    return MARKER.sub("", source)


def title(notebook: NotebookNode, path: Path) -> str:
    """Return the first level-1 heading of a notebook.

    Raises
    ------
    NotebookError
        If the first Markdown cell has no line that starts with `# `.
    """
    for cell in notebook.cells:
        if cell.cell_type == "markdown" and (match := TITLE.search(cell.source)):
            return match["title"]
    raise NotebookError(
        f"{show(path)}: no title. Start the first cell with (NN-stem)= and '# Title'."
    )


def sections(notebook: NotebookNode) -> list[Section]:
    """Return the level-2 sections in order; `stop` is one past the last cell."""
    found = [
        (index, match["heading"])
        for index, cell in enumerate(notebook.cells)
        if cell.cell_type == "markdown"
        for match in SECTION.finditer(cell.source)
    ]
    starts = [index for index, _ in found] + [len(notebook.cells)]
    return [
        Section(heading, index, stop)
        for (index, heading), stop in zip(found, starts[1:], strict=True)
    ]

"""Build notebooks in a few lines, and find the template."""

import copy
import functools
from pathlib import Path

import nbformat.v4
from nbformat import NotebookNode

from tools.labs import notebooks
from tools.labs.checks import grading as grading_rules

TEMPLATE = notebooks.ROOT / "tools" / "labs" / "template" / "labs" / "00_template.ipynb"
LABS = [*notebooks.find_labs(), TEMPLATE]


def markdown(text):
    return nbformat.v4.new_markdown_cell(text)


def code(source, tags=(), grading=None, result=None, stdout=None):
    """Return a code cell, with an output if one is given."""
    metadata = {"tags": list(tags)} if tags else {}
    if grading:
        metadata["nbgrader"] = grading
    outputs = []
    if stdout is not None:
        outputs.append(nbformat.v4.new_output("stream", name="stdout", text=stdout))
    if result is not None:
        outputs.append(
            nbformat.v4.new_output(
                "execute_result", data={"text/plain": result}, execution_count=1
            )
        )
    return nbformat.v4.new_code_cell(source, metadata=metadata, outputs=outputs)


def solution(grade_id, source):
    return code(source, grading={"grade_id": grade_id, **grading_rules.SOLUTION})


def check(grade_id, source):
    fields = {"grade_id": f"{grade_id}-check", "points": 1, **grading_rules.CHECK}
    return code(source, grading=fields)


def notebook(*cells) -> NotebookNode:
    """Return a notebook whose code cells are counted from 1."""
    made = nbformat.v4.new_notebook(cells=[copy.deepcopy(cell) for cell in cells])
    for count, (_, cell) in enumerate(notebooks.code_cells(made), start=1):
        cell.execution_count = count
        for output in cell.outputs:
            if output.output_type == "execute_result":
                output.execution_count = count
    return notebooks.normalise(made)


def save(folder: Path, name: str, *cells) -> Path:
    path = folder / f"{name}.ipynb"
    notebooks.write_text(path, notebooks.dumps(notebook(*cells)))
    return path


@functools.cache
def _template():
    return notebooks.read(TEMPLATE)


def template() -> NotebookNode:
    """Return a fresh copy of the template, to be broken."""
    return copy.deepcopy(_template())


def cell_with(book: NotebookNode, text: str) -> NotebookNode:
    """Return the first cell whose source contains the text."""
    return next(cell for cell in book.cells if text in cell.source)

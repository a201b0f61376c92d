"""The exercises of a lab: markers, nbgrader's metadata, and checks with hints."""

import ast
from collections import Counter
from collections.abc import Iterator
from typing import Any

from tools.labs import notebooks
from tools.labs.checks import Cell, Complaint, Lab

BEGIN, END = "### BEGIN SOLUTION", "### END SOLUTION"
LOOSE = ("BEGIN SOLUTION", "END SOLUTION")
SOLUTION = {
    "schema_version": 3,
    "solution": True,
    "grade": False,
    "locked": False,
    "task": False,
}
CHECK = {
    "schema_version": 3,
    "solution": False,
    "grade": True,
    "locked": True,
    "task": False,
}
SCOPES = (
    ast.FunctionDef,
    ast.AsyncFunctionDef,
    ast.ClassDef,
    ast.Lambda,
    ast.ListComp,
    ast.SetComp,
    ast.DictComp,
    ast.GeneratorExp,
)
Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


def solutions(lab: Lab) -> Iterator[Complaint]:
    """Check that markers and metadata agree, on one function or class a cell."""
    for cell in lab.code:
        marked = any(word in cell.source for word in LOOSE)
        if notebooks.is_solution(cell.node):
            yield from _metadata(lab, cell, SOLUTION)
            yield from _markers(lab, cell)
        elif marked:
            yield lab.complaint(
                cell,
                "solution markers without nbgrader metadata. Add "
                '{"nbgrader": {"solution": true, "grade_id": ...}}, or remove them.',
            )


def _metadata(lab: Lab, cell: Cell, expected: dict[str, Any]) -> Iterator[Complaint]:
    """Yield a complaint for each nbgrader field that is not as expected."""
    found = notebooks.grading(cell.node)
    for key, value in expected.items():
        if found.get(key) != value:
            yield lab.complaint(
                cell, f"nbgrader's {key} is {found.get(key)!r}. Make it {value!r}."
            )
    if not str(found.get("grade_id", "")).replace("-", "_").isidentifier():
        yield lab.complaint(
            cell,
            f"nbgrader's grade_id is {found.get('grade_id')!r}. Name the exercise.",
        )


def _markers(lab: Lab, cell: Cell) -> Iterator[Complaint]:
    """Yield complaints about where the markers stand."""
    lines = [line.strip() for line in cell.source.splitlines()]
    marks = [line for line in lines if any(word in line for word in LOOSE)]
    if marks != [BEGIN, END]:
        yield lab.complaint(
            cell, f"the markers are {marks}. Have one '{BEGIN}' and one '{END}'."
        )
        return
    body = cell.tree.body
    if len(body) != 1 or not isinstance(body[0], Definition):
        yield lab.complaint(
            cell, "an exercise is exactly one function or one class. Split the cell."
        )
        return
    begin, end = lines.index(BEGIN) + 1, lines.index(END) + 1
    if ast.get_docstring(body[0]) is None:
        yield lab.complaint(
            cell, f"{body[0].name} has no docstring. It is the task's text in the stub."
        )
    for node in _statements(body[0]):
        if not begin < node.lineno <= (node.end_lineno or 0) < end:
            yield lab.complaint(
                cell,
                f"line {node.lineno} of the body stands outside the markers. Signature "
                "and docstring stay above them, the rest goes between.",
            )


def _statements(node: Definition) -> list[ast.stmt]:
    """Return what must stand between the markers: a function's body, no docstring.

    A class may keep methods that are given, so nothing is required of it.
    """
    if isinstance(node, ast.ClassDef):
        return []
    return node.body[1:] if ast.get_docstring(node) is not None else node.body


def pairs(lab: Lab) -> Iterator[Complaint]:
    """Check that a check follows each solution, and that no check stands alone."""
    cells: list[Cell | None] = [None, *lab.code, None]
    for before, cell, after in zip(cells, cells[1:], cells[2:], strict=False):
        if cell is None:
            continue
        if notebooks.is_solution(cell.node):
            name = f"{notebooks.grading(cell.node).get('grade_id')}-check"
            found = notebooks.grading(after.node).get("grade_id") if after else None
            if after is None or not notebooks.is_check(after.node) or found != name:
                yield lab.complaint(
                    cell,
                    f"the next code cell is not its check. Put a graded cell {name!r} "
                    "right after the solution.",
                )
        if notebooks.is_check(cell.node) and not (
            before and notebooks.is_solution(before.node)
        ):
            yield lab.complaint(cell, "a check without a solution right before it.")
    ids = [notebooks.grading(c.node).get("grade_id") for c in lab.code]
    for grade_id, count in Counter(i for i in ids if i).items():
        if count > 1:
            yield lab.complaint(None, f"{count} cells have the grade_id {grade_id!r}.")


def checks(lab: Lab) -> Iterator[Complaint]:
    """Check that a check asserts with hints, on names of its own, for points."""
    for cell in lab.code:
        if not notebooks.is_check(cell.node):
            continue
        yield from _metadata(lab, cell, CHECK)
        points = notebooks.grading(cell.node).get("points")
        if not isinstance(points, int) or points < 1:
            yield lab.complaint(cell, f"{points!r} points. Give at least one.")
        if not cell.asserts:
            yield lab.complaint(cell, "a check that asserts nothing.")
        for node in cell.asserts:
            if node.msg is None:
                yield lab.complaint(
                    cell,
                    f"the assert in line {node.lineno} has no message. Name the likely "
                    "mistake and where to look.",
                )
        public = sorted(n for n in _bound(cell.tree) if not n.startswith("_"))
        if public:
            yield lab.complaint(
                cell,
                f"the check binds {', '.join(public)}. Start its names with '_', so "
                "that it cannot change what the lab goes on with.",
            )


def _bound(node: ast.AST) -> set[str]:
    """Return the names that a piece of code binds in its own scope."""
    found: set[str] = set()
    for child in ast.iter_child_nodes(node):
        if isinstance(child, Definition):
            found.add(child.name)
        elif isinstance(child, ast.Name) and isinstance(child.ctx, ast.Store):
            found.add(child.id)
        if not isinstance(child, SCOPES):
            found |= _bound(child)
    return found


def folded(lab: Lab) -> Iterator[Complaint]:
    """Check that solutions of exercises are folded, and core functions visible."""
    part = {cell.index for cell in lab.within("exercises")}
    for cell in lab.code:
        if not notebooks.is_solution(cell.node):
            continue
        hidden = "hide-cell" in cell.tags
        if cell.index in part and not hidden:
            yield lab.complaint(cell, "an exercise shows its solution. Tag hide-cell.")
        if cell.index not in part and hidden:
            yield lab.complaint(
                cell, "a core function is hidden. Remove the tag hide-cell."
            )


def references(lab: Lab) -> Iterator[Complaint]:
    """Check that the module's own piece can be used after an exported core function."""
    part = {cell.index for cell in lab.within("exercises")}
    module = f"flightline.{notebooks.module_name(lab.path)}.core"
    for cell in lab.code:
        exported = "export" in cell.tags and notebooks.is_solution(cell.node)
        body = cell.tree.body
        if not exported or cell.index in part or len(body) != 1:
            continue
        name = body[0].name if isinstance(body[0], Definition) else ""
        later = [c for c in lab.code if c.index > cell.index and "reference" in c.tags]
        nodes = [n for c in later for n in c.tree.body]
        if not any(_imports(node, module, name) for node in nodes):
            yield lab.complaint(
                cell,
                f"no later cell tagged reference has 'from {module} import {name}'. "
                "Add it after the check, so that nobody is stuck.",
            )


def _imports(node: ast.stmt, module: str, name: str) -> bool:
    """Return whether the statement imports the name from the module."""
    return (
        isinstance(node, ast.ImportFrom)
        and node.module == module
        and name in {alias.name for alias in node.names}
    )


RULES = (solutions, pairs, checks, folded, references)

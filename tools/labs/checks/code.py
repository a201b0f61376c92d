"""The code of a lab: plain Python, and cells that can be exported."""

import ast
import re
from collections.abc import Iterator

from tools.labs.checks import Cell, Complaint, Lab

FORBIDDEN_TAGS = {
    "raises-exception": "nbval and the page would then accept a failure",
    "nbval-raises-exception": "nbval would then accept a failure",
    "nbval-skip": "the cell would never be tested",
    "nbval-check-output": "outputs are compared anyway",
    "skip-execution": "the cell would never be tested",
}
MAGIC = re.compile(r"^\s*[%!]", re.MULTILINE)
NBVAL_COMMENT = re.compile(r"^\s*#+\s*(?:NBVAL|PYTEST_VALIDATE)_\w+\s*$", re.MULTILINE)
IMPORTS = (ast.Import, ast.ImportFrom)


def plain_python(lab: Lab) -> Iterator[Complaint]:
    """Check that no cell holds a magic, a shell line or a syntax error."""
    for cell in lab.code:
        broken = not cell.tree.body and not _only_comments(cell)
        if "get_ipython" in cell.source or (broken and MAGIC.search(cell.source)):
            yield lab.complaint(
                cell, "a magic or a shell line. Use plain Python, or labkit."
            )
        elif broken:
            yield lab.complaint(cell, "the cell is no valid Python. Mend its syntax.")


def _only_comments(cell: Cell) -> bool:
    """Return whether every line is a comment or blank."""
    lines = [line.strip() for line in cell.source.splitlines()]
    return all(not line or line.startswith("#") for line in lines)


def tags(lab: Lab) -> Iterator[Complaint]:
    """Check that no tag or comment switches a test off; tags are sorted."""
    for cell in lab.code:
        for tag in sorted(set(cell.tags) & set(FORBIDDEN_TAGS)):
            yield lab.complaint(
                cell, f"the tag {tag}: {FORBIDDEN_TAGS[tag]}. Remove it."
            )
        if NBVAL_COMMENT.search(cell.source):
            yield lab.complaint(
                cell, "a comment steers nbval. Use the tag nbval-ignore-output."
            )
        if cell.tags != sorted(set(cell.tags)):
            yield lab.complaint(cell, "the tags are not sorted. Execute the lab again.")


def module_marks(lab: Lab) -> Iterator[Complaint]:
    """Check that no cell writes what the export writes."""
    for cell in lab.code:
        names = {n.id for n in ast.walk(cell.tree) if isinstance(n, ast.Name)}
        imported = [n for n in ast.walk(cell.tree) if isinstance(n, ast.ImportFrom)]
        if any(node.module == "__future__" for node in imported):
            yield lab.complaint(
                cell, "'from __future__' leaks into every later cell. Remove it."
            )
        for name in sorted(names & {"__all__", "__name__"}):
            yield lab.complaint(
                cell, f"{name} in a cell. Remove it: the export writes it."
            )


def export_imports(lab: Lab) -> Iterator[Complaint]:
    """Check that the first exported cell, and it alone, holds the imports."""
    exported = [cell for cell in lab.code if "export" in cell.tags]
    for position, cell in enumerate(exported):
        imports = [isinstance(n, (*IMPORTS, ast.If)) for n in cell.tree.body]
        if position == 0 and any(imports) and not all(imports):
            yield lab.complaint(
                cell, "the first exported cell is for imports alone. Move the rest."
            )
        if position > 0 and any(isinstance(n, IMPORTS) for n in cell.tree.body):
            yield lab.complaint(
                cell, "an import. Move it to the first exported cell, with the others."
            )
        if any(name.startswith("labkit") for name in _imported(cell)):
            yield lab.complaint(
                cell, "flightline never imports labkit. Import it in a cell of the lab."
            )


def _imported(cell: Cell) -> list[str]:
    """Return the names of the modules that a cell imports anywhere."""
    nodes = list(ast.walk(cell.tree))
    plain = [a.name for n in nodes if isinstance(n, ast.Import) for a in n.names]
    return plain + [n.module or "" for n in nodes if isinstance(n, ast.ImportFrom)]


RULES = (plain_python, tags, module_marks, export_imports)

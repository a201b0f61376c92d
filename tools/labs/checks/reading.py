"""What a reader meets: no long stretch of code without a result, and no folded cell."""

from collections.abc import Iterator

from tools.labs import notebooks
from tools.labs.checks import Cell, Complaint, Lab

LONGEST_STRETCH = 60  # lines of code before something is shown
FOLDS = {"hide-cell", "hide-input", "hide-output"}


def stretches(lab: Lab) -> list[tuple[Cell, int]]:
    """Return the stretches of code without a result: the first cell, and the lines.

    The cell that shows the result ends its stretch and counts.
    """
    found: list[tuple[Cell, int]] = []
    first, lines = None, 0
    for cell in lab.code:
        first, lines = first or cell, lines + cell.lines
        if cell.shows():
            found.append((first, lines))
            first, lines = None, 0
    return [*found, (first, lines)] if first else found


def results(lab: Lab) -> Iterator[Complaint]:
    """Check that something is shown before a reader has read too much code."""
    for cell, lines in stretches(lab):
        if lines > LONGEST_STRETCH:
            yield lab.complaint(
                cell,
                f"{lines} lines of code from here to the next result; at most "
                f"{LONGEST_STRETCH}. Show one, or move what nobody reads elsewhere.",
            )


def folds(lab: Lab) -> Iterator[Complaint]:
    """Check that no cell is folded but the solutions of the exercises."""
    for cell in lab.code:
        if FOLDS & set(cell.tags) and not notebooks.is_solution(cell.node):
            yield lab.complaint(
                cell,
                "a folded cell that is no solution. Show it, move it to the package or "
                "labkit, or tag it remove-cell if it only glues and asserts.",
            )


RULES = (results, folds)

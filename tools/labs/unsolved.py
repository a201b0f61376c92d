"""Which cells of a lab would fail for a reader who has not solved an exercise yet.

A lab goes on with the exported piece after each exercise, so a reader who is stuck can
run the rest. Names tell, without a run: between an exercise and the cell that imports
its piece, only its check may use the function, and no cell may use what a check sets.
"""

from nbformat import NotebookNode

from tools.labs import names, notebooks


def needy(notebook: NotebookNode) -> list[str]:
    """Name the cells that need a solution, or a check that may have failed.

    Parameters
    ----------
    notebook : NotebookNode
        The lab with its solutions.

    Returns
    -------
    list of str
        One sentence a cell; none if an unsolved lab runs to its end, checks apart.
    """
    cells = list(notebooks.code_cells(notebook))
    return [
        f"cell {index} uses {name!r}, which {why}"
        for name, why, away in [*_stubs(notebook), *_set_by_checks(notebook)]
        for index, cell in cells
        if index in away and name in names.used(cell)
    ]


def _stubs(notebook: NotebookNode) -> list[tuple[str, str, set[int]]]:
    """Return each function to solve, and the cells that must do without it."""
    found = []
    cells = list(notebooks.code_cells(notebook))
    for task in notebooks.exercises(notebook):
        for name in names.defined(notebook.cells[task.solution]):
            brought = [
                i for i, c in cells if i > task.check and name in names.imported(c)
            ]
            end = brought[0] if brought else len(notebook.cells)
            own = {task.solution, task.check}
            away = {i for i, _ in cells if i < end} - own
            found.append((name, "is an exercise up to there", away))
    return found


def _set_by_checks(notebook: NotebookNode) -> list[tuple[str, str, set[int]]]:
    """Return what each check sets, and the cells that come after it."""
    cells = list(notebooks.code_cells(notebook))
    found = []
    for index, check in cells:
        if notebooks.is_check(check):
            others = {name for i, c in cells if i != index for name in names.made(c)}
            later = {i for i, _ in cells if i > index}
            found += [
                (name, "a failed check has not set", later)
                for name in sorted(names.made(check) - others)
            ]
    return found

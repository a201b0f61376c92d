"""Check the structure of labs and the prose of the book.

`python -m tools.structure` checks every lab and every page in `book/`, or the named
notebooks and pages alone. It prints one line for each broken rule: the place, what is
wrong and what to do. The rules stand in `tools/checks/`.
"""

import argparse
from pathlib import Path

from tools import notebooks
from tools.checks import (
    Budget,
    Complaint,
    Lab,
    Rule,
    code,
    grading,
    outputs,
    prose,
    shape,
)

RULES: tuple[Rule, ...] = (
    *shape.RULES,
    *outputs.RULES,
    *code.RULES,
    *grading.RULES,
    *prose.RULES,
)
LAB_BUDGET = Budget()
TEMPLATE_BUDGET = Budget(
    code_cells=(10, 45), figures=(1, 6), exercises=(1, 5), steps=(1, 6)
)
TEMPLATE = notebooks.ROOT / "tools" / "template"
BOOK = notebooks.ROOT / "book"


def budget_of(path: Path) -> Budget:
    """Return the budget of a notebook: smaller for the template."""
    inside = path.resolve().is_relative_to(TEMPLATE)
    return TEMPLATE_BUDGET if inside else LAB_BUDGET


def check_lab(lab: Lab) -> list[Complaint]:
    """Return the complaints of all rules about one lab."""
    return [complaint for rule in RULES for complaint in rule(lab)]


def check(path: Path) -> list[Complaint]:
    """Return the complaints about a notebook or about a page of the book.

    Raises
    ------
    NotebookError
        If a notebook cannot be read or is not named NN_stem.ipynb.
    """
    if path.suffix != ".ipynb":
        return prose.page(path)
    notebooks.module_name(path)
    return check_lab(Lab(path, notebooks.read(path), budget_of(path)))


def main(arguments: list[str] | None = None) -> int:
    """Check the named files, or all labs and pages, and print what is wrong."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.structure", description=__doc__
    )
    parser.add_argument("files", nargs="*", type=Path, metavar="FILE")
    files = parser.parse_args(arguments).files
    files = files or [*notebooks.find_labs(), *sorted(BOOK.glob("*.md"))]
    try:
        complaints = [complaint for path in files for complaint in check(path)]
    except notebooks.NotebookError as error:
        print(error)
        return 1
    for complaint in complaints:
        print(complaint)
    print(f"{len(files)} files, {len(complaints)} complaints")
    return 1 if complaints else 0


if __name__ == "__main__":
    raise SystemExit(main())

"""Check the structure of labs and the prose of the book, and show what readers meet.

`python -m tools.labs.structure` checks every lab and every page in `book/`, or the
named notebooks and pages alone. It prints each lab as a reader meets it, beside
notebooks that are good to read, then one line for each broken rule: the place, what is
wrong and what to do. The rules stand in `tools/labs/checks/`.
"""

import argparse
import statistics
from pathlib import Path

import pandas as pd

from tools.labs import minutes, notebooks
from tools.labs.checks import (
    Complaint,
    Lab,
    Rule,
    code,
    grading,
    outputs,
    prose,
    reading,
    shape,
)

RULES: tuple[Rule, ...] = (
    *shape.RULES,
    *outputs.RULES,
    *code.RULES,
    *grading.RULES,
    *prose.RULES,
)
TEMPLATE = notebooks.ROOT / "tools" / "labs" / "template" / "labs" / "00_template.ipynb"
BOOK = notebooks.ROOT / "book"
WIDTH = 88
ADMIRED = {
    "pytudes": (150, "3 / 18", "40", "few", "", "", ""),
    "scikit-learn-mooc": (90, "3 / 6", "short", "none", "", "", ""),
    "QuantEcon": (182, "5 / 21", "50", "none", "", "", ""),
}
"""Medians over notebooks of other courses that are good to read, counted once."""

COLUMNS = [
    "code lines",
    "cell, median / p90",
    "longest stretch",
    "too wide",
    "helpers",
    "minutes",
    "chapter",
]
"""The last two are estimates, for the lab and for its chapter: see `minutes`."""


def check_lab(lab: Lab, *, as_a_reader: bool = True) -> list[Complaint]:
    """Return the complaints about one lab.

    Parameters
    ----------
    lab : Lab
        The notebook.
    as_a_reader : bool
        Ask for short stretches and open cells, too.

    Returns
    -------
    list of Complaint
    """
    rules = RULES + (reading.RULES if as_a_reader else ())
    return [complaint for rule in rules for complaint in rule(lab)]


def check(path: Path, *, as_a_reader: bool = True) -> list[Complaint]:
    """Return the complaints about a notebook or about a page of the book.

    Raises
    ------
    NotebookError
        If a notebook cannot be read or is not named NN_stem.ipynb.
    """
    if path.suffix != ".ipynb":
        return prose.page(path)
    notebooks.module_name(path)
    lab = Lab(path, notebooks.read(path))
    return check_lab(lab, as_a_reader=as_a_reader)


def as_read(lab: Lab) -> tuple[int, str, str, str, str, str, str]:
    """Return what a reader meets in a lab: the columns of `COLUMNS`."""
    sizes = sorted(cell.lines for cell in lab.code)
    sources = [line for cell in lab.code for line in cell.source.splitlines()]
    folder = notebooks.LABS / "labkit" / notebooks.module_name(lab.path)
    helpers = [path.read_text().splitlines() for path in sorted(folder.glob("*.py"))]
    chapter = BOOK / f"{lab.path.stem}.md"
    return (
        sum(sizes),
        f"{statistics.median(sizes):g} / {sizes[int(0.9 * len(sizes))]}",
        str(max(lines for _, lines in reading.stretches(lab))),
        str(sum(len(line) > WIDTH for line in sources)),
        str(sum(map(len, helpers))),
        str(minutes.of_lab(lab)),
        str(minutes.of_page(chapter)) if chapter.exists() else "",
    )


def table(paths: list[Path]) -> pd.DataFrame:
    """Return one row for each lab, and for notebooks that are good to read."""
    ours = {p.stem: as_read(Lab(p, notebooks.read(p))) for p in paths}
    return pd.DataFrame.from_dict(ADMIRED | ours, orient="index", columns=COLUMNS)


def main(arguments: list[str] | None = None) -> int:
    """Check the named files, or all labs and pages, and print what is wrong."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.labs.structure", description=__doc__
    )
    parser.add_argument("files", nargs="*", type=Path, metavar="FILE")
    files = parser.parse_args(arguments).files
    files = files or [*notebooks.find_labs(), *sorted(BOOK.glob("*.md"))]
    try:
        complaints = [complaint for path in files for complaint in check(path)]
        labs = [path for path in files if path.suffix == ".ipynb"]
        print(table(labs).to_string())
    except notebooks.NotebookError as error:
        print(error)
        return 1
    for complaint in complaints:
        print(complaint)
    print(f"{len(files)} files, {len(complaints)} complaints")
    return 1 if complaints else 0


if __name__ == "__main__":
    raise SystemExit(main())

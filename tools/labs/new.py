"""Start a new lab from the template.

`python -m tools.labs.new 02_estimate "Estimation"` writes `labs/02_estimate.ipynb` and
its wrong answers, both copies of the template's under the new names, and exports and
executes the lab. Its cells are examples, to be replaced one by one.
"""

import argparse
import sys
from pathlib import Path

from tools.labs import attempts, execute, notebooks
from tools.labs.notebooks import NotebookError, show

TEMPLATE = notebooks.ROOT / "tools" / "labs" / "template" / "labs" / "00_template.ipynb"


def start(path: Path, title: str) -> list[Path]:
    """Write a lab and its wrong answers, as copies of the template's.

    Parameters
    ----------
    path : Path
        The notebook to be, named NN_stem.ipynb.
    title : str
        Its title.

    Returns
    -------
    list of Path
        The files that were written.

    Raises
    ------
    NotebookError
        If the name does not fit or the lab exists.
    """
    module = notebooks.module_name(path)
    if path.exists():
        raise NotebookError(f"{show(path)} exists. Choose another number and stem.")
    book = notebooks.read(TEMPLATE)
    old_title = notebooks.title(book, TEMPLATE)
    names = {
        f"# {old_title}": f"# {title}",
        "00-template": path.stem.replace("_", "-"),
        "flightline.template": f"flightline.{module}",
    }
    for cell in book.cells:
        for old, new in names.items():
            cell.source = cell.source.replace(old, new)
    notebooks.write_text(path, notebooks.dumps(book))
    sources: dict[str, dict[str, str]] = {}
    for answer in attempts.wrong_answers(TEMPLATE):
        sources.setdefault(answer.grade_id, {})[answer.name] = answer.source
    return [path, *(attempts.write(path, *item) for item in sources.items())]


def main(arguments: list[str] | None = None) -> int:
    """Start the lab, execute it, and name the files."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.labs.new", description=__doc__
    )
    parser.add_argument("lab", metavar="NN_stem")
    parser.add_argument("title")
    options = parser.parse_args(arguments)
    path = notebooks.LABS / f"{options.lab}.ipynb"
    try:
        for written in start(path, options.title):
            print(show(written))
        execute.execute(path)
    except NotebookError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

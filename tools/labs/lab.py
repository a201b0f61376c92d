"""Open JupyterLab on your own copy of the labs, in `work/`.

`python -m tools.labs.lab` brings the student edition to `work/`, with the chapters to
read, and starts JupyterLab there; `--no-start` only brings it. A file that you have
changed is never overwritten: where the course has a newer edition of it, that one is
written beside it, once, as `NAME.new.ipynb`. Delete a file to get it afresh. What is
not an option of this tool, such as `--no-browser`, goes on to JupyterLab.
"""

import argparse
import hashlib
import itertools
import json
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

from tools.labs import notebooks, student
from tools.labs.execute import kernel_environment
from tools.labs.notebooks import NotebookError

WORK = notebooks.ROOT / "work"
MEMORY = ".editions.json"
OFFLINE = [
    "--LabApp.news_url=None",
    "--LabApp.check_for_updates_class="
    "jupyterlab.handlers.announcements.NeverCheckForUpdate",
]


def digest(data: bytes) -> str:
    """Return the sha256 of the bytes."""
    return hashlib.sha256(data).hexdigest()


@dataclass
class Editions:
    """What this tool wrote to a work folder, so that it knows what you changed.

    Attributes
    ----------
    written : dict of str to str
        For each file, the digest of what was last written there.
    offered : dict of str to str
        For each lab, the digest of the edition that was last written beside it.
    """

    written: dict[str, str] = field(default_factory=dict)
    offered: dict[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, work: Path) -> "Editions":
        """Read what is known of a folder; nothing, where that is lost or unreadable.

        Every file then counts as changed, which is the safe side.
        """
        try:
            stored = json.loads((work / MEMORY).read_text(encoding="utf-8"))
            return cls(dict(stored["written"]), dict(stored["offered"]))
        except (OSError, ValueError, KeyError, TypeError):
            return cls()

    def write(self, work: Path) -> None:
        """Store what is known."""
        text = json.dumps(vars(self), indent=1, sort_keys=True)
        notebooks.write_text(work / MEMORY, text + "\n")


def place(work: Path, name: str, text: str, known: Editions) -> str:
    """Bring one file to the work folder without losing anything.

    Parameters
    ----------
    work : Path
        The reader's folder.
    name : str
        The path of the file in that folder.
    text : str
        What the course has for it.
    known : Editions
        What was written before; it is brought up to date.

    Returns
    -------
    str
        What was done, in a line for the reader.
    """
    target, edition = work / name, digest(text.encode("utf-8"))
    if _free(work, name, edition, known):
        state = "up to date" if target.exists() else "new"
        if notebooks.write_text(target, text) and state != "new":
            state = "unchanged by you, brought up to date"
        known.written[name] = edition
        return f"{name}: {state}"
    if edition in (known.written.get(name), known.offered.get(name)):
        return f"{name}: yours, kept"
    beside = next(n for n in _names_beside(name) if _free(work, n, edition, known))
    notebooks.write_text(work / beside, text)
    known.written[beside] = known.offered[name] = edition
    return f"{name}: yours, kept; the course's newer edition is in {beside}"


def _free(work: Path, name: str, edition: str, known: Editions) -> bool:
    """Return whether a file may be written: absent, the same, or not changed since."""
    target = work / name
    if not target.exists():
        return True
    return digest(target.read_bytes()) in (edition, known.written.get(name))


def _names_beside(name: str) -> Iterator[str]:
    """Yield the names for a newer edition, of which the first free one is taken."""
    start, dot, end = name.rpartition(".")
    yield f"{start}.new{dot}{end}"
    for count in itertools.count(2):
        yield f"{start}.new{count}{dot}{end}"


def prepare(work: Path = WORK, labs: Path = notebooks.LABS) -> list[str]:
    """Bring the student edition to the work folder.

    Returns
    -------
    list of str
        A line for each lab, and for each chapter that you changed: what was done.
    """
    editions = student.editions(labs)
    known = Editions.read(work)
    lines = []
    for name, text in editions.items():
        line = place(work, name, text, known)
        if name.endswith(".ipynb") or ": yours" in line:
            lines.append(line)
        known.write(work)
    return lines


def start(options: list[str]) -> NoReturn:
    """Become JupyterLab in the work folder, whose kernels find the course's modules."""
    os.chdir(WORK)
    command = [sys.executable, "-m", "jupyterlab", *OFFLINE, *options]
    os.execve(sys.executable, command, kernel_environment(notebooks.LABS))


def main(arguments: list[str] | None = None) -> int:
    """Prepare the work folder, say what was done, and start JupyterLab there."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.labs.lab", description=__doc__
    )
    parser.add_argument("--no-start", action="store_true", help="only prepare work/")
    options, further = parser.parse_known_args(arguments)
    try:
        print("\n".join(prepare()))
    except NotebookError as error:
        print(error, file=sys.stderr)
        return 1
    if options.no_start:
        return 0
    print("Starting JupyterLab in work/. Stop it with Ctrl+C.", flush=True)
    start(further)


if __name__ == "__main__":
    raise SystemExit(main())

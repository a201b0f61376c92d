"""What a lab shows: complete, compared, readable by all, and of no machine."""

import re
from collections.abc import Iterator
from pathlib import Path

from tools.labs import notebooks
from tools.labs.checks import Cell, Complaint, Lab
from tools.labs.notebooks import show

IGNORED = "nbval-ignore-output"
IGNORED_SHARE = 5  # at most one code cell in so many
SHORTEST_ALT = 20
MACHINE_PATH = re.compile(
    r"(?<![\w.~])(?:/(?:home|Users|root|work|tmp|private|var/folders)\b|[A-Za-z]:\\\\?\w)"
)
EMPTY_IMAGE = re.compile(r"!\[\s*\]\(")
IMAGE_DIRECTIVE = re.compile(
    r"^(?P<fence>`{3,}|:{3,})\{(?:image|figure)\}.*?^(?P=fence)", re.DOTALL | re.M
)


def execution_counts(lab: Lab) -> Iterator[Complaint]:
    """Check that every code cell was run once, from the first to the last."""
    advice = f"Run `python -m tools.labs.execute {show(lab.path)}`."
    for expected, cell in enumerate(lab.code, start=1):
        if not cell.source.strip():
            yield lab.complaint(cell, "an empty code cell. Delete it.")
        count = cell.node.execution_count
        if count is None:
            yield lab.complaint(cell, f"the cell was not executed. {advice}")
        elif count != expected:
            yield lab.complaint(
                cell, f"execution count {count} instead of {expected}. {advice}"
            )
            return


def no_noise(lab: Lab) -> Iterator[Complaint]:
    """Check that no output is an error or goes to stderr."""
    for cell in lab.code:
        for output in cell.node.outputs:
            if output.output_type == "error":
                yield lab.complaint(
                    cell,
                    f"the stored output is an error ({output.ename}). Catch it in the "
                    "cell and show its message, or mend the cell.",
                )
            elif output.get("name") == "stderr":
                yield lab.complaint(
                    cell,
                    f"output on stderr: {output.text.strip().splitlines()[0]!r}. Mend "
                    "its cause, or send the library's warnings to a log.",
                )


def texts(lab: Lab) -> Iterator[tuple[int, str]]:
    """Yield index and text of every source and every textual output."""
    for index, cell in enumerate(lab.notebook.cells):
        yield index, cell.source
        for output in cell.get("outputs", []):
            yield index, str(output.get("text", ""))
            for mime, data in output.get("data", {}).items():
                if mime != "image/png":
                    yield index, str(data)


def no_machine_path(lab: Lab) -> Iterator[Complaint]:
    """Check that nothing names a folder of the machine that ran the lab."""
    own = [re.escape(str(p)) for p in (notebooks.ROOT, Path.home()) if len(p.parts) > 1]
    pattern = re.compile("|".join([MACHINE_PATH.pattern, *own]))
    for index, text in texts(lab):
        if match := pattern.search(text):
            around = text[max(0, match.start() - 10) : match.end() + 30]
            yield lab.complaint(
                index,
                f"a path of one machine: {around!r}. Show a name or a relative path.",
            )


def figures(lab: Lab) -> Iterator[Complaint]:
    """Check that each figure has alternative text, and an assert on what it shows."""
    for position, cell in enumerate(lab.code):
        if not cell.has_figure():
            continue
        alt = cell.node.metadata.get("mystnb", {}).get("image", {}).get("alt", "")
        if len(alt) < SHORTEST_ALT:
            yield lab.complaint(
                cell,
                "a figure without alternative text. Say what it shows in the cell's "
                'metadata: {"mystnb": {"image": {"alt": "..."}}}.',
            )
        if cell.figures() > 1:
            yield lab.complaint(cell, "two figures in one cell. Split the cell.")
        if not any(c.asserts for c in lab.code[position : position + 3]):
            yield lab.complaint(
                cell,
                "nothing asserts what the figure shows, and images are not compared. "
                "Add an assert to this cell or to one of the next two.",
            )


def image_markup(lab: Lab) -> Iterator[Complaint]:
    """Check that images in Markdown have alternative text too."""
    for index, text in lab.markdown:
        blocks = [match[0] for match in IMAGE_DIRECTIVE.finditer(text)]
        if EMPTY_IMAGE.search(text) or any(":alt:" not in block for block in blocks):
            yield lab.complaint(
                index, "an image without alternative text. Say what it shows."
            )


def ignored_outputs(lab: Lab) -> Iterator[Complaint]:
    """Check that few outputs are not compared, and that each is asserted on."""
    ignored = [(i, cell) for i, cell in enumerate(lab.code) if IGNORED in cell.tags]
    if len(ignored) * IGNORED_SHARE > len(lab.code):
        yield lab.complaint(
            None,
            f"{len(ignored)} of {len(lab.code)} code cells are tagged {IGNORED}; one "
            f"in {IGNORED_SHARE} may be. Round, or show what does not vary.",
        )
    for position, cell in ignored:
        following: list[Cell] = lab.code[position + 1 : position + 2]
        if not any(c.asserts for c in following):
            yield lab.complaint(
                cell,
                f"tagged {IGNORED}, and the next code cell asserts nothing. "
                "Assert there what can be asserted.",
            )


RULES = (
    execution_counts,
    no_noise,
    no_machine_path,
    figures,
    image_markup,
    ignored_outputs,
)

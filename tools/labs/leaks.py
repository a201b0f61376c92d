"""Search a student edition for what it must not show: the solutions.

Everything that a notebook holds is searched: code and its comments, prose, metadata,
attachments and outputs, whatever the ends of the lines.
"""

import base64
import re
from collections.abc import Iterator
from typing import Any

from nbformat import NotebookNode

from tools.labs import notebooks

REGION = re.compile(
    r"^[ \t]*### BEGIN SOLUTION[ \t]*\n(?P<body>.*?)^[ \t]*### END SOLUTION",
    re.DOTALL | re.MULTILINE,
)
MARKER_OF_ANY_SPELLING = re.compile(r"#\s*(?:begin|end)\s+solution\b", re.IGNORECASE)
WORD = re.compile(r"\w")  # a line of brackets alone tells nothing
TELLING_LENGTH = 25  # a shorter solution, such as `return total`, tells nothing
DRESS = re.compile(r"^[\s#>*+|`:-]+")  # what makes a line a comment, a quote or an item


def unix(text: str) -> str:
    """Return a text whose lines end as those of Unix do."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


def solutions(notebook: NotebookNode) -> list[list[str]]:
    """Return the lines between the markers of each solution, stripped, blanks out."""
    sources = [unix(cell.source) for _, cell in notebooks.code_cells(notebook)]
    bodies = [match["body"] for text in sources for match in REGION.finditer(text)]
    return [[line.strip() for line in b.splitlines() if line.strip()] for b in bodies]


def leaked(notebook: NotebookNode, student: NotebookNode) -> list[str]:
    """Return what of the solutions can still be read in the student edition.

    In the cell of an exercise no line of any solution may stand, brackets alone apart,
    and not as a comment either. Any other text may use a line or two of a solution, but
    not hold all of it.
    """
    hidden = solutions(notebook)
    lines_of_all = {line for lines in hidden for line in lines if WORD.search(line)}
    found = []
    for cell in student.cells:
        if notebooks.is_solution(cell):
            found += sorted(_lines(unix(cell.source)) & lines_of_all)
    for text in texts(student):
        found += [lines[0] for lines in hidden if _holds(text, lines)]
        found += MARKER_OF_ANY_SPELLING.findall(text)
    return list(dict.fromkeys(found))


def texts(node: Any) -> Iterator[str]:
    """Yield every text in a notebook or a part of it, decoded where it is base64."""
    if isinstance(node, str):
        yield unix(node)
        if decoded := _decoded(node):
            yield unix(decoded)
    elif isinstance(node, dict):
        yield from texts(list(node))
        yield from texts(list(node.values()))
    elif isinstance(node, list | tuple):
        if node and all(isinstance(item, str) for item in node):
            yield unix("\n".join(node))  # lines, stored one by one
        for item in node:
            yield from texts(item)


def _decoded(text: str) -> str:
    """Return the text that a text in base64 stands for, or ''."""
    try:
        return base64.b64decode("".join(text.split()), validate=True).decode("utf-8")
    except ValueError:
        return ""


def _holds(text: str, solution: list[str]) -> bool:
    """Return whether a text holds all of a solution, line by line or in one piece."""
    told = [line for line in solution if not line.startswith("#")]
    if len("".join(told)) < TELLING_LENGTH:
        return False
    return set(told) <= _lines(text) or _packed(told) in _packed(text.splitlines())


def _lines(text: str) -> set[str]:
    """Return the lines of a text, stripped, and what is left without its dress."""
    lines = [line.strip() for line in text.splitlines()]
    return {*lines, *(DRESS.sub("", line) for line in lines)}


def _packed(lines: list[str]) -> str:
    """Return lines as one, without white space or what dresses them."""
    return "".join("".join(DRESS.sub("", line).split()) for line in lines)

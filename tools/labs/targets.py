"""What the book's roles stand for: labels, citations and values of a lab.

MyST resolves them while the book is built. The student edition needs them before that,
as plain Markdown, so this module reads the same sources: the pages of the book, the
labs with their stored outputs, and the references.
"""

import ast
import json
import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from pybtex.database import BibliographyData, Entry, parse_file
from pybtex.richtext import Text

from tools.labs import notebooks

TARGET = re.compile(
    r"^\((?P<label>[\w.-]+)\)=[ \t]*\n+(?:#+[ \t]+(?P<title>[^\n]+))?", re.MULTILINE
)
NAMED = re.compile(r"^:name:[ \t]*(?P<label>[\w.-]+)", re.MULTILINE)
ARXIV = re.compile(r"arXiv[: ]\s*(?P<id>\d{4}\.\d{4,5})")
RECORD = "application/papermill.record/text/plain"
CLAIMS = "application/vnd.flightline.claims+json"
DATA_CARD = "book/data_card.md"


def place(source: str) -> str:
    """Return where the reader's folder holds a page or figure of the course, or ''.

    Parameters
    ----------
    source : str
        Its path from the root of the course.
    """
    if source == "data/README.md":
        return DATA_CARD
    folder, name = posixpath.split(source)
    if folder == "labs" and name.endswith(".ipynb"):
        return name
    return source if folder in ("book", "book/figures") else ""


@dataclass(frozen=True)
class Label:
    """A page or a place in it: its path from the root, and its title."""

    page: str
    title: str


@dataclass
class Course:
    """The pages of a course, as far as roles point at them.

    Attributes
    ----------
    root : Path
        The folder that holds `book/`, `labs/` and `data/`.
    """

    root: Path = notebooks.ROOT
    _values: dict[str, dict[str, str]] = field(default_factory=dict)

    @cached_property
    def pages(self) -> dict[str, str]:
        """The Markdown of each page, a lab's cells in one, by path from the root."""
        chapters = [*sorted(self.root.glob("book/*.md")), self.root / "data/README.md"]
        found = {path: path.read_text("utf-8") for path in chapters if path.is_file()}
        for path in notebooks.find_labs(self.root / "labs"):
            cells = json.loads(path.read_text("utf-8"))["cells"]
            prose = [c["source"] for c in cells if c["cell_type"] == "markdown"]
            found[path] = "\n\n".join("".join(source) for source in prose)
        return {p.relative_to(self.root).as_posix(): text for p, text in found.items()}

    @cached_property
    def labels(self) -> dict[str, Label]:
        """Every label with its page."""
        found = {}
        for page, text in self.pages.items():
            for match in NAMED.finditer(text):
                found[match["label"]] = Label(page, match["label"])
            for match in TARGET.finditer(text):
                title = match["title"] or match["label"]
                found[match["label"]] = Label(page, title.strip())
        return found

    def title(self, page: str) -> str:
        """Return the title of a page, or its path where it has none."""
        match = notebooks.TITLE.search(self.pages.get(page, ""))
        return match["title"] if match else page

    def value(self, lab: str, key: str) -> str | None:
        """Return what a lab glued under a key, as Python writes it."""
        if lab not in self._values:
            self._values[lab] = glued(self.root / lab)
        return self._values[lab].get(key)

    def verdict(self, number: str, start: str) -> str | None:
        """Return the verdict of the claim of a lab that begins with some words."""
        labs = notebooks.find_labs(self.root / "labs")
        mine = [path for path in labs if path.stem.startswith(f"{number}_")]
        found = [claim for path in mine for claim in claims(path)]
        verdicts = [c["verdict"] for c in found if c["statement"].startswith(start)]
        return verdicts[0] if verdicts else None

    @cached_property
    def sources(self) -> dict[str, Entry]:
        """The entries of the references, by key."""
        path = self.root / "book" / "references.bib"
        read = parse_file(path) if path.exists() else BibliographyData()
        return dict(read.entries)


def glued(path: Path) -> dict[str, str]:
    """Return what the stored outputs of a lab hold for the book, by name."""
    if not path.is_file():
        return {}
    kept = [output for output in outputs(path) if RECORD in output.get("data", {})]
    return {
        output["metadata"]["scrapbook"]["name"]: "".join(output["data"][RECORD])
        for output in kept
    }


def claims(path: Path) -> list[dict[str, str]]:
    """Return the claims in the stored outputs of a lab."""
    found = [output.get("data", {}).get(CLAIMS, []) for output in outputs(path)]
    return [claim for group in found for claim in group]


def outputs(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the stored outputs of a lab."""
    for cell in json.loads(path.read_text("utf-8"))["cells"]:
        yield from cell.get("outputs", [])


def shown(value: str, form: str) -> str:
    """Return a glued value in a format, a text without its quotes."""
    try:
        literal: Any = ast.literal_eval(value)
    except (ValueError, SyntaxError):
        return value
    return format(literal, form)


def authors(entry: Entry) -> str:
    """Return who wrote a source: one name, two, or the first "et al."."""
    people = entry.persons.get("author") or entry.persons.get("editor") or []
    names = [
        " ".join(plain(part) for part in [*person.prelast_names, *person.last_names])
        for person in people
    ]
    if len(names) > 2 or names[1:] == ["others"]:
        return f"{names[0]} et al."
    return " and ".join(names) or plain(entry.fields.get("title", "?"))


def year(entry: Entry) -> str:
    """Return the year of a source, or "n.d."."""
    return str(entry.fields.get("year", "n.d."))


def where(entry: Entry) -> str:
    """Return where a source appeared, as a sentence after a space, or ''."""
    kinds = ("journal", "booktitle", "howpublished", "publisher")
    found = next((entry.fields[kind] for kind in kinds if kind in entry.fields), "")
    return f" {plain(found)}." if found else ""


def plain(text: str) -> str:
    """Return a field of the references without its LaTeX."""
    return str(Text.from_latex(text))


def address(entry: Entry) -> str:
    """Return where a source can be read, or '' where the references do not say."""
    fields = entry.fields
    if "doi" in fields:
        return f"https://doi.org/{fields['doi']}"
    if "url" in fields:
        return str(fields["url"])
    preprint = ARXIV.search(fields.get("howpublished", ""))
    return f"https://arxiv.org/abs/{preprint['id']}" if preprint else ""

"""Turn the book's Markdown (MyST) into Markdown that JupyterLab shows.

Roles become text and links, figures become images, tables are written out, and labels
and comments for the book alone are left out. Code stays as it is.
"""

import csv
import posixpath
import re
from collections.abc import Callable
from dataclasses import dataclass

from tools.labs import notebooks, targets
from tools.labs.targets import Course

BLOCK = re.compile(
    r"^(?P<fence>`{3,}|:{3,})(?:\{(?P<kind>[\w:-]+)\})?(?P<about>[^\n]*)\n"
    r"(?P<body>.*?)^(?P=fence)[ \t]*$",
    re.DOTALL | re.MULTILINE,
)
OPTION = re.compile(r"^:(?P<key>[\w-]+):[ \t]*(?P<value>[^\n]*)\n?", re.MULTILINE)
COMMENT = re.compile(r"[ \t]*<!--.*?-->", re.DOTALL)
LABEL = re.compile(r"^\([\w.-]+\)=[ \t]*\n?", re.MULTILINE)
INLINE = re.compile(
    r"\{(?P<role>[a-z:]+)\}`(?P<said>[^`]+)`"
    r"|(?P<code>(?P<ticks>`+)(?!`)(?:(?!\n\n).)*?(?<!`)(?P=ticks)(?!`))"
    r"|(?P<image>!?)\[(?P<text>[^\]]*)\]\((?P<link>[^)\s]+)\)",
    re.DOTALL,
)
SAID = re.compile(r"(?P<text>.*?)\s*<(?P<key>[^<>]+)>", re.DOTALL)
ELSEWHERE = re.compile(r"^(?:[a-z]+:|#)")  # another host, or the same page


@dataclass
class Page:
    """A page on its way to plain Markdown: where it stands, and in which course."""

    course: Course
    source: str

    def text(self, markdown: str) -> str:
        """Return the Markdown of the page, or of a part of it, as JupyterLab needs."""
        parts, end = [], 0
        for match in BLOCK.finditer(markdown):
            parts += [self.prose(markdown[end : match.start()]), self.block(match)]
            end = match.end()
        return "".join([*parts, self.prose(markdown[end:])])

    def prose(self, markdown: str) -> str:
        """Return text outside of fences with its roles and links resolved."""
        bare = LABEL.sub("", COMMENT.sub("", markdown))
        return INLINE.sub(self.inline, bare)

    # --------------------------------------------------------------------- in a line

    def inline(self, match: re.Match[str]) -> str:
        """Return what stands for a role, a link or an image; code stays."""
        if match["code"]:
            return match[0]
        if match["role"]:
            return self.role(match["role"], match["said"])
        source = self.path(match["link"].partition("#")[0])
        if ELSEWHERE.match(match["link"]):
            return match[0]
        text = match["text"] or self.course.title(source)
        return self.link(text, source, image=match["image"])

    def role(self, role: str, said: str) -> str:
        """Return the text of a role, with a link where it points somewhere."""
        if role.startswith("cite"):
            return self.citation(said.split(","), in_text=role == "cite:t")
        if role.startswith("glue"):
            return self.value(said)
        if role == "verdict":
            number, _, start = said.partition(": ")
            verdict = self.course.verdict(number, start)
            return f"*{verdict}*" if verdict else said
        match = SAID.fullmatch(said)
        text, key = (match["text"], match["key"]) if match else ("", said)
        if role == "doc":
            pages = [self.path(key + end) for end in (".md", ".ipynb")]
            source = next((p for p in pages if p in self.course.pages), "")
            return self.link(text or self.course.title(source), source)
        if role in ("ref", "numref"):
            label = self.course.labels.get(key, targets.Label("", key))
            return self.link(text or label.title, label.page)
        return f"${said}$" if role == "math" else text or said

    def citation(self, keys: list[str], *, in_text: bool) -> str:
        """Return authors and years, each with a link to the source or to the list."""
        known = self.course.sources
        entries = [known[key.strip()] for key in keys if key.strip() in known]
        form = "{} ({})" if in_text else "{}, {}"
        cited = []
        for entry in entries:
            text = form.format(targets.authors(entry), targets.year(entry))
            address = targets.address(entry)
            listed = self.link(text, "book/references.md")
            cited.append(f"[{text}]({address})" if address else listed)
        cited = cited or keys
        return "; ".join(cited) if in_text else f"({'; '.join(cited)})"

    def value(self, said: str) -> str:
        """Return a number or text that a lab measured, in its format."""
        path, _, rest = said.rpartition("::")
        key, _, form = rest.partition(":")
        value = self.course.value(self.path(path) if path else self.source, key)
        return key if value is None else targets.shown(value, form)

    def path(self, link: str) -> str:
        """Return a link of this page as a path from the root of the course."""
        return beside(self.source, link)

    def link(self, text: str, source: str, image: str = "") -> str:
        """Return a link or an image in the reader's folder; else the text alone."""
        target = targets.place(source)
        if not target:
            return text
        here = posixpath.dirname(targets.place(self.source)) or "."
        return f"{image}[{text}]({posixpath.relpath(target, here)})"

    # -------------------------------------------------------------------- in a fence

    def block(self, match: re.Match[str]) -> str:
        """Return what stands for a directive; a fence of code stays."""
        kind, about = match["kind"], match["about"].strip()
        if kind is None:
            return match[0]
        options = {}
        body = match["body"]
        while option := OPTION.match(body):
            options[option["key"]] = option["value"]
            body = body[option.end() :]
        make: Callable[[str, dict[str, str], str], str] = {
            "figure": self.figure,
            "image": self.figure,
            "csv-table": self.table,
            "include": self.include,
            "glossary": self.glossary,
            "bibliography": self.bibliography,
            "claims": self.claims,
            "raw": lambda *_: "",
        }.get(kind, self.other)
        return make(about, options, body.strip("\n"))

    def other(self, about: str, options: dict[str, str], body: str) -> str:
        """Return any other directive: its title in bold, then what it holds."""
        title = f"**{self.prose(about)}**\n\n" if about else ""
        return title + self.text(body)

    def figure(self, about: str, options: dict[str, str], body: str) -> str:
        """Return an image with its caption below."""
        image = self.link(options.get("alt", ""), self.path(about), image="!")
        return f"{image}\n\n{self.prose(body)}".rstrip()

    def table(self, about: str, options: dict[str, str], body: str) -> str:
        """Return a table of comma-separated values under its caption."""
        if "file" in options:
            body = (self.course.root / self.path(options["file"])).read_text("utf-8")
        rows = list(csv.reader(body.splitlines()))
        caption = f"{self.prose(about)}\n\n" if about else ""
        return caption + table([[self.prose(cell) for cell in row] for row in rows])

    def include(self, about: str, options: dict[str, str], body: str) -> str:
        """Return the text of another file."""
        return self.prose((self.course.root / self.path(about)).read_text("utf-8"))

    def glossary(self, about: str, options: dict[str, str], body: str) -> str:
        """Return terms in bold, each with what it means in its paragraph."""
        terms = re.sub(r"^(\S[^\n]*)\n[ \t]+", r"**\1**: ", body, flags=re.MULTILINE)
        return self.prose(re.sub(r"^[ \t]+", "", terms, flags=re.MULTILINE))

    def bibliography(self, about: str, options: dict[str, str], body: str) -> str:
        """Return the list of all sources, by author."""
        lines = []
        for entry in self.course.sources.values():
            title = targets.plain(entry.fields["title"])
            if address := targets.address(entry):
                title = f"[{title}]({address})"
            who = f"{targets.authors(entry)} ({targets.year(entry)})"
            lines.append(f"- {who}. {title}.{targets.where(entry)}")
        return "\n".join(sorted(lines))

    def claims(self, about: str, options: dict[str, str], body: str) -> str:
        """Return one table of the claims of all labs, from their stored outputs."""
        columns = ("statement", "source", "measured", "verdict", "note")
        rows = [["lab", *columns]]
        for lab in notebooks.find_labs(self.course.root / "labs"):
            name = self.link(f"lab {lab.stem[:2]}", f"labs/{lab.name}")
            for claim in targets.claims(lab):
                rows.append([name, *(claim.get(column, "") for column in columns)])
        return table(rows)


def beside(source: str, link: str) -> str:
    """Return where a link of a page leads, as a path from the same root as the page."""
    return posixpath.normpath(posixpath.join("/", posixpath.dirname(source), link))[1:]


def table(rows: list[list[str]]) -> str:
    """Return a Markdown table; the first row is its head."""
    escaped = [[" ".join(cell.split()).replace("|", "\\|") for cell in r] for r in rows]
    lines = [f"| {' | '.join(row)} |" for row in escaped]
    return "\n".join([*lines[:1], "|" + "---|" * len(rows[0]), *lines[1:]])

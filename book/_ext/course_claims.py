"""The claims of every lab, from the stored outputs: all in a table, or one verdict.

``{claims}`` is the table. ``{verdict}`09: Caching` `` is the verdict of the claim in
lab 09 whose statement begins with "Caching".
"""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx import addnodes
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective, SphinxRole

MIME = "application/vnd.flightline.claims+json"
COLUMNS = {
    "statement": "Claim",
    "source": "Who says it",
    "measured": "Measured here",
    "verdict": "Verdict",
    "note": "What to make of it",
}
VERDICTS = ("holds", "holds when", "does not hold here", "not measured here")
"""The kinds; the second goes on with its condition, the last with what it takes."""
NAMED = re.compile(
    r"\b(?:19|20)\d\d\b|^the (?:design card|default of|definition|textbook)"
)
"""Sources that a reader can look up. What "common practice" says, we have worded."""
OWN = "our wording: "

logger = logging.getLogger(__name__)


class Claims(SphinxDirective):
    """One table of all claims, grouped by lab, with the count of each verdict."""

    def run(self) -> list[nodes.Node]:
        """Read the notebooks of the toc, by number, and build the table."""
        self.env.note_reread()
        labs: dict[str, list[dict[str, str]]] = {}
        for docname in sorted(self.env.found_docs):
            path = Path(self.env.doc2path(docname))
            if path.suffix == ".ipynb":
                self.env.note_dependency(str(path))
                claims = read_claims(path)
                for problem in complaints(claims):
                    logger.warning("%s: %s", path.name, problem, location=docname)
                labs |= {docname: claims} if claims else {}
        if not labs:
            message = "no lab of the toc records a claim (labkit.claims.show)"
            logger.warning(message, location=self.get_location())
            return []
        return [summary(labs), table(labs, self.env.docname)]


class Verdict(SphinxRole):
    """The verdict of one claim, as the lab's stored output has it."""

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        """Find the claim, and return its verdict in italics."""
        number, _, start = self.text.partition(": ")
        found = []
        for docname in self.env.found_docs:
            if docname.startswith(f"labs/{number}_"):
                path = Path(self.env.doc2path(docname))
                self.env.note_dependency(str(path))
                found += verdicts(read_claims(path), start)
        if len(found) != 1:
            message = "%d claims of lab %s begin with %r, not 1"
            place = self.get_location()
            logger.warning(message, len(found), number, start, location=place)
        return [nodes.emphasis("", text) for text in found[:1]], []


def verdicts(claims: list[dict[str, str]], start: str) -> list[str]:
    """Return the verdicts of the claims whose statement begins with some words."""
    return [
        claim["verdict"] for claim in claims if claim["statement"].startswith(start)
    ]


def read_claims(path: Path) -> list[dict[str, str]]:
    """Return the claims in a notebook's stored outputs, in the order of its cells."""
    notebook = json.loads(path.read_text(encoding="utf-8"))
    return [
        claim
        for cell in notebook["cells"]
        for output in cell.get("outputs", [])
        for claim in output.get("data", {}).get(MIME, [])
    ]


def complaints(claims: list[dict[str, str]]) -> list[str]:
    """Say which claims lack a field or carry a verdict that the book does not know."""
    found = []
    for number, claim in enumerate(claims, 1):
        missing = [key for key in COLUMNS if key not in claim]
        if missing:
            found.append(f"claim {number} lacks {', '.join(missing)}")
        elif verdict_kind(claim["verdict"]) is None:
            known = ", ".join(VERDICTS)
            found.append(
                f"claim {number}: verdict {claim['verdict']!r} is none of: {known}"
            )
    return found


def verdict_kind(verdict: str) -> str | None:
    """Return which of the kinds a verdict is, or None."""
    if verdict.startswith("holds when "):
        return "holds when"
    if verdict.startswith("not measured here: "):
        return "not measured here"
    return verdict if verdict in ("holds", "does not hold here") else None


def is_own(claim: dict[str, str]) -> bool:
    """Return whether the authors worded a claim themselves: no source is named."""
    return NAMED.search(claim.get("source", "")) is None


def summary(labs: dict[str, list[dict[str, str]]]) -> nodes.bullet_list:
    """Return how many claims there are of each verdict, the authors' own apart."""
    claims = [claim for of_lab in labs.values() for claim in of_lab]
    cited = [claim for claim in claims if not is_own(claim)]
    own = [claim for claim in claims if is_own(claim)]
    lines = [
        counted("Claims with a source", cited),
        counted("Claims in our own wording", own),
    ]
    items = [nodes.list_item("", nodes.paragraph("", line)) for line in lines]
    return nodes.bullet_list("", *items)


def counted(name: str, claims: list[dict[str, str]]) -> str:
    """Return the sentence that counts some claims, and their verdicts."""
    counts = Counter(verdict_kind(claim.get("verdict", "")) for claim in claims)
    parts = [f"{kind}: {counts[kind]}" for kind in VERDICTS]
    return f"{name}: {len(claims)} ({'; '.join(parts)})."


def table(labs: dict[str, list[dict[str, str]]], page: str) -> nodes.table:
    """Return the table: one row that links to each lab, then the lab's claims."""
    group = nodes.tgroup(cols=len(COLUMNS))
    group += [nodes.colspec(colwidth=1) for _ in COLUMNS]
    header = nodes.row("", *[cell(text) for text in COLUMNS.values()])
    group += nodes.thead("", header)
    body = nodes.tbody()
    for docname, claims in labs.items():
        link = addnodes.pending_xref(
            "",
            nodes.inline("", docname),
            refdomain="std",
            reftype="doc",
            reftarget=f"/{docname}",
            refdoc=page,
            refexplicit=False,
            refwarn=True,
        )
        entry = nodes.entry(
            "", nodes.paragraph("", "", link), morecols=len(COLUMNS) - 1
        )
        entry["classes"] = ["claims-lab"]
        body += nodes.row("", entry)
        for claim in claims:
            shown = claim | {"source": OWN * is_own(claim) + claim.get("source", "")}
            row = nodes.row("", *[cell(shown.get(key, "")) for key in COLUMNS])
            kind = verdict_kind(claim.get("verdict", "")) or "unknown"
            row[list(COLUMNS).index("verdict")]["classes"] = [
                "verdict",
                "verdict-" + kind.replace(" ", "-"),
            ]
            body += row
    group += body
    return nodes.table("", group, classes=["claims"])


def cell(text: str) -> nodes.entry:
    """Return a table cell; what stands between backquotes becomes code."""
    parts: list[Any] = [
        nodes.literal("", part) if index % 2 else nodes.Text(part)
        for index, part in enumerate(re.split(r"`([^`]+)`", text))
        if part
    ]
    return nodes.entry("", nodes.paragraph("", "", *parts))

"""The page about the design card: complete, with the chapters that stand."""

import json
import re
from pathlib import Path

import pytest
from sphinx_external_toc.parsing import parse_toc_yaml

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "book" / "card.md").read_text(encoding="utf-8")
LABELS = set(re.findall(r"\{ref\}`[^`]*?<?(ch-(\d\d)-[a-z-]+)>?`", PAGE))
CLAIMS = "application/vnd.flightline.claims+json"
MENTION = re.compile(r"\b(?:the|design) card\b(?!-)", re.IGNORECASE)

ROWS = {
    "Component": 7,
    "Kind of feature": 3,
    "Pattern": 4 + 4,
    "Track": 6,
    "Technique": 5,
    "Metric": 4,
    "Watch": 5,
}
"""The rows of the card's tables, by the head of our first column."""
ITEMS = [6, 4, 4, 5, 6, 6, 8, 7, 6, 2, 2]
"""Uses, troubles, statistics, three patterns, two estimates, and three pointers."""


def blocks(start: str) -> list[list[str]]:
    """Return the tables or lists of the page: their lines, which begin with `start`."""
    found = [block.splitlines() for block in PAGE.split("\n\n")]
    return [lines for lines in found if lines[0].startswith(start)]


TABLES = blocks("| ")
LISTS = blocks("- ")
DIAGRAMS = re.findall(r"^\*\*Diagram (\d): .+$", PAGE, re.MULTILINE)


def cells(line: str) -> list[str]:
    """Return the cells of a row."""
    return [cell.strip() for cell in line.strip("|").split("|")]


def rows() -> list[list[str]]:
    """Return the rows of all tables, heads left out."""
    return [cells(line) for table in TABLES for line in table[2:]]


def test_the_seven_diagrams_are_there_in_order() -> None:
    assert "".join(DIAGRAMS) == "1234567"


def test_the_38_rows_in_8_tables_are_there() -> None:
    assert len(TABLES) == 8
    counted: dict[str, int] = {}
    for table in TABLES:
        head = cells(table[0])[0]
        counted[head] = counted.get(head, 0) + len(table) - 2
    assert counted == ROWS
    assert len(rows()) == 38


def test_every_list_has_all_its_items() -> None:
    assert [len(items) for items in LISTS] == ITEMS


def places() -> list[str]:
    """Return what is said of each diagram, row and item: chapter and outcome."""
    diagrams = [line for line in PAGE.splitlines() if line.startswith("**Diagram")]
    items = [item for items in LISTS for item in items]
    ends = [line[line.rindex(" (") :] for line in diagrams + items]
    return ends + [" ".join(row[2:]) for row in rows()]


@pytest.mark.parametrize("place", places())
def test_each_names_its_chapter_and_what_came_of_it(place: str) -> None:
    assert re.search(r"\{ref\}`\d\d <ch-|\*not yet: \d\d\*", place)
    outcome = re.sub(r"\*not yet: \d\d\*", "", place)
    assert re.search(r"\{verdict\}`\d\d: |\*[a-z][a-z ,]+\*|\{ref\}`lab ", outcome)


def test_every_chapter_that_is_linked_stands() -> None:
    assert len(LABELS) >= 8
    for label, number in LABELS:
        [page] = ROOT.glob(f"book/{number}_*.md")
        assert page.read_text(encoding="utf-8").startswith(f"({label})=")


def test_what_is_not_yet_written_is_not_there() -> None:
    missing = set(re.findall(r"\bnot yet: (\d\d)", PAGE, re.IGNORECASE))
    assert missing
    there = [n for n in sorted(missing) if list(ROOT.glob(f"book/{n}_*.md"))]
    assert there == [], "written since: link to the chapter and say what came of it"


def test_every_claim_of_the_card_has_its_verdict_here() -> None:
    """Verdicts are read from the labs, so none can differ; none may be left out."""
    asked = re.findall(r"\{verdict\}`(\d\d): ([^`]+)`", PAGE)
    claims = [
        (path.name[:2], claim["statement"])
        for path in sorted(ROOT.glob("labs/*.ipynb"))
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]
        for output in cell.get("outputs", [])
        for claim in output.get("data", {}).get(CLAIMS, [])
        if claim["source"] == "the design card"
    ]
    assert claims
    left = [
        f"{lab}: {statement}"
        for lab, statement in claims
        if not any(lab == n and statement.startswith(start) for n, start in asked)
    ]
    assert left == []


def test_the_card_is_introduced_before_it_is_mentioned() -> None:
    """The title page and chapter 01 link to it where they name it first."""
    entries = [str(entry) for entry in parse_toc_yaml(ROOT / "_toc.yml")]
    pages = [ROOT / f"{entry}.md" for entry in ["book/index", *entries]]
    texts = {p.stem: p.read_text(encoding="utf-8") for p in pages if p.exists()}
    naming = [stem for stem, text in texts.items() if MENTION.search(text)]
    assert naming[:2] == ["index", "01_lifecycle"]
    for stem in naming[:2]:
        first = MENTION.search(texts[stem])
        assert first is not None
        paragraph = texts[stem][first.start() :].partition("\n\n")[0]
        assert "<design-card>" in paragraph

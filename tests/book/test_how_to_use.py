"""The routes through the course: each chapter named stands, or says not yet."""

import re
from pathlib import Path

import pytest
from sphinx_external_toc.parsing import parse_toc_yaml

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "book" / "how_to_use.md").read_text(encoding="utf-8")
WEEKS = re.findall(r"^\| (\d+) \| (.+?) \| .+ \|$", PAGE, re.MULTILINE)
NOT_YET = re.compile(r"not yet: (\d\d)")
LINK = re.compile(r"\{ref\}`ch-(\d\d)-")


def numbers() -> list[str]:
    """Return the numbers of the chapters that stand, in the order of the toc."""
    entries = [str(entry) for entry in parse_toc_yaml(ROOT / "_toc.yml")]
    return [entry[5:7] for entry in entries if re.match(r"book/\d\d_", entry)]


def test_there_are_twelve_weeks_in_order() -> None:
    assert [int(week) for week, _ in WEEKS] == list(range(1, 13))


@pytest.mark.parametrize(("week", "chapter"), WEEKS)
def test_each_week_names_a_chapter_that_stands_or_says_not_yet(
    week: str, chapter: str
) -> None:
    links, missing = LINK.findall(chapter), NOT_YET.findall(chapter)
    assert links or missing
    assert set(links) <= set(numbers())
    assert not set(missing) & set(numbers()), f"week {week}: written since; link to it"


def test_the_weeks_visit_every_chapter_that_stands() -> None:
    assert [n for _, chapter in WEEKS for n in LINK.findall(chapter)] == numbers()


def test_every_part_that_stands_says_what_you_need_before_it() -> None:
    toc = (ROOT / "_toc.yml").read_text(encoding="utf-8")
    parts = set(re.findall(r"- caption: (\w+)", toc)) - {"Appendix"}
    table = PAGE.partition("| Before | You can |")[2].partition("\n\n")[0]
    rows = [line.split("|")[1].strip() for line in table.splitlines()[2:]]
    assert parts
    assert set(rows) == parts | {"all parts"}

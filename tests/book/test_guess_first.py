"""Every chapter asks before it answers."""

import re
from pathlib import Path

import pytest

CHAPTERS = sorted(Path(__file__).parents[2].glob("book/[0-9][0-9]_*.md"))


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_a_chapter_opens_with_a_question_guesses_and_the_answer(path: Path) -> None:
    opening, guesses, answer, *_ = path.read_text(encoding="utf-8").split("\n## ")
    assert "?" in opening
    assert "{glue" not in opening, "a number before its guess is asked"
    assert guesses.startswith("Guess first\n")
    questions = re.findall(r"^\d\. .*\?", guesses, re.MULTILINE)
    assert len(questions) in (2, 3, 4)
    assert "{ref}`" in guesses, "name the lab that takes the guesses"
    title, words = answer.split("\n\n")[:2]
    assert title == "The answer in two sentences"
    assert len(re.findall(r"[.?!](?=\s|$)", words)) == 2

"""How long a lab and its chapter take: an estimate, by one formula for all.

Prose at 200 words a minute, code at 10 lines a minute, 12 minutes an exercise, rounded
up to the next 5. Nobody was timed: the speeds are assumptions. What the book removes
(cells tagged `remove-cell`) nobody reads, and so it takes no time.
"""

import math
import re
from pathlib import Path

from tools.labs import notebooks
from tools.labs.checks import Lab

WORDS_A_MINUTE = 200
LINES_A_MINUTE = 10
MINUTES_AN_EXERCISE = 12
NOT_PROSE = re.compile(r"<!--(?s:.*?)-->|^`{3,}.*$|^:[\w-]+:.*$", re.MULTILINE)
"""Comments, and the fences and options of directives; their text is read."""


def of_lab(lab: Lab) -> int:
    """Return the minutes that a lab takes, exercises included."""
    words = sum(len(text.split()) for _, text in lab.markdown)
    lines = sum(cell.lines for cell in lab.code if "remove-cell" not in cell.tags)
    exercises = len(notebooks.exercises(lab.notebook))
    return rounded(
        words / WORDS_A_MINUTE
        + lines / LINES_A_MINUTE
        + exercises * MINUTES_AN_EXERCISE
    )


def of_page(path: Path) -> int:
    """Return the minutes that a page of the book takes to read."""
    prose = NOT_PROSE.sub("", path.read_text(encoding="utf-8"))
    return rounded(len(prose.split()) / WORDS_A_MINUTE)


def rounded(minutes: float) -> int:
    """Return minutes, rounded up to the next 5."""
    return 5 * math.ceil(minutes / 5)


def card(lab: int, chapter: int) -> str:
    """Return the line of a lab's card that states both times."""
    return (
        f"| Time | about {lab} minutes (an estimate); the chapter takes another "
        f"{chapter} |"
    )

"""Measured numbers typed into prose, which no run would ever correct.

A number counts as measured when it is

1. a quantity of time, memory, rate or share: `12 ms`, `3.5 s`, `10 MB`, `31%`, `2x`,
   `40 times faster`, `900 rows/s`; or
2. a decimal such as `0.79`, with two digits or more after `0.`; or
3. any decimal in a sentence that names a metric (AUC, PSI, accuracy ...).

It may stand in code spans, code blocks, math, roles such as {glue:text}, links and
directive options; in a sentence with {cite}; and in a paragraph with a comment
`<!-- given: why -->`, for what is set and not measured. `95% confidence` and `95%
interval` are given. Counts, hours and minutes are not looked at.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from tools.labs.checks import Complaint, Lab
from tools.labs.notebooks import show

NUMBER = r"(?<![\w.#/])(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?"
RATE = r"(?:rows|requests|examples|samples|events|images|tokens|queries|calls)"
UNIT = "|".join(
    [
        r"\s?(?:ms|µs|us|ns)",
        r"\s(?:s|sec|seconds?)",
        r"\s?(?:[kKMGT]i?B|[kMGT]?FLOP/s|QPS|Hz)",
        r"\s?(?:%|percent|percentage points)(?! (?:confidence|interval))",
        r"[x×]",
        r"[- ]times (?:faster|slower|more|less|fewer|larger|smaller|as)",
        rf"\s{RATE}(?:/s\b| per second\b| a second\b)",
    ]
)
QUANTITY = re.compile(rf"{NUMBER}(?:{UNIT})(?!\w)")
SMALL_DECIMAL = re.compile(r"(?<![\w.#/])0?\.\d\d+(?![\w.]\d)")
DECIMAL = re.compile(r"(?<![\w.#/])\d+\.\d+(?![\w.]\d)")
METRIC = re.compile(
    r"\b(?:AUC|log[- ]loss|Brier|PSI|ECE|accuracy|precision|recall|F1|RMSE|MAE|KL|"
    r"speed-?up|p50|p95|p99)\b",
    re.IGNORECASE,
)
GIVEN = re.compile(r"<!--\s*given:\s*\S.*?-->", re.DOTALL)
CITED = re.compile(r"\{cite(?::\w+)?\}|\{footcite(?::\w+)?\}")
CODE_BLOCK = re.compile(
    r"^(?P<fence>`{3,}|~{3,})(?!\{(?!code|math|mermaid|bibliography|raw|eval))"
    r"[^\n]*\n.*?^(?P=fence)[ \t]*$",
    re.DOTALL | re.MULTILINE,
)
EXEMPT = [
    re.compile(r"^(?:`{3,}|~{3,}|:{3,})(?:\{[\w:-]+\})?", re.MULTILINE),
    re.compile(r"^\$\$.*?\$\$", re.DOTALL | re.MULTILINE),
    re.compile(r"^:[\w-]+:.*$", re.MULTILINE),
    re.compile(r"(?:\{[\w:.-]+\})?(?P<tick>`+)(?!`).+?(?<!`)(?P=tick)(?!`)", re.DOTALL),
    re.compile(r"(?<![\\$])\$(?!\s)[^$\n]+?(?<!\s)\$"),
    re.compile(r"<!--.*?-->", re.DOTALL),
    re.compile(r"\]\([^)]*\)|<https?:[^>]*>|https?://\S+"),
]
BLANK_LINES = re.compile(r"\n[ \t]*\n")
ITEM = re.compile(r"\n(?=[ \t]*(?:[-*]|\d+\.)[ \t]|\|)")
SENTENCE = re.compile(r"(?<=[.!?:])\s+(?=[A-Z*_\[{(])")


def _blank(match: re.Match[str]) -> str:
    """Replace a match by as many line ends as it has, so that lines keep numbers."""
    return "¤" + "\n" * match[0].count("\n")


def _keep_citation(match: re.Match[str]) -> str:
    """Replace a code span or a role, but keep the name of a citation role."""
    cited = CITED.search(match[0])
    return (cited[0] if cited else "") + _blank(match)


def numerals(text: str) -> Iterator[tuple[int, str]]:
    """Find numbers in Markdown that look measured.

    Parameters
    ----------
    text : str
        The source of a page or a cell.

    Yields
    ------
    tuple of int and str
        The line, from 1, and the number with its unit.
    """
    line = 1
    for block in BLANK_LINES.split(CODE_BLOCK.sub(_blank, text)):
        if not GIVEN.search(block):
            prose = block
            for pattern in EXEMPT:
                prose = pattern.sub(_keep_citation, prose)
            yield from ((line + at, found) for at, found in _in_block(prose))
        line += block.count("\n") + 2


def _in_block(prose: str) -> Iterator[tuple[int, str]]:
    """Yield line offset and numeral of each finding in one paragraph or list."""
    start = 0
    for item in ITEM.split(prose):
        offset = start
        for sentence in SENTENCE.split(item):
            at = prose.index(sentence, offset)
            offset = at + len(sentence)
            if CITED.search(sentence):
                continue
            patterns = [QUANTITY, SMALL_DECIMAL]
            if METRIC.search(sentence):
                patterns.append(DECIMAL)
            found = [m for pattern in patterns for m in pattern.finditer(sentence)]
            taken: list[range] = []
            for match in found:
                if any(match.start() in span for span in taken):
                    continue
                taken.append(range(match.start(), match.end()))
                yield prose.count("\n", 0, at + match.start()), match[0]
        start = offset


def _text(found: str) -> str:
    """Return what a complaint says about one numeral."""
    return (
        f"'{found}' looks measured, and is typed. Glue it from the lab, cite its "
        "source in the sentence, or add <!-- given: why --> to the paragraph."
    )


def typed_measurements(lab: Lab) -> Iterator[Complaint]:
    """Check that no Markdown cell carries a measured number."""
    for index, text in lab.markdown:
        for line, found in numerals(text):
            yield lab.complaint(index, f"line {line}: {_text(found)}")


def page(path: Path) -> list[Complaint]:
    """Return a complaint for each measured number typed into a page of the book."""
    found = numerals(path.read_text(encoding="utf-8"))
    return [Complaint(f"{show(path)}, line {n}", _text(text)) for n, text in found]


RULES = (typed_measurements,)

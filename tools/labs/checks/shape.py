"""The shape of a lab: its opening, its objectives, its sections, its claims."""

import re
from collections.abc import Iterator

from tools.labs import notebooks
from tools.labs.checks import Complaint, Lab

REQUIRED = (
    "predict",
    "build",
    "check",
    "break",
    "measure",
    "exercises",
    notebooks.KEEPSAKE,
)
WITH_CODE = ("build", "check", "break", "measure", "exercises")
CLAIMS = "application/vnd.flightline.claims+json"
PROMISE = "By the end you can"
LIST_ITEM = re.compile(r"^\s*(?:[-*]|\d+\.) ", re.MULTILINE)


def opening(lab: Lab) -> Iterator[Complaint]:
    """Check the target, the title and the link to the chapter."""
    target = lab.path.stem.replace("_", "-")
    first = lab.notebook.cells[0] if lab.notebook.cells else None
    text = first.source if first and first.cell_type == "markdown" else ""
    if not text.startswith(f"({target})=\n") or not notebooks.TITLE.search(text):
        yield lab.complaint(
            0, f"the first cell must start with '({target})=' and then '# Title'."
        )
    end = lab.sections[0].start if lab.sections else len(lab.notebook.cells)
    links = (f"ch-{target}", f"book/{lab.path.stem}.md")
    before = "".join(text for index, text in lab.markdown if index < end)
    if not any(link in before for link in links):
        yield lab.complaint(
            0, f"no link to the chapter in the card. Add {{ref}}`ch-{target}`."
        )


def objectives(lab: Lab) -> Iterator[Complaint]:
    """Check that three to five points say what the reader can do at the end."""
    texts = [(index, text) for index, text in lab.markdown if PROMISE in text]
    if not texts:
        yield lab.complaint(
            None, f"no objectives. Add a Markdown cell with '{PROMISE}' and a list."
        )
        return
    index, text = texts[0]
    items = len(LIST_ITEM.findall(text.split(PROMISE, 1)[1]))
    if not 3 <= items <= 5:
        yield lab.complaint(
            index, f"{items} objectives after '{PROMISE}'. List three to five."
        )


def required_sections(lab: Lab) -> Iterator[Complaint]:
    """Check that each section is there once, in order, with code where due."""
    words = [s.word for s in lab.sections if s.word in REQUIRED]
    for word in REQUIRED:
        if words.count(word) != 1:
            yield lab.complaint(
                None,
                f"{words.count(word)} sections start with '{word}'. "
                f"Have exactly one '## {word.capitalize()}'.",
            )
    if sorted(words) == sorted(REQUIRED) and words != list(REQUIRED):
        yield lab.complaint(
            None,
            f"the sections come as {', '.join(words)}. "
            f"Order them as {', '.join(REQUIRED)}.",
        )
    for word in WITH_CODE:
        section = lab.section(word)
        if section is not None and not lab.within(word):
            yield lab.complaint(
                section.start, f"'{section.heading}' has no code cell. Add one."
            )


def prediction(lab: Lab) -> Iterator[Complaint]:
    """Check that the reader predicts before the build shows an answer."""
    predict, build = lab.section("predict"), lab.section("build")
    if predict is None or build is None:
        return
    if predict.start > build.start:
        yield lab.complaint(
            predict.start, "the prediction comes after the build. Move it before."
        )
    texts = [t for i, t in lab.markdown if predict.start <= i < predict.stop]
    if "?" not in "".join(texts):
        yield lab.complaint(
            predict.start, "the prediction asks nothing. Put a question to the reader."
        )


def claims(lab: Lab) -> Iterator[Complaint]:
    """Check that the measure section shows its claims, each with a verdict."""
    outputs = [o for cell in lab.within("measure") for o in cell.node.outputs]
    section = lab.section("measure")
    if section and not any(CLAIMS in output.get("data", {}) for output in outputs):
        yield lab.complaint(
            section.start,
            "no claim is judged in this section. End it on labkit.claims.show([...]).",
        )


RULES = (
    opening,
    objectives,
    required_sections,
    prediction,
    claims,
)

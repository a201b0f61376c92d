"""The book's Markdown as JupyterLab shows it: roles, figures, tables, links."""

import json
import re

import pytest
from nbformat.v4 import new_output
from small_notebooks import check, code, markdown, save, solution

from tools.labs import notebooks, plain, student, targets
from tools.labs.targets import Course

LEFT = re.compile(r"\{[a-z:-]+\}`|<!--|^\([\w.-]+\)=|^(?:`{3,}|:{3,})\{", re.MULTILINE)
LINK = re.compile(r"\]\((?![a-z]+:)(?P<target>[^)\s#]+)\)")
FENCE = re.compile(r"^```.*?^```", re.DOTALL | re.MULTILINE)

BIB = """
@misc{two, author = {Du, A. and {The {ML} Team}}, title = {A {T}itle}, year = {2001},
  howpublished = {arXiv:2001.08361}}
@book{many, author = {Günn{\\"a}r, A. and B, C. and D, E.}, title = {B}, year = {2002},
  doi = {10.1/x}}
@misc{alone, author = {van Zyl, P.}, title = {C}, year = {2003}, url = {https://a.b/c}}
@misc{nowhere, author = {Solo, H. and others}, title = {D}, year = {2004}}
"""
CHAPTER = """(ch-two)=
# Two halves

```{figure} figures/one.svg
:name: fig-one
:alt: A line

The caption. <!-- given: why -->
```
"""


@pytest.fixture
def course(tmp_path):
    """A course of a lab with glued values, a chapter, a figure and four sources."""
    book = tmp_path / "book"
    notebooks.write_text(book / "references.bib", BIB)
    notebooks.write_text(book / "02_two.md", CHAPTER)
    notebooks.write_text(book / "figures" / "one.svg", "<svg/>")
    notebooks.write_text(tmp_path / "data" / "README.md", "(card)=\n# Data\n")
    path = save(
        tmp_path / "labs", "02_two", markdown("(two)=\n# Lab two"), code("glue()")
    )
    stored = json.loads(path.read_text())
    for key, value in {"share": "0.256", "word": "'rain'"}.items():
        data = {"application/papermill.record/text/plain": value}
        output = new_output("display_data", data=data)
        output.metadata["scrapbook"] = {"name": key}
        stored["cells"][1]["outputs"].append(output)
    claim = {"statement": "All is well.", "source": "us", "verdict": "holds"}
    data = {"application/vnd.flightline.claims+json": [claim]}
    stored["cells"][1]["outputs"].append(new_output("display_data", data=data))
    path.write_text(json.dumps(stored))
    return Course(tmp_path)


@pytest.mark.parametrize(
    ("written", "lab", "chapter"),
    [
        ("(two-x)=\n# A", "# A", "# A"),
        ("a <!-- given: why --> b.", "a b.", "a b."),
        ("{ref}`ch-two`", "[Two halves](book/02_two.md)", "[Two halves](02_two.md)"),
        ("{ref}`it <two>`", "[it](02_two.ipynb)", "[it](../02_two.ipynb)"),
        ("{ref}`see <fig-one>`", "[see](book/02_two.md)", "[see](02_two.md)"),
        ("{ref}`lost`", "lost", "lost"),
        ("{term}`rank`", "rank", "rank"),
        ("[x](../data/README.md)", "[x](book/data_card.md)", "[x](data_card.md)"),
        ("[x](../data/build.py)", "x", "x"),
        ("[](../book/02_two.md)", "[Two halves](book/02_two.md)", None),
        ("[x](https://a.b)", "[x](https://a.b)", "[x](https://a.b)"),
        ("![x](../book/figures/one.svg)", "![x](book/figures/one.svg)", None),
        ("{cite:t}`many`", "[Günnär et al. (2002)](https://doi.org/10.1/x)", None),
        (
            "{cite}`two,alone`",
            "([Du and The ML Team, 2001](https://arxiv.org/abs/2001.08361); "
            "[van Zyl, 2003](https://a.b/c))",
            None,
        ),
        ("{cite:p}`nowhere`", "([Solo et al., 2004](book/references.md))", None),
        ("{glue:text}`../labs/02_two.ipynb::share:.0%`", "26%", "26%"),
        ("{glue:text}`../labs/02_two.ipynb::word`", "rain", "rain"),
        ("{verdict}`02: All is`", "*holds*", "*holds*"),
        ("{verdict}`02: None`", "02: None", None),
        ("`{ref}` and ``{ref}`two` ``", "`{ref}` and ``{ref}`two` ``", None),
        (
            "```python\n{ref}`two`\n# (x)=\n```",
            "```python\n{ref}`two`\n# (x)=\n```",
            None,
        ),
        ("```{raw} html\n<style>\n```\nb", "\nb", "\nb"),
        (
            "```{note} Mind {ref}`two`\nThis.\n```",
            None,
            "**Mind [Lab two](../02_two.ipynb)**\n\nThis.",
        ),
        (
            "```{csv-table} T\n:header-rows: 1\n\na,b|c\n1,2\n```",
            "T\n\n| a | b\\|c |\n|---|---|\n| 1 | 2 |",
            None,
        ),
        (
            ":::{glossary}\nrank\n  A process.\n\nlake\n  Files.\n:::",
            "**rank**: A process.\n\n**lake**: Files.",
            None,
        ),
    ],
)
def test_a_role_becomes_text_and_a_link_that_leads_there(course, written, lab, chapter):
    for source, wanted in (("labs/02_two.ipynb", lab), ("book/02_two.md", chapter)):
        if wanted is not None:
            assert plain.Page(course, source).text(written) == wanted


def test_a_figure_is_an_image_with_its_caption(course):
    text = plain.Page(course, "book/02_two.md").text(CHAPTER)
    assert text == "# Two halves\n\n![A line](figures/one.svg)\n\nThe caption.\n"


def test_the_sources_are_listed_with_where_to_read_them(course):
    listed = plain.Page(course, "book/references.md").text("```{bibliography}\n```")
    assert listed.splitlines()[0] == (
        "- Du and The ML Team (2001). [A Title](https://arxiv.org/abs/2001.08361). "
        "arXiv:2001.08361."
    )
    assert len(listed.splitlines()) == 4


def test_what_a_reader_gets_is_complete(course, tmp_path):
    exercise = solution(
        "half",
        "def half():\n    ### BEGIN SOLUTION\n    return 1\n    ### END SOLUTION",
    )
    card = markdown("# Lab three\n\n| Read first | {ref}`ch-two` |")
    save(tmp_path / "labs", "03_three", card, exercise, check("half", "half()"))
    made = student.editions(tmp_path / "labs")
    assert list(made) == [
        "02_two.ipynb",
        "03_three.ipynb",
        "book/02_two.md",
        "book/data_card.md",
        "book/figures/one.svg",
    ]
    assert "| Read first | [Two halves](book/02_two.md) |" in made["03_three.ipynb"]


@pytest.fixture(scope="module")
def real():
    """The student edition of the course, as Markdown by path."""
    made = student.editions()
    pages = {name: text for name, text in made.items() if name.endswith(".md")}
    for name in set(made) - set(pages):
        if name.endswith(".ipynb"):
            cells = json.loads(made[name])["cells"]
            prose = [c["source"] for c in cells if c["cell_type"] == "markdown"]
            pages[name] = "\n\n".join(map("".join, prose))
    return set(made), {name: FENCE.sub("", text) for name, text in pages.items()}


def test_nothing_of_the_book_s_own_language_is_left(real):
    _, pages = real
    left = [(name, m[0]) for name, text in pages.items() for m in LEFT.finditer(text)]
    assert len(pages) > 20 and left == []


def test_every_link_and_image_leads_to_a_file_that_the_reader_has(real):
    files, pages = real
    course = Course(notebooks.ROOT)
    links = [
        (name, plain.beside(name, match["target"]))
        for name, text in pages.items()
        for match in LINK.finditer(text)
    ]
    assert len(links) > 100
    assert [link for link in links if link[1] not in files] == []
    assert set(course.labels) >= {"01-lifecycle", "ch-12-drift", "fig-timeline"}


def test_the_claims_of_every_lab_are_there(real):
    _, pages = real
    rows = re.findall(r"^\| \[lab (\d\d)\]", pages["book/claims.md"], re.MULTILINE)
    assert len(rows) > 20 and set(rows) == {p.stem[:2] for p in notebooks.find_labs()}


def test_every_value_and_verdict_of_the_book_is_there(real):
    _, pages = real
    text = "\n".join(pages.values())
    course = Course(notebooks.ROOT)
    named = re.findall(r"\{verdict\}`([^`]+)`", "\n".join(course.pages.values()))
    glued = re.findall(r"::(\w+)(?::[^`]*)?`", "\n".join(course.pages.values()))
    assert len(named) > 20 and [said for said in named if said in text] == []
    known = {key for path in notebooks.find_labs() for key in targets.glued(path)}
    assert len(glued) > 200 and set(glued) <= known


def test_every_lab_names_a_chapter_to_read_first(real):
    _, pages = real
    labs = [text for name, text in pages.items() if name.endswith(".ipynb")]
    read_first = re.compile(r"\| Read first \| .*\]\(book/\d\d_\w+\.md\)")
    assert labs and all(read_first.search(text) for text in labs)

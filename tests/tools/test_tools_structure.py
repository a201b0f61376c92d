"""Each rule of tools/labs/checks complains about its own mutation of the template."""

import nbformat.v4
import pytest
from small_notebooks import TEMPLATE, cell_with, code, markdown, template

from tools.labs import minutes, notebooks, structure
from tools.labs.checks import Lab, prose, reading


def complaints(book):
    return [str(c) for c in structure.check_lab(Lab(TEMPLATE, book))]


def executed(book, cell):
    """Put a code cell behind all others but the last, and count all of them."""
    book.cells.insert(len(book.cells) - 1, cell)
    recount(book)


def recount(book):
    for count, (_, cell) in enumerate(notebooks.code_cells(book), start=1):
        cell.execution_count = count


def replace(text, old, new):
    def mutate(book):
        cell = cell_with(book, text)
        assert old in cell.source
        cell.source = cell.source.replace(old, new)

    return mutate


def insert(cell, before):
    def mutate(book):
        book.cells.insert(book.cells.index(cell_with(book, before)), cell)
        recount(book)

    return mutate


def remove(text):
    def mutate(book):
        book.cells.remove(cell_with(book, text))
        recount(book)

    return mutate


def tag(text, *tags):
    def mutate(book):
        cell_with(book, text).metadata["tags"] = list(tags)

    return mutate


def grading(text, **fields):
    def mutate(book):
        cell_with(book, text).metadata["nbgrader"].update(fields)

    return mutate


def output(text, made):
    def mutate(book):
        cell_with(book, text).outputs.append(made)

    return mutate


def add(source, **fields):
    def mutate(book):
        executed(book, code(source, **fields))

    return mutate


def add_markdown(text):
    def mutate(book):
        book.cells.append(markdown(text))

    return mutate


def swap_sections(book):
    build, check = (cell_with(book, f"## {w}") for w in ("Build", "Check"))
    build.source = build.source.replace("## Build", "## Check")
    check.source = check.source.replace("## Check: ", "## Build: ")


def unexecuted(book):
    cell = cell_with(book, "by_pandas")
    cell.execution_count, cell.outputs = None, []


def out_of_order(book):
    first, second, *_ = (cell for _, cell in notebooks.code_cells(book))
    first.execution_count, second.execution_count = 2, 1


def without_alt(book):
    del cell_with(book, "plt.show()").metadata["mystnb"]


def two_figures(book):
    cell = cell_with(book, "plt.show()")
    cell.outputs.append(cell.outputs[0])


def without_figure_assert(book):
    for text in ("np.diff(naive_share)", "times.index"):
        cell_with(book, text).source = "len(cancelled)"


def many_ignored(book):
    for _, cell in list(notebooks.code_cells(book))[:4]:
        cell.metadata["tags"] = sorted([*notebooks.tags(cell), "nbval-ignore-output"])


def two_solutions_of_one_name(book):
    grading("def mean_late", grade_id="late_share")(book)
    grading("_some = ", grade_id="late_share-check")(book)


def stream(name, text):
    return nbformat.v4.new_output("stream", name=name, text=text)


SOLUTION, CHECK = "def late_share", "_share = late_share"
LONG = "def helper(n):\n" + "    n += 1\n" * 60 + "    return n"

MUTATIONS = {
    # shape
    "no target": (replace("(00-template)=", "(00-template)=\n", ""), "must start with"),
    "other target": (replace("(00-", "(00-template)", "(01-x)"), "must start with"),
    "no title": (replace("(00-", "# The share", "The share"), "must start with"),
    "no chapter": (replace("(00-", "{ref}`ch-00-template`", "none"), "no link to the"),
    "no objectives": (remove("By the end you can"), "no objectives"),
    "two objectives": (
        replace("By the end", "- tell a missing value from a good one.", ""),
        "2 objectives",
    ),
    "no predict": (remove("## Predict"), "0 sections start with 'predict'"),
    "no build": (replace("## Build", "## Build", "## Make"), "start with 'build'"),
    "no check": (replace("## Check", "## Check", "## Try"), "start with 'check'"),
    "no break": (replace("## Break", "## Break", "## Fault"), "start with 'break'"),
    "no measure": (replace("## Measure", "## Measure", "## Gauge"), "with 'measure'"),
    "no exercises": (replace("## Ex", "## Exercises", "## More"), "with 'exercises'"),
    "no end": (replace("## What", "## What you built", "## End"), "what you built"),
    "two breaks": (add_markdown("## Break: again"), "2 sections start with 'break'"),
    "sections swapped": (swap_sections, "the sections come as"),
    "check without code": (remove("by_pandas"), "has no code cell"),
    "late prediction": (
        lambda book: book.cells.append(book.cells.pop(4)),
        "the prediction comes after the build",
    ),
    "no question": (replace("## Predict", "?", "."), "asks nothing"),
    "no claim": (remove("gap = "), "no claim is judged"),
    # outputs
    "unexecuted": (unexecuted, "was not executed"),
    "out of order": (out_of_order, "execution count 2 instead of 1"),
    "empty cell": (add(""), "an empty code cell"),
    "error output": (
        output("by_pandas", nbformat.v4.new_output("error", ename="KeyError")),
        "the stored output is an error (KeyError)",
    ),
    "stderr": (output("by_pandas", stream("stderr", "Warning: x")), "on stderr"),
    "home in output": (
        output("by_pandas", stream("stdout", f"read /{'home'}/ana/x.csv")),
        "a path of one machine",
    ),
    "tmp in source": (add("open('/tmp/x')"), "a path of one machine"),
    "own path": (add_markdown(f"See {notebooks.ROOT}/labs."), "a path of one machine"),
    "windows path": (add_markdown(r"Open `C:\Users\ana`."), "a path of one machine"),
    "no alt text": (without_alt, "a figure without alternative text"),
    "two figures": (two_figures, "two figures in one cell"),
    "figure not asserted": (without_figure_assert, "nothing asserts what the figure"),
    "image without alt": (add_markdown("![](lifecycle.svg)"), "an image without"),
    "directive without alt": (
        add_markdown("```{image} lifecycle.svg\n:width: 40%\n```"),
        "an image without",
    ),
    "much ignored": (many_ignored, "tagged nbval-ignore-output; one in 5 may be"),
    "ignored, not asserted": (
        remove("times.index"),
        "next code cell asserts nothing",
    ),
    # code
    "magic": (add("%timeit 1"), "a magic or a shell line"),
    "shell": (add("!ls"), "a magic or a shell line"),
    "hidden magic": (add("get_ipython().system('ls')"), "a magic or a shell line"),
    "no Python": (add("x = = 1"), "no valid Python"),
    "tolerated failure": (tag("by_pandas", "raises-exception"), "the tag raises-exc"),
    "skipped": (tag("by_pandas", "nbval-skip"), "the tag nbval-skip"),
    "nbval comment": (add("# NBVAL_SKIP\n1"), "a comment steers nbval"),
    "unsorted tags": (tag("def mean_late", "hide-cell", "export"), "not sorted"),
    "future": (add("from __future__ import annotations"), "leaks into every later"),
    "all": (add("__all__ = ['x']"), "__all__ in a cell"),
    "guard": (add('if __name__ == "__main__":\n    pass'), "__name__ in a cell"),
    "import too late": (
        replace("LATE_MIN = 15", "LATE_MIN", "import os\nLATE_MIN"),
        "Move it to the first exported cell",
    ),
    "more than imports": (
        replace(
            "import numpy as np", "import numpy as np", "import numpy as np\nx = 1"
        ),
        "for imports alone",
    ),
    "labkit exported": (
        replace("import numpy as np", "import numpy as np", "from labkit import data"),
        "flightline never imports labkit",
    ),
    # grading
    "markers alone": (
        lambda book: cell_with(book, SOLUTION).metadata.pop("nbgrader"),
        "solution markers without nbgrader metadata",
    ),
    "metadata alone": (
        replace(SOLUTION, "    ### BEGIN SOLUTION\n", ""),
        "the markers are ['### END SOLUTION']",
    ),
    "odd marker": (replace(SOLUTION, "### BEGIN", "# BEGIN"), "the markers are ["),
    "wrong metadata": (grading(SOLUTION, locked=True), "nbgrader's locked is True"),
    "no name": (grading(SOLUTION, grade_id=""), "nbgrader's grade_id is ''"),
    "old schema": (grading(SOLUTION, schema_version=1), "schema_version is 1"),
    "two definitions": (
        replace(SOLUTION, "def late_share", "OTHER = 1\n\n\ndef late_share"),
        "exactly one function or one class",
    ),
    "no docstring": (
        replace("def mean_late", '"""Return the mean', 'x = """Return the mean'),
        "mean_late has no docstring",
    ),
    "code before": (
        replace(SOLUTION, "    ### BEGIN", "    n = delays_min.size\n    ### BEGIN"),
        "stands outside the markers",
    ),
    "return after": (
        replace(SOLUTION, "    ### END SOLUTION", "    ### END SOLUTION\n    return 1"),
        "stands outside the markers",
    ),
    "cell between": (insert(code("1"), before=CHECK), "the next code cell is not its"),
    "check elsewhere": (insert(code("1"), before=CHECK), "a check without a solution"),
    "check misnamed": (grading(CHECK, grade_id="other-check"), "is not its check"),
    "same name": (two_solutions_of_one_name, "2 cells have the grade_id 'late_share'"),
    "unlocked": (grading(CHECK, locked=False), "nbgrader's locked is False"),
    "no points": (grading(CHECK, points=0), "0 points"),
    "no hint": (
        replace("_some = ", ', "With no late flight the answer is 0.0."', ""),
        "has no message",
    ),
    "no assert": (
        lambda book: cell_with(book, CHECK).update(source="_share = 1"),
        "a check that asserts nothing",
    ),
    "public name": (replace("_some = ", "_some", "some"), "the check binds some"),
    "not folded": (tag("def mean_late", "export"), "shows its solution"),
    "hidden core": (tag(SOLUTION, "export", "hide-cell"), "a core function is hidden"),
    "no reference": (
        remove("from flightline"),
        "'from flightline.template.core import late_share'",
    ),
    # reading
    "long stretch": (add(LONG), "lines of code from here to the next result"),
    "folded cell": (tag("by_pandas", "hide-input"), "a folded cell that is no"),
    # prose
    "typed number": (add_markdown("It took 3.4 ms."), "'3.4 ms' looks measured"),
}


def test_template_is_kept():
    assert complaints(template()) == []


@pytest.mark.parametrize("name", MUTATIONS)
def test_rule_complains(name):
    mutate, expected = MUTATIONS[name]
    book = template()
    mutate(book)
    assert any(expected in text for text in complaints(book)), complaints(book)


def test_every_rule_is_proven():
    """Each rule, run alone, complains about at least one mutation."""
    silent = {*structure.RULES, *reading.RULES}
    for mutate, _ in MUTATIONS.values():
        book = template()
        mutate(book)
        lab = Lab(TEMPLATE, book)
        silent -= {rule for rule in silent if list(rule(lab))}
    assert {rule.__name__ for rule in silent} == set()


def test_an_operator_at_the_start_of_a_line_is_no_magic():
    book = template()
    add("(\n    7\n    % 2\n)")(book)
    assert complaints(book) == []


def test_old_labs_are_not_asked_as_readers():
    book = template()
    add(LONG)(book)
    lab = Lab(TEMPLATE, book)
    assert structure.check_lab(lab) and not structure.check_lab(lab, as_a_reader=False)


def test_the_table_counts_what_a_reader_meets():
    book = template()
    add("x = 1\n\n# " + "y" * 90)(book)
    before = structure.as_read(Lab(TEMPLATE, template()))
    after = structure.as_read(Lab(TEMPLATE, book))
    assert after[0] == before[0] + 2 and int(after[3]) == int(before[3]) + 1
    assert list(structure.table([TEMPLATE]).index)[-1] == "00_template"


def test_minutes_count_words_lines_and_exercises_and_round_up():
    book = template()
    before = minutes.of_lab(Lab(TEMPLATE, book))
    add("x = 1\n" * 500, tags=["remove-cell"])(book)
    assert minutes.of_lab(Lab(TEMPLATE, book)) == before  # nobody reads it
    add("x = 1\n" * 500)(book)
    assert minutes.of_lab(Lab(TEMPLATE, book)) == before + 50
    add_markdown("word " * 4000)(book)
    assert minutes.of_lab(Lab(TEMPLATE, book)) == before + 70
    assert [minutes.rounded(m) for m in (0.1, 5, 5.1)] == [5, 5, 10]


def test_minutes_of_a_page_leave_comments_and_options_out(tmp_path):
    page = tmp_path / "01_x.md"
    words = "word " * 1000
    page.write_text(f"{words}\n```{{figure}} a.svg\n:alt: {words}\n\nx\n```\n")
    assert minutes.of_page(page) == 10
    page.write_text(f"{words}<!-- given:\n{words} -->")
    assert minutes.of_page(page) == 5


def test_main_names_file_cell_and_advice(tmp_path, capsys):
    book = template()
    cell_with(book, "by_pandas").execution_count = None
    path = tmp_path / "00_template.ipynb"
    path.write_text(notebooks.dumps(book))
    assert structure.main([str(path)]) == 1
    lines = capsys.readouterr().out.splitlines()
    line = next(line for line in lines if "not executed" in line)
    assert "00_template.ipynb, cell 15: the cell was not executed" in line
    assert "python -m tools.labs.execute" in line


def test_main_refuses_what_is_no_notebook(tmp_path, capsys):
    path = tmp_path / "00_broken.ipynb"
    path.write_text("{")
    assert structure.main([str(path)]) == 1
    assert "not a valid notebook" in capsys.readouterr().out


MEASURED = {
    "took 12 ms": "12 ms",
    "took 3.5 s here": "3.5 s",
    "in 12 seconds": "12 seconds",
    "is 31% late": "31%",
    "is 31 percent late": "31 percent",
    "is 2.4x faster": "2.4x",
    "is 2-4x faster": "4x",
    "is 40 times faster": "40 times faster",
    "takes 10 MB": "10 MB",
    "takes 10 MiB": "10 MiB",
    "at 5,500 requests/s": "5,500 requests/s",
    "at 900 rows per second": "900 rows per second",
    "reaches 0.79 in July": "0.79",
    "an AUC of 0.8": "0.8",
    "log-loss 1.2, no more": "1.2",
    "| model | 0.794 |": "0.794",
    "- first\n- it took 4 ms": "4 ms",
}
GIVEN = [
    "two hours, 15 minutes, 12 weeks, 336,776 flights",
    "`12 ms` and ``3.5 s`` in code",
    "{glue:text}`../labs/01_lifecycle.ipynb::auc:.3f` of AUC",
    "the threshold $0.25$, and\n\n$$0.25 + 31\\%$$",
    "```python\nx = 0.25  # 31%\n```",
    "```{code-block} python\nx = 0.25  # 31%\n```",
    "```{figure} x.svg\n:width: 80%\n```",
    "DDP is 2x faster {cite}`li2020`.",
    "DDP is 2x faster {cite:p}`li2020`.",
    "<!-- given: the rule, not a result -->\nPSI above 0.2 means retrain.",
    "PSI above 0.2 means retrain. <!-- given: the rule -->",
    "a 95% confidence interval, a 95% interval",
    "Python 3.11 and pandas 2.3.3",
    "[a page](https://example.org/0.25/31%25)",
    "the 1990s, 10 x 10, lab 04, 2013-07-03",
]


@pytest.mark.parametrize("text", MEASURED)
def test_measured_numerals_are_found(text):
    assert MEASURED[text] in [found for _, found in prose.numerals(text)]


@pytest.mark.parametrize("text", GIVEN)
def test_given_numerals_are_left_alone(text):
    assert list(prose.numerals(text)) == []


def test_prose_in_directives_is_read():
    assert list(prose.numerals("```{note}\nIt took 4 ms.\n```")) == [(2, "4 ms")]


def test_citation_covers_its_sentence_alone():
    text = "DDP is 2x faster {cite}`li2020`. Here it was 3x."
    assert [found for _, found in prose.numerals(text)] == ["3x"]


def test_given_covers_its_paragraph_alone():
    text = "Under 4 ms. <!-- given: the goal -->\n\nIt took\n5 ms."
    assert list(prose.numerals(text)) == [(4, "5 ms")]


def test_page_names_the_line(tmp_path):
    page = tmp_path / "01_x.md"
    page.write_text("# Title\n\n```python\na\nb\n```\n\nText\nwith 31% late.\n")
    assert "01_x.md, line 9: '31%' looks measured" in str(prose.page(page)[0])

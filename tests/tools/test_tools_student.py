"""The student edition, and the folder in which a reader works on it."""

import ast
import base64
import copy
import json

import pytest
from nbformat.v4 import new_output
from nbgrader_course import surprises
from small_notebooks import (
    TEMPLATE,
    cell_with,
    check,
    code,
    markdown,
    notebook,
    save,
    solution,
    template,
)

from tools.labs import attempts, export, lab, leaks, new, notebooks, structure, student
from tools.labs.checks import Lab
from tools.labs.execute import TIMEOUT_S
from tools.labs.notebooks import NotebookError

TITLE = markdown("(02-two)=\n# Two")
SOLVED = solution(
    "half",
    'def half(x):\n    """Halve."""\n    ### BEGIN SOLUTION\n'
    "    twice_as_much = x * 2\n    return twice_as_much / 4\n    ### END SOLUTION",
)
CHECK = check("half", "assert half(2) == 1, 'Half of two is one.'")


def test_cells_for_the_book_alone_are_left_out_unless_others_need_them():
    cells = [
        code("total = 3"),
        code("assert total == 3", tags=["remove-cell"]),
        code("limit = 2\nassert limit < total", tags=["remove-cell"]),
        code("limit + total"),
    ]
    made = student.student_edition(notebook(TITLE, *cells))
    kept = [cell.source for cell in made.cells if cell.cell_type == "code"]
    assert kept == ["total = 3", "limit = 2\nassert limit < total", "limit + total"]


@pytest.mark.parametrize(
    ("hidden", "shown"),
    [
        (["a = 1", "b = a"], "print(b)"),
        (["total = 1"], "total += 1"),
        (["import os.path"], "os.sep"),
        (["async def wait(): ..."], "wait"),
    ],
)
def test_a_cell_for_the_book_stays_if_what_stays_needs_it(hidden, shown):
    cells = [code(source, tags=["remove-cell"]) for source in hidden]
    made = student.student_edition(notebook(TITLE, *cells, code(shown)))
    kept = [cell.source for cell in made.cells if cell.cell_type == "code"]
    assert kept == [*hidden, shown]


@pytest.mark.parametrize(
    ("hidden", "shown"),
    [
        ("for _key in 'ab':\n    print(_key)", "for _key in 'cd':\n    print(_key)"),
        ("for _key in 'ab':\n    print(_key)", "[_key for _key in 'cd']"),
        ("print([each for each in 'ab'])", "each = 1\nprint(each)"),
    ],
    ids=["scratch", "scratch of a comprehension", "a comprehension's name"],
)
def test_a_name_that_both_set_for_themselves_keeps_no_cell(hidden, shown):
    cells = [code(hidden, tags=["remove-cell"]), code(shown)]
    made = student.student_edition(notebook(TITLE, *cells))
    kept = [cell.source for cell in made.cells if cell.cell_type == "code"]
    assert kept == [shown]


def test_stub_keeps_signature_and_docstring():
    made = student.student_edition(template())
    (function,) = ast.parse(cell_with(made, "def late_share").source).body
    whole = ast.parse(cell_with(template(), "def late_share").source).body[0]
    assert ast.unparse(function.args) == ast.unparse(whole.args)
    assert ast.get_docstring(function) == ast.get_docstring(whole)
    (raised,) = function.body[1:]
    assert ast.unparse(raised) == "raise NotImplementedError"
    assert "# your code here" in cell_with(made, "def late_share").source


def test_checks_are_locked_and_tolerated_and_outputs_cleared():
    made = student.student_edition(template())
    tested = cell_with(made, "_share = late_share")
    assert tested.metadata["tags"] == ["raises-exception"]
    assert tested.metadata["editable"] is tested.metadata["deletable"] is False
    assert cell_with(made, "def late_share").metadata["deletable"] is False
    cells = [cell for _, cell in notebooks.code_cells(made)]
    assert all(cell.execution_count is None and not cell.outputs for cell in cells)
    tags = {tag for cell in cells for tag in notebooks.tags(cell)}
    assert tags == {"nbval-ignore-output", "raises-exception", "reference"}


def test_source_is_not_changed():
    book = template()
    student.student_edition(book)
    assert book == template()


def test_render_is_stable():
    assert student.render(TEMPLATE) == student.render(TEMPLATE)


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        (
            [
                SOLVED,
                CHECK,
                code("x = 4\ntwice_as_much = x * 2\nreturn twice_as_much / 4"),
            ],
            "shows a solution: 'twice_as_much = x \\* 2'",
        ),
        (
            [
                SOLVED,
                CHECK,
                markdown("```\ntwice_as_much = x * 2\nreturn twice_as_much / 4\n```"),
            ],
            "shows a solution",
        ),
        ([SOLVED, CHECK, code("### Begin  Solution")], "shows a solution: '# Begin"),
        ([code(SOLVED.source), CHECK], "Solution region detected in a non-solution"),
    ],
)
def test_a_leak_is_refused(tmp_path, cells, message):
    path = save(tmp_path, "02_two", TITLE, *cells)
    with pytest.raises(NotebookError, match=message):
        student.render(path)


BODY = "twice_as_much = x * 2\nreturn twice_as_much / 4"


def dressed(with_):
    return "\n".join(with_ + line for line in BODY.splitlines())


def edited(cell, **changes):
    cell = copy.deepcopy(cell)
    cell.update(changes)
    return cell


@pytest.mark.parametrize(
    "cell",
    [
        code(dressed("# ")),
        code(dressed("    #: ").replace("\n", "\r\n")),
        code(BODY.replace("\n", "\r\n")),
        code(BODY.replace("\n", "\r")),
        code(f'note = """\n{BODY}\n"""'),
        markdown(dressed("> ")),
        markdown(dressed("- ")),
        markdown(f"Write `{BODY.replace(chr(10), '; ')}`.".replace("; ", " ")),
        markdown(f"<!--\n{BODY}\n-->"),
        edited(markdown("See."), metadata={"note": {"deep": ["a", BODY]}}),
        edited(markdown("See."), metadata={"note": BODY.splitlines()}),
        edited(markdown("See."), metadata={"tags": ["### END SOLUTION"]}),
        edited(markdown("See."), attachments={"a.txt": {"text/plain": BODY}}),
        edited(
            markdown("See."),
            attachments={
                "a.txt": {"text/plain": base64.b64encode(BODY.encode()).decode()}
            },
        ),
    ],
)
def test_a_leak_is_found_wherever_it_stands(tmp_path, cell):
    path = save(tmp_path, "02_two", TITLE, SOLVED, CHECK, cell)
    with pytest.raises(NotebookError, match="shows a solution"):
        student.render(path)


def test_a_leak_is_found_in_outputs_and_in_the_exercise_itself():
    book = notebook(TITLE, SOLVED, CHECK)
    made = student.student_edition(book)
    assert not leaks.leaked(book, made)
    made.cells[2].outputs = [new_output("stream", name="stdout", text=BODY)]
    assert leaks.leaked(book, made) == ["twice_as_much = x * 2"]
    made.cells[2].outputs = []
    made.cells[1].source += "\n    # return twice_as_much / 4"
    assert leaks.leaked(book, made) == ["return twice_as_much / 4"]


def test_a_solution_with_line_ends_of_windows_is_taken_out_all_the_same(tmp_path):
    windows = edited(SOLVED, source=SOLVED.source.replace("\n", "\r\n"))
    text = student.render(save(tmp_path, "02_two", TITLE, windows, CHECK))
    assert "twice_as_much" not in text and "SOLUTION" not in text
    assert "NotImplementedError" in text


GUESSED = """guess = guesses.keep(
    "02_two",
    {
        "é (a)": "+0.02",  # a sign
        "(b)": f(
            3
        ),
    },
)
other = {"kept": 1}"""


def test_a_guess_is_the_reader_s_to_make():
    made = student.student_edition(notebook(TITLE, code(GUESSED), SOLVED, CHECK))
    assert made.cells[1].source == (
        'guess = guesses.keep(\n    "02_two",\n    {\n        "é (a)": ...,  # a sign\n'
        '        "(b)": ...,\n    },\n)\nother = {"kept": 1}'
    )
    assert student.without_guesses("%magic") == "%magic"


def test_a_shared_line_is_no_leak(tmp_path):
    shared = code("x = 4\ntwice_as_much = x * 2")
    assert student.render(save(tmp_path, "02_two", TITLE, shared, SOLVED, CHECK))


def test_a_bracket_alone_is_no_leak(tmp_path):
    source = (
        "@wraps(\n    print\n)\ndef half(x):\n    ### BEGIN SOLUTION\n"
        "    return float(\n        x / 2\n    )\n    ### END SOLUTION"
    )
    path = save(tmp_path, "02_two", TITLE, solution("half", source), CHECK)
    assert "x / 2" not in student.render(path)


def test_write_brings_notebooks_and_nothing_else(tmp_path):
    labs, out = tmp_path / "labs", tmp_path / "student"
    save(labs, "02_two", TITLE, SOLVED, CHECK)
    save(labs, "draft", TITLE)
    student.write(out, labs)
    assert [path.name for path in out.iterdir()] == ["02_two.ipynb"]
    with pytest.raises(NotebookError, match="holds the labs themselves"):
        student.write(labs, labs)


@pytest.fixture
def course(tmp_path):
    """A course of one lab, and a function that brings its edition to work/."""
    labs, work = tmp_path / "labs", tmp_path / "work"
    save(labs, "02_two", TITLE, SOLVED, CHECK)

    def edit(text):
        save(labs, "02_two", TITLE, markdown(text), SOLVED, CHECK)

    def prepare():
        (line,) = lab.prepare(work, labs)
        return line.removeprefix("02_two.ipynb: ")

    return work, edit, prepare


def names(work):
    return sorted(path.name for path in work.iterdir() if path.suffix == ".ipynb")


def test_untouched_files_follow_the_course(course):
    work, edit, prepare = course
    assert prepare() == "new"
    assert prepare() == "up to date"
    edit("better")
    assert prepare() == "unchanged by you, brought up to date"
    assert "better" in (work / "02_two.ipynb").read_text()
    (work / "02_two.ipynb").unlink()
    assert prepare() == "new"


def test_changed_files_are_never_overwritten(course):
    work, edit, prepare = course
    prepare()
    (work / "02_two.ipynb").write_text("mine")
    assert prepare() == "yours, kept"
    edit("better")
    assert prepare().endswith("newer edition is in 02_two.new.ipynb")
    assert "better" in (work / "02_two.new.ipynb").read_text()
    assert prepare() == "yours, kept"
    edit("better still")
    assert prepare().endswith("newer edition is in 02_two.new.ipynb")
    assert "still" in (work / "02_two.new.ipynb").read_text()
    (work / "02_two.new.ipynb").write_text("mine too")
    edit("best")
    assert prepare().endswith("newer edition is in 02_two.new2.ipynb")
    (work / "02_two.new2.ipynb").unlink()
    assert prepare() == "yours, kept"
    assert (work / "02_two.ipynb").read_text() == "mine"
    assert (work / "02_two.new.ipynb").read_text() == "mine too"
    assert names(work) == ["02_two.ipynb", "02_two.new.ipynb"]


def test_chapters_come_along_and_yours_are_kept(tmp_path):
    labs, work, book = (tmp_path / name for name in ("labs", "work", "book"))
    save(labs, "02_two", TITLE, SOLVED, CHECK)
    notebooks.write_text(book / "02_two.md", "# Two\n")
    assert lab.prepare(work, labs) == ["02_two.ipynb: new"]
    notebooks.write_text(book / "02_two.md", "# Better\n")
    assert lab.prepare(work, labs) == ["02_two.ipynb: up to date"]
    assert (work / "book" / "02_two.md").read_text() == "# Better\n"
    (work / "book" / "02_two.md").write_text("# Mine\n")
    notebooks.write_text(book / "02_two.md", "# Best\n")
    _, line = lab.prepare(work, labs)
    assert line == (
        "book/02_two.md: yours, kept; the course's newer edition is in "
        "book/02_two.new.md"
    )
    assert (work / "book" / "02_two.md").read_text() == "# Mine\n"
    assert (work / "book" / "02_two.new.md").read_text() == "# Best\n"


@pytest.mark.parametrize("memory", [None, "{", "[]", '{"written": 1, "offered": 2}'])
def test_without_memory_every_file_counts_as_changed(course, memory):
    work, edit, prepare = course
    prepare()
    edit("better")
    (work / lab.MEMORY).unlink()
    if memory is not None:
        (work / lab.MEMORY).write_text(memory)
    before = (work / "02_two.ipynb").read_bytes()
    assert "newer edition" in prepare()
    assert (work / "02_two.ipynb").read_bytes() == before
    assert set(json.loads((work / lab.MEMORY).read_text())) == {"offered", "written"}


def test_work_holds_no_package(course):
    work, _, prepare = course
    prepare()
    assert not any(path.is_dir() for path in work.iterdir())


@pytest.mark.parametrize("inside", [".", "deeper"])
def test_a_file_in_place_of_the_folder_is_named(tmp_path, inside):
    save(tmp_path / "labs", "02_two", TITLE, SOLVED, CHECK)
    (tmp_path / "work").write_text("mine")
    for bring in (lab.prepare, student.write):
        with pytest.raises(NotebookError, match="must be a folder"):
            bring(tmp_path / "work" / inside, tmp_path / "labs")
    assert (tmp_path / "work").read_text() == "mine"


def test_a_file_in_place_of_the_chapters_folder_is_named(tmp_path):
    save(tmp_path / "labs", "02_two", TITLE, SOLVED, CHECK)
    notebooks.write_text(tmp_path / "book" / "02_two.md", "# Two\n")
    notebooks.write_text(tmp_path / "work" / "book", "mine")
    with pytest.raises(NotebookError, match=r"work/book must be a folder"):
        lab.prepare(tmp_path / "work", tmp_path / "labs")


def test_start_runs_jupyterlab_offline_in_work(tmp_path, monkeypatch):
    seen = {}
    monkeypatch.setattr(lab, "WORK", tmp_path)
    monkeypatch.setattr(lab, "prepare", lambda: ["02_two.ipynb: new"])
    monkeypatch.setattr("os.chdir", lambda path: seen.update(folder=path))
    monkeypatch.setattr("os.execve", lambda *args: seen.update(call=args))
    lab.main(["--no-start"])
    assert seen == {}
    lab.main(["--no-browser"])
    _, command, environment = seen["call"]
    assert seen["folder"] == tmp_path
    assert command[1:3] == ["-m", "jupyterlab"] and command[-1] == "--no-browser"
    assert "--LabApp.news_url=None" in command
    assert environment["PYTHONPATH"].startswith(str(notebooks.LABS))


def test_the_page_for_teachers_says_what_the_tools_do():
    page = (notebooks.ROOT / "book" / "how_to_use.md").read_text()
    assert f'c.ClearSolutions.code_stub = {{"python": "{student.STUB}"}}' in page
    assert f"c.Execute.timeout = {TIMEOUT_S}" in page


def test_a_new_lab_keeps_the_rules_from_the_start(tmp_path):
    path = tmp_path / "labs" / "18_new_piece.ipynb"
    written = new.start(path, "A new piece")
    folder = tmp_path / "tests" / "new_piece" / "wrong_answers"
    files = [folder / "late_share.py", folder / "mean_late.py"]
    assert written == [path, *files]
    assert "`late_share` (lab 18)" in files[0].read_text()
    copied, originals = map(attempts.wrong_answers, (path, TEMPLATE))
    assert [answer.source for answer in copied] == [
        answer.source for answer in originals
    ]
    book = notebooks.read(path)
    assert notebooks.title(book, path) == "A new piece"
    assert "from flightline.new_piece.core import late_share" in path.read_text()
    assert structure.check_lab(Lab(path, book)) == []
    assert attempts.plain_complaints(path) == []
    assert export.export(path)
    assert export.module_path(path).parts[-2:] == ("new_piece", "core.py")
    with pytest.raises(NotebookError, match="exists"):
        new.start(path, "Again")


@pytest.mark.parametrize(
    ("checked", "other", "message"),
    [
        ([], [], "the check in cell 1 ends with []"),
        (["KeyError"], [], "the check in cell 1 ends with ['KeyError']"),
        (["AssertionError"], ["NotImplementedError"], "cell 2 needs a solution"),
    ],
)
def test_surprises_of_an_unsolved_lab_are_named(checked, other, message):
    book = notebook(SOLVED, CHECK, code("half(3)"))
    for cell, names in zip(book.cells[1:], (checked, other), strict=True):
        cell.outputs = [new_output("error", ename=name) for name in names]
    (found,) = surprises(book)
    assert message in found
    book.cells[1].outputs = [new_output("error", ename="NotImplementedError")]
    book.cells[2].outputs = []
    assert surprises(book) == []

"""The export, the execution in place, and what makes notebooks stable bytes."""

import pytest
from small_notebooks import TEMPLATE, code, markdown, notebook, save

from tools.labs import execute, export, notebooks
from tools.labs.notebooks import NotebookError

TITLE = markdown('(02-two)=\n# Two "halves"')
IMPORTS = code("import os\nimport json", tags=["export"])
CONSTANT = code("LIMIT, _hidden = 3, 4\nsize: int = 1", tags=["export"])
SOLVED = code(
    'def half(x: float) -> float:\n    """Halve."""\n    ### BEGIN SOLUTION\n'
    "    return x / 2\n    ### END SOLUTION",
    tags=["export"],
)
USED = code("_ = json, os", tags=["export"])
LOCAL = code("not_exported = 1")


def rendered(folder, *cells):
    return export.render(save(folder, "02_two", TITLE, *cells))


def test_export_writes_the_tagged_cells_in_order(tmp_path):
    text = rendered(tmp_path, IMPORTS, CONSTANT, LOCAL, SOLVED, USED)
    assert text.splitlines()[:2] == [
        "# Do not edit: exported from labs/02_two.ipynb.",
        "# Change the lab, then run `make export`.",
    ]
    assert '"""Two \\"halves\\"."""' in text
    assert '__all__ = ["LIMIT", "half", "size"]' in text
    assert text.index("import json") < text.index("import os") < text.index("LIMIT, _")
    assert "SOLUTION" not in text and "not_exported" not in text
    assert '"""Halve."""\n    return x / 2\n' in text
    assert "__main__" not in text
    compile(text, "two.py", "exec")


def test_export_keeps_the_indent_around_markers(tmp_path):
    source = (
        "def f(x: int) -> int:\n    if x:\n        ### BEGIN SOLUTION\n"
        "        x += 1\n        ### END SOLUTION\n    return x"
    )
    text = rendered(tmp_path, code(source, tags=["export"]))
    assert text.endswith("    if x:\n        x += 1\n    return x\n")


def test_export_without_tagged_cells_makes_no_module(tmp_path):
    path = save(tmp_path, "02_two", TITLE, LOCAL)
    assert export.render(path) is None
    assert export.export(path) is False
    assert not export.module_path(path).exists()


def test_export_is_stable(tmp_path):
    path = save(tmp_path, "02_two", TITLE, IMPORTS, SOLVED, USED)
    assert export.export(path) is True
    first = export.module_path(path).read_bytes()
    assert export.export(path) is False
    assert export.module_path(path).read_bytes() == first
    made = sorted(p.name for p in (tmp_path / "flightline" / "two").iterdir())
    assert made == ["__init__.py", "core.py"]


def test_a_new_package_offers_its_core_and_is_never_written_again(tmp_path):
    path = save(tmp_path, "02_two", TITLE, IMPORTS, SOLVED, USED)
    export.export(path)
    offer = export.module_path(path).with_name("__init__.py")
    assert "from flightline.two.core import half" in offer.read_text()
    offer.write_text("# mine\n")
    export.export(path)
    assert offer.read_text() == "# mine\n"


def test_check_shows_what_differs_and_what_to_do(tmp_path, capsys):
    path = save(tmp_path, "02_two", TITLE, SOLVED)
    export.export(path)
    assert export.main(["--check", str(path)]) == 0
    module = export.module_path(path)
    module.write_text(module.read_text().replace("x / 2", "x * 2"))
    assert export.main(["--check", str(path)]) == 1
    shown = capsys.readouterr().out
    assert "-    return x * 2" in shown and "+    return x / 2" in shown
    assert "two/core.py is not what" in shown and "make export" in shown
    module.unlink()
    assert export.main(["--check", str(path)]) == 1
    assert not module.exists()


def test_check_names_modules_without_a_lab(tmp_path):
    export.export(save(tmp_path, "02_two", TITLE, SOLVED))
    assert export.strays(tmp_path) == []
    (tmp_path / "flightline" / "loose.py").touch()
    (tmp_path / "flightline" / "__init__.py").touch()
    core = tmp_path / "flightline" / "three" / "core.py"
    core.parent.mkdir()
    core.touch()
    loose, homeless = export.strays(tmp_path)
    assert "loose.py: no lab exports this module" in loose
    assert "three/core.py: no lab exports this module" in homeless


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        ([TITLE, code("x = = 1", tags=["export"])], "cell 1, line 1: invalid syntax"),
        ([TITLE, code("%time 1", tags=["export"])], "must be plain Python"),
        ([code("x = 1", tags=["export"])], "no title"),
    ],
)
def test_export_says_what_is_wrong(tmp_path, capsys, cells, message):
    path = save(tmp_path, "02_two", *cells)
    assert export.main([str(path)]) == 1
    error = capsys.readouterr().err
    assert message in error and "02_two.ipynb" in error


def test_lab_must_be_named_after_its_place(tmp_path):
    path = save(tmp_path, "second", TITLE, SOLVED)
    with pytest.raises(NotebookError, match=r"a lab is named NN_stem\.ipynb"):
        export.render(path)


def test_missing_notebook_is_named(tmp_path):
    with pytest.raises(NotebookError, match="no such file"):
        notebooks.read(tmp_path / "02_two.ipynb")


def test_execute_stores_outputs_and_nothing_that_varies(tmp_path, monkeypatch):
    monkeypatch.setenv("MPLBACKEND", "agg")
    (tmp_path / "flightline").mkdir()
    (tmp_path / "flightline" / "__init__.py").touch()
    path = save(
        tmp_path,
        "02_two",
        TITLE,
        SOLVED,
        code("from flightline.two import half"),
        code("import os\nprint('a')\nprint('b')\nprint(os.environ.get('MPLBACKEND'))"),
        code("print(os.environ['OMP_NUM_THREADS'])\nhalf(3)", tags=["z", "a"]),
    )
    assert execute.main([str(path)]) == 0
    stored = path.read_bytes()
    book = notebooks.read(path)
    code_cells = [cell for _, cell in notebooks.code_cells(book)]
    assert [cell.execution_count for cell in code_cells] == [1, 2, 3, 4]
    (stream,) = code_cells[2].outputs
    assert stream.text.startswith("a\nb\nmodule://matplotlib_inline")
    assert code_cells[3].outputs[0].text == "1\n"
    assert code_cells[3].outputs[1].data["text/plain"] == "1.5"
    assert code_cells[3].metadata == {"tags": ["a", "z"]}
    assert book.metadata == {
        "kernelspec": notebooks.KERNELSPEC,
        "language_info": notebooks.LANGUAGE_INFO,
    }
    assert execute.execute(path) is False
    assert path.read_bytes() == stored


def test_execute_leaves_the_notebook_when_a_cell_fails(tmp_path, capsys):
    path = save(tmp_path, "02_two", TITLE, code("1 + 1"), code("half('x')"))
    before = path.read_bytes()
    assert execute.main([str(path)]) == 1
    assert path.read_bytes() == before
    shown = capsys.readouterr()
    assert "02_two.ipynb: failed" in shown.out
    assert "02_two.ipynb, cell 2: execution failed" in shown.err
    assert "NameError: name 'half' is not defined" in shown.err
    assert "\x1b" not in shown.err


@pytest.mark.parametrize("name", ["02", "two", "02_two", "02_two.ipynb"])
def test_a_lab_is_named_by_number_stem_or_file(tmp_path, name):
    path = save(tmp_path, "02_two", TITLE)
    save(tmp_path, "12_two_more", TITLE)
    assert notebooks.named(name, tmp_path) == path
    assert notebooks.named(str(path)) == path


@pytest.mark.parametrize("name", ["", "1", "0", "tw", "typo", "02_", "*", "02 12"])
def test_a_name_of_no_lab_or_of_several_is_refused(tmp_path, name):
    save(tmp_path, "02_two", TITLE)
    save(tmp_path, "12_more", TITLE)
    with pytest.raises(NotebookError, match=r"Name one .*: 02_two, 12_more"):
        notebooks.named(name, tmp_path)


def test_nothing_runs_where_one_name_is_wrong(tmp_path, monkeypatch, capsys):
    path = save(tmp_path, "02_two", TITLE, code("1 + 1"))
    monkeypatch.setattr(execute, "execute", lambda path: pytest.fail(str(path)))
    assert execute.main([str(path), "typo"]) == 1
    assert "no lab 'typo'" in capsys.readouterr().err


@pytest.mark.parametrize("source", ["await f()", "x = 1\nawait f(x)", "return 3"])
def test_an_exported_cell_must_hold_as_a_module(tmp_path, source):
    with pytest.raises(NotebookError, match=r"cell 1, line .* plain Python: no magic"):
        rendered(tmp_path, code(source, tags=["export"]))
    inside = "async def f(x: int) -> int:\n    return await g(x)"
    assert "await g(x)" in rendered(tmp_path, code(inside, tags=["export"]))


def test_reading_and_writing_the_template_changes_nothing():
    book = notebooks.normalise(notebooks.read(TEMPLATE))
    assert notebooks.dumps(book) == TEMPLATE.read_text()


def test_normalise_gives_lasting_ids():
    book = notebook(LOCAL)
    del book.cells[0]["id"]
    first = notebooks.normalise(book).cells[0]["id"]
    del book.cells[0]["id"]
    assert notebooks.normalise(book).cells[0]["id"] == first


def test_write_text_is_atomic(tmp_path, monkeypatch):
    target = tmp_path / "x.txt"
    notebooks.write_text(target, "old")

    def full_disk(*_):
        raise OSError("No space left on device")

    monkeypatch.setattr("pathlib.Path.replace", full_disk)
    with pytest.raises(OSError, match="No space"):
        notebooks.write_text(target, "new")
    assert [path.name for path in tmp_path.iterdir()] == ["x.txt"]
    assert target.read_text() == "old"

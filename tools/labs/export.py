"""Export the tagged cells of a lab to the core of its package.

`python -m tools.labs.export` writes `labs/flightline/<stem>/core.py` for each lab, from
its code cells tagged `export`, in order. `--check` writes nothing: it prints how the
modules differ from the labs, and fails if they do. A new package gets an `__init__.py`
that offers what its core defines; it is never overwritten.
"""

import argparse
import ast
import difflib
import subprocess
import sys
from pathlib import Path

from nbformat import NotebookNode

from tools.labs import notebooks
from tools.labs.notebooks import NotebookError, show

PACKAGE = "flightline"
HEADER = "# Do not edit: exported from labs/{lab}.ipynb."
ADVICE = "# Change the lab, then run `make export`."
START = '"""{title}."""\n\nfrom {package}.core import {names}\n\n__all__ = [{quoted}]\n'


def module_path(notebook: Path) -> Path:
    """Return the file that a lab is exported to."""
    return notebook.parent / PACKAGE / notebooks.module_name(notebook) / "core.py"


def exported_cells(notebook: NotebookNode, path: Path) -> list[str]:
    """Return the sources of the cells tagged `export`, without solution markers.

    Raises
    ------
    NotebookError
        If such a cell is no plain Python: a magic, or `await` outside of a function.
    """
    sources = []
    for index, cell in notebooks.code_cells(notebook):
        if "export" not in notebooks.tags(cell):
            continue
        source = notebooks.strip_markers(cell.source).strip("\n")
        try:
            compile(source, show(path), "exec", dont_inherit=True)
        except SyntaxError as error:
            raise NotebookError(
                f"{show(path)}, cell {index}, line {error.lineno}: {error.msg}. "
                "An exported cell must be plain Python: no magic, and no await outside "
                "of a function."
            ) from error
        sources.append(source)
    return sources


def public_names(source: str) -> list[str]:
    """Return the public names that a module defines itself, imports left out."""
    names: list[str] = []
    for node in ast.parse(source).body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.append(node.name)
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            names += [name for target in targets for name in _bound(target)]
    return [name for name in dict.fromkeys(names) if not name.startswith("_")]


def _bound(target: ast.expr) -> list[str]:
    """Return the names that an assignment to the target binds."""
    names = [node for node in ast.walk(target) if isinstance(node, ast.Name)]
    return [name.id for name in names if isinstance(name.ctx, ast.Store)]


def _ruff(source: str, target: Path) -> str:
    """Sort the imports and `__all__` of a module, then format it."""
    project = notebooks.ROOT / "pyproject.toml"
    settings = ["--config", str(project)] if project.exists() else ["--isolated"]
    common = [*settings, "--quiet", "--no-cache", "--stdin-filename", str(target), "-"]
    for step in (["check", "--select", "I,RUF022", "--fix"], ["format"]):
        command = [sys.executable, "-m", "ruff", *step, *common]
        done = subprocess.run(command, input=source, capture_output=True, text=True)
        if done.returncode != 0:
            raise NotebookError(
                f"ruff {step[0]} failed on the export for {show(target)}:\n"
                f"{done.stderr or done.stdout}"
            )
        source = done.stdout
    return source


def render(path: Path) -> str | None:
    """Return the text of the module that a lab exports.

    Parameters
    ----------
    path : Path
        The notebook.

    Returns
    -------
    str or None
        The module, formatted; None if no cell is tagged `export`.

    Raises
    ------
    NotebookError
        If the notebook cannot be read or an exported cell is no plain Python.
    """
    notebook = notebooks.read(path)
    cells = exported_cells(notebook, path)
    if not cells:
        return None
    body = "\n\n\n".join(cells)
    title = notebooks.title(notebook, path).rstrip(".")
    docstring = title.replace("\\", "\\\\").replace('"', '\\"')
    names = ", ".join(f'"{name}"' for name in public_names(body))
    parts = [
        HEADER.format(lab=path.stem) + "\n" + ADVICE,
        f'"""{docstring}."""',
        f"__all__ = [{names}]",
        body,
    ]
    return _ruff("\n\n".join(parts) + "\n", module_path(path))


def export(path: Path) -> bool:
    """Write the module of a lab.

    Returns
    -------
    bool
        True if the module changed; False if it was in sync, or the lab exports nothing.
    """
    text = render(path)
    if text is None:
        return False
    target = module_path(path)
    changed = notebooks.write_text(target, text)
    start = target.with_name("__init__.py")
    if not start.exists():
        names = public_names(text)
        title = notebooks.title(notebooks.read(path), path).rstrip(".")
        offer = START.format(
            title=title.replace("\\", "\\\\").replace('"', '\\"'),
            package=f"{PACKAGE}.{target.parent.name}",
            names=", ".join(names),
            quoted=", ".join(f'"{name}"' for name in names),
        )
        notebooks.write_text(start, _ruff(offer, start))
    return changed


def difference(path: Path) -> str:
    """Return how the stored module differs from what the lab exports, or ''."""
    target, text = module_path(path), render(path) or ""
    stored = target.read_text(encoding="utf-8") if target.exists() else ""
    lines = difflib.unified_diff(
        stored.splitlines(keepends=True),
        text.splitlines(keepends=True),
        f"{show(target)} (stored)",
        f"{show(path)} (exported)",
    )
    return "".join(lines)


def strays(labs: Path = notebooks.LABS) -> list[str]:
    """Return a complaint for what no lab makes: a core, or a module of no package."""
    package = labs / PACKAGE
    makers = {notebooks.module_name(path) for path in notebooks.find_labs(labs)}
    cores = [p for p in package.glob("*/core.py") if p.parent.name not in makers]
    loose = [p for p in package.glob("*.py") if p.name != "__init__.py"]
    return [
        f"{show(path)}: no lab exports this module. Remove it, name a lab after its "
        f"package, or move hand-written code to {PACKAGE}/<stem>/ or labkit/."
        for path in sorted([*cores, *loose])
    ]


def check(paths: list[Path]) -> list[str]:
    """Return a complaint for each lab whose module is not what it exports."""
    advice = "Run `make export`, and commit the module with the lab."
    found = [(path, difference(path)) for path in paths]
    return [
        f"{show(module_path(path))} is not what {show(path)} exports. {advice}\n{diff}"
        for path, diff in found
        if diff
    ]


def main(arguments: list[str] | None = None) -> int:
    """Export the named labs, or all of them; with `--check`, only compare."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.labs.export", description=__doc__
    )
    parser.add_argument("--check", action="store_true", help="compare, write nothing")
    parser.add_argument("notebooks", nargs="*", type=Path, metavar="NOTEBOOK")
    options = parser.parse_args(arguments)
    paths = options.notebooks or notebooks.find_labs()
    try:
        if options.check:
            complaints = check(paths) + ([] if options.notebooks else strays())
            print("\n".join(complaints) or f"{len(paths)} labs and modules in sync")
            return 1 if complaints else 0
        for path in paths:
            state = "written" if export(path) else "unchanged"
            print(f"{show(path)}: module {state}")
    except NotebookError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

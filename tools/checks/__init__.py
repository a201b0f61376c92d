"""The rules that a lab must keep, one module for each kind of rule.

A rule is a function that takes a `Lab` and yields a `Complaint` for each place that
breaks it. `tools.structure` runs them all.
"""

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from nbformat import NotebookNode

from tools import notebooks
from tools.notebooks import Section, show


@dataclass(frozen=True)
class Complaint:
    """One broken rule: where it is broken, what is wrong and what to do."""

    where: str
    text: str

    def __str__(self) -> str:
        return f"{self.where}: {self.text}"


@dataclass(frozen=True)
class Budget:
    """What a lab may hold; each pair is the least and the most."""

    code_cells: tuple[int, int] = (20, 45)
    figures: tuple[int, int] = (3, 6)
    exercises: tuple[int, int] = (3, 5)
    steps: tuple[int, int] = (3, 6)
    median_lines: int = 8
    longest_lines: int = 40
    helper_lines: int = 15


@dataclass(frozen=True)
class Cell:
    """One code cell: where it stands, its source and its syntax tree."""

    index: int
    node: NotebookNode

    @property
    def source(self) -> str:
        """The source as it is stored, with solution markers."""
        return str(self.node.source)

    @cached_property
    def tree(self) -> ast.Module:
        """The syntax tree, empty where the source is no plain Python."""
        try:
            return ast.parse(self.source)
        except SyntaxError:
            return ast.Module(body=[], type_ignores=[])

    @property
    def tags(self) -> list[str]:
        """The tags of the cell."""
        return notebooks.tags(self.node)

    @cached_property
    def asserts(self) -> list[ast.Assert]:
        """The assert statements of the cell."""
        return [n for n in ast.walk(self.tree) if isinstance(n, ast.Assert)]

    def has_figure(self) -> bool:
        """Return whether the cell shows an image."""
        return self.figures() > 0

    def figures(self) -> int:
        """Return the number of images that the cell shows."""
        data = [output.get("data", {}) for output in self.node.outputs]
        return sum(any(mime.startswith("image/") for mime in d) for d in data)


@dataclass(frozen=True)
class Lab:
    """A lab notebook, read once for all rules."""

    path: Path
    notebook: NotebookNode
    budget: Budget

    @cached_property
    def code(self) -> list[Cell]:
        """The code cells, in order."""
        return [Cell(i, c) for i, c in notebooks.code_cells(self.notebook)]

    @cached_property
    def markdown(self) -> list[tuple[int, str]]:
        """Index and text of the Markdown cells."""
        cells = enumerate(self.notebook.cells)
        return [(i, str(c.source)) for i, c in cells if c.cell_type == "markdown"]

    @cached_property
    def sections(self) -> list[Section]:
        """The level-2 sections, in order."""
        return notebooks.sections(self.notebook)

    def section(self, word: str) -> Section | None:
        """Return the first section that is recognised by the word."""
        return next((s for s in self.sections if s.word == word), None)

    def within(self, word: str) -> list[Cell]:
        """Return the code cells of a section, none if there is no such section."""
        section = self.section(word)
        if section is None:
            return []
        return [c for c in self.code if section.start <= c.index < section.stop]

    def complaint(self, cell: Cell | int | None, text: str) -> Complaint:
        """Return a complaint about a cell, or about the whole lab for None."""
        if cell is None:
            return Complaint(show(self.path), text)
        index = cell.index if isinstance(cell, Cell) else cell
        count = self.notebook.cells[index].get("execution_count")
        shown = f" [{count}]" if count else ""
        return Complaint(f"{show(self.path)}, cell {index}{shown}", text)


def docstring_lines(tree: ast.AST) -> int:
    """Return the number of lines that docstrings take in a piece of code."""
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    owners = [node for node in ast.walk(tree) if isinstance(node, kinds)]
    texts = [node.body[0] for node in owners if ast.get_docstring(node) is not None]
    return sum((text.end_lineno or 0) - text.lineno + 1 for text in texts)


Rule = Callable[[Lab], Iterator[Complaint]]

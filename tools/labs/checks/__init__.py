"""The rules that a lab must keep, one module for each kind of rule.

A rule is a function that takes a `Lab` and yields a `Complaint` for each place that
breaks it. `tools.labs.structure` runs them all.
"""

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from nbformat import NotebookNode

from tools.labs import notebooks
from tools.labs.notebooks import Section, show


@dataclass(frozen=True)
class Complaint:
    """One broken rule: where it is broken, what is wrong and what to do."""

    where: str
    text: str

    def __str__(self) -> str:
        return f"{self.where}: {self.text}"


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

    @property
    def lines(self) -> int:
        """The number of lines of code, blank ones and solution markers left out."""
        source = notebooks.strip_markers(self.source)
        return sum(bool(line.strip()) for line in source.splitlines())

    def shows(self) -> bool:
        """Return whether a reader sees a result below the cell."""
        return any(output.get("name") != "stderr" for output in self.node.outputs)

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


Rule = Callable[[Lab], Iterator[Complaint]]

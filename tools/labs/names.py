"""The names that a cell reads, sets and imports, told from its source."""

import ast

from nbformat import NotebookNode


def _nodes(cell: NotebookNode) -> list[ast.AST]:
    """Return all nodes of a cell's source."""
    return list(ast.walk(ast.parse(cell.source)))


def _named(nodes: list[ast.AST], context: type[ast.expr_context]) -> set[str]:
    """Return the names in one role."""
    names = [node for node in nodes if isinstance(node, ast.Name)]
    return {name.id for name in names if isinstance(name.ctx, context)}


def used(cell: NotebookNode) -> set[str]:
    """Return the names that a cell reads; `total += 1` reads as well."""
    nodes = _nodes(cell)
    sums = [node.target for node in nodes if isinstance(node, ast.AugAssign)]
    return _named(nodes, ast.Load) | {n.id for n in sums if isinstance(n, ast.Name)}


def needed(cell: NotebookNode) -> set[str]:
    """Return the names that a cell reads, without scratch names that it sets itself.

    A scratch name begins with an underscore, and no cell reads one of another cell
    under the name of its own.
    """
    own = made(cell) | _named(_nodes(cell), ast.Store)
    return used(cell) - {name for name in own if name.startswith("_")}


def defined(cell: NotebookNode) -> set[str]:
    """Return the functions and classes that a cell defines."""
    kinds = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
    return {node.name for node in _nodes(cell) if isinstance(node, kinds)}


def imported(cell: NotebookNode) -> set[str]:
    """Return the names that a cell imports; of `import os.path`, the first."""
    kinds = ast.Import | ast.ImportFrom
    imports = [node for node in _nodes(cell) if isinstance(node, kinds)]
    aliases = [alias for node in imports for alias in node.names]
    return {(alias.asname or alias.name).split(".")[0] for alias in aliases}


def made(cell: NotebookNode) -> set[str]:
    """Return all names that a cell sets, defines or imports.

    The name that a comprehension counts with is none of them: it ends with it.
    """
    nodes = _nodes(cell)
    loops = [node.target for node in nodes if isinstance(node, ast.comprehension)]
    inner = {id(node) for target in loops for node in ast.walk(target)}
    stays = [node for node in nodes if id(node) not in inner]
    return _named(stays, ast.Store) | defined(cell) | imported(cell)

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
    """Return all names that a cell sets, defines or imports."""
    return _named(_nodes(cell), ast.Store) | defined(cell) | imported(cell)

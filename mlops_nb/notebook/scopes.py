"""Which names are local to a function."""

from __future__ import annotations

import ast
from collections.abc import Iterator

_SCOPES = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef
_COMPREHENSIONS = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp


def list_parameters(arguments: ast.arguments) -> list[ast.arg]:
    """List the parameters of a function, positional ones first.

    Parameters
    ----------
    arguments
        As the node of a function or lambda holds them.

    Returns
    -------
    list of ast.arg
        All of them, ``*args`` and ``**kwargs`` last.
    """
    listed = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    return listed + [item for item in (arguments.vararg, arguments.kwarg) if item is not None]


def find_locals(node: ast.AST) -> set[str]:
    """Find the names that a function or class body binds for itself.

    Parameters
    ----------
    node
        A function, lambda or class.

    Returns
    -------
    set of str
        Its parameters and the names bound in it, without those declared global or nonlocal.
    """
    names: set[str] = set()
    declared: set[str] = set()
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
        names |= {item.arg for item in list_parameters(node.args)}
    names |= {item.name for item in getattr(node, "type_params", [])}
    body = node.body if not isinstance(node, ast.Lambda) else [node.body]  # type: ignore[attr-defined]
    for statement in body:
        for item in _walk_scope(statement):
            if isinstance(item, ast.Global | ast.Nonlocal):
                declared |= set(item.names)
            else:
                names |= _find_bound(item)
    return names - declared


def _walk_scope(node: ast.AST) -> Iterator[ast.AST]:
    """Walk the nodes of one scope; of comprehensions only walrus targets belong to it."""
    yield node
    if isinstance(node, _SCOPES):
        return
    for child in ast.iter_child_nodes(node):
        if isinstance(node, _COMPREHENSIONS):
            yield from (item for item in ast.walk(child) if isinstance(item, ast.NamedExpr))
        else:
            yield from _walk_scope(child)


def _find_bound(node: ast.AST) -> set[str]:
    """Find the names that one node binds."""
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store | ast.Del):
        return {node.id}
    if isinstance(node, ast.NamedExpr):
        return {node.target.id}
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return {node.name}
    if isinstance(node, ast.Import | ast.ImportFrom):
        return {item.asname or item.name.partition(".")[0] for item in node.names}
    if isinstance(node, ast.ExceptHandler | ast.MatchAs | ast.MatchStar) and node.name:
        return {node.name}
    if isinstance(node, ast.MatchMapping) and node.rest:
        return {node.rest}
    return set()

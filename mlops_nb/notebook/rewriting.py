"""Statements of a parameters cell in the one form that is read: ``name = value``, full names."""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, cast

from mlops_nb.notebook.magics import parse_cell

_MODULES = frozenset({"datetime", "decimal", "math", "pathlib"})


def find_aliases(source: str) -> dict[str, str]:
    """Find what imports call the modules whose values may be defaults.

    Parameters
    ----------
    source
        A cell as it stands in the notebook.

    Returns
    -------
    dict
        ``datetime`` by ``dt`` after ``import datetime as dt``; ``datetime.date`` by ``Day`` after
        ``from datetime import date as Day``. Names that are no aliases are not in it.
    """
    found: dict[str, str] = {}
    if not any(module in source for module in _MODULES):
        return found
    try:
        tree = parse_cell(source)
    except SyntaxError:
        return found
    for node in tree.body:
        if isinstance(node, ast.Import):
            pairs = [(item.name, item) for item in node.names if item.name in _MODULES]
        elif isinstance(node, ast.ImportFrom) and node.module in _MODULES:
            pairs = [(f"{node.module}.{item.name}", item) for item in node.names]
        else:
            continue
        found |= {item.asname: name for name, item in pairs if item.asname}
    return found


class _FullNames(ast.NodeTransformer):
    """Puts full names in the place of aliases."""

    def __init__(self, aliases: Mapping[str, str]) -> None:
        self._aliases = aliases

    def visit_Name(self, node: ast.Name) -> ast.expr:
        name = self._aliases.get(node.id)
        if name is None or not isinstance(node.ctx, ast.Load):
            return node
        return ast.copy_location(ast.parse(name, mode="eval").body, node)


def resolve_aliases(statement: ast.stmt, aliases: Mapping[str, str]) -> ast.stmt:
    """Write the value of an assignment with full names.

    Parameters
    ----------
    statement
        Any statement; it stays as it is, and so does its annotation in what is given back.
    aliases
        As from `find_aliases`.

    Returns
    -------
    ast.stmt
        The same with ``datetime.date`` for ``dt.date`` and so on.
    """
    value = getattr(statement, "value", None)
    if not aliases or value is None:
        return statement
    changed: Any = copy.copy(statement)
    changed.value = _FullNames(aliases).visit(copy.deepcopy(value))
    return cast("ast.stmt", changed)


def split_pairs(body: Iterable[ast.stmt]) -> Iterator[ast.stmt]:
    """Split ``a, b = 1, 2`` and ``a = b = 1`` into one assignment a name.

    Parameters
    ----------
    body
        Statements.

    Yields
    ------
    ast.stmt
        Others as they are: only values that are literals may be written twice.
    """
    for statement in body:
        pairs = list(_pair(statement)) if isinstance(statement, ast.Assign) else []
        if not pairs:
            yield statement
        for target, value in pairs:
            yield ast.copy_location(ast.Assign([target], value), statement)


def _pair(statement: ast.Assign) -> Iterator[tuple[ast.expr, ast.expr]]:
    value, sequence = statement.value, ast.Tuple | ast.List
    if len(statement.targets) > 1:
        if isinstance(value, ast.Constant) and all(map(_is_name, statement.targets)):
            yield from ((target, value) for target in statement.targets)
        return
    target = statement.targets[0]
    if (
        isinstance(target, sequence)
        and isinstance(value, sequence)
        and len(target.elts) == len(value.elts)
        and all(map(_is_name, target.elts))
    ):
        yield from zip(target.elts, value.elts, strict=True)


def _is_name(node: ast.expr) -> bool:
    return isinstance(node, ast.Name)

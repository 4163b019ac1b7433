"""What a name was given, read from the syntax: assignments, loops, arguments, fillings."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from types import FrameType
from typing import Any

from mlops_nb.autolog.callsites import Site

FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)


def list_parts(node: ast.AST) -> list[ast.AST]:
    """Give the parts of an expression that its value can come from."""
    if isinstance(node, ast.Lambda):
        return []
    if isinstance(node, ast.Call):
        return [node.func, *node.args, *(word.value for word in node.keywords)]
    kinds = (ast.expr, ast.comprehension)
    return [child for child in ast.iter_child_nodes(node) if isinstance(child, kinds)]


def list_fills(scope: ast.AST, name: str) -> list[tuple[ast.AST | None, ast.AST]]:
    """Give key and value of each statement that puts something into ``name`` or ``self.name``."""
    known = _remember(scope)
    key = ("fills", name)
    if key not in known:
        known[key] = list(_find_fills(scope, name))
    found: list[tuple[ast.AST | None, ast.AST]] = known[key]
    return found


def _remember(scope: ast.AST) -> dict[Any, Any]:
    """Give what was found in a scope before: a tree of ours never changes, and takes it along."""
    known: dict[Any, Any] = vars(scope).setdefault("found", {})
    return known


def _find_fills(scope: ast.AST, name: str) -> Iterator[tuple[ast.AST | None, ast.AST]]:
    for node in _walk_scope(scope):
        if isinstance(node, ast.Assign):
            for target in node.targets:
                if isinstance(target, ast.Subscript) and _is_filled(target.value, name):
                    yield target.slice, node.value
        elif (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr in {"append", "insert", "extend", "update", "setdefault"}
            and _spells(node.func.value, name)
        ):
            for value in node.args[-1:]:
                yield None, value


def _spells(node: ast.AST, name: str) -> bool:
    """Tell whether an expression is a name: ``scores``, ``self.scores``."""
    if isinstance(node, ast.Attribute):
        owner, _, last = name.rpartition(".")
        return bool(owner) and node.attr == last and _spells(node.value, owner)
    return isinstance(node, ast.Name) and node.id == name


def _is_filled(node: ast.AST, name: str) -> bool:
    if isinstance(node, ast.Attribute) and node.attr in {"loc", "iloc", "at", "iat"}:
        return _spells(node.value, name)  # of a frame of pandas
    return _spells(node, name)


def last_definition(scope: ast.AST, name: str, line: int | None) -> ast.AST | None:
    """Find what a name was last given in a scope, at or before a line: an expression or a loop."""
    known = _remember(scope)
    key = (name, line)
    if key not in known:
        known[key] = _find_last(scope, name, line)
    found: ast.AST | None = known[key]
    return found


def _find_last(scope: ast.AST, name: str, line: int | None) -> ast.AST | None:
    best: ast.AST | None = None
    best_line = -1
    for node in _walk_scope(scope):
        at = getattr(node, "lineno", None)
        if isinstance(node, ast.comprehension):
            at = node.target.lineno
        if at is None or at <= best_line or (line is not None and at > line):
            continue
        found = _definition_in(node, name)
        if found is not None:
            best, best_line = found, at
    return best


def _walk_scope(scope: ast.AST) -> Iterator[ast.AST]:
    """Walk a scope without going into the functions and classes it defines."""
    waiting = list(ast.iter_child_nodes(scope))
    while waiting:
        node = waiting.pop()
        yield node
        if not isinstance(node, FUNCTIONS):
            waiting.extend(ast.iter_child_nodes(node))


def _definition_in(node: ast.AST, name: str) -> ast.AST | None:
    if isinstance(node, ast.Assign):
        values = (_match(target, node.value, name) for target in node.targets)
        return next((value for value in values if value is not None), None)
    if isinstance(node, (ast.AnnAssign, ast.NamedExpr, ast.AugAssign)) and node.value is not None:
        return _match(node.target, node.value, name)
    if isinstance(node, (ast.For, ast.AsyncFor, ast.comprehension)):
        return node if binds(node.target, name) else None
    if isinstance(node, ast.withitem) and node.optional_vars is not None:
        return _match(node.optional_vars, node.context_expr, name)
    return None


def binds(target: ast.AST, name: str) -> bool:
    """Tell whether a target of an assignment or loop binds a name."""
    return any(
        isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store) and node.id == name
        for node in ast.walk(target)
    )


def _match(target: ast.AST, value: ast.AST, name: str) -> ast.AST | None:
    """Give the part of a value that a name in a target receives."""
    if not binds(target, name):
        return None
    pairs = (ast.Tuple, ast.List)
    if (
        isinstance(target, pairs)
        and isinstance(value, pairs)
        and len(target.elts) == len(value.elts)
    ):
        for inner, part in zip(target.elts, value.elts, strict=True):
            if binds(inner, name):
                return _match(inner, part, name)
    return value


def find_argument(site: Site, frame: FrameType, name: str) -> ast.AST | None:
    """Find what a call gives for a parameter of the function that a frame runs."""
    for word in site.call.keywords:
        if word.arg == name:
            return word.value
    code = frame.f_code
    parameters = list(code.co_varnames[: code.co_argcount])
    if parameters[:1] in (["self"], ["cls"]):
        parameters = parameters[1:]
    if name in parameters and parameters.index(name) < len(site.call.args):
        return site.call.args[parameters.index(name)]
    return None


def has_fit(value: ast.AST) -> bool:
    """Say whether an expression fits a model by itself: ``KMeans(3).fit_predict(X)``."""
    for node in ast.walk(value):
        if isinstance(node, ast.Call):
            name = getattr(node.func, "attr", None) or getattr(node.func, "id", "")
            if name in {"fit", "fit_predict", "cross_val_predict"}:
                return True
    return False

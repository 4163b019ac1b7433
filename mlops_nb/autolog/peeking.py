"""Looks values up by their syntax; no code of the user runs."""

from __future__ import annotations

import ast
from typing import Any

from mlops_nb.autolog.frames import read_fields
from mlops_nb.capture.kinds import Kinds

NOTHING = object()
_COLLECTIONS, _KEYS = Kinds(dict, list, tuple), Kinds(str, int)


def peek(node: ast.AST, scope: dict[str, Any], outer: dict[str, Any]) -> Any:
    """Look a value up: a variable, a plain attribute, a member of a built-in collection.

    Parameters
    ----------
    node
        The expression.
    scope, outer
        Variables of the frame, and its global ones.

    Returns
    -------
    object
        `NOTHING` where it cannot be had so.
    """
    if isinstance(node, ast.Name):
        return scope.get(node.id, outer.get(node.id, NOTHING))
    if isinstance(node, ast.Attribute):
        owner = peek(node.value, scope, outer)
        return NOTHING if owner is NOTHING else read_fields(owner).get(node.attr, NOTHING)
    if isinstance(node, ast.Subscript):
        owner = peek(node.value, scope, outer)
        key = node.slice.value if isinstance(node.slice, ast.Constant) else NOTHING
        if isinstance(node.slice, ast.Name):
            key = peek(node.slice, scope, outer)
        if type(owner) in _COLLECTIONS and type(key) in _KEYS:
            try:
                return owner[key]
            except (LookupError, TypeError):
                return NOTHING
    return NOTHING

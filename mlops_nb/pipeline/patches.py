"""What a notebook sets on modules and classes of libraries: ``pd.DataFrame.rows = f``."""

from __future__ import annotations

import ast
import importlib
import sys
from collections.abc import Iterable, Mapping
from typing import Any

from mlops_nb.notebook.magics import parse_cell

_ITEMS = "[]"  # marks a dict of a library in which the notebook sets items


def find_patches(source: str, imports: Mapping[str, str]) -> tuple[str, ...]:
    """Find what a cell sets on imported modules and classes.

    Parameters
    ----------
    source
        The cell as it stands in the notebook.
    imports
        Names bound by imports so far, with the dotted path behind each.

    Returns
    -------
    tuple of str
        Dotted paths; those that end in ``[]`` are dicts whose items are set.
    """
    try:
        tree = parse_cell(source)
    except SyntaxError:
        return ()  # it fails when it runs
    found: dict[str, None] = {}
    for node in ast.walk(tree):
        if not isinstance(getattr(node, "ctx", None), ast.Store):
            continue
        if isinstance(node, ast.Attribute):
            path, ending = _read_path(node, imports), ""
        elif isinstance(node, ast.Subscript) and isinstance(node.value, ast.Attribute):
            path, ending = _read_path(node.value, imports), _ITEMS
        else:
            continue
        if path:
            found[path + ending] = None
    return tuple(found)


def _read_path(node: ast.expr, imports: Mapping[str, str]) -> str:
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name) or node.id not in imports:
        return ""
    return ".".join([imports[node.id], *reversed(parts)])


def _find_owner(path: str) -> tuple[Any, str] | None:
    *parents, name = path.removesuffix(_ITEMS).split(".")
    for count in range(len(parents), 0, -1):
        module = ".".join(parents[:count])
        if module in sys.modules:
            owner: Any = sys.modules[module]
            for part in parents[count:]:
                owner = getattr(owner, part, None)
            return owner, name
    return None


def capture_patches(paths: Iterable[str]) -> dict[str, Any]:
    """Read what was set on libraries.

    Parameters
    ----------
    paths
        From `find_patches`.

    Returns
    -------
    dict
        Value by path; a path that holds nothing (any more) is left out.
    """
    values: dict[str, Any] = {}
    for path in paths:
        found = _find_owner(path)
        if found is None:
            continue
        owner, name = found
        if isinstance(owner, type) and name in vars(owner):
            value = vars(owner)[name]  # not through its descriptor
        elif hasattr(owner, name):
            value = getattr(owner, name)
        else:
            continue
        if not path.endswith(_ITEMS):
            values[path] = value
        elif type(value) is dict:
            values[path] = dict(value)
    return values


def restore_patches(values: Mapping[str, Any]) -> None:
    """Set on the libraries of this process what was set on those of another one.

    Parameters
    ----------
    values
        From `capture_patches`.
    """
    for path, value in values.items():
        _import_owner(path)
        found = _find_owner(path)
        if found is None or found[0] is None:
            continue
        owner, name = found
        if path.endswith(_ITEMS):
            getattr(owner, name).update(value)
        else:
            setattr(owner, name, value)


def _import_owner(path: str) -> None:
    parts = path.split(".")
    for count in range(1, len(parts)):
        try:
            importlib.import_module(".".join(parts[:count]))
        except ImportError:
            return

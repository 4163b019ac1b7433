"""What a notebook sets on modules and classes of libraries: ``pd.DataFrame.rows = f``."""

from __future__ import annotations

import ast
import importlib
import sys
import types
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from mlops_nb.notebook.magics import parse_cell

_ITEMS = "[]"  # marks a dict of a library in which the notebook sets items
_CALL = "!"  # marks a function that the notebook calls, which may keep something
_IMPORT = "()"  # marks a module that is imported for what its import does
_READ_ELSEWHERE = ("RcParams",)
# Classes that libraries give methods of their own by a call: ``tqdm.pandas()``.
_EXTENDED = (
    *("pandas.DataFrame", "pandas.Series", "pandas.Index"),
    *("pandas.api.typing.DataFrameGroupBy", "pandas.api.typing.SeriesGroupBy"),
)


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


def find_read(sources: Iterable[str]) -> frozenset[str]:
    """Find the names that cells read, also where the same cell has bound them.

    Parameters
    ----------
    sources
        The cells as they stand in the notebook.

    Returns
    -------
    frozenset of str
        For `find_side_imports`.
    """
    found: set[str] = set()
    for source in sources:
        try:
            tree = parse_cell(source)
        except SyntaxError:
            continue
        names = (node for node in ast.walk(tree) if isinstance(node, ast.Name))
        found |= {node.id for node in names if isinstance(node.ctx, ast.Load)}
    return frozenset(found)


def find_side_imports(source: str, used: Collection[str]) -> tuple[str, ...]:
    """Find the modules that a cell imports for what their import does.

    Parameters
    ----------
    source
        The cell as it stands in the notebook.
    used
        Names that any cell reads.

    Returns
    -------
    tuple of str
        Paths for `capture_patches`: of names that nobody reads, and of modules inside packages,
        which become attributes of these.
    """
    try:
        tree = parse_cell(source)
    except SyntaxError:
        return ()
    found: dict[str, None] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                is_inside = "." in alias.name and alias.asname is None
                if is_inside or (alias.asname or alias.name) not in used:
                    found[alias.name + _IMPORT] = None
        elif (
            isinstance(node, ast.ImportFrom)
            and node.module
            and any((alias.asname or alias.name) not in used for alias in node.names)
        ):
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
            found |= dict.fromkeys(name + _IMPORT for name in names)
    return tuple(found)


def find_calls(source: str, imports: Mapping[str, str]) -> tuple[str, ...]:
    """Find which functions of imported modules a cell calls.

    Parameters
    ----------
    source
        The cell as it stands in the notebook.
    imports
        Names bound by imports so far, with the dotted path behind each.

    Returns
    -------
    tuple of str
        Paths that `select_calls` takes apart from the others.
    """
    try:
        tree = parse_cell(source)
    except SyntaxError:
        return ()
    called = (_read_path(n.func, imports) for n in ast.walk(tree) if isinstance(n, ast.Call))
    return tuple(dict.fromkeys(path + _CALL for path in called if path))


def select_calls(paths: Iterable[str]) -> tuple[str, ...]:
    """Select what `find_calls` has found.

    Parameters
    ----------
    paths
        Of a step.

    Returns
    -------
    tuple of str
        Dotted paths of functions.
    """
    return tuple(path.removesuffix(_CALL) for path in paths if path.endswith(_CALL))


def list_added() -> tuple[str, ...]:
    """List what libraries have set on the classes of pandas.

    Returns
    -------
    tuple of str
        Paths for `capture_patches`.
    """
    found = []
    for path in _EXTENDED if "pandas" in sys.modules else ():
        owner = _find_owner(path)
        kind = None if owner is None else getattr(*owner, None)
        for name, value in vars(kind).items() if isinstance(kind, type) else ():
            module = getattr(value, "__module__", None) or ""
            is_foreign = module.partition(".")[0] not in ("pandas", "__main__", "")
            if isinstance(value, types.FunctionType) and is_foreign:
                found.append(f"{path}.{name}")
    return tuple(found)


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
        if path.endswith(_CALL):
            continue
        if path.endswith(_IMPORT):
            if path.removesuffix(_IMPORT) in sys.modules:
                values[path] = True
            continue
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
        elif isinstance(value, dict) and type(value).__name__ not in _READ_ELSEWHERE:
            values[path] = dict(value)
    return values


def restore_patches(values: Mapping[str, Any]) -> None:
    """Set on the libraries of this process what was set on those of another one.

    Parameters
    ----------
    values
        From `capture_patches`.
    """
    for path in values:
        if path.endswith(_IMPORT):
            importlib.import_module(path.removesuffix(_IMPORT))
    for path, value in values.items():
        if path.endswith(_IMPORT):
            continue
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

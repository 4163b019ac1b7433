"""What a loop is made of, as far as its syntax tells."""

from __future__ import annotations

import ast

from mlops_nb.notebook.effects import USUAL_MODULES
from mlops_nb.notebook.values import Known


def is_text(node: ast.stmt) -> bool:
    """Tell whether a statement is a text that stands by itself.

    Parameters
    ----------
    node
        The statement.

    Returns
    -------
    bool
        True for docstrings.
    """
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def find_break(node: ast.AST) -> ast.stmt | None:
    """Find a ``break`` of the loop itself, not of one within it.

    Parameters
    ----------
    node
        A statement of its body.

    Returns
    -------
    ast.stmt or None
        The first.
    """
    if isinstance(node, ast.Break):
        return node
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef):
        return None
    inner = list(ast.iter_child_nodes(node))
    if isinstance(node, ast.For | ast.AsyncFor | ast.While):
        inner = list(node.orelse)
    return next((found for child in inner if (found := find_break(child)) is not None), None)


def has_continue(node: ast.AST) -> bool:
    """Tell whether a round may be left by ``continue`` of the loop itself.

    Parameters
    ----------
    node
        A statement of its body.

    Returns
    -------
    bool
        False for those of loops within it.
    """
    if isinstance(node, ast.Continue):
        return True
    inner = list(ast.iter_child_nodes(node))
    if isinstance(node, ast.For | ast.AsyncFor | ast.While):
        inner = list(node.orelse)
    return any(map(has_continue, inner))


def find_prepared(node: ast.stmt) -> set[str]:
    """Give the name that a statement binds to a constant or a new list or dict.

    Parameters
    ----------
    node
        A statement above the loop.

    Returns
    -------
    set of str
        Empty where it does anything else.
    """
    if not isinstance(node, ast.Assign | ast.AnnAssign) or node.value is None:
        return set()
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    value = node.value
    is_new = ast.unparse(value) in {"[]", "{}", "list()", "dict()"}
    if not (is_new or isinstance(value, ast.Constant)):
        return set()
    names = {target.id for target in targets if isinstance(target, ast.Name)}
    return names if len(names) == len(targets) == 1 else set()


def find_stored(node: ast.AST) -> set[str]:
    """List the names that a statement binds by writing them out.

    Parameters
    ----------
    node
        The statement.

    Returns
    -------
    set of str
        Names.
    """
    return {
        item.id
        for item in ast.walk(node)
        if isinstance(item, ast.Name) and isinstance(item.ctx, ast.Store)
    }


def find_line(loop: ast.For, name: str, *, is_use: bool = False) -> int:
    """Find the line of the body that names a variable.

    Parameters
    ----------
    loop
        The loop.
    name
        The variable.
    is_use
        The line that reads it, not the one that writes it.

    Returns
    -------
    int
        From 1; that of the loop where none is found.
    """
    found = [
        node
        for statement in loop.body
        for node in ast.walk(statement)
        if isinstance(node, ast.Name) and node.id == name
    ]
    if is_use:  # the places that fill it come first, what reads it is the last
        return found[-1].lineno if found else loop.lineno
    return found[0].lineno if found else loop.lineno


def find_path(func: ast.expr, known: Known) -> str:
    """Give the dotted path of what is called, through the imports.

    Parameters
    ----------
    func
        What is called.
    known
        What the cells above define.

    Returns
    -------
    str
        Empty where it is no module's.
    """
    parts: list[str] = []
    while isinstance(func, ast.Attribute):
        parts.append(func.attr)
        func = func.value
    if not isinstance(func, ast.Name):
        return ""
    root = known.modules.get(func.id) or (
        "" if func.id in known.names else USUAL_MODULES.get(func.id, "")
    )
    return ".".join([root, *reversed(parts)]) if root else ""

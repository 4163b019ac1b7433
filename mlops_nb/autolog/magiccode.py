"""Code that magics are given to run: ``%%time`` and the like keep its source from ``linecache``."""

from __future__ import annotations

import ast
from collections.abc import Callable
from types import CodeType, FrameType

from mlops_nb.autolog.frames import read_locals
from mlops_nb.notebook.magics import read_magic, strip_options, to_python

# These run what they are given once, in the namespace of the notebook.
_CELL_MAGICS = frozenset({"time", "capture", "prun", "mlops", "snakeviz"})
_LINE_MAGICS = frozenset({"time", "prun", "snakeviz"})
_TIMED = ("<timed exec>", "<timed eval>")
_ASKED = "get_ipython().run_"


def is_time_magic(code: CodeType) -> bool:
    """Tell whether code was compiled by ``%time`` or ``%%time``."""
    return code.co_filename in _TIMED


def find_timed_source(frame: FrameType) -> str | None:
    """Give the source of code that ``%time`` runs now.

    Parameters
    ----------
    frame
        A frame of such code, or of a function that it defines.

    Returns
    -------
    str or None
        None where an earlier ``%%time`` has defined the function, whose source nobody has kept.
    """
    above: FrameType | None = frame
    while above is not None:
        timer = above.f_back
        if above.f_code.co_name == "<module>" and is_time_magic(above.f_code):
            break
        above = timer
    if above is None or timer is None or timer.f_code.co_name != "time":
        return None
    values = read_locals(timer)
    source = values.get("expr")
    # A last expression is compiled for itself.
    parts = [values.get(name) for name in ("code", "code_2")]
    if type(source) is str and any(_holds(part, frame.f_code) for part in parts):
        return source
    return None


def _holds(outer: object, code: CodeType) -> bool:
    """Tell whether code is that of another, or defined in it."""
    if not isinstance(outer, CodeType):
        return False
    return outer is code or any(_holds(constant, code) for constant in outer.co_consts)


def read_body(source: str) -> str | None:
    """Give the code below a magic at the head of a cell.

    Parameters
    ----------
    source
        A cell, as written or as IPython has made it Python.

    Returns
    -------
    str or None
        None where the cell is no such magic's.
    """
    if source.startswith("%%"):
        head, _, body = source.partition("\n")
        return _to_python(body) if head[2:].partition(" ")[0].strip() in _CELL_MAGICS else None
    if not source.startswith(f"{_ASKED}cell_magic("):
        return None
    try:
        statements = ast.parse(source).body
    except (SyntaxError, ValueError, RecursionError, MemoryError, SystemError):
        return None
    first = statements[0] if len(statements) == 1 else None
    magic = read_magic(first.value) if isinstance(first, ast.Expr) else None
    return _to_python(magic.body) if magic is not None and magic.name in _CELL_MAGICS else None


def _to_python(body: str) -> str:
    """Turn magics within into Python, as IPython does once the one at the head runs."""
    try:
        return to_python(body)
    except (SyntaxError, ValueError, RecursionError, MemoryError, SystemError):
        return body


def has_line_magic(source: str) -> bool:
    """Tell whether a line of a cell, as IPython has made it Python, may be given to a magic."""
    return f"{_ASKED}line_magic(" in source


def unwrap_lines(module: ast.Module, parse: Callable[[str], ast.Module | None]) -> ast.Module:
    """Put the code that line magics are given in their place: ``%time model.fit(X)``.

    Parameters
    ----------
    module
        A cell; it is changed.
    parse
        Parses text; None where that is not possible.

    Returns
    -------
    ast.Module
        The same.
    """
    unwrapped = _Lines(parse).visit(module)
    assert isinstance(unwrapped, ast.Module)
    return unwrapped


class _Lines(ast.NodeTransformer):
    def __init__(self, parse: Callable[[str], ast.Module | None]) -> None:
        self._parse = parse

    def visit_Expr(self, node: ast.Expr) -> ast.AST | list[ast.stmt]:
        """Put statements where a magic stood for itself."""
        inner = self._read(node.value)
        return self.generic_visit(node) if inner is None else inner.body

    def visit_Call(self, node: ast.Call) -> ast.AST:
        """Put the expression whose value a magic gives back."""
        inner = self._read(node)
        if inner is not None and len(inner.body) == 1 and isinstance(inner.body[0], ast.Expr):
            return inner.body[0].value
        return self.generic_visit(node)

    def _read(self, node: ast.expr) -> ast.Module | None:
        magic = read_magic(node)
        if magic is None or magic.kind != "line" or magic.name not in _LINE_MAGICS:
            return None
        inner = self._parse(strip_options(magic.line, "lsTD"))
        if inner is not None:
            ast.increment_lineno(inner, node.lineno - 1)
        return inner

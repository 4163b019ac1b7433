"""The lines of a prelude that every step runs again: imports, definitions, library settings.

A later step gets all values from the boundary. What it must run again is only what acts on
libraries in the process: imports, magics, settings. A line that could act on the world a second
time (write, delete, draw) is left out.
"""

from __future__ import annotations

import ast
import builtins
import re
from collections.abc import Collection
from dataclasses import dataclass, field

from mlops_nb.notebook.literals import NotLiteralError, read_literal
from mlops_nb.notebook.magics import parse_cell, read_magic, to_python

_MAGICS = frozenset(
    ["load_ext", "reload_ext", "matplotlib", "config", "autoreload", "aimport", "precision"]
)
_SETTING = re.compile(
    r"set(_\w+)?|set[A-Z]\w*|use(_\w+)?|seterr\w*|filterwarnings|simplefilter|basicConfig"
    r"|captureWarnings|(en|dis)able\w*|register\w*|init(ialize)?\w*|reset\w*|config\w*"
    r"|activate\w*|patch\w*|apply|pandas|rc|seed\w*|manual_seed\w*|getLogger"
)
_BUILTINS = frozenset([*dir(builtins), "get_ipython", "__name__"])
_PLAIN_CALLS = frozenset(["dataclass", "field", "lru_cache", "cache", "wraps", "namedtuple"])


@dataclass(slots=True)
class Given:
    """What a later step has before the boundary is loaded.

    Attributes
    ----------
    imported
        Names of modules and of what was imported from them.
    names
        These, and names of what the lines that run again define.
    is_open
        A star import may have given any name.
    """

    imported: set[str] = field(default_factory=set)
    names: set[str] = field(default_factory=set)
    is_open: bool = False


def select_settings(source: str, given: Given | None = None) -> str:
    """Select the lines of a prelude cell that a later step runs again.

    Parameters
    ----------
    source
        The cell as it stands in the notebook.
    given
        What the cells above have given; what this cell gives is added.

    Returns
    -------
    str
        The cell itself where all of it can run again, else the lines that can; may be empty.
    """
    text = to_python(source)
    tree = parse_cell(source)
    lines = text.splitlines()
    chooser = _Chooser(given or Given())
    kept = [statement for statement in tree.body if chooser.keeps(statement)]
    if len(kept) == len(tree.body):
        return source
    pieces = []
    for statement in kept:
        decorators = getattr(statement, "decorator_list", [])
        start = min(node.lineno for node in [statement, *decorators])
        pieces.append("\n".join(lines[start - 1 : statement.end_lineno]))
    return "\n".join(pieces)


class _Chooser:
    """Decides statement by statement, remembering which names are there."""

    def __init__(self, given: Given) -> None:
        self.given = given

    def keeps(self, statement: ast.stmt) -> bool:
        kept = self._judge(statement)
        if kept:
            self.given.names |= _find_bound(statement) | {getattr(statement, "name", "")}
        return kept

    def _judge(self, statement: ast.stmt) -> bool:
        if isinstance(statement, ast.Import | ast.ImportFrom):
            names = {(alias.asname or alias.name).split(".")[0] for alias in statement.names}
            self.given.imported |= names
            self.given.names |= names
            self.given.is_open |= "*" in names
            return True
        if isinstance(statement, ast.Pass):
            return True
        if isinstance(statement, ast.Try):
            parts = [*statement.body, *statement.orelse, *statement.finalbody]
            parts += [part for handler in statement.handlers for part in handler.body]
            judged = [self._judge(part) for part in parts]  # all of them: each import is noted
            return all(judged)
        if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            run_now = _find_definition_time(statement)
            own = {name for node in run_now for name in _find_bound(node)}
            return all(self._is_quiet(node, own) for node in run_now)
        if isinstance(statement, ast.Assign):
            return self._keeps_assignment(statement)
        if isinstance(statement, ast.Expr):
            return self._keeps_expression(statement.value)
        return False

    def _keeps_assignment(self, statement: ast.Assign) -> bool:
        try:
            read_literal(statement.value)
        except NotLiteralError:
            return False
        return all(
            isinstance(target, ast.Name) or _find_root(target) in self.given.imported
            for target in statement.targets
        )

    def _keeps_expression(self, value: ast.expr) -> bool:
        if isinstance(value, ast.Constant):
            return True
        magic = read_magic(value)
        if magic is not None:
            return magic.kind == "line" and magic.name in _MAGICS
        return isinstance(value, ast.Call) and self._is_quiet(value)

    def _is_quiet(self, tree: ast.AST, own: Collection[str] = ()) -> bool:
        there = self.given.names | _find_bound(tree) | _BUILTINS | {*own}
        for node in ast.walk(tree):
            if isinstance(node, ast.Name) and not (node.id in there or self.given.is_open):
                return False
            if isinstance(node, ast.Call):
                name = str(getattr(node.func, "attr", None) or getattr(node.func, "id", ""))
                is_imported = _find_root(node.func) in self.given.imported or self.given.is_open
                if not (_SETTING.fullmatch(name) and is_imported) and name not in _PLAIN_CALLS:
                    return False
        return True


def _find_bound(tree: ast.AST) -> set[str]:
    """Find the names that a piece of code binds itself."""
    bound = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            bound.add(node.id)
        elif isinstance(node, ast.arg):
            bound.add(node.arg)
    return bound


def _find_root(node: ast.AST) -> str:
    while isinstance(node, ast.Attribute | ast.Subscript | ast.Call):
        node = node.func if isinstance(node, ast.Call) else node.value
    return node.id if isinstance(node, ast.Name) else ""


def _find_definition_time(
    statement: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef,
) -> list[ast.AST]:
    """Give the parts of a definition that run when it is made, not when it is used."""
    parts: list[ast.AST] = [*statement.decorator_list]
    if isinstance(statement, ast.ClassDef):
        parts += [*statement.bases, *(keyword.value for keyword in statement.keywords)]
        for inner in statement.body:
            if isinstance(inner, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                parts += _find_definition_time(inner)
            else:
                parts.append(inner)
        return parts
    defaults = [*statement.args.defaults, *statement.args.kw_defaults]
    return parts + [default for default in defaults if default is not None]

"""Parameters of a notebook: declared in one tagged cell, with type and help."""

from __future__ import annotations

import ast
import io
import tokenize
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from mlops_nb.errors import NotebookError
from mlops_nb.notebook.choices import (
    EnumMember,
    Members,
    find_enums,
    find_owner,
    read_member,
)
from mlops_nb.notebook.computed import look_at
from mlops_nb.notebook.document import Cell, NotebookDocument
from mlops_nb.notebook.literals import NotLiteralError, read_literal
from mlops_nb.notebook.magics import (
    CODE_CELL_MAGICS,
    DISPLAY_MAGICS,
    parse_cell,
    read_magic,
    to_python,
)
from mlops_nb.notebook.rewriting import find_aliases, resolve_aliases, split_pairs
from mlops_nb.notebook.tags import CellRole, read_roles


@dataclass(frozen=True, slots=True)
class Parameter:
    """One declared parameter.

    Attributes
    ----------
    default
        The value that stands in the notebook.
    annotation
        The declared type as source, where there is one.
    help
        The comment that follows on the same line.
    enum
        The Enum class whose members it takes; empty where it takes other values.
    members
        Names of the members, with their values where they are literals; empty where the class is
        imported and so cannot be read.
    used_by
        The first statement of its own cell that computes something from it: no other value than the
        default may be given then.
    """

    name: str
    default: Any
    annotation: str | None = None
    help: str = ""
    enum: str = ""
    members: Members = ()
    used_by: str = ""

    @property
    def type_name(self) -> str:
        """The declared type, or the default's."""
        return self.annotation or self.enum or type(self.default).__name__

    @property
    def shown_type(self) -> str:
        """The type for people: quotes taken off, and what an Enum offers."""
        names = ", ".join(name for name, _ in self.members)
        return self.type_name.strip("'\"") + (f": {names}" if names else "")

    @property
    def shown_default(self) -> str:
        """The default as it stands in a notebook."""
        return str(self.default) if isinstance(self.default, EnumMember) else repr(self.default)


def read_parameters(
    document: NotebookDocument, *, may_compute: bool | None = None
) -> tuple[Parameter, ...]:
    """Read the parameters that a notebook declares.

    Parameters
    ----------
    document
        The notebook. Values that papermill injected in an earlier run count as defaults.
    may_compute
        Whether the cell may compute something besides, as it may where all cells run in one kernel;
        by default, where the notebook has no steps.

    Returns
    -------
    tuple of Parameter
        In the order of their lines; empty where no cell is tagged ``parameters``.

    Raises
    ------
    NotebookError
        Where the cell holds more than ``name[: type] = literal  # help`` and imports.
    """
    roles = read_roles(document, ("when", "rng"))
    if may_compute is None:
        may_compute = not any(role.step for role in roles)
    may_compute = may_compute and sum(role.is_declaring for role in roles) == 1
    enums: dict[str, Members] = {}
    aliases: dict[str, str] = {}
    parameters: tuple[Parameter, ...] = ()
    for cell, role in zip(document.cells, roles, strict=True):
        enums |= _find_enums(cell, role)
        if role.is_declaring and not role.is_skipped:
            parameters += parse_parameters(
                cell, document.path, enums, aliases, may_compute=may_compute
            )
        elif cell.kind == "code" and not role.is_skipped:
            aliases |= find_aliases(cell.source)
        elif role.is_injected:
            injected = {p.name: p.default for p in parse_parameters(cell, document.path)}
            parameters = tuple(
                replace(p, default=injected.get(p.name, p.default)) for p in parameters
            )
    return parameters


def _find_enums(cell: Cell, role: CellRole) -> dict[str, Members]:
    """Find the Enum classes of a cell that runs."""
    if cell.kind != "code" or role.is_skipped or "Enum" not in cell.source:
        return {}
    try:
        return find_enums(parse_cell(cell.source).body)
    except SyntaxError:
        return {}


def parse_parameters(
    cell: Cell,
    path: object = "notebook",
    enums: Mapping[str, Members] | None = None,
    aliases: Mapping[str, str] | None = None,
    *,
    may_compute: bool = False,
) -> tuple[Parameter, ...]:
    """Read the parameters that one cell declares.

    Parameters
    ----------
    cell
        The cell tagged ``parameters``.
    path
        The notebook, for error messages.
    enums
        Members of the Enum classes that the notebook defines up to here.
    aliases
        What imports up to here call the modules whose values may be defaults.
    may_compute
        Whether other statements may stand there; what they may change is no parameter then.

    Returns
    -------
    tuple of Parameter
        In the order of their lines.

    Raises
    ------
    NotebookError
        Where a line is not a declaration.
    """
    try:
        tree = parse_cell(cell.source)
    except SyntaxError as error:
        line = getattr(error, "lineno", None)
        found = f"the parameters cell is not plain Python (line {line})"
        raise NotebookError(path, found, cell.index, _MOVE) from None
    comments = _read_comments(to_python(cell.source))
    found_here: dict[str, Parameter] = {}
    known, names = dict(enums or {}), dict(aliases or {}) | find_aliases(cell.source)
    others: list[ast.stmt] = []
    refused: NotebookError | None = None
    for statement in split_pairs(tree.body):
        if _is_silent(statement):
            continue
        if own := find_enums([statement]):
            known |= own
            continue
        statement = resolve_aliases(statement, names)
        try:
            parameter = _read_declaration(statement, comments, cell, path, known)
        except NotebookError as error:
            if not may_compute:
                raise
            refused = refused or error
            others.append(statement)
            continue
        parameter = _find_type(statement, parameter, known)
        if parameter.name in found_here:
            found = f"parameter {parameter.name!r} is declared twice (line {statement.lineno})"
            raise NotebookError(path, found, cell.index, "Keep one of the lines.")
        found_here[parameter.name] = parameter
    if refused is None:
        return tuple(found_here.values())
    computed = look_at(others, {p.name: p.default for p in found_here.values()})
    if computed.is_opaque:
        raise refused
    return tuple(
        replace(parameter, used_by=computed.used.get(name, ""))
        for name, parameter in found_here.items()
        if name not in computed.changed
    )


_MOVE = "Keep only 'name = literal' in this cell; move the rest to the next cell."


def _is_silent(statement: ast.stmt) -> bool:
    """Tell statements that may stand among parameters: imports, docstrings, display magics."""
    magic = read_magic(statement.value) if isinstance(statement, ast.Expr) else None
    if magic is not None:
        return magic.name in DISPLAY_MAGICS - CODE_CELL_MAGICS
    if isinstance(statement, ast.Import | ast.ImportFrom | ast.Pass):
        return True
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)


def _find_type(
    statement: ast.stmt, parameter: Parameter, enums: Mapping[str, Members]
) -> Parameter:
    """Add the members of the Enum class that a parameter takes."""
    annotation = statement.annotation if isinstance(statement, ast.AnnAssign) else None
    owner = find_owner(annotation, enums)
    if isinstance(parameter.default, EnumMember):
        owner = parameter.default.owner
    return replace(parameter, enum=owner, members=enums.get(owner, ())) if owner else parameter


def _read_declaration(
    statement: ast.stmt,
    comments: Mapping[int, str],
    cell: Cell,
    path: object,
    enums: Mapping[str, Members],
) -> Parameter:
    """Read ``name[: type] = literal``."""
    target: ast.expr | None = None
    annotation = None
    if isinstance(statement, ast.Assign) and len(statement.targets) == 1:
        target = statement.targets[0]
    elif isinstance(statement, ast.AnnAssign):
        target, annotation = statement.target, ast.unparse(statement.annotation)
    value = getattr(statement, "value", None)
    shown = ast.unparse(statement).splitlines()[0]
    if not isinstance(target, ast.Name) or value is None:
        found = f"line {statement.lineno} of the parameters cell is no parameter: {shown!r}"
        raise NotebookError(path, found, cell.index, _MOVE)
    declared = statement.annotation if isinstance(statement, ast.AnnAssign) else None
    try:
        default = read_member(value, declared, enums)
        default = read_literal(value) if default is None else default
    except NotLiteralError as error:
        found = (
            f"parameter {target.id!r} (line {statement.lineno}) is computed from "
            f"{ast.unparse(error.node)!r}; expected a literal"
        )
        hint = f"Move {shown!r} to the next cell, or a given value would not reach it."
        raise NotebookError(path, found, cell.index, hint) from None
    return Parameter(target.id, default, annotation, comments.get(statement.end_lineno or 0, ""))


def _read_comments(source: str) -> dict[int, str]:
    """Give the comment at the end of each line."""
    comments = {}
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT and token.line[: token.start[1]].strip():
            comments[token.start[0]] = token.string.lstrip("#").strip()
    return comments

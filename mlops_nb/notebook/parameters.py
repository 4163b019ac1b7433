"""Parameters of a notebook: declared in one tagged cell, typed, given and written back exactly."""

from __future__ import annotations

import ast
import io
import keyword
import tokenize
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from mlops_nb.errors import NotebookError, ParameterError, ParameterNotFoundError
from mlops_nb.notebook.choices import (
    EnumMember,
    Members,
    choose_member,
    find_enums,
    find_owner,
    read_member,
)
from mlops_nb.notebook.coercion import MismatchError, convert
from mlops_nb.notebook.document import Cell, NotebookDocument
from mlops_nb.notebook.literals import NotLiteralError, UnwritableError, read_literal, write_literal
from mlops_nb.notebook.magics import (
    CODE_CELL_MAGICS,
    DISPLAY_MAGICS,
    parse_cell,
    read_magic,
    to_python,
)
from mlops_nb.notebook.rewriting import find_aliases, resolve_aliases, split_pairs
from mlops_nb.notebook.secrets import PREFIX, Secret, read_secret
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
    """

    name: str
    default: Any
    annotation: str | None = None
    help: str = ""
    enum: str = ""
    members: Members = ()

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


def read_parameters(document: NotebookDocument) -> tuple[Parameter, ...]:
    """Read the parameters that a notebook declares.

    Parameters
    ----------
    document
        The notebook. Values that papermill injected in an earlier run count as defaults.

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
    enums: dict[str, Members] = {}
    aliases: dict[str, str] = {}
    parameters: tuple[Parameter, ...] = ()
    for cell, role in zip(document.cells, roles, strict=True):
        enums |= _find_enums(cell, role)
        if role.is_declaring and not role.is_skipped:
            parameters += parse_parameters(cell, document.path, enums, aliases)
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
    for statement in split_pairs(tree.body):
        if _is_silent(statement):
            continue
        if own := find_enums([statement]):
            known |= own
            continue
        statement = resolve_aliases(statement, names)
        parameter = _read_declaration(statement, comments, cell, path, known)
        parameter = _find_type(statement, parameter, known)
        if parameter.name in found_here:
            found = f"parameter {parameter.name!r} is declared twice (line {statement.lineno})"
            raise NotebookError(path, found, cell.index, "Keep one of the lines.")
        found_here[parameter.name] = parameter
    return tuple(found_here.values())


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


def coerce(parameter: Parameter, value: Any) -> Any:
    """Bring a given value to a parameter's type.

    Parameters
    ----------
    parameter
        The declaration.
    value
        Text as from a command line, or a typed value.

    Returns
    -------
    Any
        A value of the declared type that can be written into a notebook exactly.

    Raises
    ------
    ParameterError
        Where the value is not of that type.
    """
    what = f"parameter {parameter.name!r}"
    try:
        if parameter.enum:
            return _to_member(parameter, value)
        converted = convert(value, parameter.annotation, parameter.default)
    except MismatchError as error:
        raise ParameterError(what, value, str(error), _hint_type(parameter)) from None
    try:
        write_literal(converted)
    except (UnwritableError, RecursionError) as error:
        expected = "numbers, texts, None, dates, paths and containers of them"
        raise ParameterError(what, value, expected, f"It holds: {error}.") from None
    return converted


def _to_member(parameter: Parameter, value: Any) -> EnumMember | None:
    """Find the member of an Enum that a value means."""
    is_optional = "None" in (parameter.annotation or "") or "Optional" in (
        parameter.annotation or ""
    )
    if is_optional and (value is None or value in ("None", "none", "null")):
        return None
    chosen = choose_member(value, parameter.enum, parameter.members)
    if chosen is not None:
        return chosen
    if not parameter.members:
        expected = f"the default, for the members of {parameter.enum!r} stand in another file"
        raise MismatchError(f"{expected}; define the class in the notebook to choose")
    raise MismatchError("one of " + ", ".join(name for name, _ in parameter.members))


def _to_secret(parameter: Parameter, text: str, environ: Mapping[str, str] | None) -> Secret:
    """Read a reference to a secret for a parameter that takes text."""
    what = f"parameter {parameter.name!r}"
    try:
        takes_text = not parameter.enum and type(coerce(parameter, "any text")) is str
    except ParameterError:
        takes_text = False
    if not takes_text:
        expected = f"a value of type {parameter.type_name}; a secret is text"
        raise ParameterError(what, text, expected, _hint_type(parameter))
    return read_secret(what, text, environ)


def _hint_type(parameter: Parameter) -> str:
    """Say where the type comes from and how to change it."""
    if parameter.annotation is not None:
        return f"The notebook declares {parameter.name}: {parameter.annotation}."
    shown = f"{parameter.name} = {parameter.default!r}"
    return f"Its type is that of the default ({shown}); annotate it there to allow others."


def resolve_parameters(
    parameters: Sequence[Parameter],
    given: Mapping[str, Any] | None = None,
    environ: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Give every parameter its value: the given one, or its default.

    Parameters
    ----------
    parameters
        The declarations.
    given
        Values by name, as text or typed; ``secret:NAME`` refers to an environment variable.
    environ
        Where secrets must be set; the environment of this process by default.

    Returns
    -------
    dict
        One value per declared parameter, in their order. A secret stays a
        :class:`~mlops_nb.notebook.secrets.Secret`, which holds the reference only.

    Raises
    ------
    ParameterNotFoundError
        Where a name is not declared.
    ParameterError
        Where a name is no identifier or a value is not of the declared type.
    """
    declared = {parameter.name: parameter for parameter in parameters}
    values = {parameter.name: parameter.default for parameter in parameters}
    for name, value in (given or {}).items():
        if not isinstance(name, str) or not name.isidentifier() or keyword.iskeyword(name):
            raise ParameterError("a parameter's name", name, "a Python identifier")
        if name not in declared:
            raise ParameterNotFoundError(name, declared)
        is_secret = isinstance(value, str) and value.startswith(PREFIX)
        values[name] = (
            _to_secret(declared[name], value, environ)
            if is_secret
            else coerce(declared[name], value)
        )
    return values


def render_parameters(values: Mapping[str, Any], title: str = "Parameters") -> str:
    """Give the source of a cell that sets parameters to exactly these values.

    Parameters
    ----------
    values
        Values by name, as :func:`resolve_parameters` gives them.
    title
        Comment in the first line.

    Returns
    -------
    str
        One assignment per line; it needs no name from the notebook.

    Raises
    ------
    ParameterError
        Where a name is no identifier or a value cannot be written as source.
    """
    lines = [f"# {title}"] if title else []
    for name, value in values.items():
        if not name.isidentifier() or keyword.iskeyword(name):
            raise ParameterError("a parameter's name", name, "a Python identifier")
        try:
            lines.append(f"{name} = {write_literal(value)}")
        except UnwritableError as error:
            expected = "a value that can be written as source"
            raise ParameterError(f"parameter {name!r}", value, expected, f"{error}.") from None
    return "\n".join(lines)

"""Values given to a notebook's parameters: brought to their types, and written back exactly."""

from __future__ import annotations

import keyword
from collections.abc import Mapping, Sequence
from typing import Any

from mlops_nb.errors import ParameterError, ParameterNotFoundError
from mlops_nb.notebook.choices import EnumMember, choose_member
from mlops_nb.notebook.coercion import MismatchError, convert
from mlops_nb.notebook.literals import UnwritableError, write_literal
from mlops_nb.notebook.parameters import Parameter
from mlops_nb.notebook.secrets import PREFIX, Secret, read_secret


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
        used_by = declared[name].used_by
        if used_by and values[name] != declared[name].default:
            expected = f"{declared[name].default!r}, for its cell computes {used_by!r} from that"
            hint = f"Move {used_by!r} to the next cell, where the given value reaches it."
            raise ParameterError(f"parameter {name!r}", value, expected, hint)
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

"""Members of an Enum as values of parameters, read from its source without running it."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping
from typing import Any

from mlops_nb.notebook.literals import NotLiteralError, SourceText, read_literal

_BASES = frozenset({"Enum", "StrEnum", "IntEnum"})
Members = tuple[tuple[str, Any], ...]


class EnumMember(SourceText):
    """A member of a class of the notebook; as text ``Mode.FAST``, which is its source too."""

    __slots__ = ()

    @property
    def owner(self) -> str:
        """The name of the class."""
        return self.partition(".")[0]

    @property
    def member(self) -> str:
        """The name of the member."""
        return self.partition(".")[2]


def find_enums(body: Iterable[ast.stmt]) -> dict[str, Members]:
    """Find the Enum classes among statements.

    Parameters
    ----------
    body
        Statements at the top of a cell.

    Returns
    -------
    dict
        Members by name of the class: their names, with their values where they are literals.
    """
    found: dict[str, Members] = {}
    for node in body:
        if isinstance(node, ast.ClassDef) and any(map(_is_enum, node.bases)):
            found[node.name] = tuple(
                (item.targets[0].id, _read_value(item.value))
                for item in node.body
                if isinstance(item, ast.Assign)
                and len(item.targets) == 1
                and isinstance(item.targets[0], ast.Name)
                and not item.targets[0].id.startswith("_")
            )
    return found


def read_member(
    node: ast.expr, annotation: ast.expr | None, enums: Mapping[str, Members]
) -> EnumMember | None:
    """Read a default such as ``Mode.FAST``.

    Parameters
    ----------
    node
        The default.
    annotation
        The declared type; it vouches for classes that are imported.
    enums
        The Enum classes of the notebook.

    Returns
    -------
    EnumMember or None
        None where it is no member.
    """
    if not (isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)):
        return None
    owner, member = node.value.id, node.attr
    if owner in enums:
        return EnumMember(f"{owner}.{member}") if member in dict(enums[owner]) else None
    is_declared = isinstance(annotation, ast.Name) and annotation.id == owner
    return EnumMember(f"{owner}.{member}") if is_declared else None


def find_owner(annotation: ast.expr | None, enums: Mapping[str, Members]) -> str | None:
    """Find the Enum class that a declared type names, alone or beside None.

    Parameters
    ----------
    annotation
        The declared type.
    enums
        The Enum classes of the notebook.

    Returns
    -------
    str or None
        Its name.
    """
    if annotation is None:
        return None
    names = [item.id for item in ast.walk(annotation) if isinstance(item, ast.Name)]
    others = {name for name in names if name not in enums} - {"Optional", "None"}
    owners = [name for name in names if name in enums]
    return owners[0] if len(owners) == 1 and not others else None


def choose_member(value: Any, owner: str, members: Members) -> EnumMember | None:
    """Find the member that a given value means.

    Parameters
    ----------
    value
        The member itself, or as text its name, ``Mode.FAST`` or its value.
    owner
        The class.
    members
        Its members.

    Returns
    -------
    EnumMember or None
        None where it means none, or more than one.
    """
    given = value
    if not isinstance(value, str) and hasattr(value, "name") and type(value).__name__ == owner:
        given = value.name  # a real member, from Python
    names = [name for name, _ in members]
    if isinstance(given, str):
        text = given.removeprefix(f"{owner}.")
        if text in names:
            return EnumMember(f"{owner}.{text}")
    equal = [name for name, known in members if known is not None and _means(given, known)]
    return EnumMember(f"{owner}.{equal[0]}") if len(equal) == 1 else None


def _means(given: Any, known: Any) -> bool:
    if isinstance(given, str) and not isinstance(known, str):
        return str(known) == given
    return type(given) is type(known) and given == known


def _is_enum(base: ast.expr) -> bool:
    return ast.unparse(base).rpartition(".")[2] in _BASES


def _read_value(node: ast.expr) -> Any:
    try:
        return read_literal(node)
    except NotLiteralError:
        return None

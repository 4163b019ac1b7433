"""Files of parameters: YAML, JSON and TOML, read so that no value quietly becomes another."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

from mlops_nb.errors import InvalidValueError

# The core schema of YAML 1.2. PyYAML itself reads YAML 1.1, where 'no' is False, 012 is ten, 1:30
# is ninety and 1e5 a text.
_CORE = (
    ("null", r"null|Null|NULL|~|", "nN~"),
    ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("int", r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+", "-+0123456789"),
    (
        "float",
        r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)",
        "-+.0123456789",
    ),
)


def read_param_file(file: Path) -> dict[str, Any]:
    """Read a file of parameters.

    Parameters
    ----------
    file
        A ``.yaml``, ``.yml``, ``.json`` or ``.toml`` file that holds a table.

    Returns
    -------
    dict
        Values by name.

    Raises
    ------
    InvalidValueError
        The file is not what its ending says, names a parameter twice, or holds no table.
    """
    kinds: dict[str, Callable[[str], Any]] = {
        ".json": _read_json,
        ".toml": _read_toml,
        ".yaml": _read_yaml,
        ".yml": _read_yaml,
    }
    ending = file.suffix.casefold()
    if ending not in kinds:
        raise InvalidValueError("parameter file", str(file), "a .yaml, .json or .toml file")
    try:
        document = kinds[ending](file.read_text(encoding="utf-8-sig"))
    except (ValueError, RecursionError) as error:
        found = " ".join(str(error).split())
        raise InvalidValueError(
            "parameter file", str(file), f"a {ending} file ({found})"
        ) from error
    if document is None and ending in (".yaml", ".yml"):
        return {}
    if not isinstance(document, dict) or not all(isinstance(key, str) for key in document):
        raise InvalidValueError("parameter file", str(file), "a table of names and values")
    return document


def _read_toml(text: str) -> Any:
    import tomllib  # not where no such file is named

    return tomllib.loads(text)


def _read_json(text: str) -> Any:
    return json.loads(text, object_pairs_hook=_build_table)


def _build_table(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    table: dict[str, Any] = {}
    for key, value in pairs:
        if key in table:
            raise ValueError(f"{key!r} stands there twice")
        table[key] = value
    return table


def _read_yaml(text: str) -> Any:
    """Read YAML 1.2 with plain values only: no tags, no objects, no key twice."""
    import yaml  # type: ignore[import-untyped]  # published without types

    class Loader(yaml.SafeLoader):  # type: ignore[misc]
        """A loader with the resolvers of YAML 1.2."""

        yaml_implicit_resolvers: ClassVar[dict[str, list[Any]]] = {}

    for name, pattern, first in _CORE:
        whole = re.compile(rf"(?:{pattern})\Z")
        Loader.add_implicit_resolver(f"tag:yaml.org,2002:{name}", whole, [*first])
        if name == "null":
            Loader.add_implicit_resolver(f"tag:yaml.org,2002:{name}", whole, [""])
    Loader.add_constructor("tag:yaml.org,2002:map", _read_mapping)
    Loader.add_constructor("tag:yaml.org,2002:int", _read_int)
    Loader.add_constructor("tag:yaml.org,2002:float", _read_float)
    try:
        return yaml.load(text, Loader)  # noqa: S506 - a SafeLoader of fewer types
    except yaml.YAMLError as error:
        raise ValueError(str(error)) from None


def _read_mapping(loader: Any, node: Any) -> dict[Any, Any]:
    pairs = [
        (loader.construct_object(key, deep=True), loader.construct_object(value, deep=True))
        for key, value in node.value
    ]
    table: dict[Any, Any] = {}
    for key, value in pairs:
        if key.__hash__ is None:
            raise ValueError("a key is a table or a list")
        if key in table:
            raise ValueError(f"{key!r} stands there twice (line {node.start_mark.line + 1})")
        table[key] = value
    return table


def _read_int(_: Any, node: Any) -> int:
    text = node.value
    if text[:2] in ("0o", "0x"):
        return int(text[2:], 8 if text[1] == "o" else 16)
    return int(text)


def _read_float(_: Any, node: Any) -> float:
    return float(
        node.value.replace(".inf", "inf")
        .replace(".Inf", "inf")
        .replace(".INF", "inf")
        .casefold()
        .replace(".nan", "nan")
    )

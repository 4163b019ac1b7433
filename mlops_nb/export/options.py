"""Parameters of a notebook as command line options."""

from __future__ import annotations

import ast
import datetime
from collections.abc import Mapping, Sequence
from pathlib import PurePath
from typing import Any

from mlops_nb.notebook.literals import write_literal
from mlops_nb.notebook.parameters import Parameter

_CONVERTERS = {
    "int": "int",
    "float": "float",
    "str": "str",
    "Path": "Path",
    "date": "datetime.date.fromisoformat",
    "datetime": "datetime.datetime.fromisoformat",
}


def write_parser(
    parameters: Sequence[Parameter], values: Mapping[str, Any], source: str, function: str
) -> tuple[str, set[str]]:
    """Write the function that reads the parameters from the command line.

    Parameters
    ----------
    parameters
        The declarations.
    values
        Their defaults in the script.
    source
        Name of the notebook.
    function
        Name of the function.

    Returns
    -------
    str
        Its source.
    set of str
        Import lines that it needs.
    """
    imports = {"import argparse"}
    lines = [
        f"def {function}(argv=None):",
        '    """Read the parameters from the command line; see --help."""',
        "    parser = argparse.ArgumentParser(",
        f"        description={f'Parameters of {source}.'!r},",
        "        formatter_class=argparse.ArgumentDefaultsHelpFormatter,",
        "    )",
    ]
    taken = {"--help", "--no-help"}
    for parameter in parameters:
        flags = _choose_flags(parameter, taken)
        kind, needed = _write_kind(parameter, values[parameter.name])
        imports |= needed
        default = _write_default(values[parameter.name])
        imports |= _find_imports(default)
        text = parameter.help.replace("%", "%%") or " "  # argparse adds the default only to a text
        lines += [
            "    parser.add_argument(",
            f"        {', '.join(map(repr, flags))},",
            f"        dest={parameter.name!r},",
            *(f"        {part}," for part in kind),
            f"        default={default},",
            f"        help={text!r},",
            "    )",
        ]
    lines.append("    return parser.parse_args(argv)")
    return "\n".join(lines), imports


def _choose_flags(parameter: Parameter, taken: set[str]) -> list[str]:
    """Choose the spellings of an option that no other option has."""
    name = parameter.name
    wanted = [f"--{name.replace('_', '-').strip('-') or name}", f"--{name}"]
    flags = [flag for flag in dict.fromkeys(wanted) if flag not in taken]
    if not flags:
        flags = [f"--param-{name}"]
    for flag in flags:
        taken |= {flag, f"--no-{flag[2:]}"}
    return flags


def _write_kind(parameter: Parameter, value: Any) -> tuple[list[str], set[str]]:
    """Write how the text of an option becomes its value."""
    name, inner, is_optional = _read_type(parameter, value)
    if name == "bool" and not is_optional:
        return ["action=argparse.BooleanOptionalAction"], set()
    if name == "Literal":
        if all(isinstance(option, str) for option in inner):
            return [f"choices={inner!r}"], set()
        return ["type=ast.literal_eval", f"choices={inner!r}"], {"import ast"}
    converter = _CONVERTERS.get(name, "ast.literal_eval")
    imports = _find_imports(converter)
    if converter == "ast.literal_eval":
        imports = {"import ast"}
    elif is_optional:
        converter = f"lambda text: None if text == 'None' else {converter}(text)"
    return [f"type={converter}"], imports


def _read_type(parameter: Parameter, value: Any) -> tuple[str, list[Any], bool]:
    """Give the name of a parameter's type, the choices of a Literal, and whether None fits."""
    if parameter.annotation is None:
        if value is None and parameter.default is None:
            return "str", [], True
        default = parameter.default
        name = "Path" if isinstance(default, PurePath) else type(default).__name__
        return name, [], value is None
    node = ast.parse(parameter.annotation, mode="eval").body
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        node = ast.parse(node.value, mode="eval").body
    members: list[ast.expr] = [node]
    if isinstance(node, ast.Subscript) and ast.unparse(node.value).endswith("Optional"):
        members = [node.slice, ast.Constant(None)]
    while isinstance(members[0], ast.BinOp):
        members = [members[0].left, members[0].right, *members[1:]]
    kept = [item for item in members if ast.unparse(item) != "None"]
    is_optional = len(kept) < len(members)
    if len(kept) != 1:
        return "object", [], is_optional
    if isinstance(kept[0], ast.Subscript) and ast.unparse(kept[0].value).endswith("Literal"):
        options = kept[0].slice
        listed = options.elts if isinstance(options, ast.Tuple) else [options]
        return "Literal", [ast.literal_eval(option) for option in listed], is_optional
    name = ast.unparse(kept[0]).rpartition(".")[2]
    is_known = name in (*_CONVERTERS, "bool") or "[" in name
    return (name if is_known else type(parameter.default).__name__), [], is_optional


def _write_default(value: Any) -> str:
    """Write a default as a person would."""
    if isinstance(value, PurePath):
        return f"Path({str(value)!r})"
    if isinstance(value, datetime.date):
        return repr(value)
    return write_literal(value)


def _find_imports(text: str) -> set[str]:
    """Name the imports that an expression needs."""
    found = {"from pathlib import Path"} if text.startswith("Path") else set()
    return found | ({"import datetime"} if text.startswith("datetime.") else set())

"""Shell escapes and magics of IPython as plain Python."""

from __future__ import annotations

import ast
import builtins
import re
from collections.abc import Callable, Collection

from mlops_nb.notebook.magics import (
    DISPLAY_MAGICS,
    PACKAGE_MAGICS,
    MagicCall,
    read_option,
    split_command,
    strip_options,
)

_INSTALL = re.compile(
    r"\s*(sudo\s+)?([\w./{}$-]*python[\w.]*\s+-m\s+|\{?sys\.executable\}?\s+-m\s+)?"
    r"(pip3?|conda|mamba|uv(\s+pip)?)\s+(install|uninstall|add)\b"
)
_SHELLS = {"bash": "bash", "sh": "sh"}


class UntranslatableError(ValueError):
    """IPython's syntax asks for something that plain Python has not; the text names it."""


def write_command(command: str, names: Collection[str]) -> str:
    """Give a Python expression for a shell command with its variables.

    Parameters
    ----------
    command
        What follows ``!``.
    names
        Variables of the notebook at that point; as in IPython, a command that mentions any
        other name is passed as it is.

    Returns
    -------
    str
        A string literal, an f-string, or a call of ``format``.
    """
    fragments = split_command(command)
    expressions = [item.expression for item in fragments if item.expression is not None]
    mentioned = {
        node.id
        for expression in expressions
        for node in ast.walk(expression)
        if isinstance(node, ast.Name)
    }
    if not mentioned <= {*names, *dir(builtins)} or not expressions:
        text = command if expressions else "".join(item.text for item in fragments)
        return repr(text)
    is_simple = all(
        item.expression is None or (_is_dotted(item.expression) and not item.conversion)
        for item in fragments
    )
    template, arguments = "", []
    for item in fragments:
        if item.expression is None:
            template += item.text.replace("{", "{{").replace("}", "}}")
        elif is_simple:
            template += "{" + ast.unparse(item.expression) + "}"
        else:
            conversion = f"!{item.conversion}" if item.conversion else ""
            template += "{" + conversion + "}"
            arguments.append(ast.unparse(item.expression))
    if is_simple:
        return f"f{template!r}"
    return f"{template!r}.format({', '.join(arguments)})"


def _is_dotted(node: ast.expr) -> bool:
    """Tell ``a`` and ``a.b``."""
    return isinstance(node, ast.Name) or (
        isinstance(node, ast.Attribute) and _is_dotted(node.value)
    )


class Translator:
    """Translates the magics of one cell.

    Parameters
    ----------
    names
        Variables of the notebook at that point.
    use
        Gives the name under which the script imports a module.
    translate
        Translates code that stands within a magic.
    """

    def __init__(
        self, names: Collection[str], use: Callable[[str], str], translate: Callable[[str], str]
    ) -> None:
        self._names, self._use, self._translate = names, use, translate

    def write_statement(self, magic: MagicCall, target: str = "") -> str:
        """Give statements that do what a magic does.

        Parameters
        ----------
        magic
            The magic.
        target
            ``name = `` where its result is assigned.

        Returns
        -------
        str
            Lines of Python; a comment or nothing where there is nothing to do.

        Raises
        ------
        UntranslatableError
            Where plain Python has nothing like it.
        """
        if magic.kind == "system":
            return self._write_run(magic.line, target)
        if magic.kind == "capture_output":
            return self._write_capture(magic.line, target)
        if magic.kind == "line":
            return self._write_line(magic, target)
        if magic.kind == "cell":
            return self._write_cell(magic)
        raise UntranslatableError(f"get_ipython().{magic.name}() needs a running IPython")

    def _write_run(self, command: str, target: str = "") -> str:
        """Write ``!command``."""
        if _INSTALL.match(command):
            return f"# Install before running: {' '.join(command.split())}"
        run = f"{self._use('subprocess')}.run"
        return f"{target}{run}({write_command(command, self._names)}, shell=True, check=True)"

    def _write_capture(self, command: str, target: str) -> str:
        """Write ``lines = !command``."""
        module = self._use("subprocess")
        return (
            f"{target}{module}.run(\n"
            f"    {write_command(command, self._names)}, shell=True, check=True, text=True,\n"
            f"    stdout={module}.PIPE, stderr={module}.STDOUT,\n"
            f").stdout.splitlines()"
        )

    def _write_line(self, magic: MagicCall, target: str) -> str:
        """Write ``%magic``."""
        name, line = magic.name, magic.line.strip()
        if name in ("time", "prun", "memit") and "-o" not in line.split():
            return target + self._translate(strip_options(line, "lsTDrt"))
        if name in PACKAGE_MAGICS:
            return f"# Install before running: {name} {line}"
        if name in ("system", "sx", "!"):
            return (self._write_capture if target else self._write_run)(line, target)
        if target:
            raise UntranslatableError(f"the result of %{name} is used")
        if name == "timeit":
            return f"# Timed in the notebook: {' '.join(line.split())}"
        if name == "cd":
            return self._write_cd(line)
        if name in ("env", "set_env"):
            return self._write_environment(line)
        if name in DISPLAY_MAGICS:
            return ""
        raise UntranslatableError(f"%{name} has no counterpart in plain Python")

    def _write_cd(self, line: str) -> str:
        """Write ``%cd folder``."""
        folder = re.sub(r"^-q(\s+|$)", "", line) or "~"
        if folder.startswith("-"):
            raise UntranslatableError(f"%cd {folder} goes by the history of the session")
        os = self._use("os")
        return f"{os}.chdir({os}.path.expanduser({write_command(folder, self._names)}))"

    def _write_environment(self, line: str) -> str:
        """Write ``%env NAME=value``."""
        variable, equals, value = line.partition("=")
        if not equals:
            variable, _, value = line.partition(" ")
        if not value:
            return ""
        text = write_command(value.strip(), self._names)
        return f"{self._use('os')}.environ[{variable.strip()!r}] = {text}"

    def _write_cell(self, magic: MagicCall) -> str:
        """Write ``%%magic``."""
        name, line = magic.name, magic.line.strip()
        if name in ("time", "prun", "memit", "mlops") or (
            name == "capture" and not strip_options(line)
        ):
            return self._translate(magic.body)
        if name == "timeit":
            return "# Timed in the notebook:\n" + _comment(magic.body)
        if name in ("bash", "sh", "script", "system", "sx", "!"):
            return self._write_script(magic)
        if name in ("writefile", "file"):
            return self._write_file(magic)
        if name in DISPLAY_MAGICS - {"mlops"}:
            return f"# Shown in the notebook by %%{name}."
        raise UntranslatableError(f"%%{name} has no counterpart in plain Python")

    def _write_script(self, magic: MagicCall) -> str:
        """Write ``%%bash`` and its like."""
        rest = strip_options(magic.line, "")
        output, error = (read_option(magic.line, option) for option in ("--out", "--err"))
        known = [f"--{word}" for word, name in (("out", output), ("err", error)) if name]
        for word in magic.line.split():
            if word.startswith("-") and not any(word.startswith(item) for item in known):
                raise UntranslatableError(f"%%{magic.name} {word} has no counterpart")
        program = _SHELLS.get(magic.name, "sh")
        if magic.name == "script":
            program = rest.strip() or "sh"
        module = self._use("subprocess")
        parts = [f"[{program!r}]" if " " not in program else repr(program.split())]
        parts += [f"input={magic.body!r}", "text=True", "check=True"]
        parts += [f"std{word[2:]}={module}.PIPE" for word in known]
        call = f"{module}.run({', '.join(parts)})"
        if output and error:
            return f"{output} = {call}\n{output}, {error} = {output}.stdout, {output}.stderr"
        if output or error:
            return f"{output or error} = {call}.{'stdout' if output else 'stderr'}"
        return call

    def _write_file(self, magic: MagicCall) -> str:
        """Write ``%%writefile``."""
        words = magic.line.split()
        mode = "a" if {"-a", "--append"} & set(words) else "w"
        path = " ".join(word for word in words if word not in ("-a", "--append"))
        target = write_command(path.strip("'\""), self._names)
        return (
            f'with open({target}, "{mode}", encoding="utf-8") as stream:\n'
            f"    stream.write({magic.body!r})"
        )


def _comment(text: str) -> str:
    """Give text as comment lines."""
    return "\n".join(f"# {line}".rstrip() for line in text.rstrip().splitlines())

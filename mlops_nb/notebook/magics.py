"""IPython's own syntax: turned into Python by IPython's rules, then told apart by what it does."""

from __future__ import annotations

import ast
import re
import shlex
import string
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal


def _words(text: str) -> frozenset[str]:
    """Give the words of a table."""
    return frozenset(text.split())


MagicKind = Literal["line", "cell", "system", "capture_output", "other"]

# Magics that change neither variables nor results: they steer display or the session.
DISPLAY_MAGICS = _words(
    """
    alias_magic autocall autoreload automagic autosave code_wrap colors config connect_info
    debug doctest_mode gui history killbgscripts load_ext logoff logon logstart logstate
    logstop ls lsmagic lx ll magic matplotlib mlops notebook page pastebin pdb pdef pdoc
    pfile pinfo pinfo2 pprint precision psearch psource pwd pylab_off qtconsole quickref
    recall reload_ext rep save subplots sx_off tb unload_ext unalias who who_ls whos xmode
    env_show html HTML javascript js latex markdown SVG svg
    """
)
PACKAGE_MAGICS = frozenset({"pip", "conda", "mamba", "micromamba", "uv"})
# The argument or the body is Python that runs in the notebook's namespace.
CODE_LINE_MAGICS = frozenset({"time", "timeit", "prun", "memit", "lprun", "mprun", "snakeviz"})
CODE_CELL_MAGICS = frozenset({"time", "timeit", "capture", "prun", "memit", "mlops", "snakeviz"})
# The body runs elsewhere; only the names after --out and --err are set here.
SCRIPT_MAGICS = frozenset({"bash", "sh", "script", "system", "sx", "!", "cmd", "perl", "ruby"})
FILE_MAGICS = frozenset({"writefile", "file"})


@dataclass(frozen=True, slots=True)
class MagicCall:
    """One use of IPython's syntax.

    Attributes
    ----------
    kind
        ``line`` (``%x``), ``cell`` (``%%x``), ``system`` (``!x``), ``capture_output`` (``a = !x``)
        or ``other`` (anything else asked of the shell).
    name
        The magic's name, or the method asked of the shell.
    line
        The rest of its line.
    body
        What stands below a cell magic.
    """

    kind: MagicKind
    name: str
    line: str = ""
    body: str = ""


def to_python(source: str) -> str:
    """Turn a cell into plain Python.

    Parameters
    ----------
    source
        A cell as it stands in the notebook.

    Returns
    -------
    str
        The cell itself where it is Python already; else what IPython would run.
    """
    try:
        ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return str(_get_transformer().transform_cell(source))
    return source


def parse_cell(source: str) -> ast.Module:
    """Parse a cell after IPython's rules.

    Parameters
    ----------
    source
        A cell as it stands in the notebook; ``await`` is allowed outside functions.

    Returns
    -------
    ast.Module
        Its statements.

    Raises
    ------
    SyntaxError
        Where even IPython could not run it.
    """
    try:
        return ast.parse(source)
    except (SyntaxError, ValueError):
        pass
    try:
        return ast.parse(str(_get_transformer().transform_cell(source)))
    except ValueError as error:  # null bytes
        raise SyntaxError(str(error)) from None


@lru_cache(maxsize=1)
def _get_transformer() -> Any:
    """Give IPython's transformer, loaded when a cell first needs it."""
    from IPython.core.inputtransformer2 import TransformerManager

    return TransformerManager()


_SHELL_METHODS: dict[str, MagicKind] = {
    "run_line_magic": "line",
    "run_cell_magic": "cell",
    "system": "system",
    "getoutput": "capture_output",
}


def read_magic(node: ast.AST) -> MagicCall | None:
    """Tell what a call asks of the IPython shell.

    Parameters
    ----------
    node
        Any node.

    Returns
    -------
    MagicCall or None
        None where the node is not a call of ``get_ipython()`` or of one of its methods.
    """
    if not isinstance(node, ast.Call):
        return None
    if is_shell(node):
        return MagicCall("other", "get_ipython")
    if not (isinstance(node.func, ast.Attribute) and is_shell(node.func.value)):
        return None
    method = node.func.attr
    texts = [item.value for item in node.args if isinstance(item, ast.Constant)]
    is_plain = len(texts) == len(node.args) and all(isinstance(text, str) for text in texts)
    kind = _SHELL_METHODS.get(method)
    if kind is None or not is_plain or node.keywords or not texts:
        return MagicCall("other", method)
    given = [str(text) for text in texts] + ["", ""]
    if kind in ("line", "cell"):
        return MagicCall(kind, given[0], given[1], given[2])
    return MagicCall(kind, method, given[0])


def is_shell(node: ast.AST) -> bool:
    """Tell whether a node is the call ``get_ipython()``.

    Parameters
    ----------
    node
        Any node.

    Returns
    -------
    bool
        Whether it is.
    """
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "get_ipython"
    )


def read_option(line: str, *names: str) -> str | None:
    """Find the value of an option in the line of a magic.

    Parameters
    ----------
    line
        For example ``--out listing -e``.
    names
        The option's spellings.

    Returns
    -------
    str or None
        The word that follows, or stands behind ``=``.
    """
    try:
        words = shlex.split(line)
    except ValueError:
        words = line.split()
    for index, word in enumerate(words):
        for name in names:
            if word == name and index + 1 < len(words):
                return words[index + 1]
            if word.startswith(f"{name}="):
                return word[len(name) + 1 :]
    return None


def strip_options(line: str, with_value: str = "") -> str:
    """Give the statement of a code magic without the options before it.

    Parameters
    ----------
    line
        For example ``-n 10 f(x)``.
    with_value
        Letters of the options that take a value.

    Returns
    -------
    str
        For example ``f(x)``.
    """
    rest = line.strip()
    while match := re.match(r"-(?:-[\w-]+|([A-Za-z])(\d*))(?:\s+|$)", rest):
        rest = rest[match.end() :]
        if match[1] and match[1] in with_value and not match[2]:
            rest = re.sub(r"^\S+\s*", "", rest)
    return rest


# `$name` and `$name.attr` outside of single quotes, as IPython reads them.
_DOLLAR = re.compile(r"(.*?)\$(\$?[\w\.]+)(?=([^']*'[^']*')*[^']*$)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Fragment:
    """A piece of a shell command: text, or a Python expression with its conversion."""

    text: str = ""
    expression: ast.expr | None = None
    conversion: str = ""


def split_command(command: str) -> tuple[Fragment, ...]:
    """Split a shell command into text and the Python expressions in it.

    Parameters
    ----------
    command
        What follows ``!``; ``{expr}`` and ``$name`` stand for values, ``{{`` and ``$$`` for
        themselves.

    Returns
    -------
    tuple of Fragment
        One piece of text where the command cannot be read so: IPython then passes it as it is.
    """
    pieces: list[Fragment] = []
    try:
        for text, name, format_spec, conversion in string.Formatter().parse(command):
            rest = text
            while match := _DOLLAR.match(rest):
                before, variable = match[1], match[2]
                rest = rest[match.end() :]
                if variable.startswith("$"):
                    pieces.append(Fragment(before + variable))
                    continue
                pieces += [Fragment(before), Fragment(expression=_parse_expression(variable))]
            pieces.append(Fragment(rest))
            if name is not None:
                # IPython takes what follows a colon as part of the expression: {xs[1:3]}
                whole = f"{name}:{format_spec}" if format_spec else name
                pieces.append(Fragment("", _parse_expression(whole), conversion or ""))
    except (ValueError, SyntaxError):
        return (Fragment(command),)
    return tuple(piece for piece in pieces if piece.text or piece.expression is not None)


def _parse_expression(text: str) -> ast.expr:
    """Parse what stands between braces or behind a dollar."""
    return ast.parse(text.strip(), mode="eval").body

"""Arguments of magics: argparse that raises errors of ours and never ends the process."""

from __future__ import annotations

import argparse
import ast
import os
import shlex
from collections.abc import Iterable, Sequence
from typing import Any, NoReturn

from mlops_nb.errors import InvalidValueError, UsageError


class Parser(argparse.ArgumentParser):
    """Parser of one sub-command.

    Parameters
    ----------
    command
        As the user types it: ``%mlops show``.
    summary
        What it does, in one sentence.
    """

    def __init__(self, command: str, summary: str) -> None:
        super().__init__(
            prog=command,
            description=summary,
            add_help=False,
            allow_abbrev=False,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        self.add_argument("-h", "--help", action="store_true", help="show this text")

    def error(self, message: str) -> NoReturn:
        """Raise what is wrong in place of leaving the process.

        Parameters
        ----------
        message
            What argparse found.
        """
        help_name = self.prog.replace("%mlops", "%mlops help", 1).replace("%%", "%")
        raise UsageError(self.prog, message, f"See: {help_name}")

    def exit(self, status: int = 0, message: str | None = None) -> NoReturn:
        """Raise as well: a magic never ends the kernel.

        Parameters
        ----------
        status
            What the process would have returned.
        message
            What argparse would have printed.
        """
        raise UsageError(self.prog, message or f"it stopped with status {status}")

    def parse_words(self, words: Sequence[str]) -> argparse.Namespace | None:
        """Parse a command.

        Parameters
        ----------
        words
            The arguments after the command's name.

        Returns
        -------
        argparse.Namespace or None
            The arguments; None where help was asked for.

        Raises
        ------
        UsageError
            The arguments are not those of the command.
        """
        if {"-h", "--help"} & set(words):
            return None
        return self.parse_intermixed_args(list(words))


def split_words(command: str, line: str) -> list[str]:
    """Split a magic's line into words, with quotes as a shell has them.

    Parameters
    ----------
    command
        Named in the error.
    line
        What follows the name of the magic.

    Returns
    -------
    list of str
        The words without their quotes.

    Raises
    ------
    UsageError
        A quote is not closed.
    """
    lexer = shlex.shlex(line, posix=True, punctuation_chars=False)
    lexer.whitespace_split, lexer.commenters = True, ""
    if os.name == "nt":
        lexer.escape = ""  # a backslash separates folders there
    try:
        return list(lexer)
    except ValueError as error:
        raise UsageError(command, f"cannot split {line!r}: {error}", "Close the quote.") from error


def split_pairs(command: str, words: Iterable[str]) -> dict[str, str]:
    """Split words of the form ``key=value``.

    Parameters
    ----------
    command
        Named in the error.
    words
        The words.

    Returns
    -------
    dict
        Text by key.

    Raises
    ------
    UsageError
        A word has no ``=`` or nothing before it.
    """
    pairs = {}
    for word in words:
        key, separator, value = word.partition("=")
        if not separator or not key:
            raise UsageError(command, f"{word!r} is not of the form key=value")
        pairs[key] = value
    return pairs


def read_literal(text: str) -> Any:
    """Read a value as the Python literal it looks like.

    Parameters
    ----------
    text
        For example ``0.3``, ``[1, 2]``, ``True``, ``adam``.

    Returns
    -------
    object
        The literal's value; the text itself where it is not one.
    """
    if text in {"true", "false"}:
        return text == "true"
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return text


def read_number(key: str, text: str, names: dict[str, Any]) -> float:
    """Read a metric's value: a number, or the name of a variable that holds one.

    Parameters
    ----------
    key
        The metric.
    text
        What the user gave.
    names
        The notebook's variables.

    Returns
    -------
    float
        The value.

    Raises
    ------
    InvalidValueError
        It is neither.
    """
    value: Any = names.get(text, text) if text.isidentifier() else text
    if isinstance(value, bool | complex):
        raise InvalidValueError(f"metric {key!r}", value, "a number or a variable that holds one")
    try:
        return float(value)
    except (TypeError, ValueError) as error:
        raise InvalidValueError(
            f"metric {key!r}", value, "a number or a variable that holds one"
        ) from error

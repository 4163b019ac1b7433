"""Shell commands that only look: what they show depends on files and folders that can be named.

``!ls data``, ``!head -3 table.csv | cut -d, -f1``: such a command can run again, and what it has
shown holds as long as those files are the same. Whatever is not known to be so is none of them.
"""

from __future__ import annotations

import glob
import os
import re
import shlex
import types
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

# Outside of quotes they make the shell do more than run a program; inside some of them still do.
_SPECIAL = re.compile(r"[;&<>()#!~\r\n]")
_EXPANDED = re.compile(r"[$`\\]")
_QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"")
_THROWN_AWAY = re.compile(r"(?<!\S)[12]?>\s*/dev/null(?!\S)|(?<!\S)2>&1(?!\S)")
_WILD = re.compile(r"[*?\[{]")

# By program: flags that stand alone, and flags that are followed by a value of their own.
_FLAGS: dict[str, tuple[str, str]] = {
    "echo": (r"-[neE]+", ""),
    "printf": ("", ""),
    "pwd": (r"-[LP]", ""),
    "true": ("", ""),
    "ls": (r"-[1pFrCmx]+", ""),
    "cat": (r"-[bnsEATv]+", ""),
    "head": (r"-\d+|-[nc]\d+|-q", "-n|-c"),
    "tail": (r"-\d+|-[nc]\+?\d+|-q", "-n|-c"),
    "wc": (r"-[lwcmL]+", ""),
    "sort": (r"-[nrufbgh]+|-[kt]\S+", "-k|-t"),
    "uniq": (r"-[cdui]+", ""),
    "cut": (r"-[dfcb]\S+|-s", "-d|-f|-c|-b"),
    "grep": (r"-[icvnwxoEFqhH]+|-[mABC]\d+", "-e|-m|-A|-B|-C"),
    "tr": (r"-[dscC]+", ""),
    "nl": ("", ""),
    "rev": ("", ""),
    "md5sum": ("", ""),
    "sha256sum": ("", ""),
}
_NO_FILES = frozenset(["echo", "printf", "pwd", "true", "tr"])


@dataclass(slots=True)
class Looked:
    """What a command looks at.

    Attributes
    ----------
    files, folders
        Absolute paths.
    """

    files: list[str] = field(default_factory=list)
    folders: list[str] = field(default_factory=list)


def read_command(command: str, folder: str) -> Looked | None:
    """Find what a shell command looks at.

    Parameters
    ----------
    command
        As it is given to the shell.
    folder
        In which it runs.

    Returns
    -------
    Looked or None
        None where it may do anything else.
    """
    text = _THROWN_AWAY.sub(" ", command)
    bare = _QUOTED.sub("", text)
    if _EXPANDED.search(text) or _SPECIAL.search(bare) or "'" in bare or '"' in bare:
        return None
    lexer = shlex.shlex(text, posix=True, punctuation_chars="|")
    lexer.commenters = ""
    looked = Looked()
    words: list[str] = []
    is_first = True
    tokens = list(lexer)
    if _WILD.search(bare) and not {"echo", "printf"}.isdisjoint(tokens):
        return None  # which words are patterns cannot be told any more
    for word in [*tokens, "|"]:
        if word.startswith("|"):
            if word != "|" or not _read_program(words, folder, looked, is_first=is_first):
                return None
            words, is_first = [], False
        else:
            words.append(word)
    return looked


def _read_program(words: list[str], folder: str, looked: Looked, *, is_first: bool) -> bool:
    """Note what one program looks at; False where it may do more."""
    if not words or words[0] not in _FLAGS:
        return False
    name, operands = words[0], _read_operands(words)
    if operands is None:
        return False
    if name in _NO_FILES:
        return True
    if name == "grep" and operands and not {"-e"} & set(words):
        operands = operands[1:]
    if name == "ls":
        return all(_note(path, folder, looked, may_list=True) for path in operands or ["."])
    if name == "uniq" and len(operands) > 1:
        return False  # it writes the second one
    if not operands:
        return not is_first  # without a file and at the front it waits for what a person types
    return all(_note(path, folder, looked, may_list=False) for path in operands)


def _read_operands(words: list[str]) -> list[str] | None:
    """Give the words that are no flags; None where one is a flag that is not known."""
    alone, valued = _FLAGS[words[0]]
    if words[0] in {"echo", "printf"}:
        return words[1:]  # all that could be a flag is text
    operands = []
    waiting = iter(words[1:])
    for word in waiting:
        if valued and re.fullmatch(valued, word):
            if next(waiting, None) is None:
                return None
        elif word.startswith("-"):
            if not alone or not re.fullmatch(alone, word):
                return None
        else:
            operands.append(word)
    return operands


def _note(operand: str, folder: str, looked: Looked, *, may_list: bool) -> bool:
    path = os.path.abspath(os.path.join(folder, operand))  # noqa: PTH100, PTH118 - a pattern
    paths = [path]
    if _WILD.search(operand):
        above, last = os.path.split(path)
        if _WILD.search(above) or "{" in operand or "**" in last:
            return False
        looked.folders.append(above)
        paths = sorted(glob.glob(path))  # noqa: PTH207 - as the shell reads it
    for each in paths:
        if os.path.isdir(each) and may_list:  # noqa: PTH112 - as above
            looked.folders.append(each)
        elif os.path.isfile(each):  # noqa: PTH113 - as above
            looked.files.append(each)
        else:
            return False
    return bool(paths)


# ---------------------------------------------------------------------- who starts it
def find_command(event: str, arguments: tuple[Any, ...], frame: types.FrameType | None) -> str:
    """Find the command that starts a program.

    Parameters
    ----------
    event
        Of auditing: ``subprocess.Popen``, ``os.system`` or ``os.forkpty``.
    arguments
        Of the event.
    frame
        Who makes it.

    Returns
    -------
    str
        As a shell would read it; empty where it cannot be told.
    """
    found = _READERS[event](arguments, frame) if event in _READERS else ""
    return found if isinstance(found, str) else ""


def _read_system(arguments: tuple[Any, ...], frame: types.FrameType | None) -> Any:
    command = arguments[0]
    return os.fsdecode(command) if isinstance(command, bytes) else command


def _read_popen(arguments: tuple[Any, ...], frame: types.FrameType | None) -> Any:
    program, words = arguments[0], arguments[1]
    if isinstance(words, str | bytes):
        return os.fsdecode(words) if program is None or program == words else ""
    plain = [os.fsdecode(word) for word in words]
    if plain[1:2] == ["-c"] and os.path.basename(plain[0]).endswith("sh"):  # noqa: PTH119
        return plain[2] if len(plain) == 3 else ""
    return shlex.join(plain)


def _read_forkpty(arguments: tuple[Any, ...], frame: types.FrameType | None) -> Any:
    """Read what IPython was told by ``!command``: it starts its shell in a terminal of its own."""
    while frame is not None:
        if frame.f_globals.get("__name__") == "IPython.utils._process_posix":
            return frame.f_locals.get("cmd", "")
        frame = frame.f_back
    return ""


_READERS: dict[str, Callable[[tuple[Any, ...], types.FrameType | None], Any]] = {
    "os.system": _read_system,
    "subprocess.Popen": _read_popen,
    "os.forkpty": _read_forkpty,
}

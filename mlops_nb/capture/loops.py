"""How far plain loops of a cell have got, looked at from another thread.

Nothing is patched and nothing is called by the loop: it keeps its variable in the notebook's names,
or in those of the function that it runs in.
"""

from __future__ import annotations

import ast
import contextlib
import linecache
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import CodeType, FrameType, FunctionType
from typing import Any, NamedTuple

from mlops_nb import records
from mlops_nb.capture.bars import LONGEST, Sighting
from mlops_nb.capture.variables import MISSING, read_variable

_DEEPEST = 200
_MOST_KNOWN = 64
_LIBRARY = f"{os.sep}site-packages{os.sep}"
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)

Lookup = Callable[[str], Any]


class _Loop(NamedTuple):
    """A loop whose variable tells how far it is."""

    first: int
    last: int
    name: str
    words: tuple[ast.expr, ...]
    is_counted: bool


class _Place(NamedTuple):
    """Where a thread is in code of the user's; no frame is held by it."""

    code: CodeType
    line: int


class LoopFinder:
    """Finds the outermost plain loop, ``range`` or ``enumerate``, that the user's lines are in."""

    def __init__(self) -> None:
        self._known: dict[CodeType, list[_Loop]] = {}
        self._seen: tuple[tuple[str, int], float, float] | None = None

    def find(self, thread: int) -> Sighting | None:
        """Say how far a thread's loop is.

        Parameters
        ----------
        thread
            Its identifier.

        Returns
        -------
        Sighting or None
            None where the thread is in no such loop, neither at the level of the cell nor in a
            function of the user's, or its variables cannot be read without calling something.
        """
        for place in _list_places(thread):
            for loop in self._list_loops(place.code):
                if loop.first <= place.line <= loop.last:
                    found = _measure_in(loop, place.code, thread)
                    key = (place.code.co_filename, loop.first)
                    return None if found is None else self._rate(found, key, loop.name)
        return None

    def _list_loops(self, code: CodeType) -> list[_Loop]:
        known = self._known.get(code)
        if known is None:
            while len(self._known) >= _MOST_KNOWN:
                del self._known[next(iter(self._known))]
            known = self._known[code] = _parse(code)
        return known

    def _rate(self, found: tuple[float, float], loop: tuple[str, int], name: str) -> Sighting:
        now = time.monotonic()
        if self._seen is None or self._seen[0] != loop or found[0] < self._seen[1]:
            self._seen = (loop, found[0], now)
        done, since = found[0] - self._seen[1], now - self._seen[2]
        rate = done / since if done > 0 and since > 0 else None
        return Sighting(loop, records.ProgressRecord(*found, rate, name[:LONGEST]))


def _list_frames(thread: int) -> list[FrameType]:
    """List the frames of a thread up to that of its cell or script; empty where there is none."""
    frame = sys._current_frames().get(thread)  # noqa: SLF001 - the one way
    frames: list[FrameType] = []
    while frame is not None and len(frames) < _DEEPEST:
        frames.append(frame)
        if frame.f_code.co_name == "<module>" and frame.f_globals.get("__name__") == "__main__":
            return frames
        frame = frame.f_back
    return []


def _list_places(thread: int) -> list[_Place]:
    """List where a thread is in the user's code, the cell first."""
    frames = _list_frames(thread)
    if not frames:
        return []
    names, folder = frames[-1].f_globals, _find_folder()
    return [
        _Place(frame.f_code, frame.f_lineno)
        for frame in reversed(frames)
        if frame.f_globals is names or _is_users(frame.f_globals.get("__file__"), folder)
    ]


def _find_folder() -> str:
    try:
        return f"{Path.cwd()}{os.sep}"
    except OSError:
        return "\0"  # it was deleted


def _is_users(file: object, folder: str) -> bool:
    """Say whether a file is a module that lies beside the notebook."""
    return type(file) is str and file.startswith(folder) and _LIBRARY not in file


def _parse(code: CodeType) -> list[_Loop]:
    """List the loops of a cell or a function that can be measured, the outer ones first."""
    source = "".join(linecache.getlines(code.co_filename))
    if "for " not in source or len(source) > 200_000:
        return []
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError):
        return []
    body = tree.body if code.co_name == "<module>" else _find_body(tree, code)
    found, waiting = [], list(reversed(body))
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.For):
            loop = _read_loop(node)
            if loop is not None:
                found.append(loop)  # what is inside is part of it
        elif isinstance(node, ast.While | ast.If | ast.With | ast.Try):
            waiting += reversed(node.body)
    return found


def _find_body(tree: ast.Module, code: CodeType) -> list[ast.stmt]:
    for node in ast.walk(tree):
        if isinstance(node, _FUNCTIONS) and node.name == code.co_name:
            first = min([node.lineno, *(each.lineno for each in node.decorator_list)])
            if first == code.co_firstlineno:
                return node.body
    return []


def _read_loop(node: ast.For) -> _Loop | None:
    call, target = node.iter, node.target
    if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Name) or call.keywords:
        return None
    is_counted = call.func.id == "enumerate" and len(call.args) == 1
    if is_counted and isinstance(target, ast.Tuple) and target.elts:
        target = target.elts[0]
    elif call.func.id != "range" or not 1 <= len(call.args) <= 3:
        return None
    if not isinstance(target, ast.Name):
        return None
    last = node.end_lineno or node.lineno
    return _Loop(node.lineno, last, target.id, tuple(call.args), is_counted)


def _measure_in(loop: _Loop, code: CodeType, thread: int) -> tuple[float, float] | None:
    """Measure a loop in the frame that runs it, which is held for no longer than that takes."""
    frames = _list_frames(thread)
    for at in range(len(frames) - 1, -1, -1):
        if frames[at].f_code is code:
            break
    else:
        return None
    frame, callee = frames[at], frames[at - 1] if at else None
    names = frame.f_globals
    if code.co_name == "<module>":
        return _measure(loop, names.get)
    own = {*code.co_varnames, *code.co_cellvars, *code.co_freevars}

    def look(name: str) -> Any:
        if name not in own:
            return names.get(name)
        value = read_variable(frame, name, callee)
        return None if value is MISSING else value

    return _measure(loop, look)


def _measure(loop: _Loop, look: Lookup) -> tuple[float, float] | None:
    """Give how many rounds are done and how many there are."""
    at = look(loop.name)
    if type(at) is not int:
        return None
    if loop.is_counted:
        held = _evaluate(loop.words[0], look)
        total = _count(held)
        return None if not total or at >= total else (float(at), float(total))
    words = [_evaluate(word, look) for word in loop.words]
    if any(type(word) is not int for word in words):
        return None
    try:
        steps = range(*words)
    except ValueError:
        return None
    total = _count(steps)
    return (float(steps.index(at)), float(total)) if total and at in steps else None


def _count(held: Any) -> int | None:
    """Count the members of one of Python's own; None of others, and of more than it can count."""
    try:
        return len(held) if type(held) in (list, tuple, dict, range, str) else None
    except OverflowError:
        return None  # range(10**20): meant to go on until somebody stops it


def _evaluate(node: ast.expr, look: Lookup) -> Any:
    """Give what a number, a name and the like stand for; nothing of the user's is called."""
    if isinstance(node, ast.Constant):
        return node.value
    if isinstance(node, ast.Name):
        return look(node.id)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        value = _evaluate(node.operand, look)
        return -value if type(value) is int else None
    if isinstance(node, ast.BinOp):
        return _compute(node, look)
    if isinstance(node, ast.Attribute):
        return _read_field(_evaluate(node.value, look), node.attr)
    if isinstance(node, ast.Subscript):
        table = _evaluate(node.value, look)
        key = _evaluate(node.slice, look)
        return table.get(key) if type(table) is dict and type(key) in (str, int) else None
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "len":
        held: Any = _evaluate(node.args[0], look) if len(node.args) == 1 else None
        return _count(held)
    return None


def _compute(node: ast.BinOp, look: Lookup) -> int | None:
    """Add, subtract, multiply or divide whole numbers of a common size."""
    left, right = _evaluate(node.left, look), _evaluate(node.right, look)
    if type(left) is not int or type(right) is not int or max(abs(left), abs(right)) > 2**62:
        return None
    if isinstance(node.op, ast.Add):
        return left + right
    if isinstance(node.op, ast.Sub):
        return left - right
    if isinstance(node.op, ast.Mult):
        return left * right
    return left // right if isinstance(node.op, ast.FloorDiv) and right else None


def _read_field(held: Any, name: str) -> Any:
    """Read ``self.epochs`` and the like where that is a plain value of an object or its class."""
    kind = type(held)
    if issubclass(kind, type):
        places = [vars(each) for each in held.__mro__]
    else:
        places = [vars(each) for each in kind.__mro__]
        if any(type(each.get("__getattribute__")) is FunctionType for each in places):
            return None
        with contextlib.suppress(AttributeError):
            places.insert(0, object.__getattribute__(held, "__dict__"))
    return next((each[name] for each in places if name in each), None)

"""How far plain loops of a cell have got, looked at from another thread.

Nothing is patched and nothing is called by the loop: it keeps its variable in the notebook's names.
"""

from __future__ import annotations

import ast
import linecache
import sys
import time
from dataclasses import dataclass
from types import FrameType
from typing import Any

from mlops_nb.capture.bars import LONGEST, Sighting
from mlops_nb.records import ProgressRecord

_DEEPEST = 200


@dataclass(frozen=True, slots=True)
class _Loop:
    """A loop whose variable tells how far it is."""

    first: int
    last: int
    name: str
    words: tuple[ast.expr, ...]
    is_counted: bool


class LoopFinder:
    """Finds the outermost plain loop that a cell's own lines are in: ``range`` or ``enumerate``."""

    def __init__(self) -> None:
        self._known: tuple[str, list[_Loop]] = ("", [])
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
            None where the thread is in no such loop at the level of the cell, or that loop is in
            one of another kind. Loops within functions are not looked at: their variables cannot
            be read without touching them.
        """
        frame = _find_module(sys._current_frames().get(thread))  # noqa: SLF001 - the one way
        if frame is None:
            return None
        names, line = frame.f_globals, frame.f_lineno
        name = frame.f_code.co_filename
        del frame
        for loop in self._list_loops(name):
            if loop.first <= line <= loop.last:
                found = _measure(loop, names)
                return None if found is None else self._rate(found, (name, loop.first), loop.name)
        return None

    def _list_loops(self, name: str) -> list[_Loop]:
        if self._known[0] != name:
            self._known = (name, _parse("".join(linecache.getlines(name))))
        return self._known[1]

    def _rate(self, found: tuple[float, float], loop: tuple[str, int], name: str) -> Sighting:
        now = time.monotonic()
        if self._seen is None or self._seen[0] != loop or found[0] < self._seen[1]:
            self._seen = (loop, found[0], now)
        done, since = found[0] - self._seen[1], now - self._seen[2]
        rate = done / since if done > 0 and since > 0 else None
        return Sighting(loop, ProgressRecord(*found, rate, name[:LONGEST]))


def _find_module(frame: FrameType | None) -> FrameType | None:
    """Find the frame of the cell, or of the script, that a thread is in."""
    for _ in range(_DEEPEST):
        if frame is None:
            return None
        if frame.f_code.co_name == "<module>" and frame.f_globals.get("__name__") == "__main__":
            return frame
        frame = frame.f_back
    return None


def _parse(source: str) -> list[_Loop]:
    """List the loops of a cell that can be measured, the outer ones first."""
    if "for " not in source or len(source) > 200_000:
        return []
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError):
        return []
    found, waiting = [], list(reversed(tree.body))
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.For):
            loop = _read_loop(node)
            if loop is not None:
                found.append(loop)  # what is inside is part of it
        elif isinstance(node, ast.While | ast.If | ast.With | ast.Try):
            waiting += reversed(node.body)
    return found


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


def _measure(loop: _Loop, names: dict[str, Any]) -> tuple[float, float] | None:
    """Give how many rounds are done and how many there are."""
    at = names.get(loop.name)
    if type(at) is not int:
        return None
    if loop.is_counted:
        held = _evaluate(loop.words[0], names)
        total = len(held) if type(held) in (list, tuple, dict, range, str) else None
        return None if not total or at >= total else (float(at), float(total))
    words = [_evaluate(word, names) for word in loop.words]
    if any(type(word) is not int for word in words):
        return None
    try:
        steps = range(*words)
    except ValueError:
        return None
    return (float(steps.index(at)), float(len(steps))) if at in steps else None


def _evaluate(node: ast.expr, names: dict[str, Any]) -> Any:
    """Give the value of a number, a name or the length of one; nothing of the user's is called."""
    if isinstance(node, ast.Constant):
        return node.value
    if isinstance(node, ast.Name):
        return names.get(node.id)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        value = _evaluate(node.operand, names)
        return -value if type(value) is int else None
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "len":
        held: Any = _evaluate(node.args[0], names) if len(node.args) == 1 else None
        return len(held) if type(held) in (list, tuple, dict, range, str) else None
    return None

"""Tells which files and addresses the process opens, through one audit hook that never goes away.

Python has no way to take an audit hook out again. So there is one for the process; while nobody
listens, it returns at its first line.
"""

from __future__ import annotations

import os
import sys
from typing import Any, Protocol

_RARE = frozenset(
    {"os.chdir", "os.rename", "sqlite3.connect", "urllib.Request", "http.client.send"}
)


class Listener(Protocol):
    """Is told before something is opened. It must not raise, and be quick."""

    def open(self, path: Any, mode: Any, flags: Any) -> None:
        """Tell that a file is about to be opened, with the arguments of the audit event."""

    def other(self, event: str, arguments: tuple[Any, ...]) -> None:
        """Tell of a file that is renamed, a database or an address."""


class _State:
    """Who listens now; one place for the hook to look."""

    listener: Listener | None = None
    is_installed = False


def _hook(
    event: str,
    arguments: tuple[Any, ...],
    state: type[_State] = _State,
    rare: frozenset[str] = _RARE,
) -> None:
    # Nearly all events are these, some twenty in a fit of scikit-learn's. Their names are new texts
    # each time, which a set hashes and a comparison does not: 143 ns for an `id`, 271 without this.
    if event == "builtins.id" or event == "object.__getattr__" or event == "sys._getframe":  # noqa: PLR1714
        return
    # While the interpreter ends, globals are gone: what is needed are defaults.
    listener = state.listener
    if listener is None:
        return
    if event == "open":
        listener.open(*arguments)
    elif event in rare:
        listener.other(event, arguments)


def listen(listener: Listener) -> None:
    """Be told from now on; whoever listened before is told no more.

    Parameters
    ----------
    listener
        Called on the thread that opens.
    """
    if not _State.is_installed:
        _State.is_installed = True
        sys.addaudithook(_hook)
    _State.listener = listener


def stop_listening(listener: Listener) -> None:
    """Tell a listener no more; nothing happens where another one has taken over."""
    if _State.listener is listener:
        _State.listener = None


def is_listening(listener: Listener) -> bool:
    """Say whether a listener is told."""
    return _State.listener is listener


def _forget() -> None:
    _State.listener = None


if hasattr(os, "register_at_fork"):
    # What a forked worker opens is not its parent's to record, and its thread is not there.
    os.register_at_fork(after_in_child=_forget)

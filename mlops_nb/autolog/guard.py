"""Between a recorder of ours and the user's code: the recorder may fail, the code may not."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


# Counts the forks between the first process and this one: asking for the number of the process is
# a call of the system, for each fit and each metric.
_generation = [0]


def _count_fork() -> None:
    _generation[0] += 1


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_count_fork)


class Guard:
    """Runs a recorder so that it never raises into user code, and stops it when it fails.

    Parameters
    ----------
    recorder
        What the person is told is no longer recorded: ``fits``, ``metrics`` ...

    Attributes
    ----------
    is_stopped : bool
        Whether it failed once in this session.
    reason : str
        Why.
    """

    def __init__(self, recorder: str) -> None:
        self.recorder = recorder
        self.is_stopped = False
        self.reason = ""
        self._generation = _generation[0]
        self._lock = threading.Lock()

    def call(self, function: Callable[..., T], *arguments: object) -> T | None:
        """Call a recorder; None where it failed, now or before.

        Parameters
        ----------
        function
            The recorder.
        *arguments
            Its arguments.

        Returns
        -------
        object or None
            What it returned. A forked child records nothing: the run is its parent's.
        """
        if self.is_stopped or _generation[0] != self._generation:
            return None
        try:
            return function(*arguments)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is not the user's
            self.fail(error)
            return None

    def fail(self, error: Exception) -> None:
        """Stop the recorder for good and say so once.

        Parameters
        ----------
        error
            What it raised.
        """
        with self._lock:
            if self.is_stopped:
                return  # another thread failed first and has said so
            self.is_stopped = True
        try:
            self.reason = f"{type(error).__name__}: {error}"
        except Exception:  # noqa: BLE001 - an exception's own text may raise
            self.reason = type(error).__name__
        shown = " ".join(self.reason.split())[:200]
        line = f"mlops_nb: {self.recorder} are no longer recorded in this session: {shown}\n"
        with contextlib.suppress(Exception):  # stderr is gone: there is nobody to tell
            sys.stderr.write(line)

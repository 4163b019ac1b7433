"""Which run is active: what a log without a run of its own goes to."""

from __future__ import annotations

import os
import sys
import threading
import weakref
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mlops_nb.tracking.run import Run

# Which runs a task or thread is in; one without an answer of its own asks the process. Notebook
# cells may each run in a context of their own, so the process's list is what spans cells.
_entered: ContextVar[tuple[Run, ...]] = ContextVar("mlops_nb_runs", default=())
_open: list[Run] = []
_lock = threading.Lock()


def enter(run: Run) -> None:
    """Put a run on top of this task's or thread's stack."""
    task = _find_task()
    run.home = (threading.current_thread(), None if task is None else weakref.ref(task))
    _entered.set((*_entered.get(), run))


def leave(run: Run) -> None:
    """Take a run from this task's or thread's stack, wherever it stands."""
    _entered.set(tuple(other for other in _entered.get() if other is not run))


def add(run: Run) -> None:
    """Count a run among the process's open ones."""
    with _lock:
        _open.append(run)


def discard(run: Run) -> None:
    """Count a run no longer among the process's open ones."""
    with _lock:
        if run in _open:
            _open.remove(run)


def open_runs() -> list[Run]:
    """Give the process's open runs, oldest first."""
    with _lock:
        return list(_open)


def active_run() -> Run | None:
    """Give the run that logs without a run of their own go to.

    Returns
    -------
    Run or None
        The innermost ``with`` block of this task or thread; else the newest open run of the process
        that was not started by auto-logging and is no other task's or worker thread's own.
    """
    entered = _entered.get()
    if entered:
        if entered[-1].status == "running":  # what `is_open` asks, without the call
            return entered[-1]
        for run in reversed(entered):
            if run.is_open:
                return run
    newest = _open[-1] if _open else None
    if newest is None or newest.home is None:  # the usual case, in a training loop too
        return newest
    return next((run for run in reversed(open_runs()) if _is_shared(run)), None)


def _find_task() -> Any:
    asyncio = sys.modules.get("asyncio")
    try:
        return None if asyncio is None else asyncio.current_task()
    except RuntimeError:
        return None  # no loop runs in this thread


def _is_shared(run: Run) -> bool:
    """Tell whether a run is the process's: its ``with`` block is not of a task or thread beside."""
    if run.home is None:
        return True
    thread, reference = run.home
    if thread is not threading.current_thread():
        return thread is threading.main_thread()
    # A task that is done was a cell: a run that it left open goes on in the next one.
    task = None if reference is None else reference()
    return task is None or task.done() or task is _find_task()


def _renew_lock() -> None:
    global _lock
    _lock = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_lock)

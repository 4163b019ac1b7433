"""Ends a pipeline run from another thread: its kernels are interrupted, and no new one starts."""

from __future__ import annotations

import threading
from typing import Protocol

_GRACE_S = 3.0


class Stoppable(Protocol):
    """A kernel, as far as ending it goes."""

    def interrupt(self) -> None:
        """Interrupt the cell that runs."""

    def kill(self) -> None:
        """End the process."""


_kernels: dict[str, list[Stoppable]] = {}
_cancelled: set[str] = set()
_lock = threading.Lock()


def enlist(run_id: str, kernel: Stoppable) -> None:
    """Note that a kernel works for a run.

    Parameters
    ----------
    run_id
        The pipeline's run.
    kernel
        It is interrupted at once where the run was cancelled a moment ago.
    """
    with _lock:
        _kernels.setdefault(run_id, []).append(kernel)
        is_late = run_id in _cancelled
    if is_late:
        kernel.kill()


def dismiss(run_id: str, kernel: Stoppable) -> None:
    """Note that a kernel has ended.

    Parameters
    ----------
    run_id
        The pipeline's run.
    kernel
        As it was enlisted; one that was not is passed over.
    """
    with _lock:
        held = _kernels.get(run_id, [])
        if kernel in held:
            held.remove(kernel)
        if not held:
            _kernels.pop(run_id, None)


def cancel_run(run_id: str) -> None:
    """End a run that another thread of this process works on.

    Parameters
    ----------
    run_id
        The pipeline's run. Its cells get what Ctrl-C gives; a kernel that goes on all the same is
        killed after three seconds.
    """
    with _lock:
        _cancelled.add(run_id)
        held = list(_kernels.get(run_id, []))
    for kernel in held:
        kernel.interrupt()
    if held:
        later = threading.Timer(_GRACE_S, _kill_remaining, (run_id, held))
        later.daemon = True
        later.start()


def is_cancelled(run_id: str) -> bool:
    """Tell whether a run was cancelled.

    Parameters
    ----------
    run_id
        The pipeline's run.

    Returns
    -------
    bool
        Whoever works on it in small parts may ask between them.
    """
    return run_id in _cancelled


def forget_run(run_id: str) -> None:
    """Forget a run that has ended.

    Parameters
    ----------
    run_id
        The pipeline's run.
    """
    with _lock:
        _cancelled.discard(run_id)


def _kill_remaining(run_id: str, before: list[Stoppable]) -> None:
    with _lock:
        remaining = [kernel for kernel in _kernels.get(run_id, []) if kernel in before]
    for kernel in remaining:
        kernel.kill()

"""Ends a pipeline run from another thread: its kernels are interrupted, and no new one starts."""

from __future__ import annotations

import threading
import time
from typing import Protocol

_GRACE_S, _POLL_S = 2.0, 0.25


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
        It is killed where the run was cancelled a moment ago, as soon as it has started.
    """
    with _lock:
        _kernels.setdefault(run_id, []).append(kernel)


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
        killed after two seconds, and one that starts only now at once, until `forget_run`.
    """
    with _lock:
        is_new = run_id not in _cancelled
        _cancelled.add(run_id)
        held = list(_kernels.get(run_id, []))
    for kernel in held:
        kernel.interrupt()
    if is_new:
        name = f"cancel-{run_id[-8:]}"
        threading.Thread(target=_end_kernels, args=(run_id, held), name=name, daemon=True).start()


def kill_run(run_id: str) -> None:
    """End a run at once: its kernels get no time to end by themselves.

    Parameters
    ----------
    run_id
        The pipeline's run.
    """
    with _lock:
        held = list(_kernels.get(run_id, []))
    cancel_run(run_id)
    for kernel in held:
        kernel.kill()


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


def _end_kernels(run_id: str, interrupted: list[Stoppable]) -> None:
    """Kill what does not end by itself, and what comes later, again and again.

    Once is not enough: a kernel is enlisted before its process is there, and a kill sent then is
    sent to nobody.
    """
    patience = time.monotonic() + _GRACE_S
    while is_cancelled(run_id):
        with _lock:
            held = list(_kernels.get(run_id, []))
        for kernel in held:
            if kernel not in interrupted or time.monotonic() >= patience:
                kernel.kill()
        time.sleep(_POLL_S)

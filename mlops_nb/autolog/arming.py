"""Arms and disarms every integration of this process, once."""

from __future__ import annotations

import atexit
import os
import threading
from dataclasses import dataclass
from typing import Any

from mlops_nb.autolog.callsites import forget_sources
from mlops_nb.autolog.imports import ImportWatcher
from mlops_nb.autolog.sklearn import SklearnIntegration
from mlops_nb.tracking import Session


@dataclass(frozen=True, slots=True)
class _Armed:
    session: Session
    watcher: ImportWatcher
    sklearn: SklearnIntegration
    pid: int


_lock = threading.RLock()
_armed: list[_Armed] = []


def arm(session: Session) -> None:
    """Record fits and metrics of this process from now on.

    Parameters
    ----------
    session
        Keeps the runs. Arming for the same session again changes nothing; another session takes
        over. No library is imported: what is not there yet is armed when the user imports it.
    """
    with _lock:
        if _armed and _armed[0].session is session:
            return
        disarm()
        watcher = ImportWatcher()
        _armed.append(_Armed(session, watcher, SklearnIntegration(session, watcher), os.getpid()))
        atexit.register(disarm)


def disarm() -> None:
    """Restore every patched object to the very one it was; safe to call twice."""
    with _lock:
        atexit.unregister(disarm)
        while _armed:
            armed = _armed.pop()
            armed.watcher.close()
            armed.sklearn.close()
        forget_sources()


def finish_cell() -> None:
    """Record what is known only when a cell is over: counted fits, values derived from metrics.

    Notes
    -----
    To be called before the cell's runs end. It never raises.
    """
    for armed in tuple(_armed):
        armed.sklearn.finish_cell()


def status() -> list[tuple[str, str, str]]:
    """Give what is recorded without being asked.

    Returns
    -------
    list of tuple
        ``(what, state, reason)``: state is ``armed``, ``waiting``, ``not armed`` or ``stopped``;
        the reason is the version where armed. Empty where auto-logging is off.
    """
    with _lock:
        return [row for armed in _armed for row in armed.sklearn.status()]


def run_of(model: Any) -> str | None:
    """Give the run that fitted a model.

    Parameters
    ----------
    model
        An estimator.

    Returns
    -------
    str or None
        Id of the run of its last fit; None where no fit of this very object was recorded.
    """
    with _lock:
        run = _armed[0].sklearn.fits.known.find(model) if _armed else None
    return run.run_id if run is not None else None


def example_of(model: Any) -> Any:
    """Give data as a model was fitted on.

    Parameters
    ----------
    model
        An estimator.

    Returns
    -------
    object or None
        The training data where the user still has them, else a copy of their first rows.
    """
    with _lock:
        return _armed[0].sklearn.fits.known.find_example(model) if _armed else None

"""Finds the store and the session that a verb works on."""

from __future__ import annotations

import os
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlops_nb.config import load_settings, read_version, show_index
from mlops_nb.errors import StoreError
from mlops_nb.store import Store, open_store
from mlops_nb.tracking import Session, active_run, current_session, open_session

if TYPE_CHECKING:
    from mlops_nb.store.stamp import StoreStamp

_opening = threading.Lock()


def get_store(store: str | Path | None = None, start: Path | None = None) -> Store:
    """Open the store that a verb reads.

    Parameters
    ----------
    store
        Its folder, where the caller names one.
    start
        Folder to look from; the session's store by default, else from the working folder.

    Returns
    -------
    Store
        Made where there is none yet.

    Raises
    ------
    StoreError
        It cannot be used.
    """
    session = current_session()
    if store is None and start is None and session is not None and session.store is not None:
        return session.store
    settings = load_settings(start, store=store)
    return open_store(settings.store, cache=settings.cache, index=settings.index)


def read_store(start: Path | None = None) -> Store:
    """Open the store that a verb only asks; asking never makes one.

    Parameters
    ----------
    start
        Folder to look from; the session's store by default, else from the working folder.

    Returns
    -------
    Store
        Where nothing was recorded yet, one that is empty and not on the disk.

    Raises
    ------
    StoreError
        What is there is no store of ours.
    """
    session = current_session()
    if start is None and session is not None and session.store is not None:
        return session.store
    settings = load_settings(start)
    is_empty = not settings.store.exists() or (
        settings.store.is_dir() and not any(settings.store.iterdir())
    )
    if is_empty:
        return Store(settings.store, "none", settings.cache)
    return open_store(settings.store, cache=settings.cache, create=False, index=settings.index)


def stamp_store(root: Path) -> StoreStamp:
    """Give what remembers the state of a store, to tell that something was written.

    Parameters
    ----------
    root
        The store's folder; it need not exist yet.

    Returns
    -------
    StoreStamp
        Its ``look`` tells what was written since the last.
    """
    from mlops_nb.store.stamp import StoreStamp

    return StoreStamp(root)


def make_session(
    notebook: str | None = None, start: Path | None = None, kernel_id: str | None = None
) -> Session:
    """Open the session of this process, with a store if one can be had.

    A store that cannot be used is told in one line and nothing is recorded: the work goes on.

    Parameters
    ----------
    notebook
        Path of the notebook or script.
    start
        Folder to look from for the project; the notebook's by default.
    kernel_id
        As Jupyter names the kernel, where known.

    Returns
    -------
    Session
        The current session from now on.
    """
    folder = start or (Path(notebook).parent if notebook else None)
    settings = load_settings(folder if folder and folder.is_dir() else None)
    store = None
    if not settings.disabled:
        try:
            store = open_store(settings.store, cache=settings.cache, index=settings.index)
            return open_session(store, settings, notebook, kernel_id)
        except StoreError as error:
            reason = error.message
        except OSError as error:
            reason = f"{error.strerror or error} ({settings.store})"
        print(f"mlops_nb: nothing is recorded: {reason}", file=sys.stderr)  # noqa: T201
    return open_session(None, settings, notebook)


def need_session() -> Session:
    """Give the session of this process; a script gets one at its first log."""
    session = current_session()
    return _open_for_script() if session is None else session


def _open_for_script() -> Session:
    from mlops_nb.api.sessions import snapshot_in_background

    with _opening:
        session = current_session()
        if session is not None:
            return session  # another thread's first log was at the same time
        main = sys.modules.get("__main__")
        script = getattr(main, "__file__", None)
        # A script may be a tool's (pytest's, say) far from the project, which its folder is not.
        session = make_session(str(Path(script).absolute()) if script else None, Path.cwd())
        snapshot_in_background(session)
        return session


def _renew_lock() -> None:
    global _opening
    _opening = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_lock)


def get_status() -> dict[str, Any]:
    """Tell what is recorded, and where.

    Returns
    -------
    dict
        ``version``, ``store``, ``index`` (the team's, else None), ``recording``, ``disabled``,
        ``experiment``, ``notebook``, ``session_id``,
        ``active_run`` and ``autolog`` (library, state and reason of each integration).
    """
    from mlops_nb.api.sessions import autolog_status

    session = current_session()
    settings = session.settings if session else load_settings()
    run = active_run()
    return {
        "version": read_version(),
        "store": str(settings.store),
        "index": show_index(settings.index) if settings.index else None,
        "recording": session is not None and session.store is not None and not session.is_paused,
        "disabled": settings.disabled,
        "experiment": settings.experiment,
        "notebook": session.notebook if session else None,
        "session_id": session.session_id if session else None,
        "active_run": {"run_id": run.run_id, "name": run.name} if run else None,
        "autolog": [list(entry) for entry in autolog_status()],
    }

"""Records a plain script, or a run of tests, as the extension records a notebook: as one cell."""

from __future__ import annotations

import atexit
import contextlib
import os
import sys
import threading
from pathlib import Path
from typing import Any

from mlops_nb.autolog.arming import arm, disarm, finish_cell
from mlops_nb.autolog.callnames import list_installed
from mlops_nb.config import load_settings
from mlops_nb.errors import MLOpsError
from mlops_nb.store import Store, open_store
from mlops_nb.tracking import Session, close_session, current_session, open_session

_WAIT_S = 2.0


def record_process() -> None:
    """Record what this process trains, reads and writes, until it ends.

    Notes
    -----
    Never raises: what keeps it from recording is told in one line. Inside IPython it loads the
    extension. Nothing happens in processes that ``multiprocessing`` started, which import the main
    module again, nor where ``MLOPS_NB_DISABLED`` is set.
    """
    try:
        shell = _find_shell()
        if shell is not None:
            shell.extension_manager.load_extension("mlops_nb")
        elif not _is_worker():
            _begin()
    except MLOpsError as error:
        _say(error.message)
    except Exception as error:  # noqa: BLE001 - a script must work without its recorder
        _say(f"{type(error).__name__}: {error}")


def _say(reason: str) -> None:
    with contextlib.suppress(Exception):
        sys.stderr.write(f"mlops_nb: nothing is recorded: {' '.join(reason.split())[:300]}\n")


def _find_shell() -> Any:
    ipython = sys.modules.get("IPython")
    return None if ipython is None else ipython.get_ipython()


def _is_worker() -> bool:
    multiprocessing = sys.modules.get("multiprocessing")
    return multiprocessing is not None and multiprocessing.parent_process() is not None


def _begin() -> None:
    known = current_session()
    if known is not None:
        if known.store is not None:
            arm(known)
        return
    script = _find_script()
    settings = load_settings(None)
    if settings.disabled:
        return
    store = open_store(settings.store, cache=settings.cache, index=settings.index)
    session = open_session(store, settings, None if script is None else str(script))
    session.is_script = True
    thread = threading.Thread(
        target=_describe, args=(session, store), name="mlops_nb-environment", daemon=True
    )
    thread.start()
    session.background = thread
    source = "" if script is None else script.read_text(encoding="utf-8", errors="replace")
    index = session.begin_cell(source)
    arm(session)
    owner = os.getpid()

    def finish() -> None:
        if os.getpid() == owner:  # a forked child must not end its parent's runs
            _finish(session, index)

    atexit.register(finish)


def _find_script() -> Path | None:
    """Find the user's script; what is installed (pytest, say) is none."""
    name = getattr(sys.modules.get("__main__"), "__file__", None)
    path = None if name is None else Path(name).absolute()
    if path is None or not path.is_file() or str(path).startswith(list_installed()):
        return None
    return path


def _describe(session: Session, store: Store) -> None:
    try:
        from mlops_nb.environment import snapshot_code, snapshot_environment

        # The environment first: it takes milliseconds, and a short script may end before git.
        environment = snapshot_environment(store)
        session.set_environment(environment, None)
        folder = Path(session.notebook).parent if session.notebook else Path.cwd()
        session.set_environment(environment, snapshot_code(store, folder))
    except Exception as error:  # noqa: BLE001 - a snapshot that fails must not end a script
        session.warn("environment", error)


def _finish(session: Session, index: int) -> None:
    try:
        # What Python has just printed as the end of the script.
        error = getattr(sys, "last_exc", None) or getattr(sys, "last_value", None)
        finish_cell(vars(sys.modules["__main__"]))
        if error is None:
            session.end_cell(index)
        elif isinstance(error, KeyboardInterrupt):
            session.end_cell(index, "interrupted", type(error).__name__)
        else:
            session.end_cell(index, "error", f"{type(error).__name__}: {error}")
        disarm()
        if session.background is not None:
            session.background.join(_WAIT_S)
        if current_session() is session:
            close_session()
    except Exception as failure:  # noqa: BLE001 - the process is ending
        _say(f"the session was not closed: {type(failure).__name__}: {failure}")

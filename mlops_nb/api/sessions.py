"""Verbs on the session: what the kernel's hooks and the panel call."""

from __future__ import annotations

import atexit
import contextlib
import threading
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlops_nb.api.places import make_session
from mlops_nb.tracking import Session, current_session, find_run_of, pausing
from mlops_nb.tracking import close_session as close_tracking_session

if TYPE_CHECKING:
    from mlops_nb.records import ProgressRecord, RunRecord
    from mlops_nb.tracking.session import CellStatus

_MOST_MEMBERS = 100
_WAIT_S = 2.0


def open_session(notebook: str | None = None, kernel_id: str | None = None) -> bool:
    """Open the session of this kernel and snapshot its environment in the background.

    Parameters
    ----------
    notebook
        Path of the notebook, where the front end tells it.
    kernel_id
        As Jupyter names the kernel, where it does.

    Returns
    -------
    bool
        Whether anything is recorded.
    """
    session = make_session(notebook, kernel_id=kernel_id)
    snapshot_in_background(session)
    return session.store is not None


def snapshot_in_background(session: Session) -> None:
    """Snapshot environment and code on another thread, and give them to the session's runs."""
    store = session.store
    if store is None:
        return
    folder = Path(session.notebook).parent if session.notebook else Path.cwd()

    def snapshot() -> None:
        try:
            from mlops_nb.environment import snapshot_code, snapshot_environment

            # The environment first: it takes milliseconds, and a short script may end before git.
            environment = snapshot_environment(store)
            session.set_environment(environment, None)
            session.set_environment(environment, snapshot_code(store, folder))
        except Exception as error:  # noqa: BLE001 - a snapshot that fails must not end a session
            session.warn("environment", error)

    thread = threading.Thread(target=snapshot, name="mlops_nb-environment", daemon=True)
    thread.start()
    # A script may end before the snapshot does: give it a moment.
    atexit.register(thread.join, _WAIT_S)
    session.background = thread


def close_session() -> None:
    """Close the session of this kernel; its patches are taken back.

    What is being snapshotted for its runs is waited for, two seconds at most: who closes a session
    may copy or push the runs next.
    """
    if current_session() is not None:
        disarm_autolog()
        wait_for_environment()
    close_tracking_session()


def wait_for_environment() -> None:
    """Wait, two seconds at most, until the runs of this process have their environment and code."""
    session = current_session()
    if session is not None and session.background is not None:
        session.background.join(_WAIT_S)


def begin_cell(
    source: str,
    cell_id: str | None = None,
    tags: tuple[str, ...] = (),
    execution_count: int | None = None,
) -> int | None:
    """Record that a cell begins; None when there is no session."""
    session = current_session()
    if session is None:
        return None
    return session.begin_cell(source, cell_id, tags, execution_count)


def end_cell(
    index: int,
    status: CellStatus = "ok",
    error: str | None = None,
    namespace: dict[str, Any] | None = None,
) -> list[RunRecord]:
    """Record that a cell ended.

    Parameters
    ----------
    index
        From `begin_cell`.
    status
        How it ended.
    error
        Class and message of its exception.
    namespace
        The notebook's variables, in which auto-logging finds results computed by hand.

    Returns
    -------
    list of RunRecord
        The runs recorded in the cell, as they stand on disk, oldest first; without their cells.
    """
    session = current_session()
    if session is None:
        return []
    from mlops_nb import autolog

    autolog.finish_cell(namespace)  # before the cell's runs end
    runs = session.end_cell(index, status, error)
    if session.store is None:
        return []
    read = session.store.read_run
    return [read(run.run_id, with_cells=False) for run in runs if run.run_id]


def touched_runs() -> list[str]:
    """Give the ids of the runs recorded so far in the cell that runs now."""
    session = current_session()
    return [] if session is None else [run.run_id for run in session.touched_runs() if run.run_id]


def touch_runs_of(values: Iterable[Any]) -> None:
    """Count the running cell to the runs of the models it works with.

    Parameters
    ----------
    values
        Objects the cell mentions; members of short lists, tuples and dicts are looked at too.
    """
    session = current_session()
    if session is None:
        return
    for value in values:
        members: list[Any] = [value]
        if type(value) in (list, tuple, dict) and len(value) <= _MOST_MEMBERS:
            members += value.values() if isinstance(value, dict) else value
        for member in members:
            run_id = find_run_of(member)
            run = session.find_run(run_id) if run_id else None
            if run is not None:
                session.touch(run)


def attach_output(data: bytes, media_type: str, name: str) -> None:
    """Keep an output of the running cell with every run recorded in it.

    Parameters
    ----------
    data
        The output, for example a PNG.
    media_type
        Its MIME type.
    name
        Name of the artifact.
    """
    session = current_session()
    if session is not None:
        for run in session.touched_runs():
            run.log_bytes(data, name, media_type)


def keep_output(parts: Iterable[str]) -> None:
    """Keep the end of what the running cell has printed with every run recorded in it.

    Parameters
    ----------
    parts
        What was written to stdout and stderr, in order.
    """
    session = current_session()
    if session is not None and session.touched_runs():
        from mlops_nb.autolog.output import keep_output as keep

        keep(session, parts)


def watch_runs(listener: Callable[[str, ProgressRecord | None], object] | None) -> None:
    """Be told of runs while they are open, once a second, on a thread of its own.

    Parameters
    ----------
    listener
        Told the id of an open run and how far it has got; None for nobody. It must not raise.
    """
    session = current_session()
    if session is None or session.sampler is None:
        return
    if listener is None:
        session.sampler.listener = None
        return
    tell = listener
    session.sampler.listener = lambda run, progress: tell(run.run_id, progress)


def arm_autolog(*libraries: str) -> None:
    """Record fits and metrics of this kernel without being asked.

    Parameters
    ----------
    *libraries
        Those that shall be recorded again; without any, all but those that were switched off.

    Raises
    ------
    NotFoundError
        One of the names is not known.
    """
    from mlops_nb import autolog

    session = current_session()
    if session is None or session.store is None:
        return
    if libraries:
        autolog.switch(session, libraries, is_on=True)
    else:
        autolog.arm(session)


def disarm_autolog(*libraries: str) -> None:
    """Take every patch of auto-logging back.

    Parameters
    ----------
    *libraries
        Only those of these libraries.

    Raises
    ------
    NotFoundError
        One of the names is not known.
    """
    from mlops_nb import autolog

    session = current_session()
    if not libraries:
        autolog.disarm()
    elif session is not None and session.store is not None:
        autolog.switch(session, libraries, is_on=False)


def list_autologged() -> tuple[str, ...]:
    """Name the libraries that can be switched on and off."""
    from mlops_nb import autolog

    return autolog.LIBRARIES


@contextlib.contextmanager
def paused() -> Iterator[None]:
    """Record nothing unasked within a ``with`` block.

    Yields
    ------
    None
        What is logged by hand is recorded all the same. Blocks may lie within one another; the
        whole kernel pauses, whichever thread enters the block.

    Examples
    --------
    >>> import mlops_nb as mlops
    >>> with mlops.paused():  # doctest: +SKIP
    ...     probe.fit(X, y)
    """
    with pausing():
        yield


def autolog_status() -> list[tuple[str, str, str]]:
    """Give library, state and reason of each integration, and of what is sampled beside them."""
    from mlops_nb import autolog

    session = current_session()
    if session is None:
        return autolog.status()
    from mlops_nb.autolog.output import describe_output

    sampled = session.sampler.status() if session.sampler is not None else []
    return [*autolog.status(), describe_output(session), *sampled]

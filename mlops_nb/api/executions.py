"""Verbs on what a notebook's kernel does: its executed cells, and whether it records."""

from __future__ import annotations

from pathlib import Path

from mlops_nb.api.places import read_store
from mlops_nb.errors import StoreError
from mlops_nb.records import ExecutionRecord, SessionRecord
from mlops_nb.tracking import current_session
from mlops_nb.tracking import switch_recording as switch


def watch_session(
    kernel_id: str, since: int = 0, limit: int = 500, *, start: Path | None = None
) -> tuple[SessionRecord | None, list[ExecutionRecord], int]:
    """Read what a kernel has executed, each time only what is new.

    Parameters
    ----------
    kernel_id
        As Jupyter names the kernel.
    since, limit
        So many executions from this one on, in the order they ran.
    start
        Folder whose project's store is read, where it is not this process's.

    Returns
    -------
    session : SessionRecord or None
        The kernel's last session; None where it has none.
    executions : list of ExecutionRecord
        One that runs now is ``running`` and changes when it ends.
    count : int
        How many executions there are.
    """
    from mlops_nb.api.watching import find_watched
    from mlops_nb.store.livesession import find_session

    folder = find_session(read_store(start).root, kernel_id)
    if folder is None:
        return None, [], 0
    return find_watched(folder).read(since, limit)


def switch_recording(is_on: bool) -> None:
    """Record unasked from now on, or no more, until it is switched again.

    Parameters
    ----------
    is_on
        Which of the two. Off, what is logged by hand is recorded all the same.

    Raises
    ------
    StoreError
        Nothing is recorded in this process that could be switched.
    """
    if not switch(is_on):
        session = current_session()
        place = "this process" if session is None else str(session.settings.store)
        raise StoreError(
            place,
            "nothing is recorded here",
            "The first line that mlops_nb printed in this kernel says why.",
        )

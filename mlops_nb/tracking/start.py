"""Starts runs, and ends those a process leaves open."""

from __future__ import annotations

import atexit
import os
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from mlops_nb.config import Settings
from mlops_nb.errors import RunNotFoundError
from mlops_nb.store import Entries, Store
from mlops_nb.tracking import active
from mlops_nb.tracking.adopting import current_adoption
from mlops_nb.tracking.names import make_name
from mlops_nb.tracking.run import Run
from mlops_nb.tracking.values import check_key, read_tag

if TYPE_CHECKING:
    from mlops_nb.records import RunStatus

_PARENT = "MLOPS_NB_PARENT_RUN"


def start_run(  # noqa: PLR0913 - what the verb takes, and two of the session's own
    store: Store | None,
    settings: Settings,
    name: str | None = None,
    *,
    experiment: str | None = None,
    tags: Mapping[str, Any] | None = None,
    nested: bool | None = None,
    meta: Mapping[str, Any] | None = None,
    is_active: bool = True,
    is_deferred: bool = False,
    entries: Entries = (),
) -> Run:
    """Start a run.

    Parameters
    ----------
    store
        Where it is kept; None records nothing.
    settings
        Give the experiment where none is named.
    name
        What people call it; made up where not given.
    experiment
        What it belongs to.
    tags
        Set at the start.
    nested
        Whether the run belongs to the active one. By default it does inside a ``with`` block; a run
        that was only started, not entered, is ended by the next start, so that a cell that is run
        again leaves no run behind.
    meta
        Further facts of the start: ``session_id``, ``notebook``.
    is_active
        Whether logs without a run of their own go to it.
    is_deferred
        Whether it is written a moment later, by `Run.write` at the latest; its name and its tags
        are a recorder's own texts, and taken as they are.
    entries
        What a deferred run begins with: events with their ``at``, and what makes events later.

    Returns
    -------
    Run
        Open, and active if so asked.
    """
    named = make_name() if name is None else name if is_deferred else check_key("run", name)
    group = check_key("experiment", experiment) if experiment is not None else settings.experiment
    read = dict(tags or {})
    if not is_deferred:
        read = {check_key("tag", key): read_tag(value) for key, value in read.items()}
    above = active.active_run()
    if above is not None and is_active and not above.is_entered and not nested:
        above.end()
        above = active.active_run()
    parent = above.run_id if above is not None and nested is not False else None
    adoption = current_adoption() if parent is None else None
    if adoption is not None:
        parent, read = adoption.parent_run_id, {**adoption.tags, **read}
    parent = parent or _read_parent()
    log = None
    if store is not None:
        fields = {"name": named, "experiment": group, "tags": read, "parent_run_id": parent}
        known = {**(meta or {}), **fields}
        try:
            log = store.start_run(known, is_deferred=is_deferred, entries=entries)
        except OSError as error:
            reason = error.strerror or str(error)
            print(f"mlops_nb: nothing is recorded: {reason}.", file=sys.stderr)  # noqa: T201
    run = Run(log, named, group, store if log else None, parent)
    if adoption is not None and log is not None:
        adoption.run_ids.append(run.run_id)
    if is_active:
        active.add(run)
    return run


def _read_parent() -> str | None:
    """Give the run that runs of this process belong to, where it is told of one."""
    # A name that is not there raises within `os.environ`, which takes longer than all around it.
    variables, encode = getattr(os.environ, "_data", None), getattr(os.environ, "encodekey", None)
    if type(variables) is dict and encode is not None and encode(_PARENT) not in variables:
        return None
    return os.environ.get(_PARENT) or None


def reopen_run(store: Store, run_id: str) -> Run | None:
    """Give a run that another process recorded, to add to it.

    Parameters
    ----------
    store
        Where it is kept.
    run_id
        The whole id.

    Returns
    -------
    Run or None
        It has ended, and takes metrics and artifacts all the same; None where there is no such run.
    """
    try:
        record = store.read_run(run_id)
    except RunNotFoundError:
        return None
    run = Run(store.reopen_run(run_id), record.name, record.experiment, store, record.parent_run_id)
    run.status = "finished" if record.status == "running" else record.status
    return run


def end_open_runs(status: RunStatus = "finished") -> None:
    """End every run this process left open; called when the interpreter exits."""
    for run in active.open_runs():
        run.end(status)


atexit.register(end_open_runs)

"""The life of a run: the live run, the session of a kernel, its executed cells."""

from mlops_nb.tracking.active import active_run
from mlops_nb.tracking.adopting import Adoption, adopting
from mlops_nb.tracking.links import (
    find_run_of,
    link_object,
    link_reference,
    list_links,
    unlink,
)
from mlops_nb.tracking.pauses import pausing, switch_recording
from mlops_nb.tracking.run import Run
from mlops_nb.tracking.session import Session, close_session, current_session, open_session
from mlops_nb.tracking.start import end_open_runs, reopen_run, start_run

__all__ = [
    "Adoption",
    "Run",
    "Session",
    "active_run",
    "adopting",
    "close_session",
    "current_session",
    "end_open_runs",
    "find_run_of",
    "link_object",
    "link_reference",
    "list_links",
    "open_session",
    "pausing",
    "reopen_run",
    "start_run",
    "switch_recording",
    "unlink",
]

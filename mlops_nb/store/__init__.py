"""The only room that opens the database or writes objects.

Everything durable here is a write-once file or a single-writer append log; the
SQLite index can be deleted and is rebuilt.
"""

from typing import TYPE_CHECKING, Any

from mlops_nb.store.deferred import DeferredLog, Entries, Event, Job, write_deferred
from mlops_nb.store.runlog import RunLog
from mlops_nb.store.store import Store, open_store

if TYPE_CHECKING:
    from mlops_nb.store.series import MetricPreview, MetricSeries

__all__ = [
    "DeferredLog",
    "Entries",
    "Event",
    "Job",
    "MetricPreview",
    "MetricSeries",
    "RunLog",
    "Store",
    "open_store",
    "write_deferred",
]


def __getattr__(name: str) -> Any:
    """Load what reads series when it is first asked for: a kernel that begins reads none."""
    if name in {"MetricPreview", "MetricSeries"}:
        from mlops_nb.store import series

        return getattr(series, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

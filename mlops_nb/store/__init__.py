"""The only room that opens the database or writes objects.

Everything durable here is a write-once file or a single-writer append log; the
SQLite index can be deleted and is rebuilt.
"""

from mlops_nb.store.deferred import DeferredLog, write_deferred
from mlops_nb.store.runlog import RunLog
from mlops_nb.store.series import MetricPreview, MetricSeries
from mlops_nb.store.store import Store, open_store

__all__ = [
    "DeferredLog",
    "MetricPreview",
    "MetricSeries",
    "RunLog",
    "Store",
    "open_store",
    "write_deferred",
]

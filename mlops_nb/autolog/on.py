"""``import mlops_nb.autolog.on`` records a script as ``%load_ext mlops_nb`` records a notebook."""

from __future__ import annotations

from mlops_nb.autolog.scripts import record_process

record_process()

"""Verbs on data and environment: snapshot them, read them back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mlops_nb.api.places import get_store, read_store
from mlops_nb.api.runs import get_run
from mlops_nb.errors import InvalidValueError
from mlops_nb.records import DatasetRecord
from mlops_nb.tracking import active_run


def snapshot_data(data: Any, name: str = "") -> DatasetRecord:
    """Keep data by content, and name it in the active run if there is one.

    Parameters
    ----------
    data
        A pandas DataFrame or Series, a numpy array, a sparse matrix, or a list of numbers.
    name
        What people call it.

    Returns
    -------
    DatasetRecord
        ``digest`` is None when only the fingerprint is kept, because the data are too large.

    Raises
    ------
    InvalidValueError
        Data of this kind have no fingerprint.
    """
    from mlops_nb.data import store_frame

    record = store_frame(get_store(), data, name)
    if record is None:
        raise InvalidValueError(
            "data", data, "a DataFrame, Series, array, matrix or list of numbers"
        )
    run = active_run()
    if run is not None:
        run.log_dataset(record)
    return record


def snapshot_environment() -> dict[str, Any]:
    """Keep the environment of this process.

    Returns
    -------
    dict
        ``digest`` and ``document``.
    """
    from mlops_nb.environment import snapshot_environment as snapshot

    store = get_store()
    digest = snapshot(store)
    return {"digest": digest, "document": store.objects.read_json(digest)}


def read_surroundings(run_id: str, *, start: Path | None = None) -> dict[str, Any]:
    """Read what a run ran in: its environment, and the state of its code.

    Parameters
    ----------
    run_id
        As for `get_run`.
    start
        Folder whose project's store is read, where it is not this process's.

    Returns
    -------
    dict
        ``environment`` and ``code``: a document each, or None where none was kept.

    Raises
    ------
    RunNotFoundError
        There is no such run.
    CorruptObjectError
        A stored document is not the one that was written.
    """
    store, run = read_store(start), get_run(run_id, start=start)
    named = {"environment": run.environment, "code": run.code}
    return {
        key: store.objects.read_json(digest) if digest else None for key, digest in named.items()
    }

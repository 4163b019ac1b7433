"""Verbs on data and environment: snapshot them."""

from __future__ import annotations

from typing import Any

from mlops_nb.api.places import get_store
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

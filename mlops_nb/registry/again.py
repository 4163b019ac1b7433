"""Versions of a run's model: which there are, and the same bytes under another name."""

from __future__ import annotations

import time
from dataclasses import asdict
from typing import TYPE_CHECKING

from mlops_nb.errors import MLOpsError
from mlops_nb.registry.versions import check_alias, check_name
from mlops_nb.store.writer import find_user

if TYPE_CHECKING:
    from mlops_nb.records import ModelVersion
    from mlops_nb.store import Store


def list_run_versions(store: Store, run_id: str) -> list[ModelVersion]:
    """List the versions that a run's model was registered as.

    Parameters
    ----------
    store
        Where they are.
    run_id
        The whole id of the run.

    Returns
    -------
    list of ModelVersion
        By name and number; a version whose record cannot be read is none of them.
    """
    found = []
    for name in store.models.names():
        for number in store.models.versions(name):
            try:
                version = store.models.get(name, number)
            except MLOpsError:
                continue
            if version.run_id == run_id:
                found.append(version)
    return found


def register_again(
    store: Store, version: ModelVersion, *, name: str, alias: str | None = None
) -> ModelVersion:
    """Register the bytes of a version under another name, or once more under its own.

    Parameters
    ----------
    store
        Where they are; they are read and compared with their digest first.
    version
        The version.
    name
        Of the registered model.
    alias
        Checked before anything is written; it is not moved.

    Returns
    -------
    ModelVersion
        With the same lineage and signature.

    Raises
    ------
    InvalidValueError
        A name has the wrong form; nothing was written.
    CorruptObjectError
        The bytes are not those that were registered; nothing was written.
    """
    check_name(name)
    if alias is not None:
        check_alias(alias)
    store.objects.read_bytes(version.digest)
    fields = asdict(version)
    del fields["version"], fields["aliases"]
    changed = {"name": name, "registered_at": time.time(), "user": find_user()}
    kept = {"signature": version.signature}  # asdict makes dicts of records within
    return store.models.create_version({**fields, **kept, **changed})

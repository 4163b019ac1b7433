"""Registered models as people look at them: one line a model, and what became of its aliases."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_nb.errors import ModelNotFoundError
from mlops_nb.records import ModelSummary

if TYPE_CHECKING:
    from mlops_nb.records import AuditRecord
    from mlops_nb.store import Store

_CHANGES = ("model.registered", "alias.set", "alias.deleted")


def summarize_models(store: Store, limit: int, offset: int = 0) -> list[ModelSummary]:
    """List registered models by name, a page at a time.

    Parameters
    ----------
    store
        Where to look.
    limit, offset
        A page: so many models after so many.

    Returns
    -------
    list of ModelSummary
        Only the newest version of each is read, however many there are.
    """
    found = []
    for name in store.models.names()[offset : offset + limit]:
        versions = store.models.versions(name)
        newest = store.models.describe(name, versions[-1])
        found.append(ModelSummary(name, len(versions), newest, store.models.aliases(name)))
    return found


def list_changes(store: Store, name: str) -> list[AuditRecord]:
    """List what was done with a model: registrations, and what its aliases named.

    Parameters
    ----------
    store
        Where the model is kept.
    name
        The model.

    Returns
    -------
    list of AuditRecord
        Newest first; reasons stand in their documents.

    Raises
    ------
    ModelNotFoundError
        There is no model of that name.
    StoreError
        A chain of changes is broken.
    """
    known = store.models.names()
    if name not in known:
        raise ModelNotFoundError(name, known)
    merged = store.audit.merged()
    return [
        record
        for record, _ in reversed(merged)
        if record.event in _CHANGES and record.document.get("name") == name
    ]

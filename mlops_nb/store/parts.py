"""What a store is made of, each part loaded when it is first used: few kernels need all."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlops_nb.store.chunking import CutSizes

if TYPE_CHECKING:
    from mlops_nb.store.audit import AuditLog
    from mlops_nb.store.index import RunIndex
    from mlops_nb.store.models import ModelFolder
    from mlops_nb.store.objects import ObjectFolder


class StoreParts:
    """Makes the parts of a store, each once for all threads.

    Parameters
    ----------
    root
        The store's folder.
    store_id
        Name of the store.
    cache
        Local folder for indexes that can be rebuilt.
    cut
        How large chunks of objects are.
    index
        Database of the index that a team shares; empty for none.

    Attributes
    ----------
    audit : AuditLog
        What was registered, renamed and deleted.
    models : ModelFolder
        The registered models.
    objects : ObjectFolder
        The kept bytes, by their digests.
    local : Path
        Folder of what can be rebuilt of this store.
    """

    audit: AuditLog
    models: ModelFolder
    objects: ObjectFolder
    _index: RunIndex

    def __init__(
        self, root: Path, store_id: str, cache: Path, cut: CutSizes | None, index: str
    ) -> None:
        self.root, self.store_id, self.cache = root, store_id, cache
        self.cut, self.team = cut, index
        # A store that was copied or moved keeps its id, so the index is named by place as well.
        here = hashlib.sha256(os.fsencode(root)).hexdigest()[:16]
        self.local = cache / f"{store_id}-{here}"

    def __getattr__(self, name: str) -> Any:
        """Make a part when it is first asked for."""
        make = _PARTS.get(name)
        if make is None:
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        # No lock, which a fork could leave held: of two threads, the one that is first has made it.
        return vars(self).setdefault(name, make(self))


def _make_audit(store: StoreParts) -> AuditLog:
    from mlops_nb.store.audit import AuditLog

    return AuditLog(store.root / "audit" / "audit.log")


def _make_models(store: StoreParts) -> ModelFolder:
    from mlops_nb.store.models import ModelFolder

    return ModelFolder(store.root / "models", store.audit)


def _make_objects(store: StoreParts) -> ObjectFolder:
    from mlops_nb.store.objects import ObjectFolder

    return ObjectFolder(store.root, store.local / "chunks.db", store.cut)


def _make_index(store: StoreParts) -> RunIndex:
    from mlops_nb.store.index import RunIndex
    from mlops_nb.store.sqlitefile import SQLiteFile

    file = SQLiteFile(store.local / "index.db")
    if not store.team:
        return RunIndex(file, store.root / "runs")
    from mlops_nb.store.teamindex import TeamIndex, name_schema

    place = TeamIndex(store.team, name_schema(store.root, store.store_id), file)
    return RunIndex(place, store.root / "runs")


_PARTS: dict[str, Callable[[StoreParts], Any]] = {
    "audit": _make_audit,
    "models": _make_models,
    "objects": _make_objects,
    "_index": _make_index,
}

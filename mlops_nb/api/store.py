"""Verbs on the store as a whole: verify it, collect garbage, count, rebuild the index."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlops_nb.api.places import read_store
from mlops_nb.api.steps import collect_cache

if TYPE_CHECKING:
    from mlops_nb.records import RunRecord
    from mlops_nb.store.deletion import DeletedRun
    from mlops_nb.store.gc import Collection
    from mlops_nb.store.scrub import Verification

DAY_S = 24 * 3600.0


def verify_store(max_s: float | None = None) -> Verification:
    """Read every stored object again and check it.

    Parameters
    ----------
    max_s
        Stop after so many seconds; the next call goes on with what was checked longest ago.

    Returns
    -------
    Verification
        What was read; ``damaged`` names packs, chunks and the objects made of them.
    """
    from mlops_nb.store import upkeep

    return upkeep.verify_store(read_store(), max_s=max_s)


def collect_garbage(grace_s: float = DAY_S) -> Collection:
    """Delete objects that no run, session, model or tag names any more.

    What killed reproductions have left in the folder for temporary files goes too.

    Parameters
    ----------
    grace_s
        Seconds that a pack stays marked before it is deleted. With 0 it goes at once, and nothing
        else may write to the store meanwhile.

    Returns
    -------
    Collection
        What was marked now, and what was deleted of what an earlier call had marked.

    Raises
    ------
    CorruptObjectError
        An object that names others is damaged; nothing was deleted.
    """
    from mlops_nb.pipeline.reproduce_remains import sweep_reproductions
    from mlops_nb.store import upkeep

    sweep_reproductions()
    store = read_store()
    if (store.root / "steps").is_dir():  # what it names is kept
        collect_cache()
    return upkeep.collect_store(store, grace_s=grace_s)


def delete_run(
    run_id: str, reason: str | None = None, *, force: bool = False, start: Path | None = None
) -> DeletedRun:
    """Delete a run: it is in no list any more, and a later collection removes it for good.

    Parameters
    ----------
    run_id
        Its id, the beginning or end of it, its name, or ``latest``.
    reason
        Why, for the record of the change.
    force
        Also where it has no end yet.
    start
        Folder whose project's store is read, where it is not this process's.

    Returns
    -------
    DeletedRun
        What `restore_run` takes.

    Raises
    ------
    RunNotFoundError
        There is no such run.
    InvalidValueError
        It is still running, or more than one run fits.
    """
    from mlops_nb.store import deletion

    store = read_store(start)
    found = store.find_run(run_id)
    return deletion.delete_run(store.root, store.audit, found, reason, force=force)


def restore_run(run_id: str, *, start: Path | None = None) -> RunRecord:
    """Put a deleted run back.

    Parameters
    ----------
    run_id
        Its id, the beginning or end of it, or its name.
    start
        Folder whose project's store is read, where it is not this process's.

    Returns
    -------
    RunRecord
        The run.

    Raises
    ------
    NotFoundError
        No such run was deleted, or a collection has removed it.
    """
    from mlops_nb.store import deletion

    store = read_store(start)
    found = deletion.find_deleted(store.root, run_id)
    deletion.restore_run(store.root, store.audit, found)
    return store.read_run(found)


def list_deleted_runs() -> list[DeletedRun]:
    """Give the runs that were deleted, the latest first.

    Returns
    -------
    list of DeletedRun
        With who deleted them, when and why, and whether they can still be restored.
    """
    from mlops_nb.store import deletion

    return deletion.list_deleted(read_store().root)


def get_store_stats() -> dict[str, Any]:
    """Count what the store holds.

    Returns
    -------
    dict
        ``packs``, ``pack_bytes``, ``blobs``, ``recipes``, ``raw_bytes``, ``repeated_bytes``,
        ``marked_packs``, ``unreadable_packs``, ``unfinished_files`` and ``index_bytes``.
    """
    from mlops_nb.store import upkeep

    return upkeep.read_stats(read_store())


def rebuild_index() -> dict[str, int]:
    """Throw the indexes of runs and objects away and fill them again.

    Returns
    -------
    dict
        ``runs`` and ``packs`` that were read.
    """
    from mlops_nb.store import upkeep

    return upkeep.rebuild_indexes(read_store())

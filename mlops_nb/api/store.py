"""Verbs on the store as a whole: verify it, collect garbage, count, rebuild the index."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlops_nb.api.places import read_store

if TYPE_CHECKING:
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
    from mlops_nb.store import upkeep

    return upkeep.collect_store(read_store(), grace_s=grace_s)


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

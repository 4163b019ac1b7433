"""What a person does to a store as a whole: verify, collect, count, rebuild."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from mlops_nb.errors import CorruptObjectError
from mlops_nb.store import gc, scrub
from mlops_nb.store.deletion import purge_deleted
from mlops_nb.store.packs import RECIPE, read_footer
from mlops_nb.store.store import Store


def _is_made(store: Store) -> bool:
    return (store.root / "format.json").is_file()


def verify_store(store: Store, *, max_s: float | None = None) -> scrub.Verification:
    """Read stored objects again and record what was found; see `scrub.verify_objects`."""
    result = scrub.verify_objects(store.objects, max_s=max_s)
    if _is_made(store):
        damaged = [entry.digest or entry.pack for entry in result.damaged[:100]]
        facts = {**asdict(result), "damaged": damaged, "damaged_count": len(result.damaged)}
        store.audit.append("store.verified", facts)
    return result


def collect_store(store: Store, *, grace_s: float = gc.GRACE_S) -> gc.Collection:
    """Compact runs at rest, delete what nothing names, and record it; see `gc.collect_garbage`.

    Parameters
    ----------
    store
        The store.
    grace_s
        How long deleted runs and marked packs stay.

    Returns
    -------
    gc.Collection
        What was done.
    """
    gc.check_grace(grace_s)
    compacted = store.compact()
    purged = purge_deleted(store.root, store.audit, grace_s)  # what they named goes with them
    done = gc.collect_garbage(store.objects, grace_s=grace_s)
    done.compacted_runs, done.purged_runs = compacted.runs, purged
    done.compacted_bytes = compacted.before_bytes - compacted.after_bytes
    if _is_made(store):
        store.audit.append("store.collected", {"grace_s": grace_s, **asdict(done)})
    return done


def read_stats(store: Store) -> dict[str, Any]:
    """Count what a store holds.

    Parameters
    ----------
    store
        The store.

    Returns
    -------
    dict
        ``packs``, ``pack_bytes``, ``blobs``, ``recipes`` (objects of several chunks), ``raw_bytes``
        (unpacked size of all blobs), ``repeated_bytes`` (kept more than once), ``marked_packs``,
        ``unreadable_packs``, ``unfinished_files`` and ``index_bytes``.
    """
    objects = store.objects
    seen: set[bytes] = set()
    counts = dict.fromkeys(
        ("packs", "pack_bytes", "blobs", "recipes", "raw_bytes", "repeated_bytes"), 0
    )
    unreadable = 0
    for name in objects.packs.names():
        path = objects.packs.locate(name)
        try:
            counts["pack_bytes"] += path.stat().st_size
            records = read_footer(path)
        except FileNotFoundError:
            continue
        except CorruptObjectError:
            unreadable += 1
            continue
        counts["packs"] += 1
        for record in records:
            if record.digest in seen:
                counts["repeated_bytes"] += record.stored_bytes
                continue
            seen.add(record.digest)
            counts["blobs"] += 1
            counts["recipes"] += bool(record.kind & RECIPE)
            counts["raw_bytes"] += record.raw_bytes
    return {
        **counts,
        "marked_packs": len({name for mark in objects.marks.read() for name in mark.packs}),
        "unreadable_packs": unreadable,
        "unfinished_files": _count_files(objects.packs.tmp),
        "index_bytes": _measure(objects.index.path) + store.index.place.measure(),
    }


def _count_files(folder: Path) -> int:
    return sum(1 for _ in folder.iterdir()) if folder.is_dir() else 0


def _measure(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0


def rebuild_indexes(store: Store) -> dict[str, int]:
    """Throw both indexes away and fill them again from runs and packs.

    Parameters
    ----------
    store
        The store.

    Returns
    -------
    dict
        ``runs`` and ``packs`` that were read.
    """
    store.objects.index.rebuild()
    store.index.rebuild()
    return {"runs": len(store.list_run_ids()), "packs": len(store.objects.index.checked())}

"""Deletes what nothing names any more, without a lock: first marked, deleted after a grace time.

The order is what keeps it safe. Packs are listed before roots are read, so an object that is
written meanwhile is not in the list. A marked pack counts as absent for writers, so after the grace
time nothing new can depend on it; what was named before the mark was seen is found by the second
look at the roots.
"""

from __future__ import annotations

import contextlib
import shutil
import time
from dataclasses import dataclass, field
from pathlib import Path

from mlops_nb.errors import CorruptObjectError, InvalidValueError
from mlops_nb.store.marks import Mark
from mlops_nb.store.objects import ObjectFolder
from mlops_nb.store.packs import Record, decode_blob, read_footer
from mlops_nb.store.roots import Where, find_live, find_roots

GRACE_S = 24 * 3600.0
_WORTH_REPACKING = 0.25
# So many packs below that size become one: a run leaves a pack for nearly everything it keeps.
MANY_PACKS = 16
SMALL_BYTES = 4 * 1024 * 1024
_ABANDONED_S = 3600.0  # what a writer has not touched for so long is nobody's


@dataclass(slots=True)
class Collection:
    """What one collection did.

    Attributes
    ----------
    marked_packs, marked_bytes
        Packs marked now, to be deleted after the grace time.
    deleted_packs, deleted_bytes
        Packs deleted now.
    merged_packs
        Those of the marked packs that were whole, but small and many.
    kept_again
        Marked packs that are wanted again.
    moved_bytes
        Live blobs copied out of packs that were marked.
    abandoned_files
        Unfinished packs of writers that died, deleted now.
    compacted_runs, compacted_bytes
        Runs whose metrics were stored as chunks now, and the bytes that saved.
    purged_runs
        Runs that were deleted longer ago than the grace time, removed for good now.
    live_objects, dead_bytes
        What is named, and the bytes in packs that nothing names.
    """

    marked_packs: int = 0
    marked_bytes: int = 0
    deleted_packs: int = 0
    deleted_bytes: int = 0
    merged_packs: int = 0
    kept_again: int = 0
    moved_bytes: int = 0
    abandoned_files: int = 0
    compacted_runs: int = 0
    compacted_bytes: int = 0
    purged_runs: int = 0
    live_objects: int = 0
    dead_bytes: int = 0


@dataclass(slots=True)
class _Census:
    """All packs with their records, and which blobs are needed."""

    packs: dict[str, list[Record]] = field(default_factory=dict)
    sizes: dict[str, int] = field(default_factory=dict)
    fresh: set[str] = field(default_factory=set)
    where: Where = field(default_factory=dict)
    live: set[bytes] = field(default_factory=set)


def collect_garbage(objects: ObjectFolder, *, grace_s: float = GRACE_S) -> Collection:
    """Mark packs that nothing needs, and delete those marked long enough ago.

    Parameters
    ----------
    objects
        The objects of a store.
    grace_s
        How long a mark stands before its packs are deleted, and how old a pack must be to be
        marked; longer than anything takes from putting an object to naming it in a run. With 0
        nothing else may write to the store meanwhile.

    Returns
    -------
    Collection
        What was done.

    Raises
    ------
    CorruptObjectError
        An object that names others is damaged; nothing was deleted.
    """
    check_grace(grace_s)
    done = Collection()
    _mark(objects, grace_s, done)
    now = time.time()
    due = [mark for mark in objects.marks.read() if now - mark.marked_at >= grace_s]
    if due:
        _delete(objects, due, done)
    _sweep(objects.packs.tmp, max(grace_s, _ABANDONED_S), done)
    objects.look(now=True)
    return done


def check_grace(grace_s: float) -> None:
    """Refuse a grace time that is below zero or no number."""
    if not grace_s >= 0:
        raise InvalidValueError("grace_s", grace_s, "0 or more seconds")


def _take_census(objects: ObjectFolder, grace_s: float) -> _Census:
    census = _Census()
    now = time.time()
    for name in sorted(objects.packs.names()):
        path = objects.packs.locate(name)
        try:
            status = path.stat()
            records = read_footer(path)
        except FileNotFoundError:
            continue
        except CorruptObjectError:
            continue  # never touched: `verify` names it, and a person decides
        census.packs[name], census.sizes[name] = records, status.st_size
        if grace_s and now - status.st_mtime < grace_s:
            census.fresh.add(name)
        for record in records:
            census.where.setdefault(record.digest, []).append((name, record))
    objects.look(now=True)
    roots = find_roots(objects.root, census.where.keys())
    # Its writer may name it any moment now.
    roots |= {record.digest for name in census.fresh for record in census.packs[name]}
    census.live = find_live(objects, roots, census.where)
    return census


def _choose(census: _Census, marked: frozenset[str]) -> dict[str, list[Record]]:
    """Give for each pack the live records for which it is the one that counts."""
    chosen: dict[str, list[Record]] = {name: [] for name in census.packs}
    for digest in census.live:
        copies = census.where[digest]
        best = min(
            copies,
            key=lambda copy: (copy[0] in marked, -copy[1].kind, -census.sizes[copy[0]], copy[0]),
        )
        chosen[best[0]].append(best[1])
    return chosen


def _mark(objects: ObjectFolder, grace_s: float, done: Collection) -> None:
    census = _take_census(objects, grace_s)
    marked = objects.marked
    chosen = _choose(census, marked)
    done.live_objects = len(census.live)
    emptied, moving, small = [], [], []
    for name, size in census.sizes.items():
        needed = sum(record.stored_bytes for record in chosen[name])
        held = sum(record.stored_bytes for record in census.packs[name])
        done.dead_bytes += held - needed
        is_dead = held - needed >= _WORTH_REPACKING * held if held else not chosen[name]
        if name in marked or name in census.fresh:
            continue
        if not is_dead:
            small += [name] if size < SMALL_BYTES else []
            continue
        emptied.append(name)
        moving += [(name, record) for record in chosen[name]]
        done.marked_bytes += size
    if len(small) >= MANY_PACKS:
        for name in small:
            # A damaged pack stays where it is, for `verify` and a person.
            if all(_is_whole(objects, name, record) for record in chosen[name]):
                emptied.append(name)
                moving += [(name, record) for record in chosen[name]]
                done.merged_packs += 1
                done.marked_bytes += census.sizes[name]
    if not emptied:
        return
    _move(objects, moving, done)
    objects.marks.write(emptied)
    done.marked_packs = len(emptied)


def _is_whole(objects: ObjectFolder, name: str, record: Record) -> bool:
    return decode_blob(record, objects.packs.read(name, record)) is not None


def _move(objects: ObjectFolder, moving: list[tuple[str, Record]], done: Collection) -> None:
    with objects.batch():
        for name, record in sorted(moving, key=lambda item: (item[0], item[1].offset)):
            data = decode_blob(record, objects.packs.read(name, record))
            if data is None:
                raise CorruptObjectError(
                    objects.packs.locate(name),
                    record.digest.hex(),
                    "is damaged; nothing was deleted",
                )
            objects.add_blob(record.digest, data, record.kind)
            done.moved_bytes += record.stored_bytes


def _delete(objects: ObjectFolder, due: list[Mark], done: Collection) -> None:
    census = _take_census(objects, 0)
    wanted = _choose(census, objects.marked)
    for mark in due:
        for name in sorted(mark.packs & census.packs.keys()):
            # Whatever has another copy outside every mark was chosen there.
            if wanted[name]:
                done.kept_again += 1
                continue
            with contextlib.suppress(FileNotFoundError):
                objects.packs.locate(name).unlink()
                done.deleted_packs += 1
                done.deleted_bytes += census.sizes[name]
        objects.marks.remove(mark)


def _sweep(folder: Path, age_s: float, done: Collection) -> None:
    now = time.time()
    with contextlib.suppress(FileNotFoundError):
        for path in list(folder.iterdir()):
            with contextlib.suppress(FileNotFoundError):
                if now - path.stat().st_mtime >= age_s:
                    if path.is_dir() and not path.is_symlink():
                        shutil.rmtree(path, ignore_errors=True)  # of a pull that was killed
                    else:
                        path.unlink()
                    done.abandoned_files += 1

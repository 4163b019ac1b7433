"""Runs that were deleted: out of sight at once, gone for good after the grace time of a collection.

A deleted run's folder is moved from ``runs`` to ``deleted``, where no list looks and collections
still find what it names. A small file beside it tells who deleted it, when and why; it stays when
the folder is gone, so that a pull does not bring the run back.
"""

from __future__ import annotations

import contextlib
import json
import os
import platform
import shutil
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from mlops_nb.errors import InvalidValueError, NotFoundError, RunNotFoundError
from mlops_nb.store.audit import AuditLog
from mlops_nb.store.files import sync_folder, write_whole
from mlops_nb.store.ids import RUN_ID
from mlops_nb.store.runreader import read_meta, read_run
from mlops_nb.store.writer import find_user

_HINT = "List deleted runs with: mlops-nb restore"


@dataclass(frozen=True, slots=True)
class DeletedRun:
    """A run that was deleted: who took it away, when, from where and why.

    Attributes
    ----------
    is_kept
        Whether it can still be restored; a collection after the grace time removes it for good.
    """

    run_id: str
    name: str
    experiment: str
    deleted_at: float
    user: str
    host: str
    reason: str = ""
    is_kept: bool = True


def _find_note(root: Path, run_id: str) -> Path:
    return root / "deleted" / f"{run_id}.json"


def is_deleted(root: Path, run_id: str) -> bool:
    """Tell whether a run was deleted in this store and not restored."""
    return _find_note(root, run_id).is_file() and not (root / "runs" / run_id).is_dir()


def delete_run(
    root: Path, audit: AuditLog, run_id: str, reason: str | None = None, *, force: bool = False
) -> DeletedRun:
    """Take a run out of sight; it can be restored until a collection after the grace time.

    Parameters
    ----------
    root, audit
        The store's folder and its chain of changes.
    run_id
        The whole id.
    reason
        Why, for whoever asks later.
    force
        Also a run that has no end and whose process may be alive.

    Returns
    -------
    DeletedRun
        What is remembered of it.

    Raises
    ------
    RunNotFoundError
        There is no such run.
    InvalidValueError
        It is still running.
    OSError
        The store cannot be written; the run is where it was.
    """
    folder = root / "runs" / run_id
    meta = read_meta(folder) if RUN_ID.fullmatch(run_id) else None
    if not RUN_ID.fullmatch(run_id) or not folder.is_dir():
        raise RunNotFoundError(run_id)
    run = read_run(folder, meta) if meta else None
    if run is not None and run.status == "running" and not force:
        hint = "End it first, or delete it all the same with --force (force=True)."
        raise InvalidValueError("run", run_id, "a run that has ended", hint)
    name, experiment = (run.name, run.experiment) if run else ("", "")
    deleted = DeletedRun(
        run_id, name, experiment, time.time(), find_user(), platform.node(), reason or ""
    )
    note = _find_note(root, run_id)
    write_whole(note, json.dumps({"format": 1, **asdict(deleted)}).encode(), replace=True)
    # Recorded before it is done: a deletion that nobody can account for would be worse than a
    # record of one that a power cut prevented.
    said = {"run_id": run_id, "name": name, "reason": deleted.reason}
    try:
        audit.append("run.deleted", said)
        _move(folder, note.with_suffix(""))
    except OSError:
        note.unlink()
        raise
    return deleted


def _move(folder: Path, target: Path) -> None:
    folder.rename(target)
    sync_folder(folder.parent)
    sync_folder(target.parent)


def restore_run(root: Path, audit: AuditLog, run_id: str) -> None:
    """Put a deleted run back where it was.

    Parameters
    ----------
    root, audit
        The store's folder and its chain of changes.
    run_id
        The whole id.

    Raises
    ------
    NotFoundError
        No run of that id was deleted, or a collection has removed it.
    """
    note = _find_note(root, run_id)
    folder = note.with_suffix("")
    if not RUN_ID.fullmatch(run_id) or not folder.is_dir():
        known = [run.run_id for run in list_deleted(root) if run.is_kept]
        raise NotFoundError("deleted run", run_id, known, _HINT)
    audit.append("run.restored", {"run_id": run_id})
    (root / "runs").mkdir(exist_ok=True)
    _move(folder, root / "runs" / run_id)
    note.unlink(missing_ok=True)


def list_deleted(root: Path) -> list[DeletedRun]:
    """Give the runs that were deleted in this store, the latest first.

    Parameters
    ----------
    root
        The store's folder.

    Returns
    -------
    list of DeletedRun
        ``is_kept`` tells whether a run can still be restored. What cannot be read is passed over.
    """
    found = []
    for note in (root / "deleted").glob("*.json"):
        with contextlib.suppress(OSError, ValueError, TypeError, KeyError):
            document = json.loads(note.read_bytes())
            del document["format"]
            document["is_kept"] = note.with_suffix("").is_dir()
            run = DeletedRun(**document)
            if RUN_ID.fullmatch(run.run_id) and not (root / "runs" / run.run_id).is_dir():
                found.append(run)
    return sorted(found, key=lambda run: (run.deleted_at, run.run_id), reverse=True)


def find_deleted(root: Path, text: str) -> str:
    """Find the deleted run that a person means: an id, the beginning or end of one, or a name.

    Raises
    ------
    NotFoundError
        Nothing fits.
    InvalidValueError
        More than one id fits.
    """
    kept = [run for run in list_deleted(root) if run.is_kept]
    named = [run.run_id for run in kept if run.name == text][:1]
    parts = [run.run_id for run in kept if text and run.run_id.startswith(text)]
    parts += [run.run_id for run in kept if text and run.run_id.endswith(text)]
    fits = list(dict.fromkeys(named or parts))
    if not fits:
        known = [word for run in kept for word in (run.run_id, run.name)]
        raise NotFoundError("deleted run", text, known, _HINT)
    if len(fits) > 1:
        raise InvalidValueError("run", text, f"one run; {len(fits)} fit: {', '.join(fits[:3])}")
    return fits[0]


def purge_deleted(root: Path, audit: AuditLog, grace_s: float) -> int:
    """Remove for good what was deleted longer ago than the grace time.

    Parameters
    ----------
    root, audit
        The store's folder and its chain of changes.
    grace_s
        The grace time.

    Returns
    -------
    int
        How many runs.
    """
    tmp = root / "tmp"
    for rest in tmp.glob("deleted-*"):  # of a collector that was killed
        shutil.rmtree(rest, ignore_errors=True)
    gone = []
    for run in list_deleted(root):
        age = time.time() - run.deleted_at  # below zero where the clock was set back: not yet
        if not run.is_kept or age < grace_s:
            continue
        tmp.mkdir(exist_ok=True)
        place = tmp / f"deleted-{run.run_id}-{os.getpid()}"
        with contextlib.suppress(FileNotFoundError):  # another collector, or restored meanwhile
            (root / "deleted" / run.run_id).rename(place)
            shutil.rmtree(place, ignore_errors=True)
            gone.append(run.run_id)
    if gone:
        audit.append("run.purged", {"run_ids": gone})
    return len(gone)

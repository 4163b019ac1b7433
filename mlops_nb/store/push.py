"""Push: create on a remote what it lacks, bytes before what names them."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable, Container, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from pathlib import Path

from mlops_nb.errors import RemoteError
from mlops_nb.records import TransferReport
from mlops_nb.store.remote import (
    LONGEST_DOCUMENT_BYTES,
    MARKER,
    MARKER_BYTES,
    Remote,
    list_documents,
    list_segments,
    pack_document,
    unpack_document,
)
from mlops_nb.store.remotenames import FOLDERS, STAGES, FileKind, find_kind
from mlops_nb.store.segments import (
    Diverged,
    Segment,
    cut_rest,
    is_whole,
    match_prefix,
)

Progress = Callable[[str, int], None]
WORKERS = 8
_TRIES = 3


@dataclass(frozen=True, slots=True)
class LocalFile:
    """A file of the store that travels: where it is, its path on a remote, its size when looked at.

    A log may grow while it is pushed; what was written later may name bytes that were not listed.
    """

    path: str
    place: Path
    size: int
    kind: FileKind


@dataclass(slots=True)
class Tally:
    """What was done so far."""

    url: str
    size_bytes: int = 0
    names: dict[str, set[str]] = field(default_factory=dict)
    conflicts: set[str] = field(default_factory=set)
    damaged: set[str] = field(default_factory=set)

    def add(self, path: str, kind: FileKind, size: int) -> None:
        """Count a part; a run counts once, however many files of it were new or had grown."""
        self.size_bytes += size
        folder, _, rest = path.partition("/")
        is_folder = folder in ("runs", "sessions")
        stage = folder if is_folder else kind.stage
        self.names.setdefault(stage, set()).add(rest.partition("/")[0] if is_folder else path)

    def report(self) -> TransferReport:
        """Give what was done as a record."""
        return TransferReport(
            url=self.url,
            objects=len(self.names.get("objects", ())),
            sessions=len(self.names.get("sessions", ())),
            runs=len(self.names.get("runs", ())),
            models=len(self.names.get("models", ())),
            audits=len(self.names.get("audit", ())),
            size_bytes=self.size_bytes,
            conflicts=tuple(sorted(self.conflicts)),
            damaged=tuple(sorted(self.damaged)),
        )


def _scan(folder: Path, path: str) -> Iterator[tuple[str, Path]]:
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except (FileNotFoundError, NotADirectoryError):
        return
    for entry in entries:
        inside = f"{path}/{entry.name}"
        if entry.is_dir(follow_symlinks=False):
            yield from _scan(Path(entry.path), inside)
        elif entry.is_file(follow_symlinks=False):
            yield inside, Path(entry.path)


def list_local(root: Path, store_id: str, folder: str) -> list[LocalFile]:
    """Give the files below a folder of a store that travel.

    Parameters
    ----------
    root
        The store.
    store_id
        Its id, under which its own chain of changes travels.
    folder
        One of the format's folders.

    Returns
    -------
    list of LocalFile
        Links are passed over, and so is every name that is not of the format.
    """
    found = []
    for path, place in _scan(root / folder, folder):
        sent = f"audit/{store_id}.log" if path == "audit/audit.log" else path
        kind = find_kind(sent)
        if kind is not None:
            found.append((STAGES.index(kind.stage), sent, place, kind))
    files = []
    # What names is measured before what is named: what it names by then is found after it.
    for _, path, place, kind in sorted(found, key=lambda entry: -entry[0]):
        with contextlib.suppress(FileNotFoundError):
            files.append(LocalFile(path, place, place.stat().st_size, kind))
    return files


class Push:
    """One push of a store.

    Parameters
    ----------
    root, store_id
        The store.
    remote
        Where to.
    on_progress
        Called with the name and the size of each part once it is there.
    """

    def __init__(
        self, root: Path, store_id: str, remote: Remote, on_progress: Progress | None = None
    ) -> None:
        self.root, self.store_id, self.remote = root, store_id, remote
        self.on_progress = on_progress
        self.tally = Tally(remote.url)
        self._sent: dict[str, int] = {}
        self._seen: set[str] = set()
        self._has_lost = False
        self._lock = threading.Lock()

    def run(self) -> TransferReport:
        """Push everything.

        Returns
        -------
        TransferReport
            What was sent, and what could not be.

        Raises
        ------
        RemoteError
            The remote cannot be used; what arrived stays, and another push goes on from there.
        """
        if self.remote.has("format.json"):
            hint = "Name an empty folder; one store cannot be another's remote."
            raise RemoteError(self.remote.url, "it is a store, not a remote", hint)
        self.remote.create(MARKER, MARKER_BYTES)
        files: dict[str, list[LocalFile]] = {stage: [] for stage in STAGES}
        for folder in reversed(FOLDERS):
            for file in list_local(self.root, self.store_id, folder):
                files[file.kind.stage].append(file)
        known: dict[str, list[Segment]] = {}
        for folder in FOLDERS:
            segments, damaged = list_segments(self.remote, folder)
            known.update(segments)
            self.tally.damaged.update(damaged)
        documents = set(list_documents(self.remote, "models"))
        for stage in STAGES:
            if stage == "models":
                self._send_documents(files[stage], documents)
                continue
            self._send_stage(files[stage], known)
            if stage == "objects":
                self._follow_collector(known)
        self._check_arrived()
        return self.tally.report()

    def _follow_collector(self, known: dict[str, list[Segment]]) -> None:
        """Send what a pack that was collected meanwhile has become, before what names its bytes."""
        tries = _TRIES
        while self._has_lost and tries:
            self._has_lost, tries = False, tries - 1
            again = list_local(self.root, self.store_id, "packs")
            self._send_stage([file for file in again if file.path not in self._seen], known)

    def _send_stage(self, files: list[LocalFile], known: dict[str, list[Segment]]) -> None:
        with ThreadPoolExecutor(WORKERS, thread_name_prefix="mlops-push") as pool:
            waiting: set[Future[None]] = set()
            try:
                for file in files:
                    for segment, data in self._plan(file, known.get(file.path, [])):
                        waiting.add(pool.submit(self._send, file, segment, data))
                        if len(waiting) >= WORKERS:  # so many parts are in memory, no more
                            waiting = _settle(waiting)
                while waiting:
                    waiting = _settle(waiting)
            except BaseException:
                pool.shutdown(cancel_futures=True)
                raise

    def _plan(self, file: LocalFile, known: list[Segment]) -> Iterator[tuple[Segment, bytes]]:
        """Cut what the remote lacks of a file, or note why it cannot be sent."""
        if file.kind.is_content_named:
            self._seen.add(file.path)
            if is_whole(known):
                return
        try:
            opened = file.place.open("rb")
        except FileNotFoundError:
            # A run was deleted, or a pack collected, since it was listed.
            self._has_lost = self._has_lost or file.kind.is_content_named
            return
        with opened:
            try:
                reached, hasher = match_prefix(opened, file.size, known)
            except Diverged:
                self.tally.conflicts.add(file.path)
                return
            beyond = any(segment.end > file.size for segment in known)
            ends = {segment.end for segment in known if segment.is_last}
            # Nobody else adds to this store's own chain: where it is shorter, its end was cut off.
            is_cut = beyond and (file.kind.shape == "whole" or file.place.name == "audit.log")
            if is_cut or ends - {file.size} or (beyond and not self._goes_on(file, reached, known)):
                self.tally.conflicts.add(file.path)
            elif not beyond and not (ends and reached == file.size):
                yield from cut_rest(opened, file.kind.shape, reached, file.size, hasher)

    def _goes_on(self, file: LocalFile, reached: int, known: list[Segment]) -> bool:
        """Tell whether a file that is behind the remote is the beginning of what is there."""
        for segment in known:
            if segment.start <= reached < file.size < segment.end:
                length = segment.end - segment.start
                there = self.remote.read(f"{file.path}/{segment.name}", length)
                with file.place.open("rb") as opened:
                    opened.seek(segment.start)
                    here = opened.read(file.size - segment.start)
                return there.startswith(here)
        return True

    def _send(self, file: LocalFile, segment: Segment, data: bytes) -> None:
        key = f"{file.path}/{segment.name}"
        # Where another push was first, the name says that the same bytes are there.
        if self.remote.create(key, data):
            self._note(file, key, len(data))

    def _note(self, file: LocalFile, key: str, size: int) -> None:
        with self._lock:
            self.tally.add(file.path, file.kind, size)
            self._sent[key] = size
        if self.on_progress is not None:
            self.on_progress(key, size)

    def _send_documents(self, files: Iterable[LocalFile], known: Container[str]) -> None:
        for file in files:
            try:
                packed = pack_document(file.place.read_bytes())
            except FileNotFoundError:
                continue
            if file.path not in known and self.remote.create(file.path, packed):
                self._note(file, file.path, len(packed))
                continue
            there = self.remote.read(file.path, LONGEST_DOCUMENT_BYTES)
            if there != packed:
                is_good = unpack_document(there) is not None
                (self.tally.conflicts if is_good else self.tally.damaged).add(file.path)

    def _check_arrived(self) -> None:
        """List what was sent once more: a name that is not there, or is cut, was not kept."""
        for folder in {key.partition("/")[0] for key in self._sent}:
            there = dict(self.remote.list_keys(folder))
            self.tally.damaged.update(
                key
                for key, size in self._sent.items()
                if key.startswith(f"{folder}/") and there.get(key) != size
            )


def _settle(waiting: set[Future[None]]) -> set[Future[None]]:
    done, rest = wait(waiting, return_when=FIRST_COMPLETED)
    for future in done:
        future.result()
    return rest


def push_store(
    root: Path, store_id: str, url: str, on_progress: Progress | None = None
) -> TransferReport:
    """Push a store to a remote.

    Parameters
    ----------
    root, store_id
        The store.
    url
        ``s3://``, ``gs://``, ``az://`` or ``file://``.
    on_progress
        Called with the name and the size of each part once it is there.

    Returns
    -------
    TransferReport
        What was sent, and what could not be.
    """
    return Push(root, store_id, Remote(url, create=True), on_progress).run()

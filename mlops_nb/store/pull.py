"""Pull: take from a remote what a store lacks; every name and every byte is checked first."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from mlops_nb.errors import CorruptObjectError, RemoteError
from mlops_nb.records import TransferReport
from mlops_nb.store.auditchain import read_chain, write_head
from mlops_nb.store.deletion import is_deleted
from mlops_nb.store.files import sync_folder, write_whole
from mlops_nb.store.push import WORKERS, Progress, Tally
from mlops_nb.store.remote import (
    LONGEST_DOCUMENT_BYTES,
    MARKER,
    Remote,
    list_documents,
    list_segments,
    unpack_document,
)
from mlops_nb.store.remotenames import FOLDERS, STAGES, FileKind, find_kind
from mlops_nb.store.runreader import PULLED, read_meta
from mlops_nb.store.segments import Diverged, Segment, is_whole, match_prefix, start_hasher
from mlops_nb.store.writer import is_writer_alive

if TYPE_CHECKING:
    from blake3 import blake3

_NO_FOLLOW = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
_DAY_S = 86_400.0
# Far more than any chunk or recipe: a pack of a stranger must not fill the memory.
_LONGEST_BLOB_BYTES = 256 * 1024 * 1024


class Damaged(Exception):  # noqa: N818 - told in the report, never raised to a user
    """Bytes on the remote are not what their name tells."""


class Pull:
    """One pull into a store.

    Parameters
    ----------
    root, store_id
        The store.
    remote
        Where from. Whatever it says is checked: it may be anybody's.
    on_progress
        Called with the path and the size of each file that was taken or has grown.
    """

    def __init__(
        self, root: Path, store_id: str, remote: Remote, on_progress: Progress | None = None
    ) -> None:
        self.root, self.remote, self.on_progress = root, remote, on_progress
        self.own_chain = f"audit/{store_id}.log"
        self.tally = Tally(remote.url)
        self._lock = threading.Lock()
        self._announced: set[Path] = set()

    def run(self) -> TransferReport:
        """Pull everything.

        Returns
        -------
        TransferReport
            What was taken, and what could not be.

        Raises
        ------
        RemoteError
            The remote cannot be used; what arrived stays, and another pull goes on from there.
        """
        try:
            marker = json.loads(self.remote.read(MARKER, LONGEST_DOCUMENT_BYTES) or b"{}")
            number = marker.get("format")
        except (ValueError, AttributeError):
            number = None
        if number != 1:
            found = "nothing was pushed there" if number is None else f"it has format {number!r}"
            raise RemoteError(self.remote.url, found, "Check the address; mlops-nb push makes it.")
        self._sweep()
        # What names is listed before what is named, so that all it names is listed.
        listed: dict[str, list[Segment]] = {}
        documents = list_documents(self.remote, "models")
        for folder in reversed(FOLDERS):
            segments, damaged = list_segments(self.remote, folder)
            listed.update(segments)
            self.tally.damaged.update(damaged)
        for stage in STAGES:
            if stage == "models":
                self._each(documents, self._take_document)
            else:
                kinds = ((path, find_kind(path)) for path in sorted(listed))
                chosen = [
                    path
                    for path, kind in kinds
                    if kind is not None and kind.stage == stage and self._is_begun(path, listed)
                ]
                self._each(chosen, lambda path: self._take(path, listed[path]))
        return self.tally.report()

    def _sweep(self) -> None:
        """Remove what a killed pull left, once no pull can still be at work on it."""
        for folder in (self.root / "tmp").glob("pull-*"):
            with contextlib.suppress(OSError):
                if time.time() - folder.stat().st_mtime > _DAY_S:
                    shutil.rmtree(folder, ignore_errors=True)

    def _is_begun(self, path: str, listed: dict[str, list[Segment]]) -> bool:
        """Tell whether a run is visible on the remote: ``run.json`` is the last that is pushed."""
        folder, _, rest = path.partition("/")
        if folder not in ("runs", "sessions"):
            return True
        run_id = rest.partition("/")[0]
        if folder == "runs" and is_deleted(self.root, run_id):
            return False  # what was deleted here does not come back by itself
        marker = f"{folder}/{run_id}/run.json"
        return marker in listed or (self.root / marker).is_file()

    def _each(self, paths: Iterable[str], take: Callable[[str], int]) -> None:
        """Take files, several at a time; the stage is over when all of them are on the disk."""

        def take_one(path: str) -> None:
            try:
                size = take(path)
            except Diverged:
                with self._lock:
                    self.tally.conflicts.add(path)
            except Damaged as error:
                with self._lock:
                    self.tally.damaged.add(str(error) or path)
            else:
                if size:
                    self._note(path, size)

        before = self.tally.size_bytes
        with ThreadPoolExecutor(WORKERS, thread_name_prefix="mlops-pull") as pool:
            try:
                for _ in pool.map(take_one, paths):
                    pass
            except BaseException:
                pool.shutdown(cancel_futures=True)
                raise
        if self.tally.size_bytes > before and hasattr(os, "sync"):
            os.sync()

    def _note(self, path: str, size: int) -> None:
        kind = find_kind(path)
        assert kind is not None
        with self._lock:
            self.tally.add(path, kind, size)
        if self.on_progress is not None:
            self.on_progress(path, size)

    def _locate(self, path: str) -> Path:
        """Give the place of a path, whose folders must be folders of this store."""
        place = self.root.joinpath(*path.split("/"))
        folder = self.root
        for part in path.split("/")[:-1]:
            folder = folder / part
            if folder.is_symlink():
                raise RemoteError(self.remote.url, f"{folder} is a link", "Nothing is put there.")
        place.parent.parent.mkdir(parents=True, exist_ok=True)
        try:
            place.parent.mkdir()
        except FileExistsError:
            return place
        if path.startswith(("runs/", "sessions/")):
            (place.parent / PULLED).touch()
        return place

    # ------------------------------------------------------------------ files by parts
    def _take(self, path: str, segments: list[Segment]) -> int:
        kind = find_kind(path)
        assert kind is not None
        if kind.shape == "whole":
            return self._take_whole(path, segments, kind)
        if kind.shape == "lines":
            return self._take_chain(path, segments)
        return self._take_log(path, segments)

    def _take_whole(self, path: str, segments: list[Segment], kind: FileKind) -> int:
        place = self._locate(path)
        if place.is_file():
            if kind.is_content_named:
                return 0
            with place.open("rb") as file:
                size = place.stat().st_size
                reached, _ = match_prefix(file, size, segments)
            if reached != size or any(segment.end > size for segment in segments):
                raise Diverged
            return 0
        if not is_whole(segments):
            raise Damaged(path)  # a push was killed; the next one completes it
        # A folder of its own, so that a pack has its name when it is checked.
        part = self._locate(f"tmp/pull-{secrets.token_hex(6)}/{place.name}")
        try:
            with part.open("xb") as file:
                size = 0
                for data in self._read_parts(path, segments, 0, start_hasher()):
                    size += file.write(data)
                if not any(segment.is_last and segment.end == size for segment in segments):
                    raise Damaged(path)
                file.flush()
                if kind.is_content_named:
                    os.fsync(file.fileno())
            if kind.is_content_named and not check_content(part):
                raise Damaged(path)
            _place(part, place)
        finally:
            shutil.rmtree(part.parent, ignore_errors=True)
        return max(size, 1)

    def _take_log(self, path: str, segments: list[Segment]) -> int:
        place = self._locate(path)
        if not place.exists() and place.suffix == ".bin" and _is_superseded(place):
            return 0
        handle = os.open(place, os.O_RDWR | os.O_CREAT | _NO_FOLLOW, 0o644)
        with open(handle, "r+b") as file:  # noqa: PTH123 - a handle that followed no link
            size = os.fstat(handle).st_size
            reached, hasher = match_prefix(file, size, segments)
            if all(segment.end <= max(reached, size) for segment in segments):
                return 0
            meta = read_meta(place.parent)
            if meta is not None:
                is_copy = (place.parent / PULLED).is_file()
                if not is_copy and is_writer_alive(meta.get("writer", {})) is True:
                    return 0  # its one writer is at work in this folder
                self._announce(place.parent)
            taken, position = 0, reached
            for data in self._read_parts(path, segments, reached, hasher):
                known = max(0, min(len(data), size - position))
                file.seek(position)
                if file.read(known) != data[:known]:
                    raise Diverged
                # At its own place, not at the end: two pulls at once write the same twice.
                file.seek(position + known)
                file.write(data[known:])
                position += len(data)
                taken += len(data) - known
        return taken

    def _announce(self, folder: Path) -> None:
        """Tell the index that a run it may think is over is about to change."""
        from mlops_nb.store.late import announce

        with self._lock:
            if folder.parent.name != "runs" or folder in self._announced:
                return
            self._announced.add(folder)
        announce(folder, f"{os.getpid()}-{time.time_ns():x}")

    def _take_chain(self, path: str, segments: list[Segment]) -> int:
        is_own = path == self.own_chain
        place = self._locate("audit/audit.log" if is_own else path)
        before = place.read_bytes() if place.is_file() else b""
        reached, hasher = 0, start_hasher()
        if before:
            with place.open("rb") as file:
                reached, hasher = match_prefix(file, len(before), segments)
        if is_own:
            # Nobody else adds to it: a remote that knows more tells that its end was cut off.
            if any(segment.end > len(before) for segment in segments):
                raise Diverged
            return 0
        fresh = b"".join(self._read_parts(path, segments, reached, hasher))
        data = before[:reached] + fresh
        if len(data) <= len(before):
            return 0
        if not data.startswith(before):
            raise Diverged
        chain = read_chain(data)
        is_late = any(record.at > time.time() + _DAY_S for record in chain.records)
        if chain.broken is not None or chain.end != len(data) or is_late:
            raise Damaged(path)
        write_whole(place, data, replace=True)
        write_head(str(place.with_suffix("")), len(chain.records) - 1, chain.head)
        return len(data) - len(before)

    def _read_parts(
        self, path: str, segments: list[Segment], start: int, hasher: blake3
    ) -> Iterator[bytes]:
        """Give the bytes from `start` on, part by part, each checked by its name."""
        position = start
        while True:
            fits = [one for one in segments if one.start <= position < one.end]
            for segment in sorted(fits, key=lambda one: -one.end):
                key = f"{path}/{segment.name}"
                data = self.remote.read(key, segment.end - segment.start)
                rest = data[position - segment.start :]
                tried = hasher.copy()
                tried.update(rest)
                is_size = len(data) == segment.end - segment.start
                if is_size and tried.hexdigest() == segment.digest:
                    break
                with self._lock:
                    self.tally.damaged.add(key)
            else:
                if any(segment.end > position for segment in segments):
                    with self._lock:
                        self.tally.damaged.add(path)
                return
            yield rest
            hasher, position = tried, segment.end

    # ------------------------------------------------------------------ documents by plain name
    def _take_document(self, path: str) -> int:
        data = unpack_document(self.remote.read(path, LONGEST_DOCUMENT_BYTES))
        if data is None:
            raise Damaged(path)
        place = self._locate(path)
        if not place.is_file():
            _, name, file = path.split("/")
            try:
                document = json.loads(data)
                named = (document["name"], f"{document['version']}.json")
            except (ValueError, TypeError, KeyError, RecursionError):
                raise Damaged(path) from None
            if named != (name, file):
                raise Damaged(path)
            if write_whole(place, data):
                return len(data)
        if place.read_bytes() != data:
            raise Diverged
        return 0


def _is_superseded(log: Path) -> bool:
    """Tell whether a file of chunks holds all of a log of metrics."""
    from mlops_nb.store.metrics import list_metric_files

    files = list_metric_files(log.parent)
    return any(log.name in file.sources for file in files.columns)


def check_content(part: Path) -> bool:
    """Tell whether every blob of a pack is what the pack's name and footer promise."""
    from mlops_nb.store.packs import decode_blob, read_footer

    try:
        records = read_footer(part)
    except CorruptObjectError:
        return False
    with part.open("rb") as file:
        for record in records:
            if record.raw_bytes > _LONGEST_BLOB_BYTES:
                return False
            file.seek(record.offset)
            if decode_blob(record, file.read(record.stored_bytes)) is None:
                return False
    return True


def _place(part: Path, place: Path) -> None:
    try:
        os.link(part, place)
    except FileExistsError:
        return  # another pull was first
    except OSError:  # a file system without hard links
        if not place.exists():
            part.rename(place)
    sync_folder(place.parent)


def pull_store(
    root: Path, store_id: str, url: str, on_progress: Progress | None = None
) -> TransferReport:
    """Pull what a remote has and a store lacks.

    Parameters
    ----------
    root, store_id
        The store; it may be empty.
    url
        ``s3://``, ``gs://``, ``az://`` or ``file://``.
    on_progress
        Called with the path and the size of each file that was taken or has grown.

    Returns
    -------
    TransferReport
        What was taken, and what could not be.
    """
    return Pull(root, store_id, Remote(url), on_progress).run()

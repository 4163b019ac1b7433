"""The store as a whole: its folder, its format, and what can be asked of it."""

from __future__ import annotations

import json
import threading
import time
import uuid
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlops_nb.errors import InvalidValueError, RunNotFoundError, StoreError
from mlops_nb.store.chunking import CutSizes
from mlops_nb.store.deferred import DeferredLog, Entries, write_deferred
from mlops_nb.store.files import write_whole
from mlops_nb.store.ids import RUN_ID, new_run_id
from mlops_nb.store.layout import check_layout
from mlops_nb.store.parts import StoreParts
from mlops_nb.store.pending import recover_runs
from mlops_nb.store.runlog import RunLog
from mlops_nb.store.writer import find_user

if TYPE_CHECKING:
    from mlops_nb.records import CellRecord, MetricPoint, RunRecord
    from mlops_nb.store.compaction import CompactionReport
    from mlops_nb.store.index import RunIndex
    from mlops_nb.store.series import MetricPreview, MetricSeries

FORMAT = 1


class Store(StoreParts):
    """A folder that keeps runs, objects and models.

    Parameters
    ----------
    root
        The folder, which `open_store` has checked.
    store_id
        Name of this store, from its ``format.json``.
    cache
        Local folder for indexes that can be rebuilt.
    cut
        How large chunks of objects are, from its ``format.json``.
    index
        Database of the index that a team shares; empty for none.
    """

    def __init__(
        self,
        root: Path,
        store_id: str,
        cache: Path,
        cut: CutSizes | None = None,
        *,
        index: str = "",
    ) -> None:
        super().__init__(root, store_id, cache, cut, index)

    def put_tree(self, folder: Path) -> str:
        """Keep a folder as one object; see `trees.put_tree`."""
        from mlops_nb.store.trees import put_tree

        return put_tree(self.objects, folder)

    def restore_tree(self, digest: str, target: Path) -> int:
        """Write a kept folder back, verified; see `trees.restore_tree`."""
        from mlops_nb.store.trees import restore_tree

        return restore_tree(self.objects, digest, target)

    @property
    def index(self) -> RunIndex:
        """The index of the runs, those included that this process has yet to write."""
        write_deferred()
        return self._index

    def start_run(
        self, meta: Mapping[str, Any], *, is_deferred: bool = False, entries: Entries = ()
    ) -> RunLog:
        """Start the log of a run.

        Parameters
        ----------
        meta
            ``name`` and ``experiment``; what else is known at the start. ``run_id``,
            ``started_at`` and ``user`` are added where missing.
        is_deferred
            Whether it is to be written a moment later; see `deferred.DeferredLog`.
        entries
            What a deferred one begins with.

        Returns
        -------
        RunLog
            Its only writer.
        """
        if not is_deferred:
            return self._start_log("runs", meta)
        return DeferredLog(self.root, _complete(meta), self._check_marker, entries)

    def reopen_run(self, run_id: str) -> RunLog:
        """Give a log that adds to a run of another process, in files of its own."""
        folder, _ = self._folder(run_id)
        return RunLog.reopen(folder)

    def start_session(self, meta: Mapping[str, Any]) -> RunLog:
        """Start the log of a kernel session, which keeps the executed cells."""
        return self._start_log("sessions", meta)

    def _start_log(self, folder: str, meta: Mapping[str, Any]) -> RunLog:
        fields = _complete(meta)
        self._check_marker()
        return RunLog(self.root / folder / fields["run_id"], fields)

    def _check_marker(self) -> None:
        if not (self.root / "format.json").exists():
            # Deleted under a running kernel: without its marker the new folder would be foreign.
            write_marker(self.root, self.store_id)

    def list_run_ids(self) -> list[str]:
        """Give the ids of all runs, oldest first."""
        write_deferred()
        recover_runs(self.root)
        folder = self.root / "runs"
        if not folder.is_dir():
            return []
        return sorted(entry.name for entry in folder.iterdir() if RUN_ID.fullmatch(entry.name))

    def _folder(self, run_id: str) -> tuple[Path, dict[str, Any]]:
        from mlops_nb.store.runreader import read_meta

        write_deferred()
        folder = self.root / "runs" / run_id
        meta = read_meta(folder) if RUN_ID.fullmatch(run_id) else None
        if meta is None:
            raise RunNotFoundError(run_id, (name for _, name in self.index.names()))
        return folder, meta

    def read_run(self, run_id: str, *, with_cells: bool = True) -> RunRecord:
        """Read a run with its cells.

        Parameters
        ----------
        run_id
            The whole id.
        with_cells
            Without them, the cells of a long session need not be read.

        Returns
        -------
        RunRecord
            As it stands on disk now.

        Raises
        ------
        RunNotFoundError
            There is no such run.
        """
        from mlops_nb.store.points import has_many_points
        from mlops_nb.store.runreader import read_events, read_run

        folder, meta = self._folder(run_id)
        # What the index knows of a long run need not be read again.
        is_long = has_many_points(folder)
        record = (self.index.read(run_id) if is_long else None) or read_run(folder, meta)
        if not with_cells:
            return record
        cells: list[CellRecord] = []
        # What a run is, is decided by every cell executed before it, not only by the one it ran in;
        # metrics may have come from the session of another process, a later step of a pipeline say.
        for session_id, last in read_events(folder).cells.items():
            session = session_id or record.session_id
            if session is not None:
                cells += (cell for cell in self.read_session_cells(session) if cell.index <= last)
        return replace(record, cells=tuple(cells))

    def read_session_cells(self, session_id: str) -> tuple[CellRecord, ...]:
        """Read the executed cells of a session in the order they ran."""
        from mlops_nb.store.sessions import read_cells

        if not RUN_ID.fullmatch(session_id):
            return ()
        return read_cells(self.root / "sessions" / session_id)

    def read_metric_history(self, run_id: str, key: str) -> list[MetricPoint]:
        """Read every value of one metric.

        Parameters
        ----------
        run_id
            The whole id.
        key
            Name of the metric.

        Returns
        -------
        list of MetricPoint
            By step, then by time.

        Raises
        ------
        RunNotFoundError, NotFoundError
            There is no such run, or it has no such metric.
        """
        from mlops_nb.store.points import list_points

        folder, _ = self._folder(run_id)
        return list_points(folder, key, self.index.series)

    def read_series(
        self, run_id: str, key: str, step_from: int | None = None, step_to: int | None = None
    ) -> MetricSeries:
        """Read one metric as arrays; see `series.read_series`."""
        from mlops_nb.store.series import read_series

        folder, _ = self._folder(run_id)
        return read_series(folder, key, self.index.series, step_from, step_to)

    def preview_series(self, run_id: str, key: str, pixels: int) -> MetricPreview:
        """Read what a chart of so many pixels shows; see `series.preview_series`."""
        from mlops_nb.store.series import preview_series

        folder, _ = self._folder(run_id)
        return preview_series(folder, key, self.index.series, pixels)

    def compact(self, least_records: int | None = None) -> CompactionReport:
        """Store the metrics of runs that are at rest as chunks; see `compaction.compact_store`."""
        from mlops_nb.store.compaction import WORTH_RECORDS, compact_store

        return compact_store(self.root, WORTH_RECORDS if least_records is None else least_records)

    def search(
        self,
        text: str | None = None,
        order_by: list[str] | None = None,
        limit: int = 1000,
        offset: int = 0,
    ) -> list[RunRecord]:
        """Find runs by a filter expression; see `RunIndex.search`."""
        for name, value in (("limit", limit), ("offset", offset)):
            if value < 0:
                raise InvalidValueError(name, value, "0 or more")
        return self.index.search(text, order_by, limit, offset)

    def find_run(self, text: str) -> str:
        """Find the run a person means.

        Parameters
        ----------
        text
            An id, the beginning (6 characters or more) or end of one id only, ``latest``, or a name
            (the newest run of that name).

        Returns
        -------
        str
            The whole id.

        Raises
        ------
        RunNotFoundError
            Nothing fits.
        InvalidValueError
            More than one id fits.
        """
        write_deferred()
        if RUN_ID.fullmatch(text) and (self.root / "runs" / text).is_dir():
            return text
        fits = self.index.find(text)
        if len(fits) == 1:
            return fits[0]
        if fits:
            raise InvalidValueError("run", text, f"one run; {len(fits)} fit: {', '.join(fits[:3])}")
        raise RunNotFoundError(text, [name for _, name in self.index.names()])


def _complete(meta: Mapping[str, Any]) -> dict[str, Any]:
    """Add what every log begins with."""
    return {"run_id": new_run_id(), "started_at": time.time(), "user": find_user(), **meta}


_opened: dict[tuple[Path, Path, str], Store] = {}
_opening = threading.Lock()


def open_store(
    path: Path, *, cache: Path | None = None, create: bool = True, index: str = ""
) -> Store:
    """Open a store, and make it where there is none.

    Parameters
    ----------
    path
        The store's folder.
    cache
        Local folder for indexes; a folder ``cache`` inside the store by default.
    create
        Make a store where the folder is missing or empty.
    index
        Database of the index that a team shares; empty for none.

    Returns
    -------
    Store
        The same object for the same folder within a process.

    Raises
    ------
    StoreError
        The folder is not a store of ours, is of a later format, or cannot be read or made.
    """
    path = path.absolute()
    cache = cache or path / "cache"
    with _opening:
        store = _opened.get((path, cache, index))
        if store is None or not (path / "format.json").is_file():
            store_id, cut = _read_format(path, create)
            store = Store(path, store_id, cache, cut, index=index)
            _opened[path, cache, index] = store
        return store


def close_store(store: Store) -> None:
    """Close what this process holds open of a store, and forget it; others keep theirs open.

    Parameters
    ----------
    store
        From `open_store`; nobody uses it any more.
    """
    with _opening:
        for key in [key for key, known in _opened.items() if known is store]:
            del _opened[key]
    store.index.close()
    store.objects.index.close()


def _read_format(path: Path, create: bool) -> tuple[str, CutSizes]:
    marker = path / "format.json"
    try:
        if not marker.exists():
            _make_store(path, create)
        document = json.loads(marker.read_text(encoding="utf-8"))
        found, store_id = document["format"], str(uuid.UUID(document["id"]))
        cut = CutSizes.from_json(document.get("cdc", CutSizes().to_json()))
    except StoreError:
        raise
    except OSError as error:
        reason = error.strerror or str(error)
        hint = "Choose another folder with MLOPS_NB_STORE, or mend the permissions."
        raise StoreError(path, reason.lower(), hint) from error
    except (ValueError, KeyError, TypeError, AttributeError):
        hint = "Restore format.json from a backup, or choose another folder with MLOPS_NB_STORE."
        raise StoreError(path, "its format.json cannot be read", hint) from None
    if found != FORMAT:
        hint = "Install the version of mlops_nb that wrote it."
        raise StoreError(path, f"it has format {found!r}, this version reads {FORMAT}", hint)
    check_layout(path)
    return store_id, cut


def _make_store(path: Path, create: bool) -> None:
    if path.exists() and not path.is_dir():
        raise StoreError(path, "it is a file, not a folder", "Choose another with MLOPS_NB_STORE.")
    inside = sorted(entry.name for entry in path.iterdir()) if path.is_dir() else []
    # Another process may be making the same store: its half-written marker is no foreign content.
    foreign = [name for name in inside if not name.startswith((".format.json", "format.json"))]
    if foreign:
        found = f"it has no format.json but holds {', '.join(map(repr, foreign[:3]))}"
        raise StoreError(path, found, "Choose an empty folder with MLOPS_NB_STORE.")
    if not create:
        raise StoreError(path, "there is no store", "Runs make it; or name another with --store.")
    write_marker(path, str(uuid.uuid4()))


def write_marker(path: Path, store_id: str) -> None:
    """Write what makes a folder a store.

    Parameters
    ----------
    path
        The folder.
    store_id
        Name of the store, a UUID.

    Raises
    ------
    OSError
        The folder cannot be made or written.
    """
    document = {"format": FORMAT, "id": store_id, "hash": "blake3-256", "cdc": CutSizes().to_json()}
    write_whole(path / "format.json", json.dumps(document, indent=1).encode())
    # What notebooks record is not source code: it stays out of commits unless the user asks.
    write_whole(path / ".gitignore", b"*\n", sync=False)

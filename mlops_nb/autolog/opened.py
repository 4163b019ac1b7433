"""What a session opens, noted on the user's thread: little work, bounded memory, never an error."""

from __future__ import annotations

import glob
import os
import tempfile
import time
from itertools import islice
from pathlib import Path
from typing import Any
from urllib.parse import quote

from mlops_nb.autolog.addresses import is_address, redact_address, redact_text
from mlops_nb.autolog.callnames import find_call, get_frame, list_installed
from mlops_nb.autolog.guard import Guard
from mlops_nb.tracking import Session

MOST_FILES = 256
_MOST_FOLDERS = 64
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_FOREIGN = ("/proc/", "/sys/", "/dev/", "/etc/", "/run/", "/usr/share/", "/usr/lib/")
_PARTS = ("/.git/", "/.ipynb_checkpoints/", "/.mlops/")
_HOMES = (".ipython", ".jupyter", ".cache", ".config", ".matplotlib", ".local/share/jupyter")
_KEPT_SMALL = 1 << 20


class Opened:
    """One file, address or query that the user's code has opened.

    Parameters
    ----------
    kind
        ``file``, ``url``, ``sql``, or ``files`` for a folder of which more files were opened than
        are named one by one.
    name
        Absolute path, address or query.
    calls
        By which call it was ``read`` and ``written``, in the order in which that happened.
    at
        When, in ns since the epoch: for the first time.

    Attributes
    ----------
    written_at
        When it was opened to be written.
    count
        How many times files of a folder were opened.
    before
        Fingerprint and size of what was read, where it was overwritten in the same cell.
    """

    __slots__ = ("at", "before", "calls", "count", "kind", "name", "written_at")

    def __init__(self, kind: str, name: str, calls: dict[str, str], at: int) -> None:
        self.kind, self.name, self.calls, self.at = kind, name, calls, at
        self.written_at, self.count = 0, 1
        self.before: tuple[str, int] | None = None


class CellFiles:
    """What one cell has opened."""

    __slots__ = ("entries", "folders", "seen")

    def __init__(self) -> None:
        self.entries: dict[tuple[str, str], Opened] = {}
        self.folders: dict[tuple[str, str], Opened] = {}
        self.seen: set[tuple[Any, Any, Any]] = set()

    def list_all(self) -> list[Opened]:
        """Give everything, oldest first, then the folders."""
        return [*self.entries.values(), *self.folders.values()]


class OpenedFiles:
    """The listener of the audit hook, and of wrappers around libraries that it cannot see into.

    Parameters
    ----------
    session
        Tells which cell runs.
    guard
        Stops everything when something here fails.
    """

    def __init__(self, session: Session, guard: Guard) -> None:
        self._session, self._guard = session, guard
        self._cells: dict[int | None, CellFiles] = {}
        home = str(Path.home())
        own = [str(session.store.root), str(session.settings.cache)] if session.store else []
        self._ignored = (
            *_FOREIGN,
            *list_installed(),
            *(os.path.join(home, name) + os.sep for name in _HOMES),  # noqa: PTH118 - prefixes
            *(os.path.abspath(path) + os.sep for path in own),  # noqa: PTH100
            os.path.join(tempfile.gettempdir(), "ipykernel_"),  # noqa: PTH118
            os.path.join(tempfile.gettempdir(), "joblib_memmapping_folder_"),  # noqa: PTH118
        )
        notebook = session.notebook
        self._notebook = os.path.abspath(notebook) if notebook else ""  # noqa: PTH100
        self._cell: int | None = None
        self._current = self._cells[None] = CellFiles()

    # ------------------------------------------------------------------ the audit hook
    def open(self, path: Any, mode: Any, flags: Any) -> None:
        """Note a file that Python opens; what was noted in this cell costs a look-up."""
        if self._session.cell != self._cell:
            self._turn()
        current = self._current
        try:
            if (path, mode, flags) in current.seen:
                return
        except TypeError:
            return  # whatever this is, it is no path
        if type(path) is bytes:
            path = os.fsdecode(path)
        elif type(path) is not str:
            return  # a number of a file that is open
        if path.startswith(self._ignored):
            return
        if len(current.entries) >= MOST_FILES and ("file", path) not in current.entries:
            # One of very many: of its folder's others only the first is looked at closely.
            folder = path.rpartition(os.sep)[0]
            entry = current.folders.get((folder, "read" if mode == "r" else mode))
            if entry is not None:
                entry.count += 1
                return
        self._guard.call(self._note_open, path, mode, flags, current)

    def other(self, event: str, arguments: tuple[Any, ...]) -> None:
        """Note what the rarer events tell."""
        self._guard.call(self._note_other, event, arguments)

    def _turn(self) -> None:
        self._cell = self._session.cell
        self._current = self._cells.setdefault(self._cell, CellFiles())

    def _note_open(self, path: str, mode: Any, flags: Any, current: CellFiles) -> None:
        call = find_call(get_frame(4))  # past the guard and the hook
        if call is None:
            return
        if len(current.seen) < 2 * MOST_FILES:
            current.seen.add((path, mode, flags))
        if isinstance(mode, str):
            writes = any(letter in mode for letter in "wax+")
            reads = not any(letter in mode for letter in "wax") or "a+" in mode
        else:
            writes = bool(flags & _WRITING)
            reads = not flags & (os.O_WRONLY | os.O_TRUNC)
        roles = ["read"] * reads + ["written"] * writes
        self.note_file(path, roles, call)

    def _note_other(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event == "os.chdir":
            self._current.seen.clear()  # the same relative name is another file now
            return
        if event == "os.rename":
            self._note_rename(str(os.fsdecode(arguments[0])), str(os.fsdecode(arguments[1])))
            return
        call = find_call(get_frame(4))
        if call is None:
            return
        if event == "sqlite3.connect":
            self._note_database(arguments[0])
        elif event == "urllib.Request":
            self.note_address(str(arguments[0]), call)
        elif event == "http.client.send":
            address = read_request(*arguments[:2])
            if address:
                self.note_address(address, call)

    def _note_database(self, database: Any) -> None:
        name = os.fsdecode(database) if isinstance(database, (str, bytes, os.PathLike)) else ""
        if name.startswith("file:"):
            name = name[5:].partition("?")[0]
        if name and name != ":memory:":
            self.note_file(name, ["read"], "sqlite3.connect")

    def _note_rename(self, source: str, target: str) -> None:
        """Follow a file that was written beside its place and moved there."""
        if self._session.cell != self._cell:
            self._turn()
        entry = self._current.entries.pop(("file", _absolute(source)), None)
        if entry is not None and "written" in entry.calls:
            self.note_file(target, ["written"], entry.calls["written"])

    # ------------------------------------------------------------------ notes
    def note_path(self, target: Any, call: str, *, writes: bool) -> None:
        """Note what a library opens past Python.

        Parameters
        ----------
        target
            As the user gave it; buffers and open files are passed over.
        call
            By which call.
        writes
            Whether it is written.
        """
        if isinstance(target, (list, tuple)):
            for member in list(target)[: 4 * MOST_FILES]:
                self.note_path(member, call, writes=writes)
            return
        if not isinstance(target, (str, bytes, os.PathLike)):
            return
        name = os.fsdecode(target)
        if is_address(name) and not name.startswith("file://"):
            self.note_address(name, call, writes=writes)
            return
        name = os.path.expanduser(name.removeprefix("file://"))  # noqa: PTH111 - texts throughout
        if _absolute(name).startswith(self._ignored):
            return
        for path in (name,) if writes else list_files(name):
            self.note_file(path, ["written" if writes else "read"], call)

    def note_file(self, path: str, roles: list[str], call: str) -> None:
        """Note a file; later opens in the same cell add their role."""
        if self._session.is_paused:
            return
        if self._session.cell != self._cell:
            self._turn()
        path = _absolute(path)
        if path.startswith(self._ignored) or path == self._notebook:
            return
        if "/." in path and any(part in path for part in _PARTS):
            return
        current = self._current
        entry = current.entries.get(("file", path))
        if entry is None and len(current.entries) >= MOST_FILES:
            self._note_folder(path, roles, call)
            return
        now = time.time_ns()
        if entry is None:
            entry = current.entries[("file", path)] = Opened("file", path, {}, now)
        if "written" in roles:
            if "read" in entry.calls and "written" not in entry.calls:
                entry.before = read_small(path)  # what was read is about to go
            entry.written_at = now
        for role in roles:
            entry.calls.setdefault(role, call)

    def _note_folder(self, path: str, roles: list[str], call: str) -> None:
        folders = self._current.folders
        folder = path.rpartition(os.sep)[0]
        for role in roles:
            entry = folders.get((folder, role))
            if entry is not None:
                entry.count += 1
            elif len(folders) < _MOST_FOLDERS:
                folders[(folder, role)] = Opened("files", folder, {role: call}, time.time_ns())

    def note_address(self, address: str, call: str, *, writes: bool = False) -> None:
        """Note an address, without what could let somebody in."""
        self._add("url", redact_address(address), "written" if writes else "read", call)

    def note_query(self, query: str, database: str, call: str, *, writes: bool = False) -> None:
        """Note a query and where it was asked.

        Parameters
        ----------
        query
            SQL or the name of a table.
        database
            Address of the database where known, else what kind it is.
        call
            By which call.
        writes
            Whether a table is written.
        """
        place = redact_address(database) if is_address(database) else redact_text(database)
        text = " ".join(redact_text(query).split())
        name = f"{place}: {text}" if place else text
        self._add("sql", name, "written" if writes else "read", call)

    def _add(self, kind: str, name: str, role: str, call: str) -> None:
        if self._session.is_paused:
            return
        if self._session.cell != self._cell:
            self._turn()
        entries = self._current.entries
        if (kind, name) in entries or len(entries) < MOST_FILES:
            entry = entries.setdefault((kind, name), Opened(kind, name, {}, time.time_ns()))
            entry.calls.setdefault(role, call)

    # ------------------------------------------------------------------ cells
    def take(self) -> list[tuple[int | None, list[Opened]]]:
        """Give what was opened since the last time, by cell, and forget it."""
        cells = self._cells
        self._cells = {}
        self._cell = self._session.cell
        self._current = self._cells[self._cell] = CellFiles()
        return [(cell, files.list_all()) for cell, files in cells.items() if files.list_all()]


def _absolute(path: str) -> str:
    if path.startswith("/") and "/." not in path and "//" not in path:
        return path  # as it nearly always is
    return os.path.abspath(path)  # noqa: PTH100 - texts throughout, for speed


def list_files(name: str) -> list[str]:
    """List the files that a library reads where it is given a folder, or a pattern.

    Parameters
    ----------
    name
        A path, ``parts/`` or ``parts/*.parquet``.

    Returns
    -------
    list of str
        In order, without hidden ones, a thousand at most; the path itself where it is neither.
    """
    if os.path.isdir(name):  # noqa: PTH112 - texts throughout, for speed
        pattern = os.path.join(glob.escape(name), "**", "*")  # noqa: PTH118
    elif glob.has_magic(name) and not os.path.exists(name):  # noqa: PTH110
        pattern = name
    else:
        return [name]
    found = glob.iglob(pattern, recursive=True)  # noqa: PTH207
    return sorted(islice(filter(os.path.isfile, found), 4 * MOST_FILES))


def read_small(path: str) -> tuple[str, int] | None:
    """Give fingerprint and size of a small file that is about to be overwritten."""
    from mlops_nb.data.files import FileIdentities

    try:
        if os.stat(path).st_size > _KEPT_SMALL:  # noqa: PTH116
            return None
    except OSError:
        return None
    found = FileIdentities().find(path)
    return (found[0], found[1]) if found else None


def read_request(connection: Any, data: Any) -> str | None:
    """Give the address that the head of an HTTP request asks for; None for other data."""
    if type(data) is not bytes or not data.startswith(b"GET "):
        return None
    target = data[4:8192].split(b" HTTP/1.", 1)[0].decode("latin-1")
    host = str(getattr(connection, "host", ""))
    if not host or not target.startswith("/") or any(letter.isspace() for letter in target):
        return None
    kind = type(connection).__name__
    scheme = "https" if "HTTPS" in kind else "http"
    port = getattr(connection, "port", None)
    usual = {"https": 443, "http": 80}[scheme]
    place = host if port in (None, usual) else f"{host}:{port}"
    return f"{scheme}://{place}{quote(target, safe='/%?&=+,:;@~!$()*-._')}"

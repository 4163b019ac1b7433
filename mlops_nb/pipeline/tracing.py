"""Notes what a step does outside its variables: files, folders, connections, programs, draws."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import types
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Protocol

from mlops_nb.pipeline import filestate, shell_commands
from mlops_nb.pipeline.folderwatch import FolderWatch
from mlops_nb.pipeline.names import is_local_module

_OPENS = frozenset(["open", "os.remove", "os.rename", "os.mkdir", "os.rmdir", "os.truncate"])
_LISTS = frozenset(["os.listdir", "os.scandir", "glob.glob"])
_OUTSIDE = frozenset(["socket.connect", "subprocess.Popen", "os.system", "os.exec", "os.forkpty"])
_EVENTS = _OPENS | _LISTS | _OUTSIDE | {"sqlite3.connect"}
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_HANDING_ON = frozenset(["subprocess", "os", "pty", "asyncio", "contextlib", "IPython"])
_DRAIN_EACH = 500
_FOREIGN = ("/proc/", "/sys/", "/dev/", "/etc/")
# Who looks through a folder for modules, and for what is installed.
_SEARCHING = (
    "importlib._bootstrap_external>",
    os.path.join("importlib", "metadata", "__init__.py"),  # noqa: PTH118 - an ending
    os.path.join("importlib_metadata", "__init__.py"),  # noqa: PTH118
)


class Watcher(Protocol):
    """Is asked before something happens, and may raise to keep it from happening."""

    def watch(self, path: str) -> None:
        """Tell that a file or a folder will be made, changed or removed."""

    def stop(self, reason: str) -> None:
        """Tell that something will happen that no file shows."""


class _Trace:
    """What one step has done so far."""

    def __init__(self, left_out: tuple[str, ...], *, is_alone: bool) -> None:
        self.read: dict[str, tuple[int, int, int] | None] = {}
        self.written: dict[str, None] = {}
        self.listed: dict[str, None] = {}
        self.searched: dict[str, None] = {}
        self.outside: dict[str, None] = {}
        self.left_out = tuple(folder.rstrip(os.sep) + os.sep for folder in left_out)
        self.seeds: str | None = None
        self.watcher: Watcher | None = None
        self.noted = 0
        # What the system tells of opened files does not say who has opened them.
        own = (*self.left_out, *_list_installed())
        self.folder = FolderWatch(os.getcwd() if is_alone else None, own)  # noqa: PTH109

    def is_ours(self, path: str) -> bool:
        return path.startswith((*_FOREIGN, *_list_installed(), *self.left_out))

    def note(self, event: str, arguments: tuple[Any, ...]) -> None:
        self.noted += 1
        if not self.noted % _DRAIN_EACH:
            self.folder.drain()
        if event in _OUTSIDE:
            self._note_outside(event, arguments)
            return
        path = _read_path(arguments[0] if arguments else None)
        if path is None or self.is_ours(path):
            return
        if event in _LISTS:
            if os.path.isdir(path):  # noqa: PTH112 - on the path of every open
                # An import looks for modules only: whatever else comes and goes is nothing to it.
                caller = sys._getframe(2).f_code.co_filename  # noqa: SLF001 - to see who lists
                found = self.searched if caller.endswith(_SEARCHING) else self.listed
                found.setdefault(path)
        elif event == "open":
            self._note_open(path, arguments)
        elif event == "sqlite3.connect":
            self.read.setdefault(path, filestate.read_stamp(path))
            self._note_reason(f"it uses the database {path!r}")
        elif event != "os.mkdir" or not os.path.isdir(path):  # noqa: PTH112 - as above
            self._note_written(path)
            if event == "os.rename" and (target := _read_path(arguments[1])) is not None:
                self._note_written(target)

    def _note_open(self, path: str, arguments: tuple[Any, ...]) -> None:
        mode, flags = arguments[1], arguments[2]
        writes = any(c in mode for c in "wax+") if isinstance(mode, str) else flags & _WRITING
        if path not in self.written and (not writes or (isinstance(mode, str) and "w" not in mode)):
            self.read.setdefault(path, filestate.read_stamp(path))
        if writes:
            self._note_written(path)

    def _note_written(self, path: str) -> None:
        if self.watcher is not None:
            self.watcher.watch(path)
        self.written.setdefault(path)

    def _note_reason(self, reason: str) -> None:
        self.outside.setdefault(reason)
        if self.watcher is not None:
            self.watcher.stop(reason)

    def _note_outside(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event == "socket.connect":
            address = arguments[1]
            if isinstance(address, tuple) and not _is_of_kernel():
                self._note_reason(f"it connects to {address[0]}:{address[1]}")
        elif event == "os.forkpty" or _is_called_by_notebook():
            self._note_program(event, arguments)

    def _note_program(self, event: str, arguments: tuple[Any, ...]) -> None:
        command = shell_commands.find_command(event, arguments, sys._getframe(1))  # noqa: SLF001
        folder = (arguments[2] if event == "subprocess.Popen" else None) or "."
        looked = shell_commands.read_command(command, os.path.abspath(folder)) if command else None  # noqa: PTH100
        if looked is not None and not any(map(self.is_ours, [*looked.files, *looked.folders])):
            for path in looked.files:
                if path not in self.written:
                    self.read.setdefault(path, filestate.read_stamp(path))
            self.listed |= dict.fromkeys(looked.folders)
            return
        name = " ".join(command.split()) or (arguments[0] if arguments else "")
        self._note_reason(f"it starts a program ({name!s:.100})")


_state: dict[str, Any] = {"trace": None, "is_installed": False}
_local = threading.local()


def _hook(event: str, arguments: tuple[Any, ...]) -> None:
    if event not in _EVENTS:
        return
    trace: _Trace | None = _state["trace"]
    if trace is None or getattr(_local, "is_paused", False):
        return
    _local.is_paused = True  # what the note itself opens
    try:
        trace.note(event, arguments)
    except Exception as error:  # noqa: BLE001 - a trace must never break the user's call
        trace.outside.setdefault(f"it could not be traced ({type(error).__name__})")
    finally:
        _local.is_paused = False


def _read_path(value: Any) -> str | None:
    if isinstance(value, os.PathLike):
        value = os.fspath(value)
    if isinstance(value, bytes):
        value = os.fsdecode(value)
    if not isinstance(value, str) or value.startswith("<") or value == ":memory:":
        return None
    return os.path.abspath(value)  # noqa: PTH100 - on the path of every open


def _list_installed() -> tuple[str, ...]:
    known = _state.get("installed")
    if known is None:
        import sysconfig
        import tempfile

        paths = {*sysconfig.get_paths().values(), sys.prefix, sys.base_prefix}
        # Prefixes: files of cells, and a cache that torch makes when an optimizer is.
        temporary = tempfile.gettempdir() + os.sep
        own = [f"{temporary}ipykernel_", f"{temporary}torchinductor_"]
        homes = [str(Path.home() / name) for name in (".ipython", ".cache", ".config")]
        known = tuple(path + os.sep for path in [*sorted(paths), *homes]) + tuple(own)
        _state["installed"] = known
    return tuple(known)


def _is_called_by_notebook() -> bool:
    """Tell whether a cell or a module of the project starts the program, not a library."""
    cells = vars(sys.modules["__main__"])
    frame: types.FrameType | None = sys._getframe(1)  # noqa: SLF001 - to see who calls
    while frame is not None:
        name = str(frame.f_globals.get("__name__", ""))
        if frame.f_globals is cells:
            return True
        # What hands the call on: this module, the standard library, IPython for "!program".
        if name.partition(".")[0] not in _HANDING_ON and name != __name__:
            return is_local_module(sys.modules.get(name, os))
        frame = frame.f_back
    return False


def _is_of_kernel() -> bool:
    frame: types.FrameType | None = sys._getframe(3)  # noqa: SLF001 - to see who calls
    while frame is not None:
        name = str(frame.f_globals.get("__name__", ""))
        if name == "__main__":
            return False
        if name.startswith(("ipykernel", "zmq")):
            return True
        frame = frame.f_back
    return False


@contextlib.contextmanager
def paused() -> Iterator[None]:
    """Note nothing meanwhile in this thread.

    Yields
    ------
    None
        What we do ourselves is not the step's.
    """
    before = getattr(_local, "is_paused", False)
    _local.is_paused = True
    try:
        yield
    finally:
        _local.is_paused = before


def begin(left_out: tuple[str, ...], *, is_alone: bool = False) -> None:
    """Begin to note; an earlier trace is dropped.

    Parameters
    ----------
    left_out
        Folders whose files do not count.
    is_alone
        Whether nothing else of ours is at work in the working folder meanwhile.
    """
    if not _state["is_installed"]:
        sys.addaudithook(_hook)
        _state["is_installed"] = True
    earlier: _Trace | None = _state["trace"]
    with paused():
        if earlier is not None:
            earlier.folder.close()
        _state["trace"] = _Trace(left_out, is_alone=is_alone)
    note_seeds()


def watch(watcher: Watcher) -> None:
    """Ask somebody before anything is noted from now on.

    Parameters
    ----------
    watcher
        What it raises beyond ``Exception`` reaches the notebook's code.
    """
    trace: _Trace | None = _state["trace"]
    if trace is not None:
        trace.watcher = watcher


def note_seeds() -> None:
    """Remember the state of the random generators, to see whether the step draws from them."""
    trace: _Trace | None = _state["trace"]
    if trace is not None:
        with paused():
            trace.seeds = filestate.digest_seeds()


def finish(named: Iterable[str] = ()) -> dict[str, Any]:
    """End the trace.

    Parameters
    ----------
    named
        Files that the step's code and variables name: it may have read them past Python's ``open``.

    Returns
    -------
    dict
        ``reads`` and ``writes`` (states of files by path), ``lists`` (states of folders),
        ``searches`` (those that were searched for modules), ``outside`` (what cannot be repeated
        from files), ``draws``, ``modules`` (local files) and ``packages`` (names of top-level
        modules).
    """
    trace: _Trace | None = _state["trace"]
    _state["trace"] = None
    if trace is None:
        return {}
    with paused():
        reads, doubts = {}, dict.fromkeys(trace.outside)
        for path, stamp in list(trace.read.items()):  # a thread may still be in our hook
            if path in trace.written and stamp is not None and stamp != filestate.read_stamp(path):
                doubts[f"it changes {path!r}, which it has read"] = None
            elif path in trace.written and stamp is None:
                continue  # it made the file itself
            else:
                reads[path] = filestate.read_file(path)
        # Rounds of a loop all name the files of each, and are watched as they open them.
        for path in [*trace.folder.close(), *(named if trace.watcher is None else ())]:
            is_known = path in reads or path in trace.written or trace.is_ours(path)
            if not is_known and (found := filestate.read_file(path)) is not None:
                reads[path] = found
        if trace.folder.has_missed:
            doubts["it opens more files than can be followed"] = None
        return {
            "reads": reads,
            "writes": {path: filestate.read_written(path) for path in list(trace.written)},
            "lists": {path: filestate.read_folder(path) for path in list(trace.listed)},
            "searches": {path: filestate.read_modules(path) for path in list(trace.searched)},
            "outside": list(doubts),
            "draws": trace.seeds != filestate.digest_seeds(),
            "modules": _list_modules(),
            "packages": _list_packages(),
        }


def _list_packages() -> list[str]:
    # A list first: another thread may import meanwhile, one of our recorders for example.
    return sorted({name.split(".")[0] for name in list(sys.modules)})


def _list_modules() -> dict[str, Any]:
    files = {}
    for module in list(sys.modules.values()):
        if is_local_module(module):
            path = str(module.__file__)
            if os.path.isfile(path):  # noqa: PTH113 - os.path throughout here
                files[os.path.abspath(path)] = filestate.read_file(path)  # noqa: PTH100
    return files

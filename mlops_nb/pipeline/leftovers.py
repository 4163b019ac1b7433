"""What a notebook has left running or open, whether or not a later cell names it."""

from __future__ import annotations

import asyncio
import contextlib
import io
import sys
import threading
import time
import types
import weakref
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

IsOwn = Callable[[Any], bool]

# What these leave behind is there again as soon as they are used.
_INFRASTRUCTURE = frozenset(
    [
        *("concurrent", "multiprocessing", "joblib", "ipykernel", "IPython", "zmq", "tornado"),
        *("tqdm", "mlops_nb", "torch", "dask", "distributed", "tempfile", "numpy", "asyncio"),
        *(
            "matplotlib",
            "debugpy",
            "pydevd",
            "threadpoolctl",
            "psutil",
            "threading",
            "jupyter_client",
        ),
    ]
)
_HELPERS = (b"resource_tracker", b"semaphore_tracker", b"loky", b"multiprocessing.forkserver")
_LOOKING = b"core.fsmonitor=false"  # git, asked by a recorder what the code is
_OURS = ("mlops_nb-", "mlops-nb-")
_ENDED = ("Z", "X")  # nobody has asked for their exit codes yet
_IN_MEMORY = (io.StringIO, io.BytesIO)
_CHAIN = 20
_MOST_LOOKS, _LOOK_S = 250, 0.001

_known: dict[str, Any] = {}


def begin() -> None:
    """Remember what runs before the notebook does anything."""
    if not _known:
        _known["threads"] = weakref.WeakSet(threading.enumerate())
        _known["programs"] = set(_list_programs())
        _known["finalizers"] = {id(each) for each in _list_finalizers()}


def find_leftovers(namespace: dict[str, Any], is_own: IsOwn) -> dict[str, str]:
    """Find what the next step would miss.

    Parameters
    ----------
    namespace
        The user namespace.
    is_own
        Tells whether a function is the notebook's.

    Returns
    -------
    dict
        Reason by what it is, in angle brackets: no variable is called so.
    """
    if not _known:
        return {}
    found = dict.fromkeys(_find_threads(namespace), "it still runs")
    for number in set(_list_programs()) - _known["programs"]:
        found[f"<program {number}>"] = "it was started here and still runs"
    found |= dict.fromkeys(_find_tasks(namespace, is_own), "the event loop has not done it yet")
    for each, entry in _list_finalizers().items():
        if id(each) not in _known["finalizers"] and not _is_infrastructure(entry.func):
            name = getattr(entry.func, "__qualname__", entry.func)
            found[f"<finalizer {name}>"] = "it is registered to run when an object goes"
    for name, value in list(namespace.items()):
        if not name.startswith("_") and _is_open(value):
            found[f"<open {name}>"] = "it is still open"
    return found


def _is_infrastructure(function: Any) -> bool:
    module = getattr(function, "__module__", None) or type(function).__module__
    return str(module).partition(".")[0] in _INFRASTRUCTURE


def _find_threads(namespace: Mapping[str, Any]) -> Iterator[str]:
    frames = sys._current_frames()  # noqa: SLF001 - nothing else shows what a thread does
    for thread in threading.enumerate():
        if thread in _known["threads"] or thread is threading.current_thread():
            continue
        if thread.name.startswith(_OURS):
            continue
        target = getattr(thread, "_target", None)
        is_running = target is not None and not _is_infrastructure(target)
        frame: types.FrameType | None = frames.get(thread.ident or 0)
        while frame is not None and not is_running:
            is_running = frame.f_globals is namespace
            frame = frame.f_back
        if is_running or isinstance(thread, threading.Timer):
            yield f"<thread {thread.name}>"


def _list_programs() -> list[int]:
    """List the processes that this one has started, without helpers of libraries."""
    found = []
    for place in Path("/proc/self/task").glob("*/children"):
        with contextlib.suppress(OSError, ValueError):
            found += [int(number) for number in place.read_text().split()]
    return [number for number in found if _is_program(Path(f"/proc/{number}"))]


def _is_program(place: Path) -> bool:
    try:
        command = _read_command(place)
        state = _read_state(place)
    except (OSError, IndexError):
        return False
    # Without a command it is ending, or being made by somebody who still waits for that.
    is_helper = not command or any(mark in command for mark in (*_HELPERS, _LOOKING))
    return state not in _ENDED and not is_helper


def _read_state(place: Path) -> str:
    return (place / "stat").read_text().rpartition(")")[2].split()[0]


def _read_command(place: Path) -> bytes:
    """Read what a process runs; of one that is just being started, what it will run."""
    own = Path("/proc/self/cmdline").read_bytes()
    for _ in range(_MOST_LOOKS):
        command = (place / "cmdline").read_bytes()
        # Who started it may go on before the system has written down what it was started with.
        is_blank = not command and _read_state(place) not in _ENDED
        is_copy = command == own and any(t.name.startswith(_OURS) for t in threading.enumerate())
        if not is_blank and not is_copy:
            break
        time.sleep(_LOOK_S)
    return command


def _find_tasks(namespace: Mapping[str, Any], is_own: IsOwn) -> Iterator[str]:
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        return
    for task in asyncio.all_tasks(loop):
        awaited: Any = task.get_coro()
        for _ in range(_CHAIN):
            frame = getattr(awaited, "cr_frame", None)
            if frame is not None and frame.f_globals is namespace:
                yield f"<task {task.get_name()}>"
                break
            awaited = getattr(awaited, "cr_await", None)
    for handle in list(getattr(loop, "_scheduled", ())):
        if not handle.cancelled() and is_own(getattr(handle, "_callback", None)):
            yield "<timer of the event loop>"


def _list_finalizers() -> dict[Any, Any]:
    return dict(getattr(weakref.finalize, "_registry", {}))


def _is_open(value: Any) -> bool:
    kind = type(value)
    if (kind.__module__, kind.__name__) in {
        ("multiprocessing.shared_memory", "SharedMemory"),
        ("_csv", "writer"),
    }:
        return True
    if kind.__module__ == "zipfile" and kind.__name__ == "ZipFile":
        return value.fp is not None and value.mode != "r"
    if not isinstance(value, io.IOBase) or isinstance(value, _IN_MEMORY):
        return False
    try:
        return not value.closed and value.writable() and value not in _list_streams()
    except Exception:  # noqa: BLE001 - a file of any library
        return False


def _list_streams() -> list[Any]:
    return [sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__]

"""Asks a fork server for kernels, starts it where there is none, and ends it."""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import hashlib
import json
import os
import shutil
import socket
import stat
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Any

from mlops_nb.pipeline.forkserver_wire import ForkedProcess, receive, send

_IDLE_S, _KEPT_IDLE_S = 60.0, 600.0
_START_TIMEOUT_S, _FORK_TIMEOUT_S, _TRIES = 60.0, 60.0, 2
_POLL_S, _LONGEST_POLL_S = 0.002, 0.02
# They change from kernel to kernel, and nothing reads them at import.
_OF_A_KERNEL = ("MLOPS_NB_", "JPY_")
_OF_A_PROCESS = frozenset(
    ["PWD", "OLDPWD", "SHLVL", "_", "COLUMNS", "LINES", "PYTEST_CURRENT_TEST"]
)
BOOTSTRAP = """
import importlib, importlib.util, sys
if sys.path and sys.path[0] == "":
    del sys.path[0]
if importlib.util.find_spec("mlops_nb") is None:
    sys.path.append({parent!r})
importlib.import_module({module!r}).main()
"""


def make_bootstrap(module: str) -> str:
    """Write the program that runs one of our modules where this package may not be installed.

    Parameters
    ----------
    module
        Dotted name of a module with a function ``main``.

    Returns
    -------
    str
        Source for ``python -c``.
    """
    parent = str(Path(__file__).resolve().parents[2])
    return BOOTSTRAP.format(parent=parent, module=module)


@dataclass(slots=True)
class _Plan:
    """What a server is started with, and so what may use it."""

    flags: tuple[str, ...]
    environment: dict[str, str]
    preload: tuple[str, ...]
    keep: bool
    cwd: str = ""

    def make_key(self) -> str:
        here = [sys.executable, sys.version, sys.prefix, __file__]
        text = json.dumps([here, astuple(self)], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:32]


@dataclass(slots=True)
class _Server:
    folder: Path
    process: subprocess.Popen[bytes] | None = None
    unfit: str = ""

    def connect(self) -> socket.socket | None:
        connection = socket.socket(socket.AF_UNIX)
        try:
            connection.connect(str(self.folder / "socket"))
        except OSError:
            connection.close()
            return None
        connection.setblocking(False)
        return connection

    def read_noise(self) -> str:
        try:
            lines = (self.folder / "noise").read_text(encoding="utf-8", errors="replace")
        except OSError:
            return ""
        return lines.strip().rpartition("\n")[2]

    def is_starting(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def close(self) -> None:
        """End a server that this process has started for itself."""
        if self.process is None:
            return
        if self.process.stdin is None:
            self.process.returncode = 0  # it stays, and nobody shall wait for it
            return
        self.process.stdin.close()  # it ends its kernels, and then itself
        try:
            self.process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)


_servers: dict[str, _Server] = {}
_retired: list[_Server] = []
_lock = threading.Lock()


def is_possible() -> bool:
    """Tell whether this machine can fork kernels.

    Returns
    -------
    bool
        True on Linux.
    """
    return sys.platform == "linux" and hasattr(os, "pidfd_open")


def close_servers() -> None:
    """End the fork servers of this process, and the kernels that still run in them."""
    with _lock:
        servers = [*_servers.values(), *_retired]
        _servers.clear()
        _retired.clear()
    for server in servers:
        server.close()


atexit.register(close_servers)


async def fork_kernel(
    arguments: Sequence[str],
    *,
    flags: Sequence[str],
    env: Mapping[str, str],
    cwd: str,
    preload: Sequence[str] = (),
    wanted: Sequence[str] = (),
    keep: bool = False,
) -> ForkedProcess | str:
    """Ask for a kernel that has its libraries loaded.

    Parameters
    ----------
    arguments
        As for ``python -m ipykernel_launcher``.
    flags
        The interpreter's options.
    env
        The kernel's environment.
    cwd
        Its working folder.
    preload
        What the notebook imports, in its order.
    wanted
        Those of them to wait for; the kernel may import the others before the server has.
    keep
        Use a server of another process, and leave one for the next.

    Returns
    -------
    ForkedProcess or str
        A text says why it has to be a cold start.
    """
    if not is_possible():
        return "kernels are forked on Linux only"
    plan = _Plan(tuple(flags), _select_environment(env), tuple(preload), keep)
    if _is_relative(env.get("PYTHONPATH", "")):
        plan.cwd = cwd  # where modules are found depends on it
    request = {"arguments": list(arguments), "env": dict(env), "cwd": cwd, "wanted": list(wanted)}
    reply: dict[str, Any] = {}
    for _ in range(_TRIES):
        try:
            server, connection = await _reach(plan)
        except OSError as error:
            return f"the fork server did not start: {error}"
        try:
            connection.setblocking(True)
            send(connection, request, _get_outputs())
            connection.setblocking(False)
            reply = await _wait_for_reply(connection)
        except (OSError, ValueError) as error:
            reply = {"stale": f"the fork server is gone: {error}"}
        if "pid" in reply:
            return ForkedProcess(connection, reply["pid"])
        connection.close()
        if reply.get("unfit"):
            server.unfit = reply["unfit"]  # it will not get better: do not ask again
        if not reply or reply.get("stale"):
            _retire(plan, server)  # its kernels go on; the next ones come from another
        else:
            break
    return str(reply.get("refused") or reply.get("stale") or "the fork server is gone")


async def _wait_for_reply(connection: socket.socket) -> dict[str, Any]:
    received, pause = bytearray(), _POLL_S
    deadline = time.monotonic() + _FORK_TIMEOUT_S
    while time.monotonic() < deadline:
        reply = receive(connection, received)
        if reply is not None:
            return reply
        await asyncio.sleep(pause)
        pause = min(pause * 1.2, _LONGEST_POLL_S)
    return {"refused": "the fork server did not answer"}


def _get_outputs() -> tuple[int, int]:
    found = []
    for number in (1, 2):
        try:
            os.fstat(number)
            found.append(number)
        except OSError as error:
            raise ValueError("this process has no standard output") from error
    return found[0], found[1]


def _is_relative(path: str) -> bool:
    return bool(path) and not all(Path(part).is_absolute() for part in path.split(os.pathsep))


def _select_environment(env: Mapping[str, str]) -> dict[str, str]:
    return {
        name: value
        for name, value in sorted(env.items())
        if not name.startswith(_OF_A_KERNEL) and name not in _OF_A_PROCESS
    }


def _retire(plan: _Plan, server: _Server) -> None:
    with _lock:
        key = plan.make_key()
        if _servers.get(key) is server:
            del _servers[key]
            _retired.append(server)
            if plan.keep:
                shutil.rmtree(server.folder, ignore_errors=True)  # it ends with its last kernel


async def _reach(plan: _Plan) -> tuple[_Server, socket.socket]:
    key = plan.make_key()
    with _lock:
        server = _servers.get(key)
        connection = None
        if server is not None and server.unfit:
            raise OSError(server.unfit)
        if server is None and plan.keep:
            server = _Server(_make_shared_folder() / key)
            connection = server.connect()
        if server is not None and connection is None:
            connection = server.connect()
        if connection is None and (server is None or not server.is_starting()):
            if server is not None:
                server.close()
            server = _start(key, plan)
        assert server is not None
        _servers[key] = server
    deadline = time.monotonic() + _START_TIMEOUT_S
    while connection is None:
        if server.process is not None and server.process.poll() is not None:
            raise OSError(f"it ended at once: {server.read_noise()}")
        if time.monotonic() > deadline:
            raise OSError("it does not answer")
        await asyncio.sleep(_POLL_S)
        connection = server.connect()
    return server, connection


def _make_shared_folder() -> Path:
    """Make the user's folder for servers that are kept, and see that it is nobody else's."""
    root = Path(os.environ.get("XDG_RUNTIME_DIR") or tempfile.gettempdir())
    folder = root / f"mlops-fork-{os.getuid()}"
    with contextlib.suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
        raise PermissionError(f"{folder} is not a folder of this user alone")
    return folder


def _start(key: str, plan: _Plan) -> _Server:
    if plan.keep:
        folder = _make_shared_folder() / key
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(mode=0o700)
    else:
        folder = Path(tempfile.mkdtemp(prefix="mlops-fork-"))
    options = {
        "folder": str(folder),
        "modules": plan.preload,
        "idle_s": _KEPT_IDLE_S if plan.keep else _IDLE_S,
        "has_starter": not plan.keep,
    }
    source = make_bootstrap("mlops_nb.pipeline.forkserver_process")
    with Path(folder, "noise").open("ab") as noise:
        process = subprocess.Popen(
            [sys.executable, *plan.flags, "-c", source, json.dumps(options)],
            stdin=subprocess.DEVNULL if plan.keep else subprocess.PIPE,
            stdout=noise,
            stderr=noise,
            cwd=plan.cwd or folder,
            env=plan.environment,
            start_new_session=True,
        )
    return _Server(folder, process)

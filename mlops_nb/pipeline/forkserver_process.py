"""The process that imports libraries once and forks a kernel per request.

It imports, and never computes: a library that has used its threads cannot be forked.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import selectors
import signal
import socket
import struct
import sys
import time
import warnings
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mlops_nb.pipeline.forkserver_checks import (
    Imported,
    find_shadow,
    find_side_effect,
    is_installed,
)
from mlops_nb.pipeline.forkserver_child import forget_shell_askers, kill_session, reseed, run_kernel
from mlops_nb.pipeline.forkserver_wire import send

_LOOK_AROUND_S = 10.0
_LONGEST_MESSAGE = 16_000_000
# What every kernel imports while it starts, and every step of ours.
_KERNEL_MODULES = (
    "ipykernel.kernelapp",
    "ipykernel.ipkernel",
    "ipykernel.zmqshell",
    "ipykernel.debugger",
    "IPython.core.completerlib",
    "IPython.core.logger",
    "IPython.extensions.storemagic",
    "tornado.platform.asyncio",
    "psutil",
    "mlops_nb.pipeline.step",
)


@dataclass(slots=True, eq=False)
class Client:
    """Who asks for a kernel, and the kernel."""

    connection: socket.socket
    received: bytearray = field(default_factory=bytearray)
    descriptors: list[int] = field(default_factory=list)
    request: dict[str, Any] | None = None
    pid: int = 0
    pidfd: int = -1

    def read(self) -> bool:
        """Take what has come; False where the client is gone."""
        try:
            data, descriptors, _, _ = socket.recv_fds(self.connection, 1 << 16, 4)
        except OSError:
            return False
        self.descriptors += descriptors
        self.received += data
        if len(self.received) >= 4:
            (size,) = struct.unpack_from("!I", self.received)
            if size > _LONGEST_MESSAGE:
                return False
            if len(self.received) >= 4 + size and self.request is None:
                self.request = json.loads(self.received[4 : 4 + size])
        return bool(data)


class Server:
    """Imports what it was told to, and forks.

    Parameters
    ----------
    folder
        Its private folder, with the socket.
    modules
        What to import, in this order.
    idle_s
        Seconds without a kernel after which it ends.
    """

    def __init__(self, folder: str, modules: list[str], idle_s: float) -> None:
        self.socket_path = Path(folder, "socket")
        self.noise = Path(folder, "noise")
        self.idle_s = idle_s
        self.todo = list(modules)
        self.clients: list[Client] = []
        self.unfit = ""
        self.imported = Imported()
        self.environment = dict(os.environ)
        self.selector = selectors.DefaultSelector()
        self.listener = socket.socket(socket.AF_UNIX)
        previous = os.umask(0o177)
        try:
            self.listener.bind(str(self.socket_path))
        finally:
            os.umask(previous)
        self.listener.listen(64)
        self.identity = self.socket_path.stat().st_ino
        self.selector.register(self.listener, selectors.EVENT_READ)

    def serve(self, has_starter: bool) -> dict[str, Any] | None:
        """Serve until nobody needs it any more.

        Parameters
        ----------
        has_starter
            End when standard input does.

        Returns
        -------
        dict or None
            In a forked child what it shall be; None in the server, at its end.
        """
        if has_starter:
            self.selector.register(0, selectors.EVENT_READ)
        self._import_kernel()
        idle_since = time.monotonic()
        while True:
            for key, _ in self.selector.select(self._choose_wait()):
                if key.fileobj == 0:
                    self._end()
                    return None
                if key.fileobj is self.listener:
                    self._accept()
                elif isinstance(key.data, Client):
                    self._attend(key.data, key.fileobj)
            child = self._fork_next()
            if child is not None:
                return child
            if self.todo and not self.unfit:
                self._import_one(self.todo.pop(0))
            if self.clients:
                idle_since = time.monotonic()
            elif time.monotonic() - idle_since >= self.idle_s or not self._is_reachable():
                self._end()
                return None

    def _choose_wait(self) -> float:
        """Choose how long to wait for a client: not at all where there is something to do."""
        is_asked = any(c.request is not None and not c.pid for c in self.clients)
        if is_asked or (self.todo and not self.unfit):  # the last import may be what was waited for
            return 0.0
        return min(self.idle_s, _LOOK_AROUND_S)

    def _end(self) -> None:
        for client in [c for c in self.clients if c.pid]:
            kill_session(client.pid)
            self._reap(client)
        with contextlib.suppress(OSError):
            if self._is_reachable():
                self.socket_path.unlink()
                self.noise.unlink()
                self.socket_path.parent.rmdir()

    def _is_reachable(self) -> bool:
        """Tell whether the socket is its own: another server may have taken its place."""
        try:
            return self.socket_path.stat().st_ino == self.identity
        except OSError:
            return False

    def _accept(self) -> None:
        connection, _ = self.listener.accept()
        credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
        if struct.unpack("3i", credentials)[1] != os.getuid():
            connection.close()
            return
        client = Client(connection)
        self.clients.append(client)
        self.selector.register(connection, selectors.EVENT_READ, client)

    def _attend(self, client: Client, source: Any) -> None:
        if client not in self.clients:
            return  # gone by an event just before
        if source is not client.connection:
            self._reap(client)
        elif not client.read():
            if client.pid:  # its starter is gone; the end of the process brings us to _reap
                kill_session(client.pid)
                self.selector.unregister(client.connection)
            else:
                self._drop(client)

    def _reap(self, client: Client) -> None:
        kill_session(client.pid)  # what it has left, while its number is still its own
        _, status = os.waitpid(client.pid, 0)
        self.selector.unregister(client.pidfd)
        os.close(client.pidfd)
        with contextlib.suppress(OSError):
            send(client.connection, {"exit": os.waitstatus_to_exitcode(status)})
        self._drop(client)

    def _drop(self, client: Client) -> None:
        with contextlib.suppress(KeyError, ValueError):
            self.selector.unregister(client.connection)
        client.connection.close()
        for descriptor in client.descriptors:
            os.close(descriptor)
        self.clients.remove(client)

    # ------------------------------------------------------------------ imports

    def _import_kernel(self) -> None:
        for name in _KERNEL_MODULES:
            with contextlib.suppress(ImportError):
                importlib.import_module(name)
        sys.stdout.flush()
        sys.stderr.flush()
        self.noise.write_bytes(b"")  # the debugger's hints, which no cell shows
        self.imported.note()

    def _import_one(self, name: str) -> None:
        if not is_installed(name):
            return
        if name.partition(".")[0] == "matplotlib":  # as a kernel sets it before any cell runs
            os.environ.setdefault("MPLBACKEND", "module://matplotlib_inline.backend_inline")
        try:
            importlib.import_module(name)
        except ModuleNotFoundError as error:
            if error.name != name:  # else a class of the module, named like a module by mistake
                self.unfit = f"importing {name} failed: {error}"
        except BaseException as error:  # noqa: BLE001 - the kernel shall meet it in its own cell
            self.unfit = f"importing {name} failed: {error!r}"
        self.unfit = self.unfit or find_side_effect(name, self.noise)
        self.imported.note()

    # ------------------------------------------------------------------ forks

    def _fork_next(self) -> dict[str, Any] | None:
        for client in [c for c in self.clients if c.request is not None and not c.pid]:
            request = client.request
            assert request is not None
            if not self.unfit and any(name in self.todo for name in request["wanted"]):
                continue
            stale = self.imported.find_change()
            reason = self.unfit or stale or find_shadow(request["cwd"])
            if reason:
                answer = {"refused": reason, "unfit": self.unfit, "stale": stale}
                with contextlib.suppress(OSError):
                    send(client.connection, answer)
                self._drop(client)
                continue
            sys.stdout.flush()
            sys.stderr.flush()
            gc.freeze()  # what is shared stays shared: no collection writes to it
            with warnings.catch_warnings():  # the library's threads are idle: nothing was computed
                warnings.simplefilter("ignore", DeprecationWarning)
                pid = os.fork()
            if pid == 0:
                self._become_child(request, client)
                return request
            client.pid, client.pidfd = pid, os.pidfd_open(pid)
            self.selector.register(client.pidfd, selectors.EVENT_READ, client)
            for descriptor in client.descriptors:
                os.close(descriptor)
            client.descriptors = []
            with contextlib.suppress(OSError):  # gone: its end is read next
                send(client.connection, {"pid": pid})
        return None

    def _become_child(self, request: dict[str, Any], own: Client) -> None:
        self.selector.close()
        self.listener.close()
        for client in self.clients:
            client.connection.close()
            if client.pidfd >= 0:
                os.close(client.pidfd)
        os.setsid()
        signal.signal(signal.SIGINT, signal.default_int_handler)
        nothing = os.open(os.devnull, os.O_RDONLY)
        for source, target in zip([nothing, *own.descriptors], (0, 1, 2), strict=True):
            os.dup2(source, target)
            os.close(source)
        os.chdir(request["cwd"])
        set_by_imports = {k: v for k, v in os.environ.items() if k not in self.environment}
        os.environ.clear()
        os.environ.update(set_by_imports | request["env"])
        os.environ["JPY_PARENT_PID"] = str(os.getppid())
        forget_shell_askers()
        reseed()


def main() -> None:
    """Serve, as the command line says."""
    options = json.loads(sys.argv[1])
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    server = Server(options["folder"], options["modules"], options["idle_s"])
    request = server.serve(options["has_starter"])
    if request is not None:
        run_kernel(request["arguments"])

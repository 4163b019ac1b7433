"""What passes between a fork server and those who ask it: messages, and a kernel as a process."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import struct
import subprocess
import time
from collections.abc import Sequence
from typing import Any

from mlops_nb.pipeline.forkserver_child import kill_session

_POLL_S = 0.002


def send(connection: socket.socket, message: Any, descriptors: Sequence[int] = ()) -> None:
    """Send one message, and files with it.

    Parameters
    ----------
    connection
        A unix socket.
    message
        Anything that is JSON.
    descriptors
        Open files that the other side gets.
    """
    data = json.dumps(message).encode()
    head = struct.pack("!I", len(data))
    if descriptors:
        socket.send_fds(connection, [head], list(descriptors))
    else:
        connection.sendall(head)
    connection.sendall(data)


class ForkedProcess:
    """A forked kernel, with the methods of `subprocess.Popen` that a kernel provisioner uses.

    Parameters
    ----------
    connection
        To the fork server, which tells the end and kills when it closes.
    pid
        The kernel's process and group.
    """

    stdin = stdout = stderr = None

    def __init__(self, connection: socket.socket, pid: int) -> None:
        self.connection, self.pid = connection, pid
        self.returncode: int | None = None
        self._received = bytearray()

    def poll(self) -> int | None:
        """Tell how it ended.

        Returns
        -------
        int or None
            As `subprocess.Popen.poll`.
        """
        if self.returncode is None:
            message = receive(self.connection, self._received)
            if message is not None:
                # No answer and no connection: the server was killed, and its kernels end now.
                self.returncode = message.get("exit", -signal.SIGKILL)
                if "exit" not in message:
                    kill_session(self.pid)
                self.connection.close()
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Wait until it has ended.

        Parameters
        ----------
        timeout
            Seconds; None waits for ever.

        Returns
        -------
        int
            As `subprocess.Popen.wait`.
        """
        deadline = None if timeout is None else time.monotonic() + timeout
        while (code := self.poll()) is None:
            if deadline is not None and time.monotonic() > deadline:
                raise subprocess.TimeoutExpired("kernel", timeout or 0.0)
            time.sleep(_POLL_S)
        return code

    def send_signal(self, number: int) -> None:
        """Send a signal to the kernel.

        Parameters
        ----------
        number
            The signal.
        """
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """Kill the kernel."""
        self.send_signal(signal.SIGKILL)

    def terminate(self) -> None:
        """Ask the kernel to end."""
        self.send_signal(signal.SIGTERM)


def receive(connection: socket.socket, received: bytearray) -> dict[str, Any] | None:
    """Take one message if it is there.

    Parameters
    ----------
    connection
        Does not block.
    received
        What has come so far; the message is taken out of it.

    Returns
    -------
    dict or None
        None where nothing whole has come yet; empty where the other side is gone.
    """
    is_open = True
    with contextlib.suppress(BlockingIOError):
        try:
            data = connection.recv(1 << 16)
            is_open = bool(data)
            received += data
        except ConnectionError:
            is_open = False
    if len(received) >= 4:
        (size,) = struct.unpack_from("!I", received)
        if len(received) >= 4 + size:
            message: dict[str, Any] = json.loads(received[4 : 4 + size])
            del received[: 4 + size]
            return message
    return None if is_open else {}

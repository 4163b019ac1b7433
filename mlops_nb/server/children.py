"""A process that works for the server: given one request, heard line by line, never left behind."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

_LOG_BYTES = 4000


class ChildProcess:
    """A process that ends when its input does, thus with this one; a thread watches it.

    Parameters
    ----------
    module
        What it runs; it takes its streams as `pipeline_child.open_channel` does.
    folder
        Where it works.
    request
        JSON types.
    name
        What the thread is called.
    grace_s
        Seconds for it to end after its input did, until it is killed.
    hear
        Is given each line that it tells, on the thread; returns whether that was the last.
    conclude
        Is given the process's code and the last line that it printed, on the thread, at the end.
    """

    def __init__(
        self,
        module: str,
        folder: Path,
        request: dict[str, Any],
        name: str,
        grace_s: float,
        hear: Callable[[dict[str, Any]], bool],
        conclude: Callable[[int, str], None],
    ) -> None:
        self._grace_s, self._hear, self._conclude = grace_s, hear, conclude
        # A file, as a pipe that nobody reads would stop the process.
        with contextlib.ExitStack() as stack:
            self._log = stack.enter_context(tempfile.TemporaryFile())
            self._process = subprocess.Popen(
                # -P: a file of the user's folder must not stand for a module of ours.
                [sys.executable, "-P", "-m", module],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._log,
                cwd=folder,
                env={**os.environ, "PYTHONUNBUFFERED": "1"},
                start_new_session=True,
            )
            stack.pop_all()  # from now on closed by the thread that watches
        self._killer = threading.Timer(grace_s, self.kill)
        self._killer.daemon = True
        line = json.dumps(request).encode() + b"\n"
        self._thread = threading.Thread(target=self._watch, args=(line,), name=name, daemon=True)
        self._thread.start()

    @property
    def pid(self) -> int:
        """Its number."""
        return self._process.pid

    def stop(self) -> None:
        """End it as Ctrl-C would; one that goes on all the same is killed after its grace."""
        # First: a process that does not read has closing wait for what was sent.
        with contextlib.suppress(RuntimeError):  # stopped before
            self._killer.start()
        self._close_input()

    def kill(self) -> None:
        """End it at once, with all that it has started."""
        if self._process.poll() is not None:
            return
        with contextlib.suppress(OSError):
            if hasattr(os, "killpg"):
                os.killpg(self._process.pid, signal.SIGKILL)
            else:
                self._process.kill()

    def join(self, timeout: float | None = None) -> None:
        """Wait until it has ended, and what it said is taken in.

        Parameters
        ----------
        timeout
            Seconds to wait at most.
        """
        self._thread.join(timeout)

    def _close_input(self) -> None:
        with contextlib.suppress(OSError):
            assert self._process.stdin is not None
            self._process.stdin.close()

    def _watch(self, request: bytes) -> None:
        """Send the request, and take in what is told, until that is the end or nobody is there."""
        output, source = self._process.stdout, self._process.stdin
        assert output is not None
        assert source is not None
        # A long one waits until the process reads. One that was stopped, or died, is told below.
        with contextlib.suppress(OSError, ValueError):
            source.write(request)
            source.flush()
        for line in output:
            # Whatever a line does, a full disk too: somebody waits to hear of the end.
            with contextlib.suppress(Exception):
                if self._hear(json.loads(line)):
                    break  # a kernel that lives on may hold the pipe open
        self._close_input()
        try:
            code = self._process.wait(self._grace_s)
        except subprocess.TimeoutExpired:
            self.kill()
            code = self._process.wait()
        output.close()
        self._killer.cancel()
        with self._log as log:
            self._conclude(code, _read_last_words(log))


def _read_last_words(log: IO[bytes]) -> str:
    size = log.seek(0, os.SEEK_END)
    log.seek(max(0, size - _LOG_BYTES))
    said = log.read().decode(errors="replace").strip()
    return said.splitlines()[-1] if said else ""

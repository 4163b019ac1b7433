"""Dask clusters for tests: a real scheduler with real workers over loopback."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from tests.pipeline.conftest import ROOT


class Cluster:
    """A scheduler and its workers, each a process group."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.file = folder / "scheduler.json"
        self.processes: list[subprocess.Popen[bytes]] = []
        self._start(
            "scheduler", "--no-dashboard", "--no-jupyter", "--port", "0", "--interface", "lo"
        )
        deadline = time.monotonic() + 60
        while not self.file.exists() and time.monotonic() < deadline:
            time.sleep(0.05)

    @property
    def address(self) -> str:
        """The path by which it is found."""
        return str(self.file)

    def add_worker(self, name: str, *options: str) -> subprocess.Popen[bytes]:
        """Start a worker; a death of its process is a death of the machine."""
        own = ("--no-nanny", "--nthreads", "1", "--no-dashboard", "--name", name)
        local = ("--local-directory", str(self.folder / name), "--death-timeout", "60")
        return self._start("worker", *own, *local, *options)

    def _start(self, kind: str, *options: str) -> subprocess.Popen[bytes]:
        code = f"from distributed.cli.dask_{kind} import main; main()"
        place = ["--scheduler-file", str(self.file)]
        with (self.folder / f"{kind}.log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-c", code, *place, *options],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.folder,
                env=os.environ | {"PYTHONPATH": str(ROOT), "COVERAGE_PROCESS_START": ""},
                start_new_session=True,
            )
        self.processes.append(process)
        return process

    def close(self) -> None:
        """End all of it."""
        for process in reversed(self.processes):
            with contextlib.suppress(OSError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


@contextlib.contextmanager
def running_cluster(folder: Path) -> Iterator[Cluster]:
    """Have a scheduler without workers."""
    folder.mkdir()
    cluster = Cluster(folder)
    try:
        yield cluster
    finally:
        cluster.close()

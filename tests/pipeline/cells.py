"""Runs single cells in a kernel of ours."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jupyter_core.utils import run_sync

from mlops_nb.pipeline.kernels import StepKernel
from tests.pipeline.conftest import ROOT


@dataclass
class Shown:
    """What a cell has shown."""

    text: str = ""
    error: str = ""
    types: list[str] = field(default_factory=list)


def run_cell(kernel: StepKernel, source: str) -> Shown:
    """Run one cell and wait for its end."""
    shown = Shown()

    def take(message: dict[str, Any]) -> None:
        content = message["content"]
        if message["msg_type"] == "stream":
            shown.text += content["text"]
        elif message["msg_type"] == "error":
            shown.error = content["ename"]
        elif "data" in content:
            shown.types += content["data"]

    run_sync(kernel.kc.execute_interactive)(source, output_hook=take, allow_stdin=False)
    return shown


def make_kernel(folder: Path, *preload: str, fork: str = "on", **environment: str) -> StepKernel:
    """Start a kernel that waits for its modules."""
    # An absolute path: a relative one would ask for a fork server per folder.
    values = {"PYTHONHASHSEED": "0", "PYTHONPATH": str(ROOT)} | environment
    kernel = StepKernel(folder, values, preload=preload, wanted=preload, fork=fork)
    kernel.start()
    reason = kernel.cold_reason
    if bool(reason) != (fork == "off"):
        kernel.stop()
        raise AssertionError(reason)
    return kernel


def wait_until(is_so: Callable[[], bool], longest_s: float = 120.0) -> bool:
    """Wait for something to become true."""
    deadline = time.monotonic() + longest_s
    while time.monotonic() < deadline:
        if is_so():
            return True
        time.sleep(0.02)
    return False


def is_running(pid: int) -> bool:
    """Tell whether a process runs; one that has ended and waits for its parent does not."""
    try:
        state = Path("/proc", str(pid), "stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        try:
            os.kill(pid, 0)
        except OSError:
            return False
        return not Path("/proc/self").exists()
    return state not in "ZX"

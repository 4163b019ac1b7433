"""Starts the process that runs a chain, hands on what it tells, and surely ends it."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, Any

from mlops_nb.pipeline import remains

_POLL_S = 0.1
# All of them together stay below the five seconds in which a worker must be free again.
_INTERRUPT_S, _END_S = 2.0, 1.5
_LONGEST_TAIL = 2000
_PACKAGE = Path(__file__).resolve().parents[2]


def supervise(
    specification: Path,
    environment: Mapping[str, str],
    tell: Callable[[dict[str, Any]], None],
    is_wanted: Callable[[], bool],
) -> dict[str, Any]:
    """Run ``python -m mlops_nb.step`` in a session of its own until it ends, or is ended.

    Parameters
    ----------
    specification
        ``SPEC.json``; its folder gets what the process writes.
    environment
        All variables of the process.
    tell
        Called with every event, from another thread.
    is_wanted
        Asked ten times a second; the process is ended when it says no.

    Returns
    -------
    dict
        ``code``, as `run_process` gives it; ``result``, None where there is none; and ``stderr``,
        its end.
    """
    with tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(
            [sys.executable, "-m", "mlops_nb.step", str(specification)],
            stdin=subprocess.PIPE,  # its end tells the process that this one has gone
            stdout=subprocess.PIPE,
            stderr=errors,
            cwd=_PACKAGE,  # so that the package is found however this process found it
            env=dict(environment),
            start_new_session=True,
        )
        assert process.stdout is not None
        reader = threading.Thread(target=_hand_on, args=(process.stdout, tell), daemon=True)
        reader.start()
        try:
            while process.poll() is None:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(_POLL_S)
                if process.returncode is None and not is_wanted():
                    _end(process)
        finally:
            _end_group(process)
            reader.join(_END_S)  # a stray child may hold the other end open
            if not reader.is_alive():
                process.stdout.close()
            if process.stdin is not None:
                process.stdin.close()
            remains.remove_kernel_folder(specification.parent)
        code = process.returncode
        return {
            "code": 128 - code if code < 0 else code,
            "result": _read_result(specification.with_name("RESULT.json")),
            "stderr": _read_tail(errors),
        }


def _hand_on(lines: IO[bytes], tell: Callable[[dict[str, Any]], None]) -> None:
    with contextlib.suppress(ValueError, OSError):
        for line in lines:
            tell(json.loads(line))


def _end(process: subprocess.Popen[bytes]) -> None:
    for number, patience in ((signal.SIGINT, _INTERRUPT_S), (signal.SIGTERM, _END_S)):
        process.send_signal(number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(patience)
            return
    process.kill()
    process.wait()


def _end_group(process: subprocess.Popen[bytes]) -> None:
    """Kill the process if it lives, and what it has left of its session."""
    with contextlib.suppress(OSError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _read_result(path: Path) -> dict[str, Any] | None:
    try:
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found


def _read_tail(errors: IO[bytes]) -> str:
    errors.seek(0, os.SEEK_END)
    errors.seek(max(0, errors.tell() - _LONGEST_TAIL))
    return errors.read().decode("utf-8", "replace").strip()

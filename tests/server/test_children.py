"""A process that works for the server ends with its input, and takes along what it has started."""

from __future__ import annotations

import os
import sys
import threading
from pathlib import Path
from typing import Any

import psutil
import pytest

from mlops_nb.server.children import ChildProcess

WORKER = """
import subprocess, sys, time
from mlops_nb.server.pipeline_child import open_channel

request, teller, source = open_channel()
teller.tell("began", said=request["say"])
if request["say"] == "last":
    teller.tell("ended")
elif request["say"] == "die":
    print("the last words", file=sys.stderr)
    sys.exit(3)
elif request["say"] == "linger":
    started = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    teller.tell("started", pid=started.pid)
    time.sleep(600)
"""


class Listener:
    """Keeps what a child tells, and how it has ended."""

    def __init__(self) -> None:
        self.told: list[dict[str, Any]] = []
        self.end: tuple[int, str] | None = None
        self.has_started = threading.Event()

    def hear(self, told: dict[str, Any]) -> bool:
        """Keep it."""
        self.told.append(told)
        if told["kind"] == "started":
            self.has_started.set()
        return bool(told["kind"] == "ended")

    def conclude(self, code: int, last_words: str) -> None:
        """Keep it."""
        self.end = (code, last_words)


@pytest.fixture(autouse=True)
def worker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put a module to run where the child finds it."""
    (tmp_path / "mlops_worker.py").write_text(WORKER)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(sys.path))


def start(folder: Path, say: str, grace_s: float = 60.0) -> tuple[ChildProcess, Listener]:
    """Start a child that does what is said."""
    listener = Listener()
    hear, conclude = listener.hear, listener.conclude
    child = ChildProcess(
        "mlops_worker", folder, {"say": say}, "child", grace_s, hear=hear, conclude=conclude
    )
    return child, listener


def test_death_is_told_with_code_and_last_words(tmp_path: Path) -> None:
    """What it told before counts as well."""
    child, listener = start(tmp_path, "die")
    child.join()
    assert listener.told == [{"kind": "began", "said": "die"}]
    assert listener.end == (3, "the last words")


def test_nothing_is_heard_behind_the_last_line(tmp_path: Path) -> None:
    """It is over once the child says so and ends."""
    child, listener = start(tmp_path, "last")
    child.join()
    assert [told["kind"] for told in listener.told] == ["began", "ended"]
    assert listener.end == (0, "")


@pytest.mark.skipif(sys.platform == "win32", reason="groups of processes")
def test_one_that_goes_on_is_killed_with_what_it_started(tmp_path: Path) -> None:
    """It is asked first, and has a while to end by itself."""
    child, listener = start(tmp_path, "linger", grace_s=0.1)
    listener.has_started.wait()
    [started] = [psutil.Process(told["pid"]) for told in listener.told if "pid" in told]
    child.stop()
    child.join()
    assert listener.end == (-9, "")
    assert psutil.wait_procs([started], timeout=60)[1] == []


def test_no_thread_outlives_the_process(tmp_path: Path) -> None:
    """Whoever was to kill it goes as well, and asking twice is no harm."""
    child, listener = start(tmp_path, "die", grace_s=600.0)
    child.stop()
    child.stop()
    child.join()
    child._killer.join()
    assert listener.end is not None


def test_the_end_is_told_whatever_a_line_did(tmp_path: Path) -> None:
    """A listener that fails, as where the disk is full, hears of the end all the same."""
    listener = Listener()

    def refuse(told: dict[str, Any]) -> bool:
        raise OSError(28, f"No space left for {told}")

    child = ChildProcess(
        "mlops_worker", tmp_path, {"say": "die"}, "child", 60.0, refuse, listener.conclude
    )
    child.join(60)
    assert listener.end == (3, "the last words")

"""Code that is run again is not waited for longer than it runs, and leaves no copy behind."""

from __future__ import annotations

import errno
import os
import shutil
import signal
import sys
import tempfile
from pathlib import Path

import pytest

from mlops_nb.pipeline.kernels import StepKernel
from mlops_nb.pipeline.reproduce_replay import Replay, replay
from mlops_nb.pipeline.reproduce_scratch import Scratch
from mlops_nb.records import RunRecord
from mlops_nb.store import Store
from mlops_nb.tracking.code import RunCode


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a project with one file; copies come into a folder of the test's."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    made = tmp_path / "project"
    made.mkdir()
    (made / "pyproject.toml").touch()
    return made


def run_script(store: Store, folder: Path, source: str) -> tuple[Replay, Scratch]:
    """Run a script again."""
    scratch = Scratch(store, folder)
    code = RunCode("script", RunRecord("r", "it", "e", "finished", 0.0), source=source)

    def refuse(_: StepKernel) -> None:
        raise AssertionError("a script has no kernel")

    return replay(code, scratch, "it.py", {}, lambda _: None, None, refuse), scratch


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_what_a_script_leaves_running_is_not_waited_for(store: Store, folder: Path) -> None:
    """It may hold the script's standard error as long as it likes."""
    source = (
        "import subprocess, sys\n"
        "left = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
        "print(left.pid, file=open('pid', 'w'))\n"
        "left.returncode = 0\n"
    )
    found, scratch = run_script(store, folder, source)
    os.kill(int((scratch.mirror.folder / "pid").read_text()), signal.SIGKILL)
    assert found == Replay()
    scratch.close()


def test_script_that_fails_says_its_last_line(store: Store, folder: Path) -> None:
    """Of however much it has printed; one that says nothing, its code."""
    loud = "import sys\nprint('.' * 100_000, file=sys.stderr)\nraise ValueError('no')"
    found, scratch = run_script(store, folder, loud)
    assert found == Replay("ValueError: no")
    scratch.close()
    found, scratch = run_script(store, folder, "import os\nos._exit(7)")
    assert found == Replay("it ended with code 7")
    scratch.close()


def test_a_copy_that_cannot_be_made_leaves_nothing(
    store: Store, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk that it has filled is as free as before."""

    def fail(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(shutil, "copy2", fail)
    with pytest.raises(OSError, match="No space"):
        Scratch(store, folder)
    assert list(Path(tempfile.gettempdir()).iterdir()) == []

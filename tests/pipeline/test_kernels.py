"""A kernel's start leaves time for other work, and what is installed is looked up as it stands."""

from __future__ import annotations

import sys
import threading
from pathlib import Path

import pytest

from mlops_nb.errors import StepFailedError
from mlops_nb.pipeline.kernels import StepKernel
from mlops_nb.pipeline.packages import find_packages
from tests.pipeline.cells import run_cell


def test_work_is_done_while_a_kernel_starts(tmp_path: Path) -> None:
    """It runs in another thread and has ended when the kernel answers."""
    done: list[threading.Thread] = []
    kernel = StepKernel(tmp_path, {"PYTHONHASHSEED": "0"}, fork="off")
    kernel.start(lambda: done.append(threading.current_thread()))
    try:
        assert [thread is threading.main_thread() for thread in done] == [False]
        assert not done[0].is_alive()
        assert run_cell(kernel, "print(6 * 7)").text == "42\n"
    finally:
        kernel.stop()


def test_start_that_fails_is_told_after_the_work(tmp_path: Path) -> None:
    """A kernel that cannot start says so, whatever was done meanwhile."""
    done: list[int] = []
    kernel = StepKernel(tmp_path, {}, "no-such-kernel")
    with pytest.raises(StepFailedError, match="no-such-kernel"):
        kernel.start(lambda: done.append(1))
    assert done == [1]


def test_package_that_is_installed_meanwhile_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a step installs counts for it; what lies in the working folder is not looked at."""
    site = tmp_path / "site"
    site.mkdir()
    monkeypatch.setattr(sys, "path", [*sys.path, str(site)])
    assert find_packages(["made_meanwhile"]) == []
    folder = site / "made_meanwhile-1.0.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text("Metadata-Version: 2.1\nName: made_meanwhile\nVersion: 1.0\n")
    (folder / "top_level.txt").write_text("made_meanwhile\n")
    assert find_packages(["made_meanwhile"]) == [str(folder)]

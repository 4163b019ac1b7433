"""What a killed reproduction leaves is removed, and never what anybody may still need."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from mlops_nb import api
from mlops_nb.notebook.document import new_notebook, write_notebook
from mlops_nb.pipeline.reproduce_remains import note_originals, sweep_reproductions
from mlops_nb.pipeline.reproduce_scratch import Scratch
from mlops_nb.store import Store
from mlops_nb.store.writer import describe_writer
from tests.api.kernels import PlayedKernel

ROOT = Path(__file__).resolve().parents[2]
# Made again it lasts until it is killed.
SLEEP = """import mlops_nb, os, time
time.sleep(600 * ("mlops-nb-reproduce-" in os.getcwd()))
with mlops_nb.start_run('it') as run:
    run.log_metric('m', 1)"""


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a folder for temporary files that no other process uses."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


def leave(folder: Path, name: str, writer: object) -> Path:
    """Make what a reproduction leaves."""
    root = folder / f"mlops-nb-reproduce-{name}"
    (root / "work" / "deep").mkdir(parents=True)
    (root / "owner.json").write_text(json.dumps(writer))
    return root


@pytest.mark.skipif(os.name == "nt", reason="there is no SIGKILL")
def test_a_killed_one_is_removed_by_the_next(
    temporary: Path, tmp_path: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The copy of a process that is gone goes, that of one at work stays, and so does the folder."""
    project = tmp_path / "project"
    project.mkdir()
    (project / "pyproject.toml").touch()
    (project / "data.txt").write_text("the user's")
    monkeypatch.chdir(project)
    kernel = PlayedKernel(write_notebook(new_notebook([]), project / "nb.ipynb"))
    [run_id] = kernel.execute(SLEEP)
    api.close_session()
    process = subprocess.Popen(
        [sys.executable, "-m", "mlops_nb", "reproduce", run_id],
        cwd=project,
        env={**os.environ, "TMPDIR": str(temporary), "PYTHONPATH": str(ROOT)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        while not list(temporary.rglob("data.txt")):
            assert process.poll() is None
            time.sleep(0.05)
        [left] = temporary.glob("mlops-nb-reproduce-*")
        sweep_reproductions()
        assert left.is_dir()
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert left.is_dir()
    scratch = Scratch(store, project)
    try:
        assert not left.exists()
        sweep_reproductions()
        assert scratch.root.is_dir()
    finally:
        scratch.close()
    assert not scratch.root.exists()
    assert (project / "data.txt").read_text() == "the user's"


def test_what_may_be_needed_stays(temporary: Path, tmp_path: Path) -> None:
    """Folders whose process is not known to be gone, links, and the only copy of a file stay."""
    gone = {**describe_writer(), "boot_id": "before"}
    theirs = {**describe_writer(), "host": "another"}
    elsewhere = leave(tmp_path, "elsewhere", gone)
    link = temporary / "mlops-nb-reproduce-link"
    link.symlink_to(elsewhere)
    stay = [link, *(leave(temporary, str(at), writer) for at, writer in enumerate((theirs, [], 5)))]
    (temporary / "mlops-nb-reproduce-new").mkdir()
    unnamed = leave(temporary, "damaged", gone)
    (unnamed / "owner.json").write_text("{")
    original, copy = tmp_path / "out.txt", leave(temporary, "kept", gone) / "kept" / "0"
    copy.parent.mkdir()
    copy.write_text("before")
    original.write_text("after")
    note_originals(copy.parent, {str(original): copy})
    stay += [temporary / "mlops-nb-reproduce-new", unnamed, copy]
    removed = leave(temporary, "gone", gone)
    api.collect_garbage()
    assert [path for path in stay if not path.exists()] == []
    assert not removed.exists()
    assert elsewhere.is_dir()
    assert sorted(path.name for path in copy.parents[1].iterdir()) == ["kept", "owner.json"]
    original.write_text("before")  # the user has put it back
    sweep_reproductions()
    assert not copy.exists()
    assert not copy.parents[1].exists()

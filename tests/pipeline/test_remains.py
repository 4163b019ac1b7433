"""What a killed run leaves is removed by the next one, and nothing else is."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from mlops_nb.config import load_settings
from mlops_nb.notebook.document import new_code_cell, new_notebook, write_notebook
from mlops_nb.pipeline import remains, run
from mlops_nb.store import Store
from mlops_nb.tracking import start_run

_ROOT = Path(__file__).parents[2]
_SLEEPER = "import os, time\nopen('pid', 'w').write(str(os.getpid()))\ntime.sleep(60)"


def write(folder: Path, *cells: tuple[str, str]) -> Path:
    """Write a notebook of tagged cells."""
    built = [new_code_cell(source, [tag]) for source, tag in cells]
    return write_notebook(new_notebook(built), folder / "nb.ipynb")


def wait_for(path: Path) -> str:
    """Wait for a file and give its text."""
    for _ in range(2400):
        if path.exists() and path.read_text():
            return path.read_text()
        time.sleep(0.05)
    pytest.fail(f"{path} does not appear")


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_killed_run_is_swept_by_the_next(tmp_path: Path, store: Store) -> None:
    """After kill -9 the kernel ends, the run is interrupted, and its remains go with the next run."""
    path = write(tmp_path, ("x = 1", "step:a"), (_SLEEPER, "step:b"))
    process = subprocess.Popen(
        [sys.executable, "-m", "mlops_nb", "run", str(path), "-o", str(tmp_path / "out")],
        env=os.environ | {"PYTHONPATH": str(_ROOT)},
        stderr=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )
    kernel = int(wait_for(tmp_path / "pid"))
    process.kill()
    process.wait()
    left = next((store.root / "boundaries").iterdir())
    private = Path((left / "kernel-folder").read_text())
    assert private.is_dir()
    assert store.read_run(left.name).status == "interrupted"
    result = run(
        write(tmp_path, ("print(2)", "step:a")),
        out_dir=tmp_path / "out",
        store=store,
        settings=load_settings(tmp_path),
    )
    assert result.status == "finished"
    assert list((store.root / "boundaries").iterdir()) == []
    assert not private.exists()
    for _ in range(1200):
        try:
            os.kill(kernel, 0)
        except ProcessLookupError:
            return
        time.sleep(0.05)
    os.kill(kernel, signal.SIGKILL)
    pytest.fail("the kernel outlived its run")


def test_sweep_keeps_what_is_alive_and_what_is_not_ours(tmp_path: Path, store: Store) -> None:
    """A run under way keeps its folder; a note can never remove more than a kernel's own folder."""
    record = start_run(store, load_settings(tmp_path), "alive", is_active=False)
    alive = remains.make_boundaries(store, record.run_id)
    mine = tmp_path / "mine"
    mine.mkdir()
    other = Path(tempfile.mkdtemp(prefix="other-"))
    for number, target in enumerate((mine, other)):
        gone = store.root / "boundaries" / f"gone{number}"
        gone.mkdir()
        remains.note_kernel(gone, str(target))
    remains.sweep(store)
    assert list((store.root / "boundaries").iterdir()) == [alive]
    assert mine.is_dir()
    assert other.is_dir()
    other.rmdir()
    record.end()
    remains.sweep(store)
    assert list((store.root / "boundaries").iterdir()) == []

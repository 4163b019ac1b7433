"""Cases 57, 60 and 61 of the harm suite: files of every form, from every place."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.autolog.conftest import Notebook

ROOT = Path(__file__).parents[2]

FORMS = {
    "zip": (
        "zipfile.ZipFile('f.zip', 'w').writestr('m', 'x')",
        "zipfile.ZipFile('f.zip').read('m')",
    ),
    "gz": ("gzip.open('f.gz', 'wb').close()", "gzip.open('f.gz').close()"),
    "mm": (
        "np.memmap('f.mm', mode='w+', shape=3).flush()",
        "np.memmap('f.mm', mode='r', shape=3).sum()",
    ),
    "npz": ("np.savez('f.npz', a=[1])", "np.load('f.npz').close()"),
    "pkl": ("pd.Series([1]).to_pickle('f.pkl')", "pd.read_pickle('f.pkl')"),
    "txt": ("Path('f.txt').write_text('x')", "Path('f.txt').read_text()"),
    "fd": (
        "os.close(os.open('f.fd', os.O_CREAT | os.O_WRONLY))",
        "open(os.open('f.fd', 0)).close()",
    ),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_a_file_is_named_once_for_each_way(
    notebook: Notebook, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    """Cases 57 and 60: what writes a file and what reads it stand with their cells, once each."""
    folder = tmp_path / "work"
    folder.mkdir()
    monkeypatch.chdir(folder)
    notebook.run("import gzip, os, zipfile\nfrom pathlib import Path")
    for source in FORMS[form]:
        notebook.run(source)
    notebook.run("model = Ridge().fit(X, y)")
    written, read = notebook.runs()[0].cells[-3:-1]
    assert [(item.role, Path(item.name).name) for item in written.datasets] == [
        ("written", f"f.{form}")
    ]
    assert [(item.role, Path(item.name).name) for item in read.datasets] == [("read", f"f.{form}")]


ENDING = """
import atexit, sys, threading
from pathlib import Path
from mlops_nb import autolog
from mlops_nb.config import load_settings
from mlops_nb.store import open_store
from mlops_nb.tracking import open_session
root = Path(sys.argv[1])
session = open_session(open_store(root / "s", cache=root / "c"), load_settings(root))
atexit.register(lambda: open(__file__ if "__file__" in globals() else sys.executable, "rb").close())
autolog.arm(session)
cell = session.begin_cell("files")
file = root / "data.txt"
file.write_text("x")
def read():
    for _ in range(20_000):
        open(file).close()
threads = [threading.Thread(target=read) for _ in range(2)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
autolog.finish_cell({})
session.end_cell(cell)
class Last:
    def __del__(self, open=open, file=str(file)):
        open(file).close()
last = Last()
last.itself = last
session.begin_cell("the end")
"""


def test_opens_in_threads_and_at_the_very_end(tmp_path: Path) -> None:
    """Case 61: tens of thousands of opens are one entry, and none at the end of Python raises."""
    command = [sys.executable, "-c", ENDING, str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    (session,) = (tmp_path / "s" / "sessions").iterdir()
    assert (session / "events.log").stat().st_size < 10_000

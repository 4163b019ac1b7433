"""Files, addresses and queries are recorded on the cell that opened them and on the runs they fed."""

from __future__ import annotations

import os
import pickle
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import blake3
import pytest

from mlops_nb import autolog
from mlops_nb.autolog import arming
from mlops_nb.autolog.lineage import Lineage
from mlops_nb.autolog.opened import MOST_FILES, OpenedFiles
from mlops_nb.capture import opens
from mlops_nb.records import DatasetRecord
from mlops_nb.store.sessions import read_cells
from tests.autolog.conftest import Notebook

FIT = "from sklearn.linear_model import LogisticRegression\n"


@pytest.fixture
def armed(unarmed: Notebook, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Notebook]:
    """Give an armed notebook that works in an empty folder."""
    folder = tmp_path / "work"
    folder.mkdir()
    monkeypatch.chdir(folder)
    autolog.arm(unarmed.session)
    try:
        yield unarmed
    finally:
        autolog.disarm()


def _get_lineage() -> Lineage:
    lineage = arming._armed[0].lineage
    assert lineage is not None
    return lineage


def _wait() -> None:
    assert _get_lineage().wait(60)


def _cells(notebook: Notebook) -> list[list[tuple[str, str, str, str]]]:
    """Give what each cell opened: kind, role, name, call."""
    _wait()
    root = notebook.store.root / "sessions" / str(notebook.session.session_id)
    return [
        [(data.kind, data.role, data.name, data.call) for data in cell.datasets]
        for cell in read_cells(root)
    ]


def _fed(notebook: Notebook) -> list[list[DatasetRecord]]:
    """Give what each run read and wrote."""
    _wait()
    return [[data for data in run.datasets if data.call] for run in notebook.runs()]


def test_libraries_that_open_through_python(armed: Notebook) -> None:
    """What pandas, numpy, joblib, pathlib and open read and write stands with the cell and call."""
    armed.run(
        "import pandas as pd, numpy as np, joblib, json\n"
        "from pathlib import Path\n"
        "pd.DataFrame({'a': [1, 2]}).to_csv('a.csv', index=False)\n"
        "np.save('x.npy', np.arange(3))\n"
        "joblib.dump([1], 'd.joblib')\n"
        "Path('t.txt').write_text('x')\n"
        "with open('j.json', 'w') as file: json.dump({}, file)\n"
    )
    armed.run(
        "pd.read_csv('a.csv'); np.load('x.npy'); joblib.load('d.joblib'); Path('t.txt').read_text()\n"
        "with open('j.json') as file: json.load(file)\n"
    )
    names = [
        ("a.csv", "pandas.DataFrame.to_csv", "pandas.read_csv"),
        ("x.npy", "numpy.save", "numpy.load"),
        ("d.joblib", "joblib.dump", "joblib.load"),
        ("t.txt", "pathlib.Path.write_text", "pathlib.Path.read_text"),
        ("j.json", "open", "open"),
    ]
    written, read = _cells(armed)
    assert written == [("file", "written", name, call) for name, call, _ in names]
    assert read == [("file", "read", name, call) for name, _, call in names]


def test_open_of_a_shell_is_the_users(armed: Notebook) -> None:
    """IPython gives cells an ``open`` of its own, which opens for them."""
    from IPython.core.interactiveshell import _modified_open

    armed.namespace["open"] = _modified_open
    armed.run("with open('a.txt', 'w') as file: file.write('a')")
    assert _cells(armed) == [[("file", "written", "a.txt", "open")]]


def test_libraries_that_open_past_python(armed: Notebook) -> None:
    """Parquet, polars, torch and safetensors are seen although they open files in native code."""
    armed.run(
        "import pandas as pd, pyarrow.parquet as pq, polars as pl, torch\n"
        "from safetensors.torch import save_file, load_file\n"
        "pd.DataFrame({'a': [1, 2]}).to_parquet('b.parquet')\n"
        "pq.write_table(pq.read_table('b.parquet'), 'c.parquet')\n"
        "pl.read_parquet('b.parquet').write_csv('p.csv')\n"
        "torch.save(torch.ones(2), 't.pt'); save_file({'a': torch.ones(2)}, 's.safetensors')\n"
    )
    armed.run(
        "pd.read_parquet('b.parquet'); pq.ParquetFile('c.parquet').close()\n"
        "pl.scan_csv('p.csv').collect(); load_file('s.safetensors')\n"
        "torch.load('t.pt', weights_only=True)\n"
    )
    first, second = _cells(armed)
    assert ("file", "written", "b.parquet", "pandas.DataFrame.to_parquet") in first
    assert {name for _, role, name, _ in first if role == "written"} == {
        "b.parquet", "c.parquet", "p.csv", "t.pt", "s.safetensors",
    }  # fmt: skip
    assert {(role, name) for _, role, name, _ in second} == {
        ("read", name) for name in ("b.parquet", "c.parquet", "p.csv", "t.pt", "s.safetensors")
    }
    rows = {name: state for name, state, _ in autolog.status()}
    assert {rows[f"{name} files"] for name in ("pandas", "pyarrow", "polars", "torch")} == {"armed"}


def test_folders_and_patterns(armed: Notebook) -> None:
    """Of a folder or a pattern that a library is given, each file is named, hidden ones are not."""
    armed.run(
        "import os, pandas as pd, polars as pl, pyarrow.dataset as ds\n"
        "os.makedirs('parts/day=2')\n"
        "for name in ('a', 'b', 'day=2/c', '.old', 'x[1]'):\n"
        "    pl.DataFrame({'v': [1]}).write_parquet(f'parts/{name}.parquet')"
    )
    for call in (
        "pl.scan_parquet('parts/*.parquet', glob=True).collect()",
        "pl.scan_parquet('parts').collect()",
        "pd.read_parquet('parts/day=2')",
        "ds.dataset('parts/day=2').to_table()",
        "pl.scan_parquet('parts/x[1].parquet', glob=False).collect()",
        "pl.scan_parquet(['parts/?.parquet', 'parts/nothing*']).head(1)",
    ):
        armed.run(call)
    flat = ["parts/a.parquet", "parts/b.parquet"]
    assert [[name for _, _, name, _ in cell] for cell in _cells(armed)[1:]] == [
        [*flat, "parts/x[1].parquet"],
        [*flat, "parts/day=2/c.parquet", "parts/x[1].parquet"],
        ["parts/day=2/c.parquet"],
        ["parts/day=2/c.parquet"],
        ["parts/x[1].parquet"],
        flat,
    ]


def test_a_library_that_writes_on_its_way(armed: Notebook) -> None:
    """What is written in native code is known as that, whatever the user has called."""
    armed.run(
        "import torch\n"
        "from contextlib import ExitStack\n"
        "from safetensors.torch import load_file, save_file\n"
        "with ExitStack() as stack:\n"
        "    stack.callback(load_file, 's.safetensors')\n"
        "    stack.callback(torch.save, 1, 't.pt')\n"
        "    stack.callback(save_file, {'a': torch.ones(2)}, 's.safetensors')\n"
    )
    (found,) = _cells(armed)
    assert {(role, name) for _, role, name, _ in found} == {
        ("written", "s.safetensors"), ("written", "t.pt"), ("read", "s.safetensors"),
    }  # fmt: skip


def test_a_run_names_the_files_of_earlier_cells(armed: Notebook) -> None:
    """Training names what the cells read whose variables it uses, and nothing of other cells."""
    Path("train.csv").write_text("a,y\n1,0\n2,1\n3,0\n4,1\n")
    Path("other.csv").write_text("a\n1\n")
    armed.run("import pandas as pd\n" + FIT)
    armed.run("raw = pd.read_csv('train.csv')")
    armed.run("other = pd.read_csv('other.csv')")
    armed.run("def prepare(frame): return frame.dropna()\nclean = prepare(raw)")
    armed.run("model = LogisticRegression().fit(clean[['a']], clean['y'])")
    [[data]] = _fed(armed)
    digest = blake3.blake3(Path("train.csv").read_bytes()).hexdigest()
    assert (data.name, data.role, data.cell, data.fingerprint) == ("train.csv", "read", 1, digest)
    assert (data.kind, data.call, data.size_bytes) == ("file", "pandas.read_csv", 20)


def test_a_cell_that_read_again_takes_the_place(armed: Notebook) -> None:
    """A variable that was bound anew no longer leads to what it was read from before."""
    for name in ("old.csv", "new.csv", "broken.csv"):
        Path(name).write_text("a,y\n1,0\n2,1\n3,0\n4,1\n")
    Path("new.csv").write_text("a,y\n1,0\n2,1\n3,0\n4,0\n")
    armed.run("import pandas as pd\n" + FIT + "data = pd.read_csv('old.csv')")
    armed.run("data = pd.read_csv('new.csv')")
    with pytest.raises(ZeroDivisionError):
        armed.run("1 / 0\ndata = pd.read_csv('broken.csv')")
    armed.run("model = LogisticRegression().fit(data[['a']], data['y'])")
    assert [[data.name for data in run] for run in _fed(armed)] == [["new.csv"]]


def test_one_cell_reads_trains_and_writes(armed: Notebook) -> None:
    """Within a cell a run names what was read before its fit ended and written after it began."""
    armed.run("import pandas as pd, joblib\n" + FIT)
    for name in ("one.csv", "two.csv"):
        Path(name).write_text(f"a,y\n1,0\n2,1\n3,0\n{len(name)},1\n")
    Path("two.csv").write_text("a,y\n1,0\n2,1\n3,0\n5,0\n")
    armed.run(
        "for name in ('one', 'two'):\n"
        "    data = pd.read_csv(f'{name}.csv')\n"
        "    model = LogisticRegression().fit(data[['a']], data['y'])\n"
        "    joblib.dump(model, f'{name}.joblib')\n"
    )
    first, second = [[(data.role, data.name) for data in run] for run in _fed(armed)]
    assert first == [("read", "one.csv"), ("written", "one.joblib"), ("written", "two.joblib")]
    assert second == [("read", "one.csv"), ("read", "two.csv"), ("written", "two.joblib")]


def test_a_file_that_is_read_and_overwritten(armed: Notebook) -> None:
    """Both versions are named: what was read, and what lies there afterwards."""
    Path("a.txt").write_text("before")
    armed.run("from pathlib import Path\np = Path('a.txt')\np.write_text(p.read_text() + ' after')")
    _wait()
    root = armed.store.root / "sessions" / str(armed.session.session_id)
    found = {data.role: data.fingerprint for data in read_cells(root)[0].datasets}
    assert found == {
        "read": blake3.blake3(b"before").hexdigest(),
        "written": blake3.blake3(b"before after").hexdigest(),
    }


def test_what_is_not_the_users_is_left_out(armed: Notebook) -> None:
    """Imports, installed files, our store, temporary files and failed opens are not recorded."""
    Path("module_of_test.py").write_text("x = 1\n")
    armed.run(
        "import sys, os, tempfile\n"
        "sys.path.insert(0, os.getcwd()); import module_of_test; sys.path.pop(0)\n"
        "del sys.modules['module_of_test']\n"
        "open(os.__file__).close()\n"
        "try: open('missing.csv')\n"
        "except FileNotFoundError: pass\n"
        "with tempfile.NamedTemporaryFile() as file: file.write(b'x')\n"
        "open('gone.txt', 'w').close(); os.remove('gone.txt')\n"
        "os.close(os.open(os.devnull, os.O_RDONLY)); open(1, closefd=False)\n"
        f"open({str(armed.store.root / 'format.json')!r}).close()\n"
        "import sklearn.datasets; sklearn.datasets.load_iris()\n"
    )
    assert _cells(armed) == [[]]


def test_caches_of_a_compiler_are_not_the_users(armed: Notebook) -> None:
    """What torch.compile keeps on disk is left out; what compiled code of the user opens is not."""
    armed.run(
        "import os, sysconfig\n"
        "folder = os.path.join(sysconfig.get_path('purelib'), 'torch', '_inductor')\n"
        "text = 'def load(path, then=None):\\n    open(path, \"w\").close()\\n    then and then()'\n"
        "exec(compile(text, os.path.join(folder, 'codecache.py'), 'exec'))\n"
    )
    armed.run("load('kernel.so')\nload('other.so', lambda: open('mine.txt', 'w').close())")
    assert [(name, call) for _, _, name, call in _cells(armed)[1]] == [("mine.txt", "open")]


def test_paths_of_every_form(armed: Notebook) -> None:
    """Relative paths after a change of folder, bytes and odd names are each one file, as is a link."""
    Path("sub").mkdir()
    Path("sub/a.txt").write_text("x")
    Path("ä b.txt").write_text("x")
    armed.run(
        "import os\nos.chdir('sub'); open('a.txt').close(); os.chdir('..')\n"
        "open(b'sub/a.txt').close(); open('sub/../sub/a.txt').close(); open('ä b.txt').close()\n"
        "open(os.fsencode('sub') + b'/\\xff.bin', 'wb').close()\n"
        "os.symlink('sub/a.txt', 'link.txt'); open('link.txt').close()\n"
    )
    names = [name for _, _, name, _ in _cells(armed)[0]]
    assert names == ["sub/a.txt", "ä b.txt", os.fsdecode(b"sub/\xff.bin"), "link.txt"]


def test_very_many_files(armed: Notebook) -> None:
    """Of thousands of files the first are named one by one, the rest by their folder."""
    Path("images").mkdir()
    armed.run(
        "for number in range(2000):\n"
        "    open(f'images/{number}', 'w').close()\n"
        "for number in range(2000):\n"
        "    open(f'images/{number}').close()\n"
    )
    found = _cells(armed)[0]
    assert len([entry for entry in found if entry[0] == "file"]) <= 2 * MOST_FILES
    folders = [entry for entry in found if entry[0] == "files"]
    assert {(role, name) for _, role, name, _ in folders} == {
        ("written", "images"), ("read", "images"),
    }  # fmt: skip


def test_databases_and_queries(armed: Notebook) -> None:
    """A query stands with its database; SQLite's file is written where it was changed."""
    armed.run(
        "import pandas as pd, sqlite3\n"
        "connection = sqlite3.connect('q.db')\n"
        "pd.DataFrame({'a': [1]}).to_sql('t', connection, index=False)\n"
        "connection.close()\n"
    )
    armed.run(
        "connection = sqlite3.connect('q.db')\n"
        "pd.read_sql(\"select a from t where 'x' = 'x'\", connection)\n"
        "connection.close()\n"
    )
    assert _cells(armed)[0][1:] == [
        ("file", "written", "q.db", "sqlite3.connect"),
        ("sql", "written", "sqlite3: t", "pandas.DataFrame.to_sql"),
    ]
    assert _cells(armed)[1] == [
        ("file", "read", "q.db", "sqlite3.connect"),
        ("sql", "read", "sqlite3: select a from t where 'x' = 'x'", "pandas.read_sql"),
    ]


def test_a_pool_of_threads(armed: Notebook) -> None:
    """A library's function that the user hands to threads is recorded."""
    for number in range(3):
        Path(f"{number}.csv").write_text("a\n1\n")
    armed.run(
        "import pandas as pd\nfrom concurrent.futures import ThreadPoolExecutor\n"
        "with ThreadPoolExecutor(2) as pool:\n"
        "    frames = list(pool.map(pd.read_csv, ['0.csv', '1.csv', '2.csv']))\n"
    )
    assert sorted(_cells(armed)[0]) == [
        ("file", "read", f"{number}.csv", "pandas.read_csv") for number in range(3)
    ]


def test_disarming_leaves_nothing(unarmed: Notebook) -> None:
    """After disarming every wrapped name is the very object it was, and nobody listens."""
    import pandas.io.parquet
    import polars
    import pyarrow.parquet.core
    import torch.serialization

    def look() -> list[Any]:
        found = [vars(pandas.io.parquet)["_get_path_or_handle"]]
        found.append(vars(pyarrow.parquet.core)["_resolve_filesystem_and_path"])
        found.append(vars(torch.serialization)["_check_save_filelike"])
        name = "normalize_filepath"
        modules = [sys.modules[key] for key in sorted(sys.modules) if key.startswith("polars.")]
        return found + [vars(module)[name] for module in modules if name in vars(module)]

    before = look()
    autolog.arm(unarmed.session)
    listener = _get_lineage()._opened
    assert opens.is_listening(listener)
    during = look()
    assert all(one is not other for one, other in zip(before, during, strict=True))
    pickle.dumps([polars.read_csv, pyarrow.parquet.core.read_table])
    autolog.disarm()
    assert not opens.is_listening(listener)
    assert all(one is other for one, other in zip(before, look(), strict=True))


def test_a_failing_recorder_stops_and_says_so_once(
    armed: Notebook, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Whatever fails in us, the user's open succeeds, and one line tells that it is over."""

    def fail(*_: object) -> None:
        raise RuntimeError("made to fail")

    monkeypatch.setattr(OpenedFiles, "note_file", fail)
    armed.run("open('a.txt', 'w').close(); open('b.txt', 'w').close()")
    assert Path("b.txt").exists()
    assert capfd.readouterr().err.count("files are no longer recorded") == 1
    assert ("files", "stopped", "RuntimeError: made to fail") in autolog.status()


def test_a_fork_records_nothing(armed: Notebook) -> None:
    """A forked child opens files as if nobody listened."""
    if not hasattr(os, "fork"):
        return
    armed.run(
        "import os\nchild = os.fork()\n"
        "if child == 0:\n    open('child.txt', 'w').close()\n    os._exit(0)\n"
        "status = os.waitpid(child, 0)[1]\n"
    )
    assert armed.namespace["status"] == 0
    assert _cells(armed) == [[]]


def test_errors_show_no_frame_of_ours(armed: Notebook) -> None:
    """An error of a wrapped look-up has the traceback that it has without us."""
    import traceback

    armed.run("import polars as pl")
    with pytest.raises(Exception, match="directory") as caught:
        armed.run("pl.read_json('.')")
    frames = traceback.extract_tb(caught.value.__traceback__)
    files = [frame.filename.removeprefix(sys.prefix) for frame in frames]
    assert [name for name in files if "mlops_nb" in name and "tests" not in name] == []

"""What speaks against a fork is found, and the kernel then starts afresh."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import textwrap
import threading
from pathlib import Path

import pytest

from mlops_nb.pipeline import forkserver, forkserver_process
from mlops_nb.pipeline.forkserver_checks import (
    Imported,
    find_shadow,
    find_side_effect,
    is_installed,
)
from mlops_nb.pipeline.forkserver_imports import find_preload
from mlops_nb.pipeline.kernels import StepKernel
from tests.pipeline.cells import make_kernel, run_cell
from tests.pipeline.conftest import ROOT


def test_preload_takes_imports_that_surely_happen() -> None:
    """Imports of a cell count, in order; those in functions and conditions do not."""
    cells = [
        "%matplotlib inline\nimport numpy as np, os, seaborn\nif np:\n    import torch",
        "def f():\n    import pandas\ntry:\n    import scipy.stats\nexcept ImportError:\n    pass",
        "from sklearn.ensemble import RandomForestClassifier",
        "this is no Python",
    ]
    found = find_preload(cells)
    assert found[:3] == ("numpy", "scipy.stats", "sklearn.ensemble")
    assert not {"torch", "pandas", "seaborn", "os"} & set(found)


@pytest.mark.parametrize(
    "cell",
    [
        "os.environ['OMP_NUM_THREADS'] = '1'",
        "os.environ.update(A='1')",
        "%env OMP_NUM_THREADS=1",
        "%set_env A 1",
        "sys.path.insert(0, 'src')",
        "sys.path[:0] = ['src']",
        "%cd ..",
        "os.chdir('..')",
        "!pip install x",
        "%pip install x",
        "warnings.simplefilter('error')",
        "sys.modules['torch'] = None",
    ],
)
def test_preload_is_empty_where_imports_would_differ(cell: str) -> None:
    """A notebook that sets what imports read does all of its imports itself."""
    assert find_preload(["import numpy", "print(os.environ['HOME'])"]) == ("numpy",)
    assert find_preload(["import numpy", cell]) == ()


def test_only_installed_modules_are_imported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Local modules may run anything; those of the standard library need no help."""
    (tmp_path / "local_module.py").write_text("")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert is_installed("numpy.linalg")
    assert not is_installed("local_module")
    assert not is_installed("json")
    assert not is_installed("no_such_module_anywhere")


def test_shadows_are_found(tmp_path: Path) -> None:
    """A module beside the notebook that would be imported first speaks against a fork."""
    (tmp_path / "own.py").write_text("")
    (tmp_path / "pytest").mkdir()
    assert find_shadow(str(tmp_path)) == ""
    (tmp_path / "pytest" / "__init__.py").write_text("")
    assert "in place of the installed pytest" in find_shadow(str(tmp_path))
    assert "cannot be read" in find_shadow(str(tmp_path / "gone"))


def test_matplotlibrc_beside_the_notebook(tmp_path: Path) -> None:
    """Settings that matplotlib reads when it is imported speak against a fork."""
    pytest.importorskip("matplotlib")
    (tmp_path / "matplotlibrc").write_text("lines.linewidth: 9")
    assert "matplotlibrc" in find_shadow(str(tmp_path))


def test_changed_modules_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A module that was upgraded or removed since it was imported speaks against a fork."""
    path = tmp_path / "module_to_change.py"
    path.write_text("a = 1")
    monkeypatch.syspath_prepend(str(tmp_path))
    __import__("module_to_change")
    imported = Imported()
    imported.note()
    try:
        assert imported.find_changed_file() == ""
        path.write_text("a = 22")
        assert "has changed" in imported.find_changed_file()
        path.unlink()
        assert "is gone" in imported.find_changed_file()
    finally:
        del sys.modules["module_to_change"]


def test_threads_are_found() -> None:
    """A thread that runs speaks against a fork."""
    imported = Imported()
    imported.note()
    done = threading.Event()
    thread = threading.Thread(target=done.wait)
    thread.start()
    try:
        assert "more threads" in imported.find_change()
    finally:
        done.set()
        thread.join()


def test_printing_is_a_side_effect(tmp_path: Path) -> None:
    """What an import prints belongs under its cell."""
    noise = tmp_path / "noise"
    noise.write_text("")
    assert "prints" not in find_side_effect("x", noise)
    noise.write_text("warning")
    assert "prints" in find_side_effect("x", noise)


@pytest.mark.skipif(not forkserver.is_possible(), reason="needs Linux")
@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("print('hello')", "prints"),
        (
            "import threading; threading.Thread(target=threading.Event().wait, daemon=True).start()",
            "thread",
        ),
        ("raise RuntimeError('no')", "failed"),
        ("import no_such_module_anywhere", "failed"),
        ("raise SystemExit", "failed"),
    ],
)
def test_import_that_cannot_be_done_ahead(source: str, reason: str, tmp_path: Path) -> None:
    """A library that does more than define things is imported by the cell alone."""
    site = tmp_path / "lib" / "site-packages"
    site.mkdir(parents=True)
    (site / "odd_library.py").write_text(source)
    shim = tmp_path / "sitecustomize.py"
    shim.write_text(f"import site; site.getsitepackages = lambda: [{str(site)!r}]\n")
    path = os.pathsep.join([str(tmp_path), str(site), str(ROOT)])
    kernel = StepKernel(
        ROOT, {"PYTHONPATH": path}, preload=["odd_library"], wanted=["odd_library"], fork="on"
    )
    kernel.start()
    try:
        assert reason in kernel.cold_reason
        assert run_cell(kernel, "print(1)").text == "1\n"
    finally:
        kernel.stop()


@pytest.mark.skipif(not forkserver.is_possible(), reason="needs Linux")
def test_upgraded_library_gets_a_new_server(tmp_path: Path) -> None:
    """A library that changes between two kernels is the new one in the second."""
    site = tmp_path / "site-packages"
    site.mkdir()
    library = site / "library_to_upgrade.py"
    library.write_text("version = 1")
    (tmp_path / "sitecustomize.py").write_text(
        f"import site; site.getsitepackages = lambda: [{str(site)!r}]\n"
    )
    path = os.pathsep.join([str(tmp_path), str(site), str(ROOT)])
    seen = []
    for text in ("version = 1", "version = 2000"):
        library.write_text(text)
        kernel = make_kernel(ROOT, "library_to_upgrade", PYTHONPATH=path)
        seen.append(
            run_cell(
                kernel,
                "import sys; print('library_to_upgrade' in sys.modules)\nimport library_to_upgrade as m; print(m.version)",
            ).text
        )
        kernel.stop()
    assert seen == ["True\n1\n", "True\n2000\n"]


@pytest.mark.skipif(not forkserver.is_possible(), reason="needs Linux")
def test_local_module_that_shadows(tmp_path: Path) -> None:
    """A module beside the notebook is the one that its cells import."""
    (tmp_path / "numpy.py").write_text("name = 'local'")
    kernel = StepKernel(tmp_path, {"PYTHONPATH": str(ROOT)}, preload=["numpy"], wanted=["numpy"])
    kernel.start()
    try:
        assert "in place of the installed numpy" in kernel.cold_reason
        assert run_cell(kernel, "import numpy; print(numpy.name)").text == "local\n"
    finally:
        kernel.stop()


@pytest.mark.skipif(not forkserver.is_possible(), reason="needs Linux")
def test_nobody_else_can_reach_the_server(tmp_path: Path) -> None:
    """Socket and folder belong to the user alone."""
    kernel = make_kernel(tmp_path)
    try:
        # Those of earlier tests may have ended by themselves.
        servers = [one for one in forkserver._servers.values() if one.folder.exists()]
        assert servers
        for server in servers:
            assert server.folder.stat().st_mode & 0o777 == 0o700
            assert (server.folder / "socket").stat().st_mode & 0o777 == 0o600
    finally:
        kernel.stop()


_ONE_RUN = textwrap.dedent("""
    from pathlib import Path
    from tests.pipeline.cells import make_kernel, run_cell
    kernel = make_kernel(Path.cwd(), fork="keep")
    print(run_cell(kernel, "import os; print(os.getppid())").text)
    kernel.stop()
""")


@pytest.mark.skipif(not forkserver.is_possible(), reason="needs Linux")
def test_kept_server_is_found_by_the_next_run(tmp_path: Path) -> None:
    """Two runs share a server where the setting says so; its folder is the user's alone."""
    runtime = Path(tempfile.mkdtemp(prefix="m"))  # short: so must the path of a socket be
    environment = os.environ | {"PYTHONPATH": str(ROOT), "XDG_RUNTIME_DIR": str(runtime)}
    server = 0
    try:
        seen = []
        for _ in range(2):
            done = subprocess.run(
                [sys.executable, "-c", _ONE_RUN],
                capture_output=True,
                text=True,
                env=environment,
                cwd=tmp_path,
                check=False,
            )
            assert done.returncode == 0, done.stderr
            seen.append(int(done.stdout))
            server = seen[0]
        assert seen[0] == seen[1]
        (folder,) = runtime.glob("mlops-fork-*")
        assert folder.stat().st_mode & 0o777 == 0o700
    finally:
        if server:
            os.kill(server, signal.SIGTERM)
        shutil.rmtree(runtime)


def test_client_does_not_wait_once_nothing_is_left_to_import(tmp_path: Path) -> None:
    """Who asked while the last library was imported is served at once, not at the next look around."""
    server = forkserver_process.Server(str(tmp_path), [], 60.0)
    ours, theirs = socket.socketpair()
    try:
        assert server._choose_wait() > 0
        server.clients.append(forkserver_process.Client(ours, request={"wanted": []}))
        assert server._choose_wait() == 0
        server.clients[0].pid = 1  # it is served
        assert server._choose_wait() > 0
        server.todo.append("json")
        assert server._choose_wait() == 0
    finally:
        server.selector.close()
        for each in (server.listener, ours, theirs):
            each.close()

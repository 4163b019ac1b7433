"""Loading, loading again, and unloading the extension."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mlops_nb import api
from mlops_nb.kernel.extension import find_extension
from mlops_nb.kernel.notebooks import find_notebook

Run = Callable[..., Any]

ROOT = Path(__file__).resolve().parents[2]

MEASURE_LOAD = """
import json, sys, time
import ipykernel.ipkernel, ipykernel.zmqshell  # what a running kernel has imported already
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
shell.run_line_magic("load_ext", "storemagic")
before, began = set(sys.modules), time.thread_time()
shell.run_line_magic("load_ext", "mlops_nb")
spent = time.thread_time() - began
print(json.dumps({"spent": spent, "new": sorted(set(sys.modules) - before)}))
"""
HEAVY = {
    "pandas", "numpy", "sklearn", "torch", "matplotlib", "pyarrow", "papermill", "sqlalchemy",
    "nbformat", "ipywidgets", "scipy", "nbclient", "skops", "starlette",
}  # fmt: skip


def take_picture(shell: Any) -> dict[str, Any]:
    """Note every list and table of the shell that an extension could change."""
    return {
        "events": {name: list(held) for name, held in shell.events.callbacks.items()},
        "magics": {kind: dict(table) for kind, table in shell.magics_manager.magics.items()},
        "registry": dict(shell.magics_manager.registry),
        "matchers": list(shell.Completer.custom_matchers),
        "meta_path": list(sys.meta_path),
        "excepthook": sys.excepthook,
        "displayhook": shell.displayhook,
        "publish": shell.display_pub.publish,
        "stdout": sys.stdout,
        "shell": set(vars(shell)),
    }


def count_hooks(shell: Any) -> list[int]:
    """Count our callbacks and matchers."""
    ours = [
        [each for each in held if type(getattr(each, "__self__", None)).__name__ == "CellHooks"]
        for held in shell.events.callbacks.values()
    ]
    matchers = [
        each for each in shell.Completer.custom_matchers if type(each).__name__ == "MagicMatcher"
    ]
    return [sum(map(len, ours)), len(matchers)]


def test_unload_restores_the_shell(run: Run, shell: Any) -> None:
    """After unloading, every list and table of the shell holds the same objects as before."""
    run("%load_ext storemagic")  # IPython loads the magics that load extensions when first used
    before = take_picture(shell)
    run("%load_ext mlops_nb")
    assert take_picture(shell) != before
    run("%unload_ext mlops_nb")
    assert take_picture(shell) == before
    assert find_extension(shell) is None


def test_loading_again_makes_one_set_of_hooks(run: Run, shell: Any) -> None:
    """Loading twice, reloading and autoreload leave two callbacks and one matcher."""
    run("%load_ext mlops_nb")
    run("%load_ext mlops_nb")
    assert count_hooks(shell) == [2, 1]
    run("%reload_ext mlops_nb")
    assert count_hooks(shell) == [2, 1]
    from mlops_nb.kernel.extension import load_ipython_extension

    load_ipython_extension(shell)
    assert count_hooks(shell) == [2, 1]


def test_reloaded_modules_find_what_is_loaded(run: Run, shell: Any) -> None:
    """A module reloaded by autoreload, having lost its globals, adds no second set of hooks."""
    import importlib

    from mlops_nb.kernel import extension

    run("%load_ext mlops_nb")
    importlib.reload(extension).load_ipython_extension(shell)
    assert count_hooks(shell) == [2, 1]
    importlib.reload(extension).unload_ipython_extension(shell)
    assert count_hooks(shell) == [0, 0]


def test_reload_keeps_recording(run: Run) -> None:
    """After a reload, cells are recorded once each, in a new session."""
    run("%load_ext mlops_nb")
    run("%reload_ext mlops_nb")
    run("import mlops_nb as mlops\nmlops.start_run('after').end()")
    cells = api.get_run("after").cells
    assert [cell.source.split("\n")[0] for cell in cells] == [
        "%reload_ext mlops_nb",
        "import mlops_nb as mlops",
    ]


def test_disabled_extension_records_nothing(
    run: Run, shell: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """With MLOPS_NB_DISABLED the magics are there and nothing is written."""
    monkeypatch.setenv("MLOPS_NB_DISABLED", "1")
    run("%load_ext mlops_nb")
    assert run("import mlops_nb as mlops\nwith mlops.start_run('x') as r: mlops.log_metric('a', 1)")
    assert run("%mlops help").success
    assert count_hooks(shell) == [0, 1]
    assert not (tmp_path / "store").exists()


def test_foreign_store_is_told_in_one_line(
    run: Run, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """A store folder of something else: one line says that nothing is recorded, cells go on."""
    (tmp_path / "store").mkdir()
    (tmp_path / "store" / "precious.txt").write_text("mine", encoding="utf-8")
    run("%load_ext mlops_nb")
    assert run("6 * 7").result == 42
    said = [line for line in capfd.readouterr().err.splitlines() if line.strip()]
    assert len(said) == 1
    assert "nothing is recorded" in said[0]
    assert [path.name for path in (tmp_path / "store").iterdir()] == ["precious.txt"]


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write anywhere"
)
def test_missing_permission_is_told_in_one_line(
    run: Run,
    capfd: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Without permission to write, one line says that nothing is recorded, cells go on."""
    locked = tmp_path / "locked"
    locked.mkdir(mode=0o500)
    monkeypatch.setenv("MLOPS_NB_STORE", str(locked / "store"))
    run("%load_ext mlops_nb")
    assert run("6 * 7").result == 42
    said = [line for line in capfd.readouterr().err.splitlines() if line.strip()]
    assert len(said) == 1
    assert "nothing is recorded" in said[0]


def test_store_below_a_file_is_told_in_one_line(
    run: Run, capfd: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A store that no folder can be made for (for root too) costs one line."""
    (tmp_path / "file").write_text("", encoding="utf-8")
    monkeypatch.setenv("MLOPS_NB_STORE", str(tmp_path / "file" / "store"))
    run("%load_ext mlops_nb")
    result = run("import mlops_nb as mlops\nwith mlops.start_run('x'): mlops.log_metric('a', 1)\n3")
    assert result.result == 3
    said = [line for line in capfd.readouterr().err.splitlines() if line.strip()]
    assert len(said) == 1
    assert "nothing is recorded" in said[0]


def test_wrong_setting_is_told_in_one_line(
    run: Run, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A setting of the wrong form does not break the load."""
    monkeypatch.setenv("MLOPS_NB_CARDS", "perhaps")
    run("%load_ext mlops_nb")
    assert run("6 * 7").result == 42
    said = [line for line in capfd.readouterr().err.splitlines() if line.strip()]
    assert len(said) == 1
    assert "'perhaps'" in said[0]


def test_load_is_light(tmp_path: Path) -> None:
    """In a fresh interpreter, loading costs at most 100 ms CPU and imports nothing heavy."""
    environ = {
        **os.environ,
        "IPYTHONDIR": str(tmp_path / "ipython"),
        "PYTHONPATH": str(ROOT),
        "PYTHONPYCACHEPREFIX": str(tmp_path / "pyc"),  # compiled once, as an installed package is
    }
    environ.pop("PYTHONDONTWRITEBYTECODE", None)
    spent = []
    for _ in range(3):
        done = subprocess.run(
            [sys.executable, "-c", MEASURE_LOAD],
            capture_output=True,
            text=True,
            check=True,
            env=environ,
            cwd=tmp_path,
        )
        found = json.loads(done.stdout.splitlines()[-1])
        assert not {name.partition(".")[0] for name in found["new"]} & HEAVY
        spent.append(found["spent"])
    assert min(spent) <= 0.1


@pytest.mark.parametrize("variable", ["MLOPS_NB_NOTEBOOK", "JPY_SESSION_NAME"])
def test_notebook_is_found_from_the_environment(
    shell: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, variable: str
) -> None:
    """The notebook is the existing file that the environment names."""
    path = tmp_path / "a notebook.ipynb"
    monkeypatch.setenv(variable, str(path))
    assert find_notebook(shell) is None
    path.write_text("{}", encoding="utf-8")
    assert find_notebook(shell) == str(path)


def test_notebook_is_found_in_vs_code(shell: Any, tmp_path: Path) -> None:
    """VS Code names the notebook in a variable of the kernel."""
    path = tmp_path / "here.ipynb"
    path.write_text("{}", encoding="utf-8")
    shell.user_ns["__vsc_ipynb_file__"] = str(path)
    assert find_notebook(shell) == str(path)
    shell.user_ns["__vsc_ipynb_file__"] = 3
    assert find_notebook(shell) is None

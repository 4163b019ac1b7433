"""A real IPython shell in this process."""

from __future__ import annotations

import atexit
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from mlops_nb import api
from mlops_nb.records import CellRecord


@pytest.fixture
def shell(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Any]:
    """Give an IPython shell; what it changes in the process is put back."""
    from IPython.core.interactiveshell import InteractiveShell
    from traitlets.config import Config

    monkeypatch.setenv("IPYTHONDIR", str(tmp_path_factory.mktemp("ipython")))
    monkeypatch.delenv("MLOPS_NB_NOTEBOOK", raising=False)
    monkeypatch.delenv("JPY_SESSION_NAME", raising=False)
    monkeypatch.delenv("MLOPS_NB_CARDS", raising=False)
    config = Config()
    config.HistoryManager.enabled = False
    config.InteractiveShell.colors = "nocolor"
    hook, main = sys.displayhook, sys.modules["__main__"]
    InteractiveShell.clear_instance()
    made = InteractiveShell.instance(config=config)
    yield made
    from mlops_nb.kernel.extension import unload_ipython_extension

    unload_ipython_extension(made)
    InteractiveShell.clear_instance()
    # It would be kept to the end of the process, and each collect all garbage then: minutes of it.
    atexit.unregister(made.atexit_operations)
    made.restore_sys_module_state()
    sys.displayhook, sys.modules["__main__"] = hook, main


@pytest.fixture
def run(shell: Any) -> Callable[..., Any]:
    """Run a cell as a front end does; gives IPython's result."""

    def run_cell(source: str, **keywords: Any) -> Any:
        return shell.run_cell(source, **{"store_history": True, **keywords})

    return run_cell


@pytest.fixture
def loaded(run: Callable[..., Any], capfd: pytest.CaptureFixture[str]) -> Callable[..., Any]:
    """Run cells in a shell that has loaded the extension."""
    run("%load_ext mlops_nb")
    run("import mlops_nb as mlops")
    capfd.readouterr()
    return run


@pytest.fixture
def read_cells(loaded: Callable[..., Any]) -> Callable[[], list[CellRecord]]:
    """Read every cell that the session has recorded so far, by starting a run at its end."""

    def read() -> list[CellRecord]:
        loaded("mlops.start_run('reader').end()")
        return list(api.get_run("reader").cells)[:-1]

    return read

"""A kernel that loads the extension imports no more than it needs to begin."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import mlops_nb
from mlops_nb import api, records, store
from mlops_nb.store import Store

ROOT = Path(mlops_nb.__file__).parents[1]
# What takes long to load and is used by few kernels, or later.
LATER = (
    "mlops_nb.store.audit",
    "mlops_nb.store.index",
    "mlops_nb.store.series",
    "mlops_nb.store.compaction",
    "mlops_nb.records.pipelines",
    "mlops_nb.records.models",
    "mlops_nb.records.runs",
    "mlops_nb.api.runs",
    "mlops_nb.api.models",
    "mlops_nb.kernel.cards",
    "mlops_nb.kernel.completion",
    "difflib",
    "mlops_nb.environment.difference",
    "importlib.metadata",
    "asyncio",
    "ssl",
    "numpy",
    "pandas",
    "sklearn",
    "torch",
    "matplotlib",
)


def test_the_extension_loads_only_what_it_needs(tmp_path: Path) -> None:
    """In a fresh process, nothing of the list is there once the extension is."""
    code = (
        "import sys, threading\n"
        "threading.Thread.start = lambda self: None  # what is done behind the user's thread\n"
        "from IPython.core.interactiveshell import InteractiveShell\n"
        "shell = InteractiveShell.instance()\n"
        "before = set(sys.modules)\n"
        "shell.run_line_magic('load_ext', 'mlops_nb')\n"
        "print(*sorted(set(sys.argv[1:]) & (set(sys.modules) - before)))\n"
        "import os; sys.stdout.flush(); os._exit(0)\n"
    )
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "MLOPS_NB_STORE": str(tmp_path / "store"),
        "IPYTHONDIR": str(tmp_path / "ipython"),
    }
    command = [sys.executable, "-c", code, *LATER]
    done = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == ""


def test_every_record_is_loaded_by_its_name() -> None:
    """Names are those of the modules behind them; another name is an attribute error."""
    for name in records.__all__:
        assert getattr(records, name) is not None
        assert name in dir(records)
    with pytest.raises(AttributeError, match="nonsense"):
        _ = records.nonsense
    with pytest.raises(AttributeError, match="nonsense"):
        _ = store.nonsense
    assert store.MetricSeries.__module__ == "mlops_nb.store.series"


def test_every_verb_is_loaded_by_its_name() -> None:
    """Each name is in one file, which has it; another name is an attribute error."""
    for name in api.__all__:
        assert getattr(api, name) is not None
        assert name in dir(api)
    with pytest.raises(AttributeError, match="nonsense"):
        _ = api.nonsense


def test_parts_of_a_store_are_made_once(store: Store) -> None:
    """A part is the same object ever after, and what is no part is an attribute error."""
    assert store.audit is store.audit
    assert store.models.audit is store.audit
    assert store.objects is store.objects
    assert store.index is store.index
    with pytest.raises(AttributeError, match="nonsense"):
        _ = store.nonsense

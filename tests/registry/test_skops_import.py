"""Saving a scikit-learn model brings no other library into the process."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from mlops_nb.registry import skops_import

_SAVE = """
import json, sys
from sklearn.linear_model import LinearRegression
from mlops_nb.registry import flavors

model = LinearRegression().fit([[0.0], [1.0]], [0.0, 1.0])
saved = flavors.save_model(model)
flavors.load_model(saved.flavor, saved.data)
found = [name for name in ("torch", "dask", "cupy") if name in sys.modules]
from sklearn.externals.array_api_compat import torch as bridge

print(json.dumps([found, "torch" in sys.modules, bridge.__name__, [type(f).__name__ for f in sys.meta_path].count("_Hidden")]))
"""


def test_no_library_is_imported_that_the_model_does_not_use() -> None:
    """Neither saving nor loading imports torch, and what was hidden meanwhile is there again."""
    pytest.importorskip("sklearn.externals.array_api_compat", reason="older scikit-learn")
    place = Path(skops_import.__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", _SAVE],
        cwd=place, capture_output=True, text=True, check=True,
    )  # fmt: skip
    bridge = "sklearn.externals.array_api_compat.torch"
    assert json.loads(done.stdout) == [[], True, bridge, 0]


def test_only_bridges_are_hidden_and_from_one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """Other threads import what they like meanwhile, and so does who has the library already."""
    hidden = skops_import._Hidden()
    bridge = "sklearn.externals.array_api_compat.cupy"
    monkeypatch.delitem(sys.modules, "cupy", raising=False)
    with pytest.raises(ModuleNotFoundError, match="not needed"):
        hidden.find_spec(bridge)
    for name in ("cupy", "sklearn.externals.array_api_compat.numpy", f"{bridge}.linalg"):
        assert hidden.find_spec(name) is None
    found: list[object] = []
    other = threading.Thread(target=lambda: found.append(hidden.find_spec(bridge)))
    other.start()
    other.join()
    assert found == [None]
    monkeypatch.setitem(sys.modules, "cupy", threading)
    assert hidden.find_spec(bridge) is None

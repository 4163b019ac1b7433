"""``%mlops serve``: a model answers while the kernel lives."""

from __future__ import annotations

import importlib
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any

import pytest

Run = Callable[..., Any]


def list_served() -> dict[str, Any]:
    """Give the servers of the module as it is loaded now; another test reloads it."""
    served: dict[str, Any] = importlib.import_module("mlops_nb.kernel.commands.serving").SERVED
    return served


def is_answering(url: str) -> bool:
    """Ask a server for anything."""
    try:
        with urllib.request.urlopen(url, timeout=120) as answer:
            return bool(answer.status == 200)
    except urllib.error.URLError:
        return False


@pytest.fixture
def model(loaded: Run) -> Run:
    """Register a small model."""
    loaded(
        "import numpy as np\n"
        "from sklearn.linear_model import LinearRegression\n"
        "line = LinearRegression().fit(np.arange(4.0).reshape(4, 1), np.arange(4.0))"
    )
    assert loaded("%mlops register line --name line --alias champion").success
    return loaded


def test_model_is_served_until_stopped(model: Run) -> None:
    """The address answers, is listed, is replaced when served again, and is gone when stopped."""
    assert "http://127.0.0.1:" in str(model("%mlops serve line@champion").result)
    first = list_served()["line@champion"].url
    assert is_answering(first)
    assert len(model("%mlops serve").result) == 1
    model("%mlops serve line@champion")
    second = list_served()["line@champion"].url
    assert not is_answering(first)
    assert "stopped" in str(model("%mlops serve line@champion --stop").result)
    assert not is_answering(second)
    assert len(model("%mlops serve").result) == 0
    assert "stopped 0 servers" in str(model("%mlops serve --stop").result)


def test_unloading_stops_serving(model: Run) -> None:
    """Nothing listens any more once the extension is unloaded."""
    model("%mlops serve line")
    url = list_served()["line"].url
    model("%unload_ext mlops_nb")
    assert not is_answering(url)
    assert list_served() == {}

"""What a step has imported is listed while another thread imports more."""

from __future__ import annotations

import sys
import types
from pathlib import Path
from typing import Any

import pytest

from mlops_nb.pipeline import tracing
from mlops_nb.pipeline.forkserver_checks import find_shadow


class _Name(str):
    """A module's name that, when it is looked at, lets somebody else import another module."""

    __slots__ = ()

    def split(self, *words: Any) -> list[str]:
        """Import another one meanwhile."""
        sys.modules["imported_meanwhile"] = types.ModuleType("imported_meanwhile")
        return super().split(*words)

    def partition(self, word: str) -> tuple[str, str, str]:
        """Import another one meanwhile."""
        sys.modules["imported_meanwhile"] = types.ModuleType("imported_meanwhile")
        return super().partition(word)


@pytest.fixture
def importing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let something be imported whenever the list of modules is walked."""
    name = _Name("walked_over")
    monkeypatch.setitem(sys.modules, name, types.ModuleType(name))
    monkeypatch.setitem(sys.modules, "imported_meanwhile", types.ModuleType("meanwhile"))
    del sys.modules["imported_meanwhile"]


@pytest.mark.usefixtures("importing")
def test_a_step_ends_while_a_recorder_imports(tmp_path: Path) -> None:
    """Neither what it has imported, nor what a kernel may be forked from, fails it."""
    assert "walked_over" in tracing._list_packages()
    sys.modules.pop("imported_meanwhile")
    assert find_shadow(str(tmp_path)) == ""

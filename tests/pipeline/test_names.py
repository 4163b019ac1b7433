"""Modules of the project are told from those of packages."""

from __future__ import annotations

import sys
import types
from pathlib import Path

import pytest

from mlops_nb.pipeline.names import is_local_module


def test_modules_of_packages_are_not_the_projects() -> None:
    """A package's own modules do not count, even where they name no real file."""
    assert not is_local_module(pytest)
    assert not is_local_module(types)
    made = types.ModuleType("pytest.made")
    made.__file__ = "_made.py"  # as torch.ops does
    assert not is_local_module(made)


def test_modules_of_the_project_are(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A file beside the notebook is local, by an absolute or a relative path."""
    helper = types.ModuleType("own_helper")
    helper.__file__ = str(tmp_path / "own_helper.py")
    assert is_local_module(helper)
    helper.__file__ = "own_helper.py"
    assert is_local_module(helper)
    part = types.ModuleType("own_helper.part")
    part.__file__ = "part.py"
    monkeypatch.setitem(sys.modules, "own_helper", helper)
    assert is_local_module(part)

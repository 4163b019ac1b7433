"""A store of models for each module of tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlops_nb.store import Store, open_store


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """Give a store for this module's models, each registered once under its own name."""
    folder: Path = tmp_path_factory.mktemp("serving")
    return open_store(folder / "store")

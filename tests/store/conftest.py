"""What the tests of remotes share: a remote folder and a second store."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlops_nb.store import Store
from tests.store.remoting import make_store


@pytest.fixture
def remote(tmp_path: Path) -> Path:
    """Name the folder of a remote that is not there yet."""
    return tmp_path / "remote"


@pytest.fixture
def url(remote: Path) -> str:
    """Give the address of the remote."""
    return remote.as_uri()


@pytest.fixture
def other(tmp_path: Path) -> Store:
    """Give a second, empty store."""
    return make_store(tmp_path / "other")

"""What tests of the store share: a remote, a second store, and a PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from mlops_nb.store import Store, open_store
from tests.store.postgres import Server, run_server
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


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    """Run a PostgreSQL for all tests of this process that ask for it."""
    with run_server() as server:
        yield server


@pytest.fixture(params=["sqlite", "postgres"])
def index_url(request: pytest.FixtureRequest) -> str:
    """Give the setting ``index`` of a test that runs with either database."""
    if request.param == "sqlite":
        return ""
    server: Server = request.getfixturevalue("postgres")
    return server.url()


@pytest.fixture
def either(tmp_path: Path, index_url: str, capsys: pytest.CaptureFixture[str]) -> Iterator[Store]:
    """Give an empty store whose index lies in either database, and in no other."""
    store = open_store(tmp_path / "store", cache=tmp_path / "cache", index=index_url)
    yield store
    store.index.close()
    assert "cannot use the index" not in capsys.readouterr().err

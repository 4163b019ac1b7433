"""What all tests share: a store of their own, and no trace left in the process."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from mlops_nb.store import Store, deferred, open_store
from mlops_nb.store import store as opening
from mlops_nb.store.deferred import write_deferred
from mlops_nb.tracking import active, close_session, end_open_runs

# Threads of OpenMP that wait for one another spin, and take the cores from whom they wait for: with
# another test on the other core a fit of a second takes three. Read when the library is loaded.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
# How long an example takes says nothing on a shared machine.
settings.register_profile("house", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("house")


@pytest.fixture(autouse=True)
def _own_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Give every test a working folder, store and cache of its own, and close what it opened."""
    monkeypatch.setenv("MLOPS_NB_STORE", str(tmp_path / "store"))
    monkeypatch.setenv("MLOPS_NB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("MLOPS_NB_VERIFY", "0")  # each pipeline would run twice
    monkeypatch.setenv("MLOPS_NB_RESOURCES", "0")  # else a run's metrics depend on its time
    for name in (
        "MLOPS_NB_PARENT_RUN",
        "MLOPS_NB_DISABLED",
        "MLOPS_NB_EXPERIMENT",
        "MLOPS_NB_INDEX",
    ):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    yield
    end_open_runs()
    close_session()
    active._entered.set(())
    _close_stores(tmp_path)


def _close_stores(folder: Path) -> None:
    """Close what a process keeps open of each store: with a thousand files ``select`` fails."""
    write_deferred()
    pending = deferred._writer._pending
    for root in [root for root in pending if root.is_relative_to(folder)]:
        pending.pop(root).close()
    for key in [key for key in opening._opened if key[0].is_relative_to(folder)]:
        opened = opening._opened.pop(key)
        opened.index.close()
        opened.objects.index.close()


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """Give an empty store."""
    return open_store(tmp_path / "store", cache=tmp_path / "cache")

"""Runs that have ended in this process, and who looks at them."""

from __future__ import annotations

import os
import time

import pytest

from mlops_nb.store import Store, latejournal, refresh
from mlops_nb.tracking.run import Run

META = {"name": "r", "experiment": "e"}


def rest_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let runs be at rest as soon as they have ended, and few journals be many."""
    monkeypatch.setattr(refresh, "_GRACE_S", 0.0)
    monkeypatch.setattr(latejournal, "_MOST_OPEN", 16)


def make_ended(store: Store, count: int = 1) -> list[Run]:
    """Make runs that have ended, and an index that knows them."""
    runs = [Run(store.start_run(META), "r", "e", store) for _ in range(count)]
    for run in runs:
        run.log_metric("m", 0.0)
        run.end()
    time.sleep(0.01)
    store.search()
    age(store)
    store.search()
    return runs


def age(store: Store) -> None:
    """Make the store's folders look as if they changed long ago."""
    then = time.time() - 60
    for name in ("runs", "late"):
        if (store.root / name).is_dir():
            os.utime(store.root / name, (then, then))


def list_looks(store: Store, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Search, and name the runs that were looked at."""
    looks: list[str] = []
    look_at = refresh._look_at

    def count(look: refresh._Look, known: refresh._Known) -> object:
        looks.append(known.run_id)
        return look_at(look, known)

    with monkeypatch.context() as patched:
        patched.setattr(refresh, "_look_at", count)
        store.search()
    return looks

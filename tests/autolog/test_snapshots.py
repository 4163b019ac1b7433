"""Data of runs are stored off the user's thread, once, and from copies only."""

from __future__ import annotations

import sys
import threading
import types

import numpy as np
import pytest

from mlops_nb import autolog
from mlops_nb.autolog.captures import CaptureBook
from mlops_nb.autolog.snapshots import SnapshotQueue, refresh_environment
from mlops_nb.data import load_frame
from mlops_nb.store import Store
from tests.autolog.conftest import Notebook


def test_many_fits_on_one_array_copy_it_once(
    notebook: Notebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ten fits on the same arrays make one copy of each, until somebody writes into one."""
    copies: list[object] = []
    original = CaptureBook._copy

    def count(book: CaptureBook, obj: object) -> tuple[object, int]:
        copies.append(type(obj))
        return original(book, obj)

    monkeypatch.setattr(CaptureBook, "_copy", count)
    notebook.run(
        "A, b = X.to_numpy().copy(), y.to_numpy().copy()\n"
        "for turn in range(10):\n"
        "    model = Ridge().fit(A, b)\n"
        "    if turn == 4: A[0, 0] = -0.0 if A[0, 0] == 0 else 0.0"
    )
    autolog.disarm()
    assert len(copies) == 3
    found = [data.digest for run in notebook.runs() for data in run.datasets]
    assert len(found) == 20
    assert len(set(found)) == 3
    assert None not in found


def test_many_fits_on_one_frame_store_it_once(notebook: Notebook) -> None:
    """Ten fits on the same frame make one object, and ten runs that name it."""
    notebook.run("for _ in range(10):\n    model = Ridge().fit(X, y)")
    autolog.disarm()
    digests = {data.digest for run in notebook.runs() for data in run.datasets}
    assert len(digests) == 2
    assert None not in digests


def test_nothing_runs_beside_a_fit(notebook: Notebook) -> None:
    """While a cell runs no thread of ours competes with its fits."""
    notebook.namespace["threading"] = threading
    notebook.run(
        "model = Ridge().fit(X, y)\nnames = [thread.name for thread in threading.enumerate()]\n"
    )
    assert "mlops_nb-data" not in notebook.namespace["names"]


def test_array_written_after_the_fit_is_kept_as_it_was(notebook: Notebook) -> None:
    """What the user writes into an array after the fit, in the same cell, is not stored."""
    notebook.run("A = X.to_numpy().copy(); B = A.copy()\nRidge().fit(A, y)\nA[:] = 0.0")
    autolog.disarm()
    (run,) = notebook.runs()
    np.testing.assert_array_equal(
        load_frame(notebook.store, run.datasets[0]), notebook.namespace["B"]
    )


def test_failing_store_is_told_once(
    notebook: Notebook, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where data cannot be stored one line says so, and fingerprints are still recorded."""

    def full(*_: object, **__: object) -> str:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(type(notebook.store.objects), "put_bytes", full)
    for _ in range(3):
        notebook.run("model = Ridge().fit(X, y)")
    autolog.disarm()
    monkeypatch.undo()
    assert capsys.readouterr().err.count("fingerprint only") == 1
    assert all(data.digest is None for run in notebook.runs() for data in run.datasets)
    assert all(len(run.datasets) == 2 for run in notebook.runs())


def test_closing_an_idle_queue(store: Store) -> None:
    """A queue that never had work closes at once, twice if asked."""
    waiting = SnapshotQueue(store)
    waiting.close()
    waiting.close()


def test_data_are_kept_where_no_thread_begins_any_more(
    notebook: Notebook, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """At the end of a script Python 3.12 starts no thread: what waits is stored all the same."""
    start = threading.Thread.start

    def refuse(thread: threading.Thread) -> None:
        if thread.name.startswith("mlops_nb"):
            raise RuntimeError("can't create new thread at interpreter shutdown")
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", refuse)
    notebook.run("model = Ridge().fit(X, y)")
    autolog.disarm()
    assert capsys.readouterr().err == ""
    (run,) = notebook.runs()
    assert None not in {data.digest for data in run.datasets}


def test_environment_is_described_again_when_more_is_loaded(
    notebook: Notebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two recorders of one session describe it once; a library that is loaded later is added."""
    given: list[str | None] = []
    session = notebook.session
    monkeypatch.setattr(session, "set_environment", lambda found, code: given.append(found))
    refresh_environment(session)
    refresh_environment(session)
    assert len(given) == 1
    monkeypatch.setitem(sys.modules, "brand_new", types.ModuleType("brand_new"))
    refresh_environment(session)
    assert len(given) == 2

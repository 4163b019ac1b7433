"""The environment is described whole, without secrets, cheaply, and the same one is kept once."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

import mlops_nb
from mlops_nb.environment import (
    capture_environment,
    diff_environments,
    snapshot_code,
    snapshot_environment,
)
from mlops_nb.store import Store

ROOT = Path(mlops_nb.__file__).parents[1]


def test_document_names_what_results_depend_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """Python, machine, packages, threads and variables are there, as JSON."""
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    document = capture_environment()
    assert json.loads(json.dumps(document)) == document
    assert document["python"]["version"].startswith(f"{sys.version_info[0]}.{sys.version_info[1]}")
    assert document["packages"]["pytest"] == pytest.__version__
    assert document["imported"]["pytest"] == pytest.__version__
    assert document["variables"]["OMP_NUM_THREADS"] == "2"
    assert document["machine"]["cpu_count"] == os.cpu_count()


def test_no_secret_of_the_process_is_kept(monkeypatch: pytest.MonkeyPatch, store: Store) -> None:
    """A password in a variable, however it is named, is not in the document."""
    monkeypatch.setenv("DATABASE_URL", "postgres://u:hunter2-secret@db/x")
    monkeypatch.setenv("MY_OMP_TOKEN", "hunter2-secret")
    assert b"hunter2" not in store.objects.read_bytes(snapshot_environment(store))


def test_same_environment_is_one_object(store: Store) -> None:
    """Two snapshots in a row have one digest and read back as the document."""
    snapshot_environment(store)  # loads what writing to the store needs
    first = snapshot_environment(store)
    assert snapshot_environment(store) == first
    assert store.objects.read_json(first)["packages"] == capture_environment()["packages"]


def test_new_installation_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A package installed in the running session is in the next document."""
    monkeypatch.syspath_prepend(str(tmp_path))
    assert "brand-new" not in capture_environment()["packages"]
    (tmp_path / "brand_new-1.0.dist-info").mkdir()
    assert capture_environment()["packages"]["brand-new"] == "1.0"


def test_capture_runs_on_another_thread_and_loads_nothing() -> None:
    """In a fresh process, on a background thread, no numeric library is loaded by the snapshot."""
    code = (
        "import sys, threading\n"
        "from mlops_nb.environment import capture_environment\n"
        "t = threading.Thread(target=capture_environment); t.start(); t.join()\n"
        "print(sorted({'numpy','pandas','torch','sklearn','pyarrow'} & set(sys.modules)))"
    )
    command = [sys.executable, "-W", "error", "-c", code]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_second_capture_is_cheap() -> None:
    """Once packages and machine are known, a document costs little processor time."""
    capture_environment()
    costs = []
    for _ in range(3):
        begun = time.thread_time()
        capture_environment()
        costs.append(time.thread_time() - begun)
    assert min(costs) < 0.15


def test_concurrent_captures_agree() -> None:
    """Captures on several threads at once give the same packages."""
    found: list[object] = []
    threads = [
        threading.Thread(target=lambda: found.append(capture_environment()["packages"]))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4
    assert all(packages == found[0] for packages in found)


def test_code_document(tmp_path: Path, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Commit and dirty diff of a repository are kept; a folder without one has no document."""
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert snapshot_code(store, tmp_path) is None
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "a.py").write_text("x = 1\n")
    git = ["git", "-c", "user.name=t", "-c", "user.email=t@example.org"]
    for arguments in (["init", "-q", "-b", "main"], ["add", "."], ["commit", "-q", "-m", "one"]):
        subprocess.run([*git, *arguments], cwd=folder, check=True, capture_output=True)
    clean = snapshot_code(store, folder)
    assert clean is not None
    assert snapshot_code(store, folder) == clean
    (folder / "a.py").write_text("x = 2\n")
    dirty = snapshot_code(store, folder)
    assert dirty is not None
    document = store.objects.read_json(dirty)
    assert "+x = 2" in document["diff"]
    assert document["dirty"] is True
    assert "root" not in document
    groups = [row[0] for row in diff_environments(store.objects.read_json(clean), document)]
    assert groups[0] == "diff"

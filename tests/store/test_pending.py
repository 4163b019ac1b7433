"""What a killed process left of runs that were not written yet: read as data, never as code."""

from __future__ import annotations

import errno
import os
import pickle
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mlops_nb.store import Store
from mlops_nb.store.frames import frame_payload, pack_frame
from mlops_nb.store.ids import new_run_id
from mlops_nb.store.pending import PendingFile, recover_runs
from mlops_nb.store.runlog import RunLog
from mlops_nb.store.writer import describe_writer


class _Hostile:
    """Runs a command where it is unpickled by who trusts it."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return os.mkdir, (str(self.path),)


def _describe_dead() -> dict[str, Any]:
    process = subprocess.Popen([sys.executable, "-c", "pass"])
    process.wait()
    return {**describe_writer(), "pid": process.pid, "start_time": 1}


def _pack(record: dict[str, Any]) -> bytes:
    return frame_payload(pickle.dumps(record, 4))


@pytest.mark.parametrize("pack", [_pack, pack_frame], ids=["pickle", "json-of-before"])
def test_plain_frames_become_runs(store: Store, pack: Callable[[Any], bytes]) -> None:
    """Both kinds of payload are read, with every type that a run's start has."""
    run_id = new_run_id()
    meta = {"run_id": run_id, "name": "fit ⚡", "experiment": "e", "started_at": 1.5, "tags": {}}
    event = {"type": "params", "at": 2.0, "params": {"C": 0.1, "n": None, "b": True, "t": "é"}}
    folder = store.root / "pending"
    folder.mkdir()
    frames = pack({"writer": _describe_dead()}), pack({"run": meta, "events": [event]})
    (folder / "a.log").write_bytes(b"".join(frames))
    recover_runs(store.root)
    run = store.read_run(run_id)
    assert (run.name, run.params) == ("fit ⚡", {"C": 0.1, "n": None, "b": True, "t": "é"})
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("is_full", [True, False])
def test_a_run_is_recovered_whole_or_later(
    store: Store, monkeypatch: pytest.MonkeyPatch, is_full: bool
) -> None:
    """A disk that fills meanwhile loses nothing; what is no event costs its own run only."""
    ids = [new_run_id(), new_run_id()]
    frames = [_pack({"writer": _describe_dead()})]
    for run_id, event in zip(ids, ({"type": "params", "params": {"C": 1}}, 1j), strict=True):
        meta = {"run_id": run_id, "name": "x", "experiment": "e", "started_at": 1.0, "tags": {}}
        events = [{"type": "params", "at": 2.0, "params": {"C": 1}}, event]
        frames.append(_pack({"run": meta, "events": events}))
    folder = store.root / "pending"
    folder.mkdir()
    (folder / "a.log").write_bytes(b"".join(frames))
    if is_full:
        with monkeypatch.context() as patch:
            patch.setattr(RunLog, "append", _fill_disk)
            recover_runs(store.root)
        assert list(folder.iterdir()) != []
        assert list((store.root / "runs").iterdir()) == []
    recover_runs(store.root)
    assert store.read_run(ids[0]).params == {"C": 1}
    assert store.list_run_ids() == ids[:1]
    assert list(folder.iterdir()) == []


def _fill_disk(*_: object) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


def test_frames_that_name_code_are_broken(store: Store, tmp_path: Path) -> None:
    """A frame that would run something is passed over; the runs beside it are kept."""
    marker = tmp_path / "was-run"
    good, bad = new_run_id(), new_run_id()
    frames = [_pack({"writer": _describe_dead()})]
    for run_id, extra in ((bad, _Hostile(marker)), (good, None)):
        meta = {"run_id": run_id, "name": "x", "experiment": "e", "started_at": 1.0, "extra": extra}
        frames.append(_pack({"run": meta, "events": []}))
    frames.append(frame_payload(b"\x80\x04garbage"))
    folder = store.root / "pending"
    folder.mkdir()
    (folder / "a.log").write_bytes(b"".join(frames))
    recover_runs(store.root)
    assert store.list_run_ids() == [good]
    assert not marker.exists()


def _note(store: Store, file: PendingFile, name: str, *, length: int = 1) -> str:
    run_id = new_run_id()
    meta = {
        "run_id": run_id,
        "name": name * length,
        "experiment": "e",
        "started_at": 1.0,
        "tags": {},
    }
    file.add(meta, [])
    return run_id


def _kill(file: PendingFile, monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave a file as a process does that is killed."""
    file.leave()
    monkeypatch.setattr("mlops_nb.store.pending.is_writer_alive", lambda _: False)


@pytest.mark.parametrize("has_pwrite", [True, False], ids=["pwrite", "as-on-windows"])
def test_what_was_written_is_not_noted_any_more(
    store: Store, monkeypatch: pytest.MonkeyPatch, has_pwrite: bool
) -> None:
    """Frames of runs that have been written lie behind the new ones, of whatever length, unread."""
    if not has_pwrite:
        monkeypatch.delattr(os, "pwrite")
    file = PendingFile(store.root)
    written = [_note(store, file, "written") for _ in range(5)]
    file.clear(lambda: True)
    lost = [_note(store, file, "lost and longer"), _note(store, file, "lost")]
    _kill(file, monkeypatch)
    recover_runs(store.root)
    assert store.list_run_ids() == lost
    assert not set(written) & set(lost)


def test_a_file_of_many_runs_grows_and_shrinks(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More than it has room for is noted as well; a very large one gives its room back."""
    file = PendingFile(store.root)
    _note(store, file, "small")
    size = file.path.stat().st_size
    file.clear(lambda: False)  # not written yet: kept
    for _ in range(30):
        _note(store, file, "x", length=50_000)
    assert file.path.stat().st_size > 20 * size
    file.clear(lambda: True)
    assert file.path.stat().st_size == size
    lost = [_note(store, file, "y", length=50_000) for _ in range(3)]
    _kill(file, monkeypatch)
    recover_runs(store.root)
    assert store.list_run_ids() == lost


def test_a_full_disk_notes_nothing_and_no_headless_run(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fit goes on; the first run that finds room again begins the file anew, head first."""
    file = PendingFile(store.root)
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", _fill_disk)
        _note(store, file, "no room")
    lost = _note(store, file, "room")
    _kill(file, monkeypatch)
    recover_runs(store.root)
    assert store.list_run_ids() == [lost]

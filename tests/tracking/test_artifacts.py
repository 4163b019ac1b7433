"""Folders of artifacts share packs, and a run names only what is on the disk."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

import mlops_nb as mlops
from mlops_nb.store import Store
from mlops_nb.store.objects import ObjectFolder


def make_folder(tmp_path: Path) -> Path:
    """Write 20 files into folders."""
    folder = tmp_path / "plots"
    for number in range(20):
        path = folder / f"part{number % 3}" / f"{number}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"file {number}")
    return folder


def test_a_folder_becomes_one_pack(store: Store, tmp_path: Path) -> None:
    """All files of a folder are kept, readable and verified, in one pack."""
    with mlops.start_run("r") as run:
        for thread in threading.enumerate():
            if thread.name == "mlops_nb-environment":  # what it keeps is a pack too
                thread.join()
        before = len(store.objects.packs.names())
        assert mlops.log_artifact(make_folder(tmp_path)) == "plots"
    assert len(store.objects.packs.names()) == before + 1
    assert len(mlops.get_run(run.run_id).artifacts) == 20
    assert mlops.read_artifact(run.run_id, "plots/part1/4.txt") == b"file 4"


def test_nothing_is_named_that_was_not_kept(
    store: Store,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Where a pack cannot be written the run goes on and names no artifact."""

    def fail(self: ObjectFolder, path: Path) -> tuple[str, int]:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(ObjectFolder, "put_file", fail)
    with mlops.start_run("r") as run:
        mlops.log_artifact(make_folder(tmp_path))
    assert store.read_run(run.run_id).artifacts == ()
    assert "No space left" in capsys.readouterr().err

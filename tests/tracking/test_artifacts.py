"""Folders of artifacts share packs, and a run names only what is on the disk."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

import mlops_nb as mlops
from mlops_nb.errors import InvalidValueError, NotFoundError
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


def test_artifacts_of_files_and_folders(store: Store, tmp_path: Path) -> None:
    """Files are kept by content, folders with their layout."""
    (tmp_path / "d" / "inner").mkdir(parents=True)
    (tmp_path / "d" / "inner" / "a.txt").write_text("a")
    (tmp_path / "plot.png").write_bytes(b"png")
    with mlops.start_run() as run:
        mlops.log_artifact(tmp_path / "plot.png")
        mlops.log_artifact(tmp_path / "d", "data")
    record = store.read_run(run.run_id)
    assert [(entry.path, entry.size_bytes, entry.media_type) for entry in record.artifacts] == [
        ("plot.png", 3, "image/png"),
        ("data/inner/a.txt", 1, "text/plain"),
    ]
    assert mlops.read_artifact(run.run_id, "data/inner/a.txt") == b"a"
    with pytest.raises(NotFoundError, match=r"Did you mean 'plot\.png'"):
        mlops.read_artifact(run.run_id, "plot.pgn")


@pytest.mark.parametrize(
    "name", ["../x", "/x", "a//b", "", "c:\\x", "a/../../b", "a\\..\\b", "x\x00", "n" * 2000]
)
def test_artifact_names_stay_in_the_run(name: str, tmp_path: Path) -> None:
    """A name that leads out of the run is refused."""
    (tmp_path / "f").touch()
    with mlops.start_run() as run, pytest.raises(InvalidValueError, match="artifact name"):
        run.log_artifact(tmp_path / "f", name)


def test_a_missing_artifact_is_named(tmp_path: Path) -> None:
    """A file that is not there is named with what is near it."""
    (tmp_path / "model.txt").touch()
    with mlops.start_run(), pytest.raises(NotFoundError, match=r"no file .*modle\.txt"):
        mlops.log_artifact(tmp_path / "modle.txt")

"""What a run has read is put back in the copy only, and what it writes by absolute paths after it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from mlops_nb.errors import InvalidValueError
from mlops_nb.pipeline.reproduce_inputs import Guard, check_inputs, restore_inputs
from mlops_nb.pipeline.verify_folder import make_mirror
from mlops_nb.records import DatasetRecord, RunRecord
from mlops_nb.store import Store


def make_run(role: str, *data: tuple[str, str]) -> RunRecord:
    """Make the record of a run that has read or written files of some content."""
    files = [DatasetRecord(mark, "file", name, role, call="open", cell=0) for name, mark in data]
    return RunRecord("r", "fit", "default", "finished", 0.0, datasets=tuple(files))


def test_files_behind_a_link_are_never_written(store: Store, tmp_path: Path) -> None:
    """Where a folder of the project is a link, the copy gets one of its own with the old bytes."""
    shared, real = tmp_path / "shared", tmp_path / "project"
    (shared / "deep").mkdir(parents=True)
    (shared / "deep" / "train.csv").write_text("the user's")
    (shared / "other.csv").write_text("also the user's")
    real.mkdir()
    (real / "data").symlink_to(shared)
    digest = store.objects.put_bytes(b"then")
    run = make_run("read", ("data/deep/train.csv", digest))
    mirror = make_mirror(real, tmp_path / "copy" / "work")
    inputs = check_inputs(store, [run], real)
    assert restore_inputs(store, inputs, mirror.folder) == ["data/deep/train.csv"]
    assert (mirror.folder / "data" / "deep" / "train.csv").read_text() == "then"
    assert (mirror.folder / "data" / "other.csv").read_text() == "also the user's"
    assert (shared / "deep" / "train.csv").read_text() == "the user's"


def test_all_is_put_back_whatever_the_code_did(tmp_path: Path) -> None:
    """A folder that it has removed is made anew; what stays in the way hinders no other file."""
    paths = [tmp_path / "a" / "out.txt", tmp_path / "b" / "out.txt", tmp_path / "c.txt"]
    for path in paths:
        path.parent.mkdir(exist_ok=True)
        path.write_text(path.name)
    guard = Guard([make_run("written", *((str(path), "0") for path in paths))], tmp_path / "work")
    guard.keep(tmp_path / "kept")
    shutil.rmtree(tmp_path / "b")
    paths[0].unlink()
    paths[0].mkdir()
    paths[2].write_text("another")
    with pytest.raises(InvalidValueError, match="can be put back") as caught:
        guard.put_back()
    assert (paths[1].read_text(), paths[2].read_text()) == ("out.txt", "c.txt")
    kept = Path(caught.value.hint.split("'")[1])
    assert (kept / "out.txt").read_text() == "out.txt"
    shutil.rmtree(kept)
    paths[0].rmdir()
    assert str(paths[0]) in guard.put_back()
    assert paths[0].read_text() == "out.txt"

"""The reference run works on a copy of the notebook's folder and finds all that lies around it."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlops_nb.pipeline import verify_folder
from mlops_nb.pipeline.verify_folder import make_mirror


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Make a project with notebooks, data beside them and a store."""
    root = tmp_path / "project"
    files = [
        "pyproject.toml", "data/a.csv", "notebooks/b.csv", "notebooks/lib/helper.py",
        "notebooks/.mlops/run", ".mlops/run", "notebooks/out/01-a.ipynb", "notebooks/.venv/bin/python",
    ]  # fmt: skip
    for name in files:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(name, encoding="utf-8")
    (root / "notebooks" / "link.csv").symlink_to("b.csv")
    return root


def test_files_are_copied_and_neighbours_are_reached(project: Path, tmp_path: Path) -> None:
    """The folder's own files can be changed in the copy; relative paths lead to the same data."""
    folder = project / "notebooks"
    mirror = make_mirror(folder, tmp_path / "work" / "copy", [folder / "out"])
    names = {path.name for path in mirror.folder.iterdir()}
    assert names == {"b.csv", "lib", "link.csv", ".venv", "out", ".mlops"}
    above = {path.name for path in mirror.folder.parent.iterdir()}
    assert above == {"pyproject.toml", "data", "notebooks", ".mlops"}
    for empty in ("out", ".mlops", "../.mlops"):  # there to be listed
        assert not list((mirror.folder / empty).iterdir())
    assert (mirror.folder / ".." / "data" / "a.csv").read_text() == "data/a.csv"
    (mirror.folder / "link.csv").write_text("changed")
    (mirror.folder / "lib" / "helper.py").write_text("changed")
    assert (folder / "b.csv").read_text() == "notebooks/b.csv"
    assert (folder / "lib" / "helper.py").read_text() == "notebooks/lib/helper.py"
    assert (mirror.folder / ".venv").is_symlink()
    assert mirror.find_changed() == []


def test_paths_lead_back(project: Path, tmp_path: Path) -> None:
    """A path in the copy stands for one in the notebook's folder, others for themselves."""
    mirror = make_mirror(project / "notebooks", tmp_path / "copy")
    assert mirror.to_real(f"{mirror.folder}/x/y.csv") == f"{project}/notebooks/x/y.csv"
    assert mirror.to_real(f"{mirror.folder}y.csv") == f"{mirror.folder}y.csv"
    assert mirror.to_real("/elsewhere") == "/elsewhere"


def test_places_that_links_lead_to_are_known(project: Path, tmp_path: Path) -> None:
    """Below a link whoever writes in the copy writes the user's own; links within it do not."""
    folder = project / "notebooks"
    (folder / "elsewhere").symlink_to(tmp_path)
    mirror = make_mirror(folder, tmp_path / "copy")
    inside, outside = ("new.csv", "link.csv", "lib/new.csv"), ("elsewhere/new.csv", ".venv/new")
    assert [mirror.leads_out(str(folder / name)) for name in inside] == [False] * 3
    assert [mirror.leads_out(str(folder / name)) for name in outside] == [True] * 2


def test_a_copy_can_be_copied(project: Path, tmp_path: Path) -> None:
    """Each run of the notebook begins with the files as they were."""
    first = make_mirror(project / "notebooks", tmp_path / "copy")
    second = first.clone(tmp_path / "again")
    (first.folder / "b.csv").write_text("changed")
    assert (second.folder / "b.csv").read_text() == "notebooks/b.csv"
    assert (second.folder / ".." / "data" / "a.csv").exists()
    assert second.folder.name == "notebooks"


def test_folders_without_a_project_have_neighbours_too(tmp_path: Path) -> None:
    """Where nothing marks a project, two folders above can be reached."""
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "a.csv").write_text("1")
    (tmp_path / "deep" / "notebooks").mkdir(parents=True)
    mirror = make_mirror(tmp_path / "deep" / "notebooks", tmp_path / "work")
    assert (mirror.folder / ".." / ".." / "data" / "a.csv").read_text() == "1"


def test_large_files_are_linked_and_watched(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is too large for a copy is used in its place, and a change of it is told."""
    monkeypatch.setattr(verify_folder, "_LARGEST_FILE_BYTES", 4)
    mirror = make_mirror(project / "notebooks", tmp_path / "copy")
    assert (mirror.folder / "b.csv").is_symlink()
    assert mirror.find_changed() == []
    (mirror.folder / "b.csv").write_text("another length")
    assert mirror.find_changed() == [str(project / "notebooks" / "b.csv")]


def test_many_files_are_not_copied(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder of very many files is linked as a whole."""
    monkeypatch.setattr(verify_folder, "_MOST_FILES", 1)
    mirror = make_mirror(project / "notebooks", tmp_path / "copy")
    assert (mirror.folder / "lib").is_symlink()
    assert not (mirror.folder / "b.csv").is_symlink()

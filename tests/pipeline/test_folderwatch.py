"""Files that libraries open past Python's own open are seen, and results that used them end."""

from __future__ import annotations

import ctypes
import os
import sys
from pathlib import Path

import pytest

from mlops_nb.pipeline.folderwatch import FolderWatch, find_named_files, list_texts
from tests.pipeline.places import Place
from tests.pipeline.test_cache import rerun

linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux tells of opens")


def open_past_python(path: Path, mode: str = "r") -> None:
    """Open and close a file in C, as libraries do."""
    library = ctypes.CDLL(None)
    library.fopen.restype = ctypes.c_void_p
    library.fclose.argtypes = [ctypes.c_void_p]
    library.fputs.argtypes = [ctypes.c_char_p, ctypes.c_void_p]
    file = library.fopen(os.fsencode(path), mode.encode())
    assert file
    if mode == "w":
        library.fputs(b"text", file)
    library.fclose(file)


@linux
def test_files_that_were_opened_are_told(tmp_path: Path) -> None:
    """Files in the folder and in new folders are seen; written, hidden and left-out ones are not."""
    for name in ("a.csv", "deep/b.csv", ".hidden/c.csv", "out/d.csv", "never.csv", "own.py"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("1", encoding="utf-8")
    watch = FolderWatch(str(tmp_path), (f"{tmp_path}/out/",))
    for name in ("a.csv", "deep/b.csv", ".hidden/c.csv", "out/d.csv", "own.py"):
        open_past_python(tmp_path / name)
    open_past_python(tmp_path / "made.csv", "w")
    (tmp_path / "new").mkdir()
    watch.drain()
    (tmp_path / "new" / "e.csv").touch()
    assert watch.close() == [str(tmp_path / "a.csv"), str(tmp_path / "deep" / "b.csv")]
    assert not watch.has_missed


@linux
def test_more_events_than_the_system_keeps_are_told(tmp_path: Path) -> None:
    """Who opens more files than can be followed is not said to have opened few."""
    limit = int(Path("/proc/sys/fs/inotify/max_queued_events").read_text(encoding="ascii"))
    paths = [tmp_path / "a", tmp_path / "b"]
    for path in paths:
        path.touch()
    watch = FolderWatch(str(tmp_path), ())
    for number in range(limit + 10):  # the same event twice in a row counts once
        os.close(os.open(paths[number % 2], os.O_RDONLY))
    assert watch.close() == [str(path) for path in paths]
    assert watch.has_missed


def test_named_files_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Paths that variables and code mention are files that a step may have read."""
    monkeypatch.chdir(tmp_path)
    for name in ("a.csv", "b.csv", "c.csv", "d.py"):
        Path(name).touch()
    namespace = {"x": "a.csv", "y": {"k": [Path("b.csv")]}, "z": "no.csv", "n": 3, "m": "d.py"}
    texts = list_texts(["read('c.csv' )", "this is no Python", "'x\0y'", "''"])
    assert find_named_files(namespace, texts) == [str(tmp_path / f"{n}.csv") for n in "abc"]


CELLS = (
    ("import polars\nfolder = '.'", "imports"),
    ("total = polars.read_csv(folder + '/data.csv')['x'].sum()", "step:read"),
    ("print(total)", "step:show"),
)


@linux
def test_data_read_past_python_end_a_result(place: Place) -> None:
    """A table that polars has read counts as one that Python has read."""
    path = place.write(*CELLS)
    data = path.parent / "data.csv"
    data.write_text("x\n1\n2\n", encoding="utf-8")
    place.run(path)
    assert rerun(place, *CELLS) == []
    data.write_text("x\n1\n5\n", encoding="utf-8")
    assert rerun(place, *CELLS) == ["read", "show"]
    assert place.read_printed()[1] == "6\n"

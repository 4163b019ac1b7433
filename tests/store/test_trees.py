"""Folders are kept as trees and come back as they were; nothing leads outside."""

from __future__ import annotations

import os
import socket
import stat
from pathlib import Path
from typing import Any

import pytest
from blake3 import blake3
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mlops_nb.errors import CorruptObjectError, InvalidValueError, NotFoundError
from mlops_nb.store import Store, open_store
from mlops_nb.store.gc import collect_garbage
from mlops_nb.store.trees import read_tree


def describe(folder: Path) -> dict[str, tuple[int, bytes]]:
    """Give what is below a folder: mode and bytes, or target, by path."""
    found = {}
    for path in folder.rglob("*"):
        name = path.relative_to(folder).as_posix()
        if path.is_symlink():
            found[name] = (0, os.fsencode(path.readlink()))
        elif path.is_file():
            found[name] = (stat.S_IMODE(path.stat().st_mode), path.read_bytes())
        elif not any(path.iterdir()):
            found[name] = (stat.S_IMODE(path.stat().st_mode), b"folder")
    return found


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Make a folder with everything that folders hold."""
    top = tmp_path / "data"
    (top / "deep" / "er").mkdir(parents=True)
    (top / "empty").mkdir()
    (top / "a.csv").write_text("1,2\n")
    (top / "deep" / "er" / "ümläut name").write_bytes(blake3(b"t").digest(length=200_000))
    (top / "nothing").touch()
    (top / "tool.sh").write_text("#!/bin/sh\n")
    (top / "tool.sh").chmod(0o755)
    (top / "link").symlink_to("a.csv")
    (top / "outside").symlink_to("/etc")
    (top / "deep" / "up").symlink_to("../..")
    return top


def test_folders_come_back(store: Store, folder: Path, tmp_path: Path) -> None:
    """Names, modes, bytes, links and empty folders are restored; links are not followed."""
    digest = store.put_tree(folder)
    names = [entry.path for entry in read_tree(store.objects, digest)]
    assert names == sorted(describe(folder))
    assert store.restore_tree(digest, tmp_path / "back") == len(names)
    assert describe(tmp_path / "back") == describe(folder)
    assert store.put_tree(tmp_path / "back") == digest
    for path in (tmp_path / "back").rglob("*"):
        if path.is_file() and not path.is_symlink():
            assert path.stat().st_nlink == 1


def test_names_that_are_no_text_come_back(store: Store, tmp_path: Path) -> None:
    """A file whose name is not UTF-8 is kept like any other."""
    (tmp_path / "data").mkdir()
    try:
        Path(os.fsdecode(os.fsencode(tmp_path / "data") + b"/\xff\xfe")).write_bytes(b"1")
    except OSError:
        pytest.skip("this file system takes UTF-8 names only")
    store.restore_tree(store.put_tree(tmp_path / "data"), tmp_path / "back")
    (back,) = (tmp_path / "back").iterdir()
    assert os.fsencode(back.name) == b"\xff\xfe"


def test_trees_hold_their_files(store: Store, folder: Path, tmp_path: Path) -> None:
    """A collection keeps what a named tree is made of, though only the tree is named."""
    digest = store.put_tree(folder)
    (store.root / "runs").mkdir(exist_ok=True)
    (store.root / "runs" / "note.json").write_text(f'{{"tags": {{"data": "{digest}"}}}}')
    store.objects.put_bytes(b"of no use")
    collect_garbage(store.objects, grace_s=0)
    store.restore_tree(digest, tmp_path / "back")
    assert describe(tmp_path / "back") == describe(folder)


def test_a_damaged_file_leaves_nothing(store: Store, folder: Path, tmp_path: Path) -> None:
    """A tree with a damaged file is not restored at all."""
    digest = store.put_tree(folder)
    (name,) = store.objects.packs.names()
    path = store.objects.packs.locate(name)
    entry = next(entry for entry in read_tree(store.objects, digest) if entry.size_bytes > 100_000)
    _, record = store.objects.index.find(bytes.fromhex(entry.content))[0]
    data = bytearray(path.read_bytes())
    data[record.offset + 50] ^= 1
    path.write_bytes(data)
    (tmp_path / "new").mkdir()
    with pytest.raises(CorruptObjectError):
        store.restore_tree(digest, tmp_path / "new" / "back")
    assert list((tmp_path / "new").iterdir()) == []


def test_a_folder_with_files_is_not_overwritten(store: Store, folder: Path, tmp_path: Path) -> None:
    """Restoring into a folder that holds something, or onto a link, is refused."""
    digest = store.put_tree(folder)
    before = describe(folder)
    (tmp_path / "alias").symlink_to(folder)
    (tmp_path / "dangling").symlink_to(tmp_path / "nowhere")
    for target in (folder, tmp_path / "alias", tmp_path / "dangling", folder / "a.csv"):
        with pytest.raises(InvalidValueError, match="empty folder"):
            store.restore_tree(digest, target)
    assert describe(folder) == before
    (tmp_path / "empty").mkdir()
    store.restore_tree(digest, tmp_path / "empty")
    assert describe(tmp_path / "empty") == before


def test_sockets_are_refused(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is no file, link or folder is named rather than left out."""
    (tmp_path / "data").mkdir()
    monkeypatch.chdir(tmp_path / "data")  # names of sockets are short
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("s")
        with pytest.raises(InvalidValueError, match=r"data/s"):
            store.put_tree(tmp_path / "data")


FILE = "0" * 64
HOSTILE: list[Any] = [
    [["../x", "file", 0o644, 0, FILE]],
    [["a/../../x", "file", 0o644, 0, FILE]],
    [["/etc/x", "file", 0o644, 0, FILE]],
    [["a//x", "file", 0o644, 0, FILE]],
    [["./x", "file", 0o644, 0, FILE]],
    [["", "file", 0o644, 0, FILE]],
    [["a\0b", "file", 0o644, 0, FILE]],
    [["..", "folder", 0o755, 0, ""]],
    [["a", "link", 0, 0, "/tmp"], ["a/x", "file", 0o644, 0, FILE]],
    [["a", "file", 0o644, 0, FILE], ["a/x", "file", 0o644, 0, FILE]],
    [["a", "file", 0o644, 0, FILE], ["a", "link", 0, 0, "/etc"]],
    [["a", "device", 0o644, 0, FILE]],
    [["a", "file", "0o644", 0, FILE]],
    [["a", "file", 0o644, 0, "../../../etc/passwd"]],
    [[7, "file", 0o644, 0, FILE]],
    [["a", "file"]],
    [7],
    7,
    None,
]


@pytest.mark.parametrize("entries", HOSTILE, ids=repr)
def test_hostile_trees_are_refused(store: Store, tmp_path: Path, entries: Any) -> None:
    """A tree whose names would lead outside, or through a link, is refused before any write."""
    digest = store.objects.put_json({"format": "tree/1", "entries": entries})
    (tmp_path / "new").mkdir()
    with pytest.raises(InvalidValueError):
        store.restore_tree(digest, tmp_path / "new" / "back")
    assert list((tmp_path / "new").iterdir()) == []


def test_other_objects_are_no_trees(store: Store, tmp_path: Path) -> None:
    """Bytes, other documents and names of nothing are refused as trees."""
    for digest in (store.objects.put_bytes(b"\xff\0"), store.objects.put_json([1])):
        with pytest.raises(InvalidValueError, match="digest of a folder"):
            store.restore_tree(digest, tmp_path / "back")
    with pytest.raises(NotFoundError):
        store.restore_tree("0" * 64, tmp_path / "back")


def test_a_later_file_is_seen(store: Store, folder: Path) -> None:
    """A changed, new or removed file changes the tree; put again, it is the tree it was."""
    first = store.put_tree(folder)
    (folder / "new").write_bytes(b"1")
    assert store.put_tree(folder) != first
    (folder / "new").unlink()
    assert store.put_tree(folder) == first
    (folder / "a.csv").write_text("1,3\n")
    assert store.put_tree(folder) != first


NAMES = st.text(
    st.characters(codec="utf-8", exclude_characters="/\0"), min_size=1, max_size=8
).filter(lambda name: name not in (".", ".."))


@given(files=st.dictionaries(NAMES, st.binary(max_size=50), max_size=5))
@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_any_names_come_back(
    tmp_path_factory: pytest.TempPathFactory, files: dict[str, bytes]
) -> None:
    """Whatever names a file system takes, the same come back."""
    top = tmp_path_factory.mktemp("tree")
    (top / "data").mkdir()
    for name, data in files.items():
        (top / "data" / name).write_bytes(data)
    store = open_store(top / "s", cache=top / "c")
    store.restore_tree(store.put_tree(top / "data"), top / "back")
    assert describe(top / "back") == describe(top / "data")

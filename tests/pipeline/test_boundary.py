"""A boundary file is loaded only as this store wrote it, and leaves the namespace as it was."""

from __future__ import annotations

import os
import pickle
import stat
import sys
from pathlib import Path
from typing import Any

import pytest

from mlops_nb.errors import CorruptObjectError, InvalidValueError
from mlops_nb.pipeline import boundary

KEY = bytes(range(32))


def make_namespace(**values: Any) -> dict[str, Any]:
    """Give a namespace like a kernel's."""
    return {"__name__": "__main__", "In": [""], "_i1": "x", **values}


def test_names_cross(tmp_path: Path) -> None:
    """What was dumped is loaded; the shell's own names stay behind."""
    path = tmp_path / "a.boundary"
    report = boundary.dump_boundary(make_namespace(x=[1], _y=2), None, path, key=KEY)
    target = make_namespace(old=1)
    assert report.names == ("_y", "x")
    assert report.size_bytes == path.stat().st_size
    assert boundary.load_boundary(path, target, key=KEY) == ("_y", "x")
    assert target == make_namespace(x=[1], _y=2)


def test_chosen_names_cross(tmp_path: Path) -> None:
    """Only the names asked for are carried, and nothing is deleted where they arrive."""
    path = tmp_path / "a.boundary"
    boundary.dump_boundary(make_namespace(x=1, y=2), {"x", "unknown"}, path, key=KEY)
    target = make_namespace(old=1)
    assert boundary.load_boundary(path, target, key=KEY) == ("x",)
    assert target["old"] == 1


@pytest.mark.parametrize("where", [0, 25, 60, 100, 130, -1])
def test_changed_byte_is_refused(where: int, tmp_path: Path) -> None:
    """A single changed byte, wherever it is, is found before anything is unpickled."""
    path = tmp_path / "a.boundary"
    boundary.dump_boundary(make_namespace(x="value"), None, path, key=KEY)
    content = bytearray(path.read_bytes())
    content[where] ^= 1
    path.write_bytes(content)
    with pytest.raises(CorruptObjectError, match="boundary"):
        boundary.load_boundary(path, make_namespace(), key=KEY)


@pytest.mark.parametrize("keep", [0, 10, 90, -1])
def test_truncated_file_is_refused(keep: int, tmp_path: Path) -> None:
    """A file that ends early is not loaded."""
    path = tmp_path / "a.boundary"
    boundary.dump_boundary(make_namespace(x="value"), None, path, key=KEY)
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(CorruptObjectError):
        boundary.load_boundary(path, make_namespace(), key=KEY)


class Planted:
    """Runs code when it is unpickled."""

    def __reduce__(self) -> tuple[Any, ...]:
        """Set a variable of the process."""
        return os.putenv, ("MLOPS_PLANTED", "1")


def test_foreign_file_is_refused_before_it_runs(tmp_path: Path) -> None:
    """A file that another store signed is refused, and its code does not run."""
    path = tmp_path / "a.boundary"
    boundary.dump_boundary(make_namespace(x=Planted()), None, path, key=b"x" * 32)
    namespace = make_namespace()
    with pytest.raises(CorruptObjectError, match="not written by this store"):
        boundary.load_boundary(path, namespace, key=KEY)
    assert "x" not in namespace


def test_bare_pickle_is_refused(tmp_path: Path) -> None:
    """A pickle without our header is refused."""
    path = tmp_path / "a.boundary"
    path.write_bytes(pickle.dumps({"x": Planted()}) * 20)
    with pytest.raises(CorruptObjectError, match="not a boundary"):
        boundary.load_boundary(path, make_namespace(), key=KEY)


def test_key_is_made_once_and_private(tmp_path: Path) -> None:
    """A store has one key that only its owner can read."""
    key = boundary.read_key(tmp_path)
    assert len(key) == 32
    assert boundary.read_key(tmp_path) == key
    if sys.platform != "win32":
        assert stat.S_IMODE((tmp_path / "boundary.key").stat().st_mode) == 0o600


def test_damaged_key_is_refused(tmp_path: Path) -> None:
    """A key of the wrong length is named, and never printed."""
    (tmp_path / "boundary.key").write_bytes(b"secret")
    with pytest.raises(InvalidValueError, match="32 bytes") as caught:
        boundary.read_key(tmp_path)
    assert "secret" not in str(caught.value)


def test_failed_write_leaves_nothing(tmp_path: Path) -> None:
    """Where the folder is gone, the error comes through and no part of a file stays."""
    with pytest.raises(FileNotFoundError):
        boundary.dump_boundary(make_namespace(x=1), None, tmp_path / "no" / "a", key=KEY)
    assert list(tmp_path.iterdir()) == []


def test_environment_of_launcher_is_not_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Variables that the kernel was started with are not stored: they may be secrets."""
    monkeypatch.setenv("LAUNCH_SECRET", "s3cr3t")
    path = tmp_path / "a.boundary"
    known = dict(os.environ)
    monkeypatch.setenv("SET_IN_NOTEBOOK", "kept")
    boundary.dump_boundary(make_namespace(x=1), None, path, key=KEY, environment=known)
    assert b"s3cr3t" not in path.read_bytes()
    assert b"SET_IN_NOTEBOOK" in path.read_bytes()

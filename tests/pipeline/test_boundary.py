"""A boundary file is loaded only as this store wrote it, and leaves the namespace as it was."""

from __future__ import annotations

import os
import secrets
import stat
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mlops_nb.errors import CorruptObjectError, InvalidValueError
from mlops_nb.pipeline import boundary, contentfile, items, sealing
from mlops_nb.pipeline.state import State

KEY = bytes(range(32))


def make_namespace(**values: Any) -> dict[str, Any]:
    """Give a namespace like a kernel's."""
    return {"__name__": "__main__", "In": [""], "_i1": "x", **values}


def dump(namespace: dict[str, Any], folder: Path, **options: Any) -> boundary.BoundaryReport:
    """Write what a namespace holds."""
    given: dict[str, Any] = {
        "loaded": boundary.Loaded(),
        "key": KEY,
        "start": items.read_start(),
    } | options
    return boundary.dump_boundary(namespace, given.pop("loaded"), folder, **given)


def find_written(state: State, folder: Path) -> Path:
    """Give the file of ``x``, which is too large to stand in the manifest."""
    return contentfile.find_file(folder, state.find_owners()["x"].file)


def test_names_cross(tmp_path: Path) -> None:
    """What was dumped is loaded; the shell's own names stay behind."""
    report = dump(make_namespace(x=[1], _y=2), tmp_path)
    target = make_namespace(old=1)
    assert report.names == ("_y", "x")
    loaded = boundary.load_boundary(report.state, None, target, tmp_path, key=KEY)
    assert {"x", "_y"} <= loaded.names
    assert target == make_namespace(old=1, x=[1], _y=2)


def test_only_needed_names_are_loaded(tmp_path: Path) -> None:
    """Of components that share nothing only the needed ones come; the rest stays in the state."""
    shared: list[int] = []
    state = dump(make_namespace(a=shared, b={"a": shared}, c=[3]), tmp_path).state
    target = make_namespace()
    loaded = boundary.load_boundary(state, {"b"}, target, tmp_path, key=KEY)
    assert "c" not in target
    assert target["b"]["a"] is target["a"]
    target["a"].append(1)
    del target["b"]
    after = dump(target, tmp_path, loaded=loaded)
    assert after.names == ("a", "c")
    assert "a" in after.changed
    assert after.deleted == ("b",)
    again = make_namespace()
    boundary.load_boundary(after.state, None, again, tmp_path, key=KEY)
    assert (again["a"], again["c"]) == ([1], [3])


def test_unchanged_values_are_not_written_again(tmp_path: Path) -> None:
    """A component that is as it was keeps its file, in whatever order its names come."""
    state = dump(make_namespace(x=["v" * 9000], y=[2]), tmp_path).state
    file = find_written(state, tmp_path)
    stamp = file.stat().st_mtime_ns
    target = make_namespace()
    loaded = boundary.load_boundary(state, None, target, tmp_path, key=KEY)
    target["y"].append(3)
    report = dump(target, tmp_path, loaded=loaded)
    assert [name for name in report.changed if not items.is_pseudo(name)] == ["y"]
    assert find_written(state, tmp_path).stat().st_mtime_ns == stamp
    assert report.state.find_owners()["x"] == state.find_owners()["x"]


@pytest.mark.parametrize("size", [10, 20_000])
@pytest.mark.parametrize("where", [0, 25, 60, 100, -1])
def test_changed_byte_is_refused(where: int, size: int, tmp_path: Path) -> None:
    """A single changed byte, in a file or in the manifest, is found before it is unpickled."""
    state = dump(make_namespace(x=["v" * size]), tmp_path).state
    part = state.find_owners()["x"]
    if part.file:
        path = find_written(state, tmp_path)
        content = bytearray(path.read_bytes())
        content[where] ^= 1
        path.write_bytes(content)
    else:
        inline = bytearray(part.inline)
        inline[where] ^= 1
        state = State((replace(part, inline=bytes(inline)),), ("x",))
    with pytest.raises(CorruptObjectError, match=r"boundary|store|changed"):
        boundary.load_boundary(state, {"x"}, make_namespace(), tmp_path, key=KEY)


@pytest.mark.parametrize("keep", [0, 10, 90, -1])
def test_truncated_file_is_refused(keep: int, tmp_path: Path) -> None:
    """A file that ends early is not loaded."""
    state = dump(make_namespace(x=["v" * 20_000]), tmp_path).state
    path = find_written(state, tmp_path)
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(CorruptObjectError):
        boundary.load_boundary(state, None, make_namespace(), tmp_path, key=KEY)


class Planted:
    """Runs code when it is unpickled."""

    def __reduce__(self) -> tuple[Any, ...]:
        """Set a variable of the process."""
        return os.putenv, ("MLOPS_PLANTED", "1")


def test_foreign_state_is_refused_before_it_runs(tmp_path: Path) -> None:
    """What another store signed is refused, and its code does not run."""
    state = dump(make_namespace(x=Planted()), tmp_path, key=b"x" * 32).state
    namespace = make_namespace()
    with pytest.raises(CorruptObjectError, match="not written by this store"):
        boundary.load_boundary(state, None, namespace, tmp_path, key=KEY)
    assert "x" not in namespace


def test_key_is_made_once_and_private(tmp_path: Path) -> None:
    """A store has one key that only its owner can read."""
    key = sealing.read_key(tmp_path)
    assert len(key) == 32
    assert sealing.read_key(tmp_path) == key
    if sys.platform != "win32":
        assert stat.S_IMODE((tmp_path / "boundary.key").stat().st_mode) == 0o600


def test_key_made_at_once_is_one(tmp_path: Path) -> None:
    """Runs that start at once in a new store all get the whole key."""
    for number in range(20):
        folder = tmp_path / str(number)
        gate = threading.Barrier(4)

        def read(folder: Path = folder, gate: threading.Barrier = gate) -> bytes:
            gate.wait()
            return sealing.read_key(folder)

        with ThreadPoolExecutor(4) as pool:
            keys = {job.result() for job in [pool.submit(read) for _ in range(4)]}
        assert len(keys) == 1
        assert not list(folder.glob("*.part"))


def test_damaged_key_is_refused(tmp_path: Path) -> None:
    """A key of the wrong length is named, and never printed."""
    (tmp_path / "boundary.key").write_bytes(b"secret")
    with pytest.raises(InvalidValueError, match="32 bytes") as caught:
        sealing.read_key(tmp_path)
    assert "secret" not in str(caught.value)


def test_failed_write_leaves_nothing(tmp_path: Path) -> None:
    """A value that cannot be written is named, and no part of a file stays."""
    report = dump(make_namespace(x=["v" * 20_000, (i for i in "")], y=1), tmp_path)
    assert list(report.unpicklable) == ["x"]
    assert report.names == ("y",)
    assert not [path for path in tmp_path.iterdir() if path.is_file()]


def test_environment_of_launcher_is_not_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Variables that the kernel was started with are not stored: they may be secrets."""
    secret = secrets.token_hex(16)  # a cell of another test may have stayed in the line cache
    monkeypatch.setenv("LAUNCH_SECRET", secret)
    start = items.read_start()
    monkeypatch.setenv("SET_IN_NOTEBOOK", "kept")
    written = dump(make_namespace(x=1), tmp_path, start=start).state
    inline = b"".join(part.inline for part in written.components)
    assert secret.encode() not in inline
    assert b"SET_IN_NOTEBOOK" in inline

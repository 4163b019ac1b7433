"""Damaged and hostile remotes: what is not exactly right is not taken."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mlops_nb.errors import RemoteError
from mlops_nb.store import Store
from mlops_nb.store.remotenames import find_kind
from mlops_nb.store.segments import (
    Segment,
    parse_segment,
)
from tests.store.remoting import (
    files_of,
    fill,
    make_store,
    pull,
    push,
    tell,
)

RUN = "01890000-0000-7000-8000-000000000000"


def test_damaged_parts_are_not_taken(store: Store, tmp_path: Path, remote: Path, url: str) -> None:
    """A flipped bit or a cut file anywhere on the remote is found and told; the rest arrives."""
    fill(store)
    push(store, url)
    names = [path for path in sorted(remote.rglob("*")) if path.is_file()]
    assert len(names) > 15
    for number, path in enumerate(names):
        if path.name == "remote.json":
            continue
        whole = path.read_bytes()
        place = len(whole) // 2
        flipped = whole[:place] + bytes([whole[place] ^ 4]) + whole[place + 1 :]
        path.write_bytes(flipped if number % 2 else whole[:-1])
        other = make_store(tmp_path / f"other-{number}")
        report = pull(other, url)
        assert report.damaged, path
        told = path.relative_to(remote).as_posix()
        assert any(told.startswith(name) or name.startswith(told) for name in report.damaged)
        assert not [one for one in files_of(other.root).values() if one in (flipped, whole[:-1])]
        path.write_bytes(whole)
        assert pull(other, url).is_clean
        assert tell(other) == tell(store)


@pytest.mark.parametrize(
    "key",
    [
        "runs/../../x/000000000000000-000000000000001-" + "0" * 64,
        "runs/x/run.json/000000000000000-000000000000001-" + "0" * 64 + ".end",
        f"runs/{RUN}/../../format.json/000000000000000-000000000000001-" + "0" * 64,
        f"runs/{RUN}/.env/000000000000000-000000000000001-" + "0" * 64,
        f"runs/{RUN}/events.log/000000000000005-000000000000001-" + "0" * 64,
        f"runs/{RUN.replace('0189', 'ABCD')}/events.log/000000000000000-000000000000001-" + "0" * 64,
        f"packs/ab/{'cd' * 32}.pack/000000000000000-000000000000001-" + "0" * 64 + ".end",
        "models/../1.json", "models/..m/1.json", "models/m/01.json", "models/m/1.json/x",
        "audit/audit.log/000000000000000-000000000000001-" + "0" * 64,
        "keys/boundary.key", "format.json/x",
    ],
)  # fmt: skip
def test_hostile_names_are_passed_over(other: Store, remote: Path, url: str, key: str) -> None:
    """A name that is not exactly of the format leads to no file at all."""
    push(other, url)
    before = files_of(other.root)
    folder = remote
    for part in key.split("/")[:-1]:
        folder = folder / part.replace("..", "dots")
    assert find_kind(key) is None
    path, _, name = key.rpartition("/")
    assert find_kind(path) is None or parse_segment(name) is None
    (remote / "models" / "m").mkdir(parents=True)
    if ".." not in key:
        folder.mkdir(parents=True, exist_ok=True)
        (remote / key).write_bytes(b"x")
    pull(other, url)
    assert files_of(other.root) == before


def test_a_document_that_lies_is_not_taken(other: Store, remote: Path, url: str) -> None:
    """A version's record must tell the name and the number of its file."""
    from mlops_nb.store.remote import pack_document

    push(other, url)
    (remote / "models" / "m").mkdir(parents=True)
    for number, text in enumerate([b'{"name": "x", "version": 1}', b"[]", b"{", b"\xff"], start=1):
        (remote / f"models/m/{number}.json").write_bytes(pack_document(text))
    assert len(pull(other, url).damaged) == 4
    assert other.models.names() == []


def test_chains_that_lie_are_not_taken(other: Store, remote: Path, url: str) -> None:
    """A chain that breaks, or is dated in the future, never reaches the store."""
    from mlops_nb.store.objects import digest_bytes

    push(other, url)
    fields = {
        "sequence": 0, "at": 9e18, "user": "u", "host": "h", "event": "alias.set",
        "document": {"name": "m"}, "previous": "0" * 64,
    }  # fmt: skip
    lies = [
        json.dumps(fields),
        json.dumps({**fields, "at": 1.0, "sequence": 4}),
        "{}",
        '{"at": NaN}',
    ]
    for number, lie in enumerate(lies):
        data = lie.encode() + b"\n"
        folder = remote / f"audit/00000000-0000-4000-8000-00000000000{number}.log"
        folder.mkdir(parents=True)
        (folder / Segment(0, len(data), digest_bytes(data)).name).write_bytes(data)
    assert len(pull(other, url).damaged) == 4
    assert not (other.root / "audit").exists() or not list((other.root / "audit").glob("*.log"))


def test_links_in_a_store_are_not_followed(
    store: Store, other: Store, tmp_path: Path, url: str
) -> None:
    """A folder of the store that is a link leads out of it: nothing is put there."""
    fill(store)
    push(store, url)
    (tmp_path / "outside").mkdir()
    (other.root / "runs").symlink_to(tmp_path / "outside")
    with pytest.raises(RemoteError, match="is a link"):
        pull(other, url)
    assert not list((tmp_path / "outside").iterdir())

"""A store is made, opened, or refused with what was found; objects, models and audit hold."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlops_nb.errors import (
    CorruptObjectError,
    InvalidValueError,
    ModelNotFoundError,
    NotFoundError,
    StoreError,
)
from mlops_nb.store import Store, open_store
from mlops_nb.store.files import write_whole


def test_store_is_made_once(tmp_path: Path) -> None:
    """Opening a folder that is not there makes a store; opening it again finds the same."""
    first = open_store(tmp_path / "s")
    assert open_store(tmp_path / "s") is first
    assert json.loads((tmp_path / "s" / "format.json").read_text())["id"] == first.store_id
    assert (tmp_path / "s" / ".gitignore").read_text() == "*\n"


def test_foreign_folders_are_refused(tmp_path: Path) -> None:
    """A folder with somebody else's files is not taken over; it says what is there."""
    (tmp_path / "s").mkdir()
    (tmp_path / "s" / "thesis.docx").touch()
    with pytest.raises(StoreError, match=r"thesis\.docx"):
        open_store(tmp_path / "s")
    assert [path.name for path in (tmp_path / "s").iterdir()] == ["thesis.docx"]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("{", "cannot be read"), ("[]", "cannot be read"), ('{"format": 1}', "cannot be read"),
        ('{"format": 1, "id": "x"}', "cannot be read"),
        ('{"format": 99, "id": "6d6a4bb4-1bd4-4a3f-8c2c-4d38a6a4ffd5"}', "format 99"),
    ],
)  # fmt: skip
def test_broken_and_later_formats_are_refused(tmp_path: Path, text: str, found: str) -> None:
    """A store that this version cannot read is refused with what was found, untouched."""
    (tmp_path / "s").mkdir()
    (tmp_path / "s" / "format.json").write_text(text)
    with pytest.raises(StoreError, match=found):
        open_store(tmp_path / "s")
    assert (tmp_path / "s" / "format.json").read_text() == text


def test_a_file_in_place_of_the_store_is_refused(tmp_path: Path) -> None:
    """A file where the folder should be is named as what it is."""
    (tmp_path / "s").touch()
    with pytest.raises(StoreError, match="it is a file"):
        open_store(tmp_path / "s")


def test_a_missing_store_is_not_made_for_readers(tmp_path: Path) -> None:
    """A reader may ask for a store without making one."""
    with pytest.raises(StoreError, match="there is no store"):
        open_store(tmp_path / "s", create=False)
    assert not (tmp_path / "s").exists()


def test_stores_are_made_at_once(tmp_path: Path) -> None:
    """Threads that make the same store agree on its id."""
    ids: list[str] = []

    def make() -> None:
        ids.append(open_store(tmp_path / "s", cache=tmp_path / str(len(ids))).store_id)

    threads = [threading.Thread(target=make) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(ids) == 8
    assert len(set(ids)) == 1


# ------------------------------------------------------------------ objects
@given(data=st.binary(max_size=3000))
@settings(max_examples=50, deadline=None)
def test_objects_read_back(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    """Whatever bytes are put are read back, and the same bytes have the same name."""
    objects = open_store(tmp_path_factory.getbasetemp() / "objects").objects
    digest = objects.put_bytes(data)
    assert objects.read_bytes(digest) == data
    assert objects.put_bytes(data) == digest
    assert objects.has(digest)


@pytest.mark.parametrize("data", [b"a" * 5000, bytes(range(256))])
def test_damaged_objects_are_never_given_out(tmp_path: Path, data: bytes) -> None:
    """One changed byte anywhere in a pack gives the right bytes or an error, never wrong bytes."""
    store = open_store(tmp_path / "s", cache=tmp_path / "c")
    digest = store.objects.put_bytes(data)
    ((pack, record),) = store.objects.index.find(bytes.fromhex(digest))
    path = store.objects.packs.locate(pack)
    whole = path.read_bytes()
    refused = []
    for place in range(len(whole)):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 0x40]) + whole[place + 1 :])
        try:
            assert store.objects.read_bytes(digest) == data
        except CorruptObjectError as error:
            refused.append(error.digest)
    assert refused == [digest] * record.stored_bytes


def test_missing_and_malformed_digests(store: Store) -> None:
    """An object that is not here, and a name that leads elsewhere, are refused."""
    with pytest.raises(NotFoundError):
        store.objects.read_bytes("0" * 64)
    with pytest.raises(InvalidValueError, match="64 hex digits"):
        store.objects.read_bytes("../../etc/passwd")


def test_files_and_documents(store: Store, tmp_path: Path) -> None:
    """Files are copied in and out; documents with the same content have the same name."""
    (tmp_path / "f").write_bytes(b"x" * 100)
    digest, size = store.objects.put_file(tmp_path / "f")
    store.objects.copy_to(digest, tmp_path / "out" / "f")
    assert (tmp_path / "out" / "f").read_bytes() == b"x" * size
    assert store.objects.put_json({"b": 1, "a": [2]}) == store.objects.put_json({"a": [2], "b": 1})
    assert store.objects.read_json(store.objects.put_json({"ä": None})) == {"ä": None}


def test_write_whole_leaves_no_parts(tmp_path: Path) -> None:
    """A file is created once, replaced when asked, and no part of a write stays behind."""
    target = tmp_path / "d" / "f"
    assert write_whole(target, b"1")
    assert not write_whole(target, b"2")
    assert target.read_bytes() == b"1"
    assert write_whole(target, b"3", replace=True)
    assert target.read_bytes() == b"3"
    assert [path.name for path in target.parent.iterdir()] == ["f"]


# ------------------------------------------------------------------ models and audit
FIELDS: dict[str, Any] = {
    "name": "m", "flavor": "skops", "digest": "0" * 64, "size_bytes": 1, "registered_at": 1.0,
}  # fmt: skip


def test_versions_are_numbered_without_gaps_or_twins(store: Store) -> None:
    """Registrations at once get different numbers, beginning at 1."""
    numbers: list[int] = []
    threads = [
        threading.Thread(target=lambda: numbers.append(store.models.create_version(FIELDS).version))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(numbers) == list(range(1, 9))
    assert store.models.versions("m") == list(range(1, 9))
    assert len(store.audit.records()) == 8


def test_aliases_move_and_are_remembered(store: Store) -> None:
    """An alias names one version at a time; the chain keeps what it named before."""
    store.models.create_version(FIELDS)
    store.models.create_version(FIELDS)
    store.models.set_alias("m", "champion", 1)
    store.models.set_alias("m", "champion", 2)
    assert store.models.aliases("m") == {"champion": 2}
    assert store.models.get("m", 2).aliases == ("champion",)
    assert store.models.get("m", 1).aliases == ()
    assert store.audit.records()[-1].document["before"] == 1
    store.models.delete_alias("m", "champion")
    assert store.models.aliases("m") == {}


def test_unknown_models_versions_and_aliases(store: Store) -> None:
    """What does not exist is refused by name, and nothing is written."""
    store.models.create_version(FIELDS)
    before = len(store.audit.records())
    with pytest.raises(ModelNotFoundError, match="no model 'n'"):
        store.models.get("n", 1)
    with pytest.raises(ModelNotFoundError, match="no model version 'm/7'"):
        store.models.set_alias("m", "champion", 7)
    with pytest.raises(ModelNotFoundError, match="alias of model 'm'"):
        store.models.delete_alias("m", "champion")
    assert len(store.audit.records()) == before


def test_a_changed_audit_record_is_found(store: Store) -> None:
    """A chain with a changed, removed or inserted line is refused, and nothing is added to it."""
    for number in range(4):
        store.audit.append("event", {"number": number})
    lines = store.audit.path.read_bytes().splitlines(keepends=True)
    changed = lines[1].replace(b'"number":1', b'"number":7')
    for broken in (
        [lines[0], changed, *lines[2:]], [lines[0], *lines[2:]], [*lines, lines[1]], [b"x\n", *lines],
    ):  # fmt: skip
        store.audit.path.write_bytes(b"".join(broken))
        with pytest.raises(StoreError, match="line"):
            store.audit.records()
    store.audit.path.write_bytes(b"".join(lines))
    assert [record.document["number"] for record in store.audit.records()] == [0, 1, 2, 3]


def test_a_torn_audit_line_is_cut_off(store: Store) -> None:
    """A line whose writer died was never acknowledged; the next one follows the last whole line."""
    store.audit.append("event", {"number": 0})
    with store.audit.path.open("ab") as file:
        file.write(b'{"sequence": 1, "at"')
    store.audit.append("event", {"number": 1})
    assert [record.document["number"] for record in store.audit.records()] == [0, 1]

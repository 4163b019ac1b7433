"""Chunk boundaries and pack bytes are fixed for ever; damage to packs and index is found."""

from __future__ import annotations

import io
import json
import os
import struct
from pathlib import Path
from typing import Any

import pytest
import zstandard
from blake3 import blake3

from mlops_nb.errors import CorruptObjectError, InvalidValueError, NotFoundError, StoreError
from mlops_nb.store import Store, open_store
from mlops_nb.store.chunking import CutSizes
from mlops_nb.store.packs import DOCUMENT, MAGIC, PACK_BYTES, read_footer

GOLDEN: dict[str, Any] = json.loads(
    (Path(__file__).parent / "golden_packs.json").read_text(encoding="utf-8")
)


def make_bytes(seed: str, size: int) -> bytes:
    """Give bytes that look random and are the same everywhere."""
    return blake3(seed.encode()).digest(length=size)


INPUTS = {
    "random": make_bytes("golden", 2**20),
    "random with a byte in front": b"x" + make_bytes("golden", 2**20),
    "zeros": bytes(2**20),
    "text": b"".join(b"%d\n" % number for number in range(100_000)),
}


@pytest.mark.parametrize("name", INPUTS)
def test_cuts_fall_where_they_fell(name: str) -> None:
    """The lengths of the chunks of known bytes are those of the golden file."""
    lengths = [len(chunk) for chunk in CutSizes().cut(io.BytesIO(INPUTS[name]))]
    assert lengths == GOLDEN["cuts"][name]
    assert sum(lengths) == len(INPUTS[name])


def test_cuts_do_not_depend_on_how_a_file_is_read(tmp_path: Path) -> None:
    """A stream that gives few bytes at a time is cut like one that gives all."""

    class Drops(io.BytesIO):
        def readinto(self, buffer: Any, /) -> int:
            return super().readinto(memoryview(buffer)[:997])

    lengths = [len(chunk) for chunk in CutSizes().cut(Drops(INPUTS["random"]))]
    assert lengths == GOLDEN["cuts"]["random"]


def test_another_cut_is_refused(tmp_path: Path) -> None:
    """A store whose chunks were cut by rules that this version does not know is not opened."""
    open_store(tmp_path / "s", cache=tmp_path / "c")
    marker = tmp_path / "s" / "format.json"
    document = json.loads(marker.read_text())
    assert document["cdc"] == GOLDEN["cdc"]
    marker.write_text(json.dumps({**document, "cdc": {**document["cdc"], "seed": 7}}))
    with pytest.raises((StoreError, InvalidValueError), match=r"format\.json"):
        open_store(tmp_path / "s", cache=tmp_path / "other")


def put_golden(store: Store) -> dict[str, str]:
    """Put the objects of the golden pack in one batch."""
    with store.objects.batch():
        return {
            "small": store.objects.put_bytes(make_bytes("small", 100)),
            "document": store.objects.put_json({"b": [1], "a": "ä"}),
            "large": store.objects.put_bytes(make_bytes("large", 150_000)),
            "empty": store.objects.put_bytes(b""),
        }


def test_pack_bytes_are_fixed(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same objects and salt in the same order make the same pack, byte for byte."""
    monkeypatch.setattr("mlops_nb.store.packs.secrets.token_bytes", lambda size: b"s" * size)
    digests = put_golden(store)
    assert digests == GOLDEN["pack"]["digests"]
    (name,) = store.objects.packs.names()
    assert name == GOLDEN["pack"]["name"]
    data = store.objects.packs.locate(name).read_bytes()
    assert blake3(data).hexdigest() == GOLDEN["pack"]["blake3"]
    assert data[-300:].hex() == GOLDEN["pack"]["last_300_bytes"]


def test_an_old_pack_is_read(store: Store) -> None:
    """A pack written by the first version, with a compressed blob in it, is found and read."""
    data = bytes.fromhex(GOLDEN["old"]["pack"])
    path = store.objects.packs.locate(GOLDEN["old"]["name"])
    path.parent.mkdir(parents=True)
    path.write_bytes(data)
    assert store.objects.read_bytes(GOLDEN["old"]["digest"]) == b"abcdefgh" * 100


def read_by_the_page(root: Path, digest: bytes) -> bytes:
    """Read an object with what `docs/reference/store-format.md` tells and nothing of ours."""
    found: dict[bytes, tuple[bytes, int]] = {}
    for path in root.glob("packs/??/*.pack"):
        data = path.read_bytes()
        count, check, magic = struct.unpack("<I32s8s", data[-44:])
        assert (data[:8], magic) == (b"MNBPACK1", b"MNBPACK1")
        footer = data[-44 - 52 * count : -44]
        assert blake3(footer).digest() == check == bytes.fromhex(path.stem)
        for name, offset, stored, raw, codec, kind in struct.iter_unpack("<32sQIIBB2x", footer):
            if kind & 4:
                continue
            blob = data[offset : offset + stored]
            blob = zstandard.ZstdDecompressor().decompress(blob) if codec else blob
            assert len(blob) == raw
            found[name] = blob, kind
    blob, kind = found[digest]
    if kind & 1:
        assert blake3(blob[32:]).digest() == blob[:32]
        (size,) = struct.unpack("<Q", blob[32:40])
        parts = [found[name][0] for name, _ in struct.iter_unpack("<32sI", blob[40:])]
        blob = b"".join(parts)
        assert len(blob) == size
    assert blake3(blob).digest() == digest
    return blob


def test_a_second_reader_reads_the_same(store: Store) -> None:
    """A reader of thirty lines, written from the page about the format, reads every object."""
    digests = put_golden(store)
    for digest in digests.values():
        assert read_by_the_page(store.root, bytes.fromhex(digest)) == store.objects.read_bytes(
            digest
        )


def test_packs_stay_small(store: Store, tmp_path: Path) -> None:
    """What does not fit 64 MiB goes on in another pack, and nothing unfinished stays."""
    with (tmp_path / "f").open("wb") as file:
        for number in range(70):
            file.write(make_bytes(str(number), 2**20))
    digest, size = store.objects.put_file(tmp_path / "f")
    sizes = [path.stat().st_size for path in store.root.glob("packs/*/*.pack")]
    assert len(sizes) == 2
    assert max(sizes) <= PACK_BYTES
    assert list(store.objects.packs.tmp.iterdir()) == []
    store.objects.copy_to(digest, tmp_path / "g")
    assert (tmp_path / "g").read_bytes() == (tmp_path / "f").read_bytes()
    assert size == 70 * 2**20


# ------------------------------------------------------------------ damage
@pytest.mark.parametrize("keep_index", [True, False])
def test_truncated_packs_are_found(store: Store, keep_index: bool) -> None:
    """A pack cut short anywhere gives the right bytes or an error, with an index and without."""
    digest = store.objects.put_bytes(make_bytes("t", 3000))
    (name,) = store.objects.packs.names()
    path = store.objects.packs.locate(name)
    whole = path.read_bytes()
    for length in [0, 1, 7, 8, 9, 100, 3007, 3008, 3009, *range(len(whole) - 60, len(whole))]:
        path.write_bytes(whole[:length])
        if not keep_index:
            store.objects.index.rebuild()
        try:
            assert store.objects.read_bytes(digest) == make_bytes("t", 3000)
            assert keep_index
            assert length >= 3008
        except (CorruptObjectError, NotFoundError):
            assert not keep_index or length < 3008
    path.write_bytes(whole)
    store.objects.index.rebuild()
    assert store.objects.read_bytes(digest) == make_bytes("t", 3000)


def test_a_lost_chunk_is_named(store: Store) -> None:
    """A large object one of whose chunks is gone or damaged is refused as a whole."""
    digest = store.objects.put_bytes(make_bytes("l", 400_000))
    (name,) = store.objects.packs.names()
    path = store.objects.packs.locate(name)
    whole = path.read_bytes()
    for record in read_footer(path):
        data = bytearray(whole)
        data[record.offset + record.stored_bytes // 2] ^= 1
        path.write_bytes(data)
        with pytest.raises(CorruptObjectError, match=digest[:16]):
            store.objects.read_bytes(digest)
    path.write_bytes(whole)
    assert len(store.objects.read_bytes(digest)) == 400_000


def test_another_copy_stands_in(tmp_path: Path) -> None:
    """An object that lies in two packs is read from the one that is whole."""
    one, two = (open_store(tmp_path / name, cache=tmp_path / f"c{name}") for name in "ab")
    digest = one.objects.put_bytes(make_bytes("x", 500))
    with two.objects.batch():
        two.objects.put_bytes(make_bytes("x", 500))
        two.objects.put_bytes(b"more")
    (name,) = two.objects.packs.names()
    target = one.objects.packs.locate(name)
    target.parent.mkdir(exist_ok=True)
    target.write_bytes(two.objects.packs.locate(name).read_bytes())
    one.objects.index.refresh()
    for pack in one.objects.packs.names():
        path = one.objects.packs.locate(pack)
        whole = path.read_bytes()
        path.write_bytes(whole[:100] + b"\0\0\0\0" + whole[104:])
        assert one.objects.read_bytes(digest) == make_bytes("x", 500)
        path.write_bytes(whole)


def test_hostile_frames_ask_for_no_memory(store: Store) -> None:
    """A compressed blob that claims to be terabytes is refused before anything is unpacked."""
    frame = zstandard.ZstdCompressor(write_content_size=True).compress(b"a" * 5000)
    digest = store.objects.put_bytes(b"a" * 5000)
    (name,) = store.objects.packs.names()
    path = store.objects.packs.locate(name)
    (record,) = read_footer(path)
    huge = frame[:4] + bytes([0xE0]) + struct.pack("<Q", 2**42) + frame[7:]
    data = bytearray(path.read_bytes())
    data[record.offset : record.offset + record.stored_bytes] = huge[: record.stored_bytes].ljust(
        record.stored_bytes, b"\0"
    )
    path.write_bytes(data)
    with pytest.raises(CorruptObjectError):
        store.objects.read_bytes(digest)


# ------------------------------------------------------------------ index
@pytest.mark.parametrize("content", [b"", b"not a database" * 1000, None, "folder"])
def test_a_broken_index_costs_nothing_but_time(
    store: Store, tmp_path: Path, content: bytes | str | None
) -> None:
    """An index that is empty, foreign, deleted or impossible never keeps an object from anyone."""
    digest = store.objects.put_bytes(b"x" * 100)
    store.objects.index.close()
    for suffix in ("-wal", "-shm", ""):
        Path(f"{store.objects.index.path}{suffix}").unlink(missing_ok=True)
    if content == "folder":
        store.objects.index.path.mkdir()
    elif isinstance(content, bytes):
        store.objects.index.path.write_bytes(content)
    assert store.objects.read_bytes(digest) == b"x" * 100
    other = store.objects.put_bytes(b"y" * 100)
    assert store.objects.read_bytes(other) == b"y" * 100
    assert len(store.objects.packs.names()) == 2


def test_an_index_deleted_while_open(store: Store) -> None:
    """An index that disappears under an open store is made again, equal to the one before."""
    digests = [store.objects.put_bytes(bytes([number])) for number in range(5)]
    before = [store.objects.index.find(bytes.fromhex(digest)) for digest in digests]
    store.objects.index._remove()
    store.objects.index._local.seen_at = 0.0
    assert [store.objects.index.find(bytes.fromhex(digest)) for digest in digests] == before
    assert store.objects.index.path.is_file()


def test_wrong_rows_are_found_out(store: Store) -> None:
    """An index whose rows are wrong is thrown away rather than believed."""
    digest = store.objects.put_bytes(b"x" * 10)
    store.objects.index._connect().execute("UPDATE chunk SET offset = offset + 1")
    assert store.objects.read_bytes(digest) == b"x" * 10


def test_packs_of_others_are_found(store: Store, tmp_path: Path) -> None:
    """An object that another process wrote is read without telling this one."""
    store.objects.put_bytes(b"mine")
    other = Store(store.root, store.store_id, tmp_path / "other cache")
    digest = other.objects.put_bytes(b"theirs")
    assert store.objects.has(digest)
    assert store.objects.read_bytes(digest) == b"theirs"


def test_documents_are_marked_even_when_the_bytes_are_known(store: Store) -> None:
    """A document whose bytes were put before as mere bytes is kept again as a document."""
    digest = store.objects.put_bytes(b'{"a":1}')
    assert store.objects.put_json({"a": 1}) == digest
    assert store.objects.put_json({"a": 1}) == digest
    kinds = [record.kind for _, record in store.objects.index.find(bytes.fromhex(digest))]
    assert kinds == [DOCUMENT, 0]


def test_magic_is_as_documented() -> None:
    """The first bytes of a pack name the format."""
    assert MAGIC == b"MNBPACK1"
    assert os.path.sep not in MAGIC.decode()

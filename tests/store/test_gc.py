"""Collection deletes what nothing names, in two phases, and never what anything names."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from blake3 import blake3

from mlops_nb.errors import CorruptObjectError, InvalidValueError, NotFoundError
from mlops_nb.store import Store
from mlops_nb.store.gc import Collection, collect_garbage
from mlops_nb.store.marks import MarkFolder
from mlops_nb.store.packs import read_footer
from mlops_nb.store.roots import find_named
from mlops_nb.store.scrub import verify_objects
from mlops_nb.store.upkeep import collect_store, read_stats, rebuild_indexes, verify_store


def make_bytes(seed: str, size: int = 1000) -> bytes:
    """Give bytes that look random."""
    return blake3(seed.encode()).digest(length=size)


def age(store: Store, seconds: float) -> None:
    """Let packs and marks be older than they are."""
    then = time.time() - seconds
    for path in store.root.glob("packs/*/*"):
        os.utime(path, (then, then))
    for mark in store.objects.marks.read():
        document = mark.path.read_text().replace(str(mark.marked_at), str(then))
        mark.path.write_text(document)
    store.objects.marks = MarkFolder(store.root / "gc")


def test_unnamed_objects_go_after_the_grace_time(store: Store) -> None:
    """What nothing names is marked first, is still read, and is deleted only a day later."""
    digest = store.objects.put_bytes(b"of no use")
    assert collect_garbage(store.objects) == Collection(live_objects=1)
    age(store, 90_000)
    marked = collect_garbage(store.objects)
    assert (marked.marked_packs, marked.deleted_packs) == (1, 0)
    assert store.objects.read_bytes(digest) == b"of no use"
    assert collect_garbage(store.objects).deleted_packs == 0
    age(store, 90_000)
    assert collect_garbage(store.objects).deleted_packs == 1
    with pytest.raises(NotFoundError):
        store.objects.read_bytes(digest)
    assert store.objects.packs.names() == set()
    assert store.objects.marks.read() == []


def test_every_way_to_name_an_object_holds_it(store: Store) -> None:
    """Artifacts, datasets, environment, code, tags, params, sessions, models and audit hold."""
    digests = [store.objects.put_bytes(b"%d" % number) for number in range(10)]
    log = store.start_run({"name": "r", "experiment": "e", "code": digests[0]})
    log.append(
        {"type": "artifact", "path": "a", "digest": digests[1], "size_bytes": 1, "media_type": ""}
    )
    log.append({"type": "dataset", "dataset": {"name": "d", "digest": digests[2]}})
    log.append({"type": "environment", "digest": digests[3]})
    log.append({"type": "tags", "tags": {"pipeline": f"step:{digests[4]}!"}})
    log.append({"type": "params", "params": {"deep": [{"er": f"ab{digests[5]}cd"}]}})
    log.end("finished")
    session = store.start_session({"name": "s", "experiment": "e"})
    session.append({"type": "cell_begin", "index": 1, "source": f"load('{digests[6]}')"})
    session.end("finished")
    fields = {
        "name": "m",
        "flavor": "skops",
        "digest": digests[7],
        "size_bytes": 1,
        "registered_at": 1.0,
    }
    store.models.create_version(fields)
    store.audit.append("promoted", {"card": digests[8]})
    collect_garbage(store.objects, grace_s=0)
    for number, digest in enumerate(digests[:9]):
        assert store.objects.read_bytes(digest) == b"%d" % number
    assert not store.objects.has(digests[9])


def test_documents_hold_what_they_name(store: Store) -> None:
    """A named document holds the objects it names, and those what they name."""
    leaf = store.objects.put_bytes(b"leaf")
    inner = store.objects.put_json({"leaf": leaf, "padding": ["x" * 100] * 3000})
    outer = store.objects.put_json([inner])
    store.audit.append("kept", {"tree": outer})
    collect_garbage(store.objects, grace_s=0)
    assert store.objects.read_bytes(
        store.objects.read_json(store.objects.read_json(outer)[0])["leaf"]
    )


def test_live_objects_move_out_of_dead_packs(store: Store) -> None:
    """A pack that is mostly dead is deleted, and what is needed of it lies in a smaller one."""
    with store.objects.batch():
        digests = [store.objects.put_bytes(make_bytes(str(number))) for number in range(20)]
        large = store.objects.put_bytes(make_bytes("large", 200_000))
    store.audit.append("kept", {"some": digests[3], "large": large})
    before = read_stats(store)["pack_bytes"]
    done = collect_garbage(store.objects, grace_s=0)
    assert done.moved_bytes == 0, "a pack with little dead in it stays"
    store.audit.append("kept", {})
    with store.objects.batch():
        more = [store.objects.put_bytes(make_bytes(f"more {number}")) for number in range(20)]
    store.audit.append("kept", {"one": more[7]})
    done = collect_garbage(store.objects, grace_s=0)
    assert (done.deleted_packs, done.moved_bytes) == (1, 1000)
    assert read_stats(store)["pack_bytes"] < before + 2000
    for digest, data in (
        (digests[3], make_bytes("3")), (large, make_bytes("large", 200_000)), (more[7], make_bytes("more 7")),
    ):  # fmt: skip
        assert store.objects.read_bytes(digest) == data
    assert verify_objects(store.objects).damaged == []


def test_nothing_new_builds_on_a_marked_pack(store: Store) -> None:
    """An object in a marked pack is written again, so its deletion later takes nothing away."""
    digest = store.objects.put_bytes(make_bytes("x"))
    age(store, 10)
    collect_garbage(store.objects, grace_s=5)
    store.objects.look(now=True)
    assert len(store.objects.marked) == 1
    assert store.objects.put_bytes(make_bytes("x")) == digest
    assert len(store.objects.packs.names()) == 2
    store.audit.append("kept", {"digest": digest})
    age(store, 10)
    assert collect_garbage(store.objects, grace_s=5).deleted_packs == 1
    assert store.objects.read_bytes(digest) == make_bytes("x")


def test_an_object_named_after_the_mark_is_saved(store: Store) -> None:
    """A run that names an object of a marked pack within the grace time keeps it."""
    digest = store.objects.put_bytes(make_bytes("x"))
    age(store, 10)
    assert collect_garbage(store.objects, grace_s=5).marked_packs == 1
    store.audit.append("kept", {"digest": digest})
    age(store, 10)
    done = collect_garbage(store.objects, grace_s=5)
    assert (done.kept_again, done.deleted_packs) == (1, 0)
    assert store.objects.marks.read() == []
    assert store.objects.read_bytes(digest) == make_bytes("x")


def test_a_deleted_pack_is_noticed_by_other_writers(store: Store, tmp_path: Path) -> None:
    """A process whose index still shows a deleted pack writes the object anew."""
    other = Store(store.root, store.store_id, tmp_path / "other cache")
    digest = other.objects.put_bytes(make_bytes("x"))
    collect_garbage(store.objects, grace_s=0)
    assert store.objects.packs.names() == set()
    other.objects._looked_at = float("-inf")
    assert other.objects.put_bytes(make_bytes("x")) == digest
    assert other.objects.read_bytes(digest) == make_bytes("x")


def test_copies_are_kept_once(store: Store, tmp_path: Path) -> None:
    """The same object written by two processes at once is kept once after a collection."""
    other = Store(store.root, store.store_id, tmp_path / "other cache")
    other.objects.look()
    digest = store.objects.put_bytes(make_bytes("x"))
    with other.objects.batch():
        other.objects.add_blob(bytes.fromhex(digest), make_bytes("x"))
        store.audit.append("kept", {"digest": other.objects.put_bytes(b"another")})
    assert read_stats(store)["repeated_bytes"] == 1000
    store.audit.append("kept", {"digest": digest})
    collect_garbage(store.objects, grace_s=0)
    assert read_stats(store)["repeated_bytes"] == 0
    assert store.objects.read_bytes(digest) == make_bytes("x")


def test_a_damaged_pack_stops_a_collection(store: Store) -> None:
    """What cannot be read may name anything: nothing is deleted, and the pack stays."""
    document = store.objects.put_json({"named": store.objects.put_bytes(b"leaf")})
    store.audit.append("kept", {"document": document})
    ((pack, record),) = store.objects.index.find(bytes.fromhex(document))
    path = store.objects.packs.locate(pack)
    whole = path.read_bytes()
    data = bytearray(whole)
    data[record.offset] ^= 1
    path.write_bytes(data)
    with pytest.raises(CorruptObjectError):
        collect_garbage(store.objects, grace_s=0)
    path.write_bytes(whole[:-1])
    collect_garbage(store.objects, grace_s=3600)
    assert path.is_file()
    path.write_bytes(whole)
    assert store.objects.read_json(document)


def test_abandoned_parts_are_swept(store: Store) -> None:
    """Unfinished packs of writers that died go after an hour, those of living ones stay."""
    store.objects.put_bytes(b"1")
    for name in ("old.part", "new.part"):
        (store.objects.packs.tmp / name).write_bytes(b"x")
    os.utime(store.objects.packs.tmp / "old.part", (1, 1))
    assert collect_garbage(store.objects, grace_s=0).abandoned_files == 1
    assert [path.name for path in store.objects.packs.tmp.iterdir()] == ["new.part"]


def test_a_wrong_grace_time_is_refused(store: Store) -> None:
    """A grace time below zero, or none at all, is refused."""
    for grace_s in (-1.0, float("nan")):
        with pytest.raises(InvalidValueError, match="grace_s"):
            collect_garbage(store.objects, grace_s=grace_s)


def test_damaged_marks_delete_nothing(store: Store) -> None:
    """A mark that cannot be read marks nothing."""
    digest = store.objects.put_bytes(b"1")
    (store.root / "gc").mkdir()
    for number, text in enumerate(("", "{", "[]", '{"marked_at": 0, "packs": 7}')):
        (store.root / "gc" / f"{number:020d}.json").write_text(text)
    collect_garbage(store.objects, grace_s=3600)
    assert store.objects.read_bytes(digest) == b"1"


def test_digests_are_found_in_any_text() -> None:
    """64 hex digits are found wherever they begin in a longer row of digits."""
    digest = blake3(b"1").digest()
    for text in (digest.hex(), f"abc{digest.hex()}0", f'"{digest.hex()}"', f"x{digest.hex()}x"):
        assert find_named(text.encode(), {digest}) == {digest}
    assert find_named(digest.hex()[:-1].encode(), {digest}) == set()


# ------------------------------------------------------------------ verify, count, rebuild
def test_verification_names_what_is_damaged(store: Store) -> None:
    """A flipped bit is named with its chunk and the object made of it; a cut pack by its name."""
    digest = store.objects.put_bytes(make_bytes("l", 400_000))
    (pack,) = store.objects.packs.names()
    path = store.objects.packs.locate(pack)
    assert verify_store(store).damaged == []
    whole = path.read_bytes()
    record = read_footer(path)[1]
    data = bytearray(whole)
    data[record.offset + 7] ^= 1
    path.write_bytes(data)
    (damage,) = verify_store(store).damaged
    assert (damage.pack, damage.digest) == (pack, record.digest.hex())
    assert damage.objects == (digest,)
    path.write_bytes(whole[:-5])
    (damage,) = verify_store(store).damaged
    assert (damage.pack, damage.digest) == (pack, "")
    assert read_stats(store)["unreadable_packs"] == 1
    last = store.audit.records()[-1]
    assert (last.event, last.document["damaged"]) == ("store.verified", [pack])


def test_verification_goes_on_where_it_stopped(store: Store) -> None:
    """With a limit each call checks the packs that were checked longest ago."""
    for number in range(4):
        store.objects.put_bytes(make_bytes(str(number)))
    seen = [verify_objects(store.objects, max_s=0) for _ in range(4)]
    assert [result.checked_packs for result in seen] == [1, 1, 1, 1]
    checked = store.objects.index.checked()
    assert all(at > 0 for at in checked.values())
    oldest = min(checked, key=lambda name: checked[name])
    verify_objects(store.objects, max_s=0)
    assert store.objects.index.checked()[oldest] > checked[oldest]


def test_counts_and_rebuilding(store: Store) -> None:
    """The counts are those of what was put, before and after the indexes are made anew."""
    store.start_run({"name": "r", "experiment": "e"}).end("finished")
    store.objects.put_bytes(make_bytes("l", 200_000))
    before = read_stats(store)
    assert before["packs"] == 1
    assert before["recipes"] == 1
    assert rebuild_indexes(store) == {"runs": 1, "packs": 1}
    after = read_stats(store)
    assert {**after, "index_bytes": 0} == {**before, "index_bytes": 0}
    assert store.search()[0].name == "r"


def test_collections_are_on_record(store: Store) -> None:
    """A collection leaves an audit record with what it did."""
    store.objects.put_bytes(b"1")
    collect_store(store, grace_s=0)
    last = store.audit.records()[-1]
    assert last.event == "store.collected"
    assert last.document["deleted_packs"] == 1

"""A collection compacts runs and merges small packs: killed at any moment, nothing is lost."""

from __future__ import annotations

import os
import shutil
import signal
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mlops_nb.store import Store, gc, open_store
from mlops_nb.store.gc import MANY_PACKS, collect_garbage
from mlops_nb.store.packs import read_footer
from mlops_nb.store.runreader import PULLED
from mlops_nb.store.scrub import verify_objects
from mlops_nb.store.upkeep import collect_store
from tests.store.apart import read_all, write_apart
from tests.store.test_gc import age, make_bytes

CALLS = ("fsync", "fdatasync", "replace", "rename", "unlink", "link", "mkdir")


def fill(store: Store, count: int = MANY_PACKS) -> dict[str, bytes]:
    """Put named objects, each in a pack of its own, and give them by digest."""
    kept = {}
    for number in range(count):
        data = make_bytes(f"{number}", 500 + number)
        digest = store.objects.put_bytes(data)
        kept[digest] = data
    store.audit.append("kept", {"digests": list(kept)})
    return kept


def check(store: Store, kept: dict[str, bytes]) -> None:
    """See that every object is there and every pack whole, for a process that begins now too."""
    fresh = open_store(store.root, cache=store.root.with_name("fresh"))
    for one in (store, fresh):
        for digest, data in kept.items():
            assert one.objects.read_bytes(digest) == data
    assert verify_objects(store.objects).damaged == []


def test_many_small_packs_become_one(store: Store) -> None:
    """Old small packs are merged, are read until the grace time is over, and then go."""
    kept = fill(store)
    assert collect_store(store).merged_packs == 0  # all of them are younger than the grace time
    age(store, 90_000)
    done = collect_store(store)
    assert (done.merged_packs, done.marked_packs, done.deleted_packs) == (MANY_PACKS, MANY_PACKS, 0)
    assert len(store.objects.packs.names()) == MANY_PACKS + 1
    check(store, kept)
    age(store, 90_000)
    assert collect_store(store).deleted_packs == MANY_PACKS
    (name,) = store.objects.packs.names()
    assert len(read_footer(store.objects.packs.locate(name))) == MANY_PACKS
    check(store, kept)
    age(store, 90_000)
    assert collect_store(store).marked_packs == 0


def test_few_or_large_packs_stay(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Merging waits until it is worth its writing, and leaves large packs alone."""
    fill(store, MANY_PACKS - 1)
    age(store, 90_000)
    assert collect_garbage(store.objects).merged_packs == 0
    monkeypatch.setattr(gc, "SMALL_BYTES", 100)
    fill(store, MANY_PACKS + 3)
    age(store, 90_000)
    assert collect_garbage(store.objects).merged_packs == 0


def test_a_damaged_small_pack_is_left(store: Store) -> None:
    """A pack with damage stays for a person to see; the others are merged all the same."""
    kept = fill(store, MANY_PACKS + 2)
    digest = next(iter(kept))
    ((name, record),) = store.objects.index.find(bytes.fromhex(digest))
    path = store.objects.packs.locate(name)
    data = bytearray(path.read_bytes())
    data[record.offset] ^= 1
    path.write_bytes(data)
    age(store, 90_000)
    assert collect_garbage(store.objects).merged_packs == MANY_PACKS + 1
    age(store, 90_000)
    collect_garbage(store.objects)
    assert path.is_file()
    del kept[digest]
    for one, content in kept.items():
        assert store.objects.read_bytes(one) == content


def test_runs_are_compacted_by_a_collection(store: Store) -> None:
    """Metrics of runs at rest become chunks, and the result tells what it saved."""
    run_id = write_apart(store, 2000)
    points = read_all(store, run_id)
    done = collect_store(store)
    assert done.compacted_runs == 1
    assert done.compacted_bytes > 50_000
    assert read_all(store, run_id) == points
    assert store.audit.records()[-1].document["compacted_runs"] == 1


def test_pulled_runs_are_not_compacted(store: Store) -> None:
    """A run from elsewhere keeps its logs: the next pull may bring more of them."""
    run_id = write_apart(store, 2000)
    (store.root / "runs" / run_id / PULLED).touch()
    assert collect_store(store).compacted_runs == 0
    assert (store.root / "runs" / run_id / "metrics.bin").is_file()


def test_readers_and_writers_go_on_meanwhile(store: Store, tmp_path: Path) -> None:
    """While packs are merged twice, others read every object and put new ones; none is lost."""
    kept = fill(store, MANY_PACKS * 2)
    age(store, 90_000)
    other = open_store(store.root, cache=tmp_path / "other")
    is_done = threading.Event()
    wrong: list[object] = []

    def guard(work: Callable[[int], object]) -> None:
        number = 0
        try:
            while not is_done.is_set():
                work(number)
                number += 1
        except BaseException as error:  # noqa: BLE001 - any failure of a thread fails the test
            wrong.append(error)

    def read(number: int) -> None:
        digest = list(kept)[number % (MANY_PACKS * 2)]
        assert other.objects.read_bytes(digest) == make_bytes(
            f"{number % (MANY_PACKS * 2)}", 500 + number % (MANY_PACKS * 2)
        )

    added: dict[str, bytes] = {}

    def write(number: int) -> None:
        data = make_bytes(f"new {number}")
        digest = other.objects.put_bytes(data)
        other.audit.append("kept", {"digest": digest})
        added[digest] = data

    threads = [threading.Thread(target=guard, args=(work,)) for work in (read, write)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(3):
            collect_garbage(store.objects)
            # Marks grow old at once; packs that are written meanwhile stay young.
            then = 90_000
            for mark in store.objects.marks.read():
                text = mark.path.read_text().replace(
                    str(mark.marked_at), str(mark.marked_at - then)
                )
                mark.path.write_text(text)
            store.objects.marks = type(store.objects.marks)(store.root / "gc")
    finally:
        is_done.set()
        for thread in threads:
            thread.join()
    assert wrong == []
    check(store, kept | added)


def _die_at(moment: int) -> None:
    """Let this process be killed before its n-th change of the disk."""
    count = [0]

    def wrap(call: Any) -> Any:
        def counted(*words: Any, **options: Any) -> Any:
            count[0] += 1
            if count[0] > moment:
                os.kill(os.getpid(), signal.SIGKILL)
            return call(*words, **options)

        return counted

    for name in CALLS:
        setattr(os, name, wrap(getattr(os, name)))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this platform cannot fork")
def test_a_killed_collection_loses_nothing(store: Store, tmp_path: Path) -> None:
    """Killed before every single change of the disk, everything named is there, and the next ends it."""
    run_id = write_apart(store, 1000)
    points = read_all(store, run_id)
    kept = fill(store)
    store.objects.put_bytes(b"of no use")
    moment, is_over = 0, False
    while not is_over:
        root = tmp_path / f"at{moment}/store"
        shutil.copytree(store.root, root)
        pid = os.fork()
        if pid == 0:
            copy = Store(root, store.store_id, root.with_name("cache"), store.objects.cut)
            _die_at(moment)
            collect_store(copy, grace_s=0)
            os._exit(0)
        _, status = os.waitpid(pid, 0)
        is_over = os.waitstatus_to_exitcode(status) == 0
        copy = open_store(root, cache=root.with_name("cache2"))
        check(copy, kept)
        assert read_all(copy, run_id) == points
        collect_store(copy, grace_s=0)
        check(copy, kept)
        assert len(copy.objects.packs.names()) == 1
        shutil.rmtree(root.parent)
        moment += 1
    assert moment > 20

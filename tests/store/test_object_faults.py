"""Packs survive killed writers, full disks, and writers and collectors at once."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from blake3 import blake3

from mlops_nb.store import Store, open_store
from mlops_nb.store.gc import collect_garbage
from mlops_nb.store.packs import read_footer
from mlops_nb.store.scrub import verify_objects
from mlops_nb.store.upkeep import rebuild_indexes

ROOT = Path(__file__).resolve().parents[2]
HEAD = """
import os, sys, time
from pathlib import Path
from blake3 import blake3
from mlops_nb.store import open_store
store = open_store(Path(sys.argv[1]), cache=Path(sys.argv[2]))
def data(number): return blake3(b"%d" % number).digest(length=1000 + number * 7919 % 300_000)
"""
WRITER = """
number = int(sys.argv[3])
while True:
    with store.objects.batch():
        digests = [store.objects.put_bytes(data(number + step)) for step in range(3)]
    for digest in digests:
        os.write(1, f"{number} {digest}\\n".encode())
        number += 1
"""
FULL = """
import resource
store.objects.put_bytes(b"before")
limit = int(sys.argv[3])
resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
for number in range(40):
    try:
        digest = store.objects.put_bytes(data(number)[:60_000])
    except OSError as error:
        os.write(1, f"- {error.errno}\\n".encode())
        continue
    assert store.objects.read_bytes(digest) == data(number)[:60_000]
    os.write(1, f"{number} {digest}\\n".encode())
"""
RACER = """
from mlops_nb.store.ids import new_run_id
until = time.time() + float(sys.argv[4])
number = int(sys.argv[3])
told = set()
while time.time() < until:
    number += 1
    digest = store.objects.put_bytes(data(number % 12))
    if number % 3:
        log = store.start_run({"name": "r", "experiment": "e"})
        log.append({"type": "environment", "digest": digest})
        log.end("finished")
        if digest not in told:  # little, so that the pipe never fills
            os.write(1, f"{number % 12} {digest}\\n".encode())
        told.add(digest)
"""


def start(script: str, store: Store, cache: Path, *words: object) -> subprocess.Popen[str]:
    """Start a process that works on the store."""
    return subprocess.Popen(
        [sys.executable, "-c", HEAD + script, str(store.root), str(cache), *map(str, words)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )


def make_bytes(number: int) -> bytes:
    """Give what the processes put under a number."""
    return blake3(b"%d" % number).digest(length=1000 + number * 7919 % 300_000)


def test_killed_writers_lose_nothing_they_returned(store: Store, tmp_path: Path) -> None:
    """After SIGKILL at any moment every object whose put returned is there, and every pack whole."""
    chance = random.Random(7)
    acknowledged: dict[str, int] = {}
    for turn in range(30):
        process = start(WRITER, store, tmp_path / "cache", turn * 1000)
        assert process.stdout is not None
        first = [process.stdout.readline() for _ in range(1 + turn % 5)]
        time.sleep(chance.random() * 0.06)
        process.send_signal(signal.SIGKILL)
        lines = [*first, *process.stdout.read().splitlines(keepends=True)]
        process.wait()
        process.stdout.close()
        for line in lines:
            if line.endswith("\n"):
                number, _, digest = line.strip().partition(" ")
                acknowledged[digest] = int(number)
    assert len(acknowledged) >= 90
    for name in store.objects.packs.names():
        assert read_footer(store.objects.packs.locate(name))
    for digest, written in acknowledged.items():
        assert store.objects.read_bytes(digest) == make_bytes(written)
    assert verify_objects(store.objects).damaged == []
    before = {digest: store.objects.index.find(bytes.fromhex(digest)) for digest in acknowledged}
    rebuild_indexes(store)
    for digest, places in before.items():
        assert set(store.objects.index.find(bytes.fromhex(digest))) == set(places)


@pytest.mark.parametrize("limit", [0, 1, 7, 8, 9, 60, 1000, 4096, 30_000, 60_100, 100_000])
def test_a_full_disk_is_an_error_and_no_loss(store: Store, tmp_path: Path, limit: int) -> None:
    """Where no file may grow beyond a limit, a put fails as a whole or holds."""
    process = start(FULL, store, tmp_path / "cache", limit)
    out, _ = process.communicate(timeout=240)
    assert process.returncode == 0
    lines = [line.split() for line in out.splitlines()]
    assert len(lines) == 40
    assert {line[1] for line in lines if line[0] == "-"} <= {"27", "28"}
    assert limit >= 100_000 or ["-", "27"] in lines
    for number, digest in (line for line in lines if line[0] != "-"):
        assert store.objects.read_bytes(digest) == make_bytes(int(number))[:60_000]
    assert store.objects.read_bytes(blake3(b"before").hexdigest()) == b"before"
    assert list(store.objects.packs.tmp.iterdir()) == []
    assert verify_objects(store.objects).damaged == []


def test_a_batch_tells_of_packs_it_lost(
    store: Store, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """When a write fails inside a batch, leaving the batch fails too, even where a put's error was caught."""
    store.objects.put_bytes(b"kept")
    digest = ""

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    def put_two() -> None:
        nonlocal digest
        with store.objects.batch():
            digest = store.objects.put_bytes(b"lost")
            with monkeypatch.context() as patch:
                patch.setattr("mlops_nb.store.packs.PackWriter._write", full)
                with pytest.raises(OSError, match="No space"):
                    store.objects.put_bytes(b"fails")

    with pytest.raises(OSError, match="No space"):
        put_two()
    assert not store.objects.has(digest)
    assert store.objects.put_bytes(b"lost") == digest
    assert store.objects.read_bytes(digest) == b"lost"


def test_a_store_that_cannot_be_written(tmp_path: Path) -> None:
    """A store whose folder is a file gives an error when put to, and stays as it was."""
    store = open_store(tmp_path / "s", cache=tmp_path / "c")
    (tmp_path / "s" / "packs").write_text("in the way")
    with pytest.raises(OSError, match="packs"):
        store.objects.put_bytes(b"1")
    assert (tmp_path / "s" / "packs").read_text() == "in the way"


def test_two_writers_and_a_collector_at_once(store: Store, tmp_path: Path) -> None:
    """Whatever a run names is there, though others write the same and a third collects all the time."""
    writers = [start(RACER, store, tmp_path / f"c{n}", n * 5, 6.0) for n in range(2)]
    deleted = 0
    while any(writer.poll() is None for writer in writers):
        deleted += collect_garbage(store.objects, grace_s=3.0).deleted_packs
        time.sleep(0.05)
    named: dict[str, int] = {}
    for writer in writers:
        out, _ = writer.communicate()
        assert writer.returncode == 0
        named |= {line.split()[1]: int(line.split()[0]) for line in out.splitlines()}
    for grace_s in (1.5, 0.0):
        deleted += collect_garbage(store.objects, grace_s=grace_s).deleted_packs
        for digest, number in named.items():
            assert store.objects.read_bytes(digest) == make_bytes(number)
    assert len(named) >= 8
    assert deleted > 0
    assert verify_objects(store.objects).damaged == []


def test_documents_of_a_store_are_one_json(store: Store) -> None:
    """The mark of a collection is a JSON document that names the packs."""
    store.objects.put_bytes(b"1")
    (name,) = store.objects.packs.names()
    mark = store.objects.marks.write([name])
    assert json.loads(mark.path.read_text())["packs"] == [name]

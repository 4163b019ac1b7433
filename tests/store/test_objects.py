"""Objects hold against a dictionary, in batches, from files, and when others collect meanwhile."""

from __future__ import annotations

import contextlib
import io
import os
import shutil
import tempfile
import threading
import time
from pathlib import Path

import pytest
from blake3 import blake3
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from mlops_nb.errors import NotFoundError
from mlops_nb.store import Store
from mlops_nb.store.gc import collect_garbage
from mlops_nb.store.ids import new_run_id
from mlops_nb.store.objects import ObjectFolder
from mlops_nb.store.scrub import verify_objects

# Few contents, so that the same are put again; some compress, some are cut, some share chunks.
_LARGE = blake3(b"machine").digest(length=300_000)
CONTENTS = [
    b"", b"a", b"[]", b"abc" * 1000, blake3(b"1").digest(length=1000), _LARGE, _LARGE[:200_000],
    b"x" + _LARGE, bytes(400_000), b'{"a":1}',
]  # fmt: skip
NUMBERS = st.integers(0, len(CONTENTS) - 1)


class ObjectsAreADict(RuleBasedStateMachine):
    """A store beside the dictionary that it must equal."""

    @initialize()
    def start(self) -> None:
        """Begin with an empty store."""
        self.folder = Path(tempfile.mkdtemp())
        self.kept: dict[str, bytes] = {}
        self.named: set[str] = set()
        self.opened = 0
        self.reopen()

    @rule()
    def reopen(self) -> None:
        """Open the store as a new process would."""
        (self.folder / "runs").mkdir(exist_ok=True)
        self.objects = ObjectFolder(self.folder, self.folder / "cache" / "chunks.db")

    @rule()
    def open_elsewhere(self) -> None:
        """Open it as another machine would, with an index of its own."""
        self.opened += 1
        self.objects = ObjectFolder(self.folder, self.folder / f"cache{self.opened}" / "chunks.db")

    @rule(number=NUMBERS, name=st.booleans())
    def put(self, number: int, name: bool) -> None:
        """Put an object, and perhaps name it in a run."""
        self._keep(self.objects.put_bytes(CONTENTS[number]), CONTENTS[number], name)

    @rule(numbers=st.lists(NUMBERS, max_size=4), name=st.booleans())
    def put_batch(self, numbers: list[int], name: bool) -> None:
        """Put several objects into one pack, and read them before it is done."""
        datas = [CONTENTS[number] for number in numbers]
        with self.objects.batch():
            for data in datas:
                digest = self.objects.put_bytes(data)
                assert self.objects.has(digest)
                self._keep(digest, data, name)
            if datas:
                assert self.objects.read_bytes(digest) == datas[-1]

    @rule(number=NUMBERS)
    def put_file(self, number: int) -> None:
        """Put a file that was written a while ago."""
        data = CONTENTS[number]
        path = self.folder / "cache" / "file"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(data)
        os.utime(path, ns=(10**18, 10**18))
        digest, size = self.objects.put_file(path)
        assert size == len(data)
        self._keep(digest, data, True)

    def _keep(self, digest: str, data: bytes, name: bool) -> None:
        self.kept[digest] = data
        if name:
            run = self.folder / "runs" / new_run_id()
            run.mkdir()
            (run / "events.log").write_bytes(b'....{"digest":"' + digest.encode() + b'"}')
            self.named.add(digest)

    @rule()
    def collect(self) -> None:
        """Collect without grace: what no run names is gone, and what one names is not."""
        collect_garbage(self.objects, grace_s=0)
        # What is part of a named object stays of course.
        self.kept = {d: v for d, v in self.kept.items() if d in self.named or self.objects.has(d)}

    @rule()
    def collect_with_grace(self) -> None:
        """Collect as usual: nothing that was put just now is gone."""
        assert collect_garbage(self.objects, grace_s=3600).deleted_packs == 0

    @rule()
    def delete_index(self) -> None:
        """Delete the index under the open store."""
        shutil.rmtree(self.objects.index.path.parent, ignore_errors=True)

    @invariant()
    def everything_is_there(self) -> None:
        """Whatever was kept is read back, and nothing is damaged."""
        for digest, data in getattr(self, "kept", {}).items():
            assert self.objects.read_bytes(digest) == data

    def teardown(self) -> None:
        """Look at every byte once more, then leave no trace."""
        if hasattr(self, "objects"):
            assert verify_objects(self.objects).damaged == []
            self.objects.index.close()
            shutil.rmtree(self.folder)


TestObjectsAreADict = ObjectsAreADict.TestCase
TestObjectsAreADict.settings = settings(max_examples=25, stateful_step_count=20, deadline=None)


# ------------------------------------------------------------------ batches
def test_a_batch_is_one_pack(store: Store) -> None:
    """Many puts in a batch make one pack, also when batches are nested."""
    with store.objects.batch():
        for number in range(500):
            store.objects.put_bytes(b"%d" % number)
        with store.objects.batch():
            store.objects.put_json({"a": 1})
        assert store.objects.packs.names() == set()
    assert len(store.objects.packs.names()) == 1


def test_a_batch_that_fails_elsewhere_keeps_what_was_put(store: Store) -> None:
    """An error of the caller's inside a batch loses no object that was put before it."""
    with contextlib.suppress(ZeroDivisionError), store.objects.batch():
        digest = store.objects.put_bytes(b"before")
        raise ZeroDivisionError
    assert store.objects.read_bytes(digest) == b"before"


def test_batches_belong_to_their_thread(store: Store) -> None:
    """Another thread's put is durable when it returns, whatever batch is open here."""
    digests: list[str] = []
    with store.objects.batch():
        store.objects.put_bytes(b"mine")
        thread = threading.Thread(target=lambda: digests.append(store.objects.put_bytes(b"its")))
        thread.start()
        thread.join()
        assert len(store.objects.packs.names()) == 1
    assert store.objects.read_bytes(digests[0]) == b"its"


def test_a_forked_child_leaves_the_batch_alone(store: Store) -> None:
    """A child that puts while its parent has a batch open writes a pack of its own."""
    with store.objects.batch():
        mine = store.objects.put_bytes(b"parent")
        child = os.fork()
        if child == 0:
            code = 1
            with contextlib.suppress(BaseException):
                store.objects.put_bytes(b"child")
                code = 0
            os._exit(code)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        mine_too = store.objects.put_bytes(b"parent again")
    theirs = blake3(b"child").hexdigest()
    for digest, data in ((mine, b"parent"), (mine_too, b"parent again"), (theirs, b"child")):
        assert store.objects.read_bytes(digest) == data
    assert verify_objects(store.objects).damaged == []


def test_threads_put_and_read_at_once(store: Store) -> None:
    """Threads that put and read the same and different objects never disturb one another."""
    failures: list[BaseException] = []

    def work(number: int) -> None:
        try:
            for step in range(30):
                data = b"%d" % (step if number % 2 else step * 100 + number)
                assert store.objects.read_bytes(store.objects.put_bytes(data)) == data
        except BaseException as error:  # noqa: BLE001
            failures.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


# ------------------------------------------------------------------ files
def write_old(path: Path, data: bytes) -> None:
    """Write a file, and wait until its times are trusted."""
    path.write_bytes(data)
    deadline = time.time() + 10
    while time.time_ns() - path.stat().st_ctime_ns <= 2_100_000_000 and time.time() < deadline:
        time.sleep(0.1)


def test_an_unchanged_file_is_not_read_again(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file with the size, times and inode it had is known; any change is seen."""
    path = tmp_path / "f"
    write_old(path, b"x" * 100_000)
    first = store.objects.put_file(path)

    def refuse(*_: object) -> None:
        raise AssertionError("the file was read")

    with monkeypatch.context() as patch:
        patch.setattr(ObjectFolder, "_put_open", refuse)
        assert store.objects.put_file(path) == first
    times = path.stat()
    path.write_bytes(b"y" * 100_000)
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert store.objects.put_file(path)[0] == blake3(b"y" * 100_000).hexdigest()


def test_a_file_that_just_changed_is_not_trusted(store: Store, tmp_path: Path) -> None:
    """A file written within two seconds may change within one tick, so it is read again."""
    path = tmp_path / "f"
    path.write_bytes(b"x")
    store.objects.put_file(path)
    assert store.objects.index.find_stat(os.fsencode(path)) is None


def test_a_known_file_whose_bytes_are_gone_is_kept_again(store: Store, tmp_path: Path) -> None:
    """That a file has not changed does not mean that its bytes are still here."""
    path = tmp_path / "f"
    write_old(path, b"x" * 300_000)
    digest, _ = store.objects.put_file(path)
    assert store.objects.index.find_stat(os.fsencode(path)) is not None
    collect_garbage(store.objects, grace_s=0)
    with pytest.raises(NotFoundError):
        store.objects.read_bytes(digest)
    assert store.objects.put_file(path)[0] == digest
    assert len(store.objects.read_bytes(digest)) == 300_000


def test_a_change_of_a_hundredth_costs_little(store: Store, tmp_path: Path) -> None:
    """After 1 % of a file changed in places, at most 8 % of its bytes are new."""
    data = bytearray(blake3(b"big").digest(length=20_000_000))
    (tmp_path / "f").write_bytes(data)
    store.objects.put_file(tmp_path / "f")
    before = sum(path.stat().st_size for path in store.root.glob("packs/*/*"))
    data[5_000_000:5_100_000] = blake3(b"1").digest(length=100_000)
    data[12_000_000:12_100_000] = b""  # what is taken out shifts all that follows
    (tmp_path / "f").write_bytes(data)
    digest, _ = store.objects.put_file(tmp_path / "f")
    after = sum(path.stat().st_size for path in store.root.glob("packs/*/*"))
    assert after - before < 0.08 * before
    assert store.objects.read_bytes(digest) == data


def test_a_file_that_grows_while_it_is_read(store: Store, tmp_path: Path) -> None:
    """A file that another process changes meanwhile is kept as it was read, and never trusted."""
    path = tmp_path / "f"
    path.write_bytes(b"x" * 10)
    with path.open("rb", buffering=0) as file, store.objects.batch():
        digest, size = store.objects._put_open(file, 5)
        grown = io.FileIO(str(path))
        path.write_bytes(b"z" * 200_000)
        second, second_size = store.objects._put_open(grown, 5)
        grown.close()
    assert (size, second_size) == (10, 200_000)
    assert store.objects.read_bytes(digest.hex()) == b"x" * 10
    assert store.objects.read_bytes(second.hex()) == b"z" * 200_000


def test_nothing_is_written_by_asking(tmp_path: Path) -> None:
    """Asking a store that is not there makes no folder in it."""
    objects = ObjectFolder(tmp_path / "s", tmp_path / "cache" / "chunks.db")
    assert not objects.has("0" * 64)
    with pytest.raises(NotFoundError):
        objects.read_bytes("0" * 64)
    assert not (tmp_path / "s").exists()


def test_copies_are_whole_or_not_there(store: Store, tmp_path: Path) -> None:
    """Copying an object that is not here leaves the file that was there, and no parts."""
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "f").write_bytes(b"old")
    with pytest.raises(NotFoundError):
        store.objects.copy_to("0" * 64, tmp_path / "out" / "f")
    assert [path.read_bytes() for path in (tmp_path / "out").iterdir()] == [b"old"]

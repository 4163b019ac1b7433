"""The same against emulators of Google Cloud Storage and Azure Blob Storage."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import obstore
import pytest

from mlops_nb.errors import RemoteError
from mlops_nb.store import Store
from mlops_nb.store.remote import Remote
from tests.store.clouds import KEY, make_bucket, make_container, run_azure, run_gcs
from tests.store.remoting import add_run, add_version, fill, make_store, pull, push, tell

ROOT = Path(__file__).resolve().parents[2]
CODE = """
import sys
from pathlib import Path
from mlops_nb.store import open_store
from mlops_nb.store.{verb} import {verb}_store
store = open_store(Path(sys.argv[1]))
import obstore.store
print("ready", flush=True)
{verb}_store(store.root, store.store_id, sys.argv[2])
"""
SERVERS = {"gs": run_gcs, "az": run_azure}
MAKERS = {"gs": make_bucket, "az": make_container}


@pytest.fixture(scope="module", params=["gs", "az"])
def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, str]]:
    """Run an emulator for the tests of this module; give its scheme and address."""
    scheme = str(request.param)
    with ExitStack() as stack:
        endpoint = stack.enter_context(SERVERS[scheme](tmp_path_factory.mktemp(scheme)))
        yield scheme, endpoint


@pytest.fixture
def url(server: tuple[str, str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    """Make an empty bucket or container and say where it is, as users do: by the environment."""
    scheme, endpoint = server
    name = f"bucket{abs(hash(tmp_path))}"
    for variable, value in MAKERS[scheme](endpoint, name).items():
        monkeypatch.setenv(variable, value)
    return f"{scheme}://{name}/team/store"


@pytest.fixture
def other(tmp_path: Path) -> Store:
    """Give a second, empty store."""
    return make_store(tmp_path / "other")


def test_there_and_back(store: Store, other: Store, url: str) -> None:
    """A store is pushed and pulled equal; a second time nothing travels, later only what is new."""
    fill(store)
    assert push(store, url).is_clean
    assert pull(other, url).is_clean
    assert tell(other) == tell(store)
    assert push(store, url).size_bytes == 0
    assert pull(other, url).size_bytes == 0
    add_run(store, "later")
    assert push(store, url).runs == 1
    assert pull(other, url).runs == 1
    assert tell(other) == tell(store)


def test_nothing_is_overwritten(url: str) -> None:
    """The server itself refuses a second write to a name, also where the first wrote nothing."""
    remote = Remote(url)
    for name, data in (("a/one", b"1"), ("a/empty", b"")):
        assert remote.create(name, data)
        assert not remote.create(name, b"2")
        assert remote.read(name, 10) == data
    assert sorted(remote.list_keys("a")) == [("a/empty", 0), ("a/one", 1)]


def test_one_of_many_creates(url: str) -> None:
    """Of many who create one name at once, exactly one does, and its bytes stay."""
    remote = Remote(url)
    for turn in range(5):
        with ThreadPoolExecutor(8) as pool:
            bodies = [f"writer {number}".encode() for number in range(8)]
            done = list(pool.map(lambda body, turn=turn: remote.create(f"a/{turn}", body), bodies))
        assert done.count(True) == 1
        assert remote.read(f"a/{turn}", 100) == bodies[done.index(True)]


def test_numbers_are_given_once(store: Store, other: Store, url: str) -> None:
    """Of two stores that push one version number at once, one wins and the other is told."""
    add_version(store, b"one")
    add_version(other, b"two")
    reports = []
    threads = [
        threading.Thread(target=lambda one=one: reports.append(push(one, url)))
        for one in (store, other)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(len(report.conflicts) for report in reports) == [0, 1]


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this platform has no SIGKILL")
def test_killed_pushes_and_pulls_go_on(store: Store, other: Store, url: str) -> None:
    """Whenever a push or a pull is killed, the next ones complete it."""
    for number in range(8):
        add_run(store, f"run-{number}", size_bytes=30_000)
    moments = random.Random(4)
    for verb, folder in [("push", store.root), ("pull", other.root)] * 3:
        command = [sys.executable, "-c", CODE.format(verb=verb), str(folder), url]
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == b"ready\n"
            time.sleep(moments.uniform(0, 0.3))
            process.kill()
        for run in other.search():
            for artifact in run.artifacts:
                assert other.objects.read_bytes(artifact.digest)
    assert push(store, url).is_clean
    assert pull(other, url).is_clean
    assert tell(other) == tell(store)


def test_what_was_altered_is_not_taken(store: Store, other: Store, url: str) -> None:
    """Bytes that the owner of the bucket exchanged are told as damaged and never taken."""
    add_run(store, "good")
    push(store, url)
    remote = Remote(url)
    key, size = next(entry for entry in remote.list_keys("packs") if entry[1] > 1000)
    obstore.put(remote._store, key, b"x" * size)
    report = pull(other, url)
    assert not report.is_clean
    assert any(key.startswith(name) for name in report.damaged)
    assert not list((other.root / "packs").rglob("*.pack"))


def test_errors_tell_no_secrets(store: Store, url: str) -> None:
    """A bucket that is not there is told in one line, without the credentials."""
    add_run(store, "r")
    missing = url.replace("://bucket", "://nowhere")
    with pytest.raises(RemoteError) as told:
        push(store, missing)
    assert "very-secret-text" not in str(told.value)
    assert KEY not in str(told.value)
    assert len(str(told.value).splitlines()) == 2


def test_a_server_that_is_away_is_told_soon(
    store: Store, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where nobody answers an error comes, and a later push goes through."""
    add_run(store, "r")
    with monkeypatch.context() as patch:
        patch.setenv("GOOGLE_BASE_URL", "http://127.0.0.1:9")
        patch.setenv("AZURE_STORAGE_ENDPOINT", "http://127.0.0.1:9/devstoreaccount1")
        with pytest.raises(RemoteError, match="cannot use the remote"):
            push(store, url)
    assert push(store, url).is_clean

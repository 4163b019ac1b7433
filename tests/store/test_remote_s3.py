"""The same against a server that speaks S3, started here on the loopback."""

from __future__ import annotations

import contextlib
import io
import logging
import threading
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from mlops_nb.errors import RemoteError
from mlops_nb.store import Store
from mlops_nb.store.remote import Remote
from tests.store.remoting import add_run, add_version, fill, make_store, pull, push, tell


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    """Run a server for the tests of this module."""
    from moto.server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    with contextlib.redirect_stdout(io.StringIO()):
        server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def bucket(endpoint: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    """Make an empty bucket and say where it is, as users do: by the environment."""
    variables = {
        "AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "very-secret-text",
        "AWS_REGION": "us-east-1", "AWS_ENDPOINT_URL": endpoint, "AWS_ALLOW_HTTP": "true",
    }  # fmt: skip
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    name = f"bucket-{abs(hash(tmp_path))}"
    put(endpoint, name)
    return name


def put(endpoint: str, name: str, data: bytes = b"") -> None:
    """Write a name past all checks, as its owner could."""
    address = f"{endpoint}/{urllib.parse.quote(name)}"
    with urllib.request.urlopen(urllib.request.Request(address, data=data, method="PUT")) as answer:
        assert answer.status == 200


def test_there_and_back(store: Store, tmp_path: Path, bucket: str) -> None:
    """A store is pushed to a bucket and pulled equal; a second time nothing travels."""
    url = f"s3://{bucket}/team/store"
    fill(store)
    assert push(store, url).is_clean
    other = make_store(tmp_path / "other")
    assert pull(other, url).is_clean
    assert tell(other) == tell(store)
    assert push(store, url).size_bytes == 0
    add_run(store, "later")
    assert push(store, url).runs == 1
    assert pull(other, url).runs == 1
    assert tell(other) == tell(store)


def test_numbers_are_given_once(store: Store, tmp_path: Path, bucket: str) -> None:
    """Of two stores that push one version number at once, one wins and the other is told."""
    url = f"s3://{bucket}"
    other = make_store(tmp_path / "other")
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


def test_nothing_is_overwritten(bucket: str) -> None:
    """The server itself refuses a second write to a name."""
    remote = Remote(f"s3://{bucket}/x")
    assert remote.create("a", b"1")
    assert not remote.create("a", b"2")
    assert remote.read("a", 10) == b"1"


@pytest.mark.parametrize("key", ["runs/../../x", "runs//etc/x", "audit/./x"])
def test_hostile_keys_stop_the_pull(
    store: Store, tmp_path: Path, endpoint: str, bucket: str, key: str
) -> None:
    """A bucket with names that lead elsewhere is refused, or they are passed over."""
    url = f"s3://{bucket}/p"
    fill(store)
    push(store, url)
    put(endpoint, f"{bucket}/p/{key}", b"evil")
    other = make_store(tmp_path / "deep" / "other")
    with contextlib.suppress(RemoteError):
        pull(other, url)
    found = [
        path for path in tmp_path.rglob("*") if path.is_file() and path.read_bytes() == b"evil"
    ]
    assert found == []


def test_errors_tell_no_secrets(store: Store, bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A bucket that is not there is told in one line, without the credentials."""
    with pytest.raises(RemoteError) as told:
        push(store, f"s3://{bucket}-not-there/x")
    assert "very-secret-text" not in str(told.value)
    assert len(str(told.value).splitlines()) == 2


def test_a_server_that_is_away_is_told_soon(
    store: Store, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where nobody answers the error comes within seconds, and a later push goes through."""
    with monkeypatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
        started = time.monotonic()
        with pytest.raises(RemoteError, match="cannot use the remote"):
            push(store, f"s3://{bucket}/x")
        assert time.monotonic() - started < 120
    assert push(store, f"s3://{bucket}/x").is_clean

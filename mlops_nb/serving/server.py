"""Runs the application on uvicorn: in the foreground for the command line, or beside a notebook."""

from __future__ import annotations

import contextlib
import ipaddress
import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from types import FrameType
from typing import TYPE_CHECKING, Any

from mlops_nb.errors import InvalidValueError
from mlops_nb.serving.app import ServedModel, make_app
from mlops_nb.serving.guard import MAX_HEAD_BYTES
from mlops_nb.serving.predictor import Predictor

if TYPE_CHECKING:
    import uvicorn

    from mlops_nb.store import Store

_END_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "[::1]"})
_ANY = ("0.0.0.0", "::")  # noqa: S104 - compared, not bound
_PREDICT_THREADS = 2
_MAX_CONNECTIONS = 512
_STOP_S = 10


class ServerHandle:
    """A server that runs beside this thread.

    Attributes
    ----------
    url : str
        Address that requests go to.
    """

    def __init__(self, url: str, server: uvicorn.Server, thread: threading.Thread) -> None:
        self.url = url
        self._server, self._thread = server, thread

    def stop(self) -> None:
        """End the server after the requests that it is answering; safe to call twice."""
        self._server.should_exit = True
        self._thread.join(_STOP_S + 1)

    def __enter__(self) -> ServerHandle:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def serve(
    store: Store,
    ref: str,
    *,
    host: str = "127.0.0.1",
    port: int = 8000,
    token: str | None = None,
    on_ready: Callable[[str], None] | None = None,
) -> None:
    """Answer predictions of a registered model until SIGINT or SIGTERM.

    Parameters
    ----------
    store
        Where the model is registered.
    ref
        ``name``, ``name@alias`` or ``name/3``.
    host, port
        Where to listen; port 0 takes a free one.
    token
        Asked of every request as ``Authorization: Bearer ...``; needed beyond this machine.
    on_ready
        Called with the address once requests are answered.

    Raises
    ------
    ModelNotFoundError, CorruptObjectError, UnsafeModelError
        The model cannot be loaded.
    InvalidValueError
        The address cannot be listened on, or would be open to others without a token.
    """
    server, listener, _ = _prepare(store, ref, host, port, token, on_ready)
    with listener:
        server.run(sockets=[listener])


def start_in_background(
    store: Store,
    ref: str,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    token: str | None = None,
) -> ServerHandle:
    """Answer predictions of a registered model from a thread of this process.

    Parameters
    ----------
    store, ref, host, port, token
        As for `serve`.

    Returns
    -------
    ServerHandle
        Its ``url`` answers already; ``stop()`` ends it.

    Raises
    ------
    ModelNotFoundError, CorruptObjectError, UnsafeModelError, InvalidValueError
        As for `serve`.
    """
    listening = threading.Event()
    server, listener, url = _prepare(store, ref, host, port, token, lambda _: listening.set())

    def run() -> None:
        with listener:
            try:
                server.run(sockets=[listener])
            finally:
                listening.set()  # never let the caller wait for a server that failed

    thread = threading.Thread(target=run, name="mlops-nb-serve", daemon=True)
    thread.start()
    listening.wait()
    return ServerHandle(url, server, thread)


def _prepare(
    store: Store,
    ref: str,
    host: str,
    port: int,
    token: str | None,
    on_ready: Callable[[str], None] | None,
) -> tuple[uvicorn.Server, socket.socket, str]:
    """Load the model and take the port, so that every error is raised before anything runs."""
    hosts = _find_hosts(host, token)
    predictor = Predictor.load(store, ref)
    listener = _bind(host, port)
    shown = f"[{host}]" if ":" in host else host
    url = f"http://{shown}:{listener.getsockname()[1]}"
    return _make_server(predictor, hosts, token, lambda: on_ready and on_ready(url)), listener, url


def _find_hosts(host: str, token: str | None) -> frozenset[str] | None:
    """Give the names that requests may use; refuse to be open to others without a token."""
    if token is not None and (not token.isascii() or not token.strip()):
        raise InvalidValueError("token", "(not shown)", "one or more ASCII characters")
    try:
        local = ipaddress.ip_address(host).is_loopback
    except ValueError:
        local = host == "localhost"
    if not local and token is None:
        raise InvalidValueError(
            "host",
            host,
            "a loopback address such as 127.0.0.1 while no token is set",
            "Others could reach the model: give a token that every request must carry.",
        )
    if host in _ANY:
        return None  # called by whatever names this machine has; the token is the guard
    return _LOOPBACK | {f"[{host}]" if ":" in host else host.lower()}


def _bind(host: str, port: int) -> socket.socket:
    if isinstance(port, bool) or not isinstance(port, int) or not 0 <= port <= 65535:
        raise InvalidValueError("port", port, "0 to 65535", "Port 0 takes a free one.")
    try:
        family, kind, protocol, *_ = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        # asyncio switches Nagle off only where the protocol is named; it costs 44 ms an answer
        listener = socket.socket(family, kind, protocol)
    except OSError as error:
        raise InvalidValueError("host", host, f"a name of this machine ({error})") from None
    try:
        if os.name == "posix":  # a port that was just given back may be taken again
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        reason = (error.strerror or str(error)).lower()
        hint = "Port 0 takes a free one."
        raise InvalidValueError(
            "address", f"{host}:{port}", f"a free one ({reason})", hint
        ) from None
    return listener


def _make_server(
    predictor: Predictor,
    hosts: frozenset[str] | None,
    token: str | None,
    announce: Callable[[], Any],
) -> uvicorn.Server:
    import uvicorn

    from mlops_nb.serving.transport import make_protocol

    pool = ThreadPoolExecutor(_PREDICT_THREADS, thread_name_prefix="mlops-nb-predict")
    served = ServedModel(predictor, pool)
    config = uvicorn.Config(
        make_app(served, hosts, token),
        http=make_protocol(),
        ws="none",
        lifespan="off",
        log_config=None,
        log_level="error",  # what clients send wrong is their business, not the notebook's
        access_log=False,
        server_header=False,
        limit_concurrency=_MAX_CONNECTIONS,
        timeout_keep_alive=10,
        timeout_graceful_shutdown=_STOP_S,
        h11_max_incomplete_event_size=MAX_HEAD_BYTES,
    )
    return _make_server_class(served, announce)(config)


def _make_server_class(served: ServedModel, announce: Callable[[], Any]) -> type[uvicorn.Server]:
    import uvicorn

    class Server(uvicorn.Server):
        """Tells when it listens, and ends by returning instead of by the signal it got."""

        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            """Begin to listen."""
            await super().startup(sockets=sockets)
            if self.started:
                announce()

        async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
            """Answer what is under way, then end."""
            served.ready = False
            await super().shutdown(sockets=sockets)
            served.pool.shutdown(wait=False, cancel_futures=True)

        @contextlib.contextmanager
        def capture_signals(self) -> Iterator[None]:
            """End in order on SIGINT and SIGTERM."""
            if threading.current_thread() is not threading.main_thread():
                yield
                return
            before = {each: signal.signal(each, self.end) for each in _END_SIGNALS}
            try:
                yield
            finally:
                for each, handler in before.items():
                    signal.signal(each, handler)

        def end(self, number: int, frame: FrameType | None) -> None:
            """Take no new requests; a second signal ends at once."""
            served.ready = False
            self.handle_exit(number, frame)

    return Server

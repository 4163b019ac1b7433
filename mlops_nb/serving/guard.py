"""The gate before every route: who calls, by which name, from which page."""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

MAX_HEAD_BYTES = 16 * 1024
"""Longer request heads are refused."""
_OPEN_PATHS = frozenset({"/health/live", "/health/ready"})
"""Probes have no token."""
_EXTRA_HEADERS = [(b"x-content-type-options", b"nosniff"), (b"cache-control", b"no-store")]


class Guard:
    """Refuse requests that a web page elsewhere made a browser send, and those without the token.

    It stands before the router, so that a new route cannot be forgotten.

    Parameters
    ----------
    app
        The application behind.
    hosts
        Names that requests may call this server by; None lets any through.
    token
        Asked as ``Authorization: Bearer ...``; None asks for none.
    """

    def __init__(self, app: ASGIApp, hosts: frozenset[str] | None, token: str | None) -> None:
        self.app, self.hosts = app, hosts
        self.expected = None if token is None else b"Bearer " + token.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer why not."""
        if scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1008})
            return
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def send_marked(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", []), *_EXTRA_HEADERS]
            await send(message)

        refusal = self._find_refusal(scope)
        if refusal is None:
            await self.app(scope, receive, send_marked)
            return
        await _refuse(send_marked, *refusal)

    def _find_refusal(self, scope: Scope) -> tuple[int, str, str, str] | None:
        if sum(len(name) + len(value) + 4 for name, value in scope["headers"]) > MAX_HEAD_BYTES:
            return 431, "too_large", "the headers are too long", ""
        found: dict[bytes, bytes] = {}
        for name, value in scope["headers"]:
            if name == b"host" and name in found:
                return 403, "forbidden", "the Host header stands twice", ""
            found[name] = value
        hint = "Call it by the address it was started with."
        if not self._knows(found.get(b"host", b"")):
            return 403, "forbidden", "the Host header names another server", hint
        origin = found.get(b"origin")
        if origin is not None and not self._knows(origin.partition(b"://")[2]):
            return 403, "forbidden", "web pages of other sites may not call this server", ""
        if found.get(b"sec-fetch-site") == b"cross-site":
            return 403, "forbidden", "web pages of other sites may not call this server", ""
        if self.expected is None or scope["path"] in _OPEN_PATHS:
            return None
        if not hmac.compare_digest(found.get(b"authorization", b""), self.expected):
            hint = "Send the header Authorization: Bearer TOKEN."
            return 401, "unauthorized", "the token is missing or wrong", hint
        return None

    def _knows(self, given: bytes) -> bool:
        """Tell whether ``host[:port]`` is a name of this server."""
        if self.hosts is None:
            return bool(given)
        text = given.decode("latin-1").lower()
        if text.startswith("["):
            name, bracket, port = text.partition("]")
            name += bracket
        else:
            name, colon, port = text.partition(":")
            port = colon + port
        plain = port == "" or (port.startswith(":") and port[1:].isdigit())
        return plain and name in self.hosts


async def _refuse(send: Any, status: int, code: str, message: str, hint: str) -> None:
    import msgspec

    document = {"error": code, "message": message, "hint": hint, "path": ""}
    data = msgspec.json.encode(document)
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(data)).encode()),
    ]
    if status == 401:
        headers.append((b"www-authenticate", b"Bearer"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": data})

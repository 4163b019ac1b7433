"""HTTP/1.1 of uvicorn with a deadline for request heads, which uvicorn itself does not set."""

from __future__ import annotations

import asyncio
from typing import Any

HEAD_DEADLINE_S = 10.0
"""Connections that have sent no whole request head by then are closed."""


def make_protocol() -> type[asyncio.Protocol]:
    """Give the protocol class for uvicorn.

    Returns
    -------
    type
        On the h11 parser, so that all platforms behave the same.
    """
    from uvicorn.protocols.http.h11_impl import H11Protocol

    class PatientProtocol(H11Protocol):
        """Waits for a request head, but not for ever."""

        _head_timer: asyncio.TimerHandle | None = None

        def connection_made(self, transport: Any) -> None:
            """Begin to wait for the first head."""
            super().connection_made(transport)
            self._watch()

        def data_received(self, data: bytes) -> None:
            """Wait on while the head is not whole."""
            super().data_received(data)
            self._watch()

        def connection_lost(self, exc: Exception | None) -> None:
            """Wait no longer."""
            self._forget()
            super().connection_lost(exc)

        def _watch(self) -> None:
            import h11

            waiting = self.conn.their_state is h11.IDLE and bool(
                self.cycle is None or self.conn.trailing_data[0]
            )
            if not waiting:
                self._forget()
            elif self._head_timer is None:
                self._head_timer = self.loop.call_later(HEAD_DEADLINE_S, self._close)

        def _forget(self) -> None:
            if self._head_timer is not None:
                self._head_timer.cancel()
                self._head_timer = None

        def _close(self) -> None:
            self._head_timer = None
            self.transport.close()

    return PatientProtocol

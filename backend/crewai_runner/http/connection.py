"""Limits of a connection before there is a request: uvicorn's fast parser knows none of its own."""

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

MOST_HEAD_BYTES = 64 * 1024
HEAD_SECONDS = 15.0
KEEP_ALIVE_SECONDS = 75
"""Longer than usual proxies keep theirs (nginx: 60): who closes first must not be the server."""


class BoundedConnection(HttpToolsProtocol):
    """Ends a connection whose request line and headers are too large (431) or take too long (408)."""

    _head_bytes = 0
    _heard = False
    _in_head = True
    _policy: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._wait_for_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._forget_patience()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        began_in_head, self._heard = self._in_head, True
        super().data_received(data)
        if not self._in_head:
            self._head_bytes = 0
            self._forget_patience()
            return
        # What begins in the middle of a piece is not counted: most of that piece may be a body.
        self._head_bytes += len(data) if began_in_head else 0
        if self.transport.is_closing():
            return
        if self._head_bytes > MOST_HEAD_BYTES:
            self._end(b"431 Request Header Fields Too Large")
        elif self._policy is None:
            self._wait_for_head()

    def on_message_begin(self) -> None:
        self._in_head = True
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._in_head = False
        super().on_headers_complete()

    def _wait_for_head(self) -> None:
        self._policy = self.loop.call_later(HEAD_SECONDS, self._end, b"408 Request Timeout")

    def _forget_patience(self) -> None:
        if self._policy is not None:
            self._policy.cancel()
            self._policy = None

    def _end(self, status: bytes) -> None:
        self._forget_patience()
        if self._heard:  # who has said nothing is answered nothing
            self.transport.write(
                b"HTTP/1.1 " + status + b"\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
            )
        self.transport.close()


LIMITS: dict[str, Any] = {
    "http": BoundedConnection,
    "timeout_keep_alive": KEEP_ALIVE_SECONDS,
    # Only for the slower parser, should somebody choose it.
    "h11_max_incomplete_event_size": MOST_HEAD_BYTES,
    "ws_max_size": 1024 * 1024,
}
"""What every server process gives uvicorn. No limit on connections: it would refuse health checks too."""

"""Limits on requests that uvicorn's httptools parser does not enforce itself."""

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

MAX_HEADER_BYTES = 64 * 1024
HEADER_TIMEOUT_SECONDS = 15.0
UNREAD_BODY_SECONDS = 10.0
"""How long the rest of a body may take after the response, for example to a request without a valid key."""
KEEP_ALIVE_SECONDS = 75
"""Longer than the usual timeout of proxies (nginx: 60), so that the proxy closes idle connections first."""


class LimitedHttpProtocol(HttpToolsProtocol):
    """Closes connections whose request headers are too large (431) or arrive too slowly (408).

    Also closes those that keep sending a body after its response: uvicorn would discard it for ever. A client
    that asks to close its connection can send its body first: a connection that is closed before is reset,
    and the client cannot read why its request was refused.
    """

    _header_bytes = 0
    _has_received = False
    _in_headers = True
    _in_message = False
    _closes = False
    _header_timer: asyncio.TimerHandle | None = None
    _body_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._start_timer()

    def connection_lost(self, exc: Exception | None) -> None:
        self._cancel_timer()
        self._cancel_body_timer()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        began_in_headers, self._has_received = self._in_headers, True
        super().data_received(data)
        if not self._in_headers:
            self._header_bytes = 0
            self._cancel_timer()
            return
        # A block that began in a body is not counted: most of it may belong to that body.
        self._header_bytes += len(data) if began_in_headers else 0
        if self.transport.is_closing():
            return
        if self._header_bytes > MAX_HEADER_BYTES:
            self._close(b"431 Request Header Fields Too Large")
        elif self._header_timer is None:
            self._start_timer()

    def on_message_begin(self) -> None:
        self._in_headers = self._in_message = True
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._in_headers = False
        super().on_headers_complete()
        if self.cycle is not None:  # not a WebSocket
            self._closes = not self.cycle.keep_alive
            self.cycle.keep_alive = True

    def on_message_complete(self) -> None:
        self._in_message = False
        self._cancel_body_timer()
        if self._closes:
            self.cycle.keep_alive = False
            if self.cycle.response_complete:
                self.transport.close()
        super().on_message_complete()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        is_in_body = self._in_message and not self._in_headers
        # The current message may already be the next one of a pipeline.
        if is_in_body and self.cycle.response_complete and self._body_timer is None:
            self._body_timer = self.loop.call_later(UNREAD_BODY_SECONDS, self.transport.close)

    def _cancel_body_timer(self) -> None:
        if self._body_timer is not None:
            self._body_timer.cancel()
            self._body_timer = None

    def _start_timer(self) -> None:
        self._header_timer = self.loop.call_later(HEADER_TIMEOUT_SECONDS, self._close, b"408 Request Timeout")

    def _cancel_timer(self) -> None:
        if self._header_timer is not None:
            self._header_timer.cancel()
            self._header_timer = None

    def _close(self, status: bytes) -> None:
        self._cancel_timer()
        if self._has_received:  # an idle connection is closed without a response
            self.transport.write(
                b"HTTP/1.1 " + status + b"\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
            )
        self.transport.close()


UVICORN_LIMITS: dict[str, Any] = {
    "http": LimitedHttpProtocol,
    "timeout_keep_alive": KEEP_ALIVE_SECONDS,
    # Only effective with the h11 parser.
    "h11_max_incomplete_event_size": MAX_HEADER_BYTES,
    "ws_max_size": 1024 * 1024,
    # uvicorn would trust X-Forwarded-For of every loopback client; see ClientAddressMiddleware.
    "proxy_headers": False,
}
"""uvicorn options of every server process. No limit on connections: it would also reject health checks."""

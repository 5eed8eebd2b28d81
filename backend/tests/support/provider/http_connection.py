"""A minimal HTTP/1.1 server connection.

It uses ``asyncio.Protocol`` because the tests need what web frameworks hide: closing the socket
on purpose, and detecting immediately that the client has disconnected.
"""

import asyncio
import contextlib
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl, urlsplit

HEADER_END = b"\r\n\r\n"


class BadRequest(Exception):
    """The bytes are not an HTTP/1.1 request."""


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """One request; header names are lower case."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        """The body as JSON; an empty body is an empty object. Raises ``ValueError``."""
        return json.loads(self.body) if self.body else {}


def parse_request(buffer: bytearray) -> HttpRequest | None:
    """Remove one complete request from the buffer; returns None while bytes are missing.

    Raises ``BadRequest``.
    """
    end = buffer.find(HEADER_END)
    if end < 0:
        return None
    first, *lines = bytes(buffer[:end]).decode("latin-1").split("\r\n")
    headers = {
        name.strip().lower(): text.strip() for name, _, text in (line.partition(":") for line in lines)
    }
    parsed = _parse_body(buffer, end + len(HEADER_END), headers)
    if parsed is None:
        return None
    body, used = parsed
    try:
        method, target, _ = first.split(" ")
    except ValueError as error:
        raise BadRequest(first) from error
    del buffer[:used]
    parts = urlsplit(target)
    return HttpRequest(method, parts.path, dict(parse_qsl(parts.query)), headers, body)


def _parse_body(buffer: bytearray, start: int, headers: dict[str, str]) -> tuple[bytes, int] | None:
    """Return the body and the offset after it, or None while bytes are missing."""
    if "chunked" in headers.get("transfer-encoding", ""):
        return _parse_chunks(buffer, start)
    end = start + int(headers.get("content-length", "0"))
    return (bytes(buffer[start:end]), end) if len(buffer) >= end else None


def _parse_chunks(buffer: bytearray, start: int) -> tuple[bytes, int] | None:
    body = b""
    while (line_end := buffer.find(b"\r\n", start)) >= 0:
        size = int(bytes(buffer[start:line_end]).split(b";")[0], 16)
        chunk_start, start = line_end + 2, line_end + 2 + size + 2
        if len(buffer) < start:
            return None
        if size == 0:
            return body, start
        body += bytes(buffer[chunk_start : chunk_start + size])
    return None


Handler = Callable[["Connection", HttpRequest], Awaitable[None]]


class Connection(asyncio.Protocol):
    """One client connection; handles its requests sequentially."""

    def __init__(self, handler: Handler, open_connections: set["Connection"]) -> None:
        self._handler = handler
        self._open_connections = open_connections
        self._buffer = bytearray()
        self._transport: asyncio.Transport | None = None
        self._handler_task: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]
        self._open_connections.add(self)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        self._handle_next()

    def eof_received(self) -> None:
        self._cancel_handler()

    def connection_lost(self, exc: Exception | None) -> None:
        self._open_connections.discard(self)
        self._transport = None
        self._cancel_handler()

    def _cancel_handler(self) -> None:
        if self._handler_task is not None:
            self._handler_task.cancel()

    def _handle_next(self) -> None:
        if self._handler_task is not None or self._transport is None:
            return
        try:
            request = parse_request(self._buffer)
        except (BadRequest, ValueError):
            self.close()
            return
        if request is not None:
            self._handler_task = asyncio.ensure_future(self._serve(request))

    async def _serve(self, request: HttpRequest) -> None:
        try:
            with contextlib.suppress(asyncio.CancelledError):
                await self._handler(self, request)
        except BaseException:
            self.close()  # a function of a rule failed: do not leave the client waiting
            raise
        self._handler_task = None
        self._handle_next()

    def write(self, data: bytes) -> None:
        """Send bytes; does nothing if the client has disconnected."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)

    def send(
        self, status: int, content_type: str, body: bytes, headers: dict[str, str] | None = None
    ) -> None:
        """Send a complete response."""
        self.write(
            _head(status, {"Content-Type": content_type, "Content-Length": str(len(body)), **(headers or {})})
            + body
        )

    def send_json(self, status: int, content: Any, headers: dict[str, str] | None = None) -> None:
        """Send a complete JSON response."""
        self.send(status, "application/json", json.dumps(content).encode(), headers)

    def send_truncated_json(self, body: bytes) -> None:
        """Send the beginning of a JSON response whose Content-Length announces more."""
        self.write(
            _head(200, {"Content-Type": "application/json", "Content-Length": str(len(body) + 1000)}) + body
        )

    def start_chunked(self, content_type: str) -> None:
        """Start a chunked response; continue with ``send_chunk`` and ``end_chunked``."""
        self.write(
            _head(
                200,
                {"Content-Type": content_type, "Cache-Control": "no-cache", "Transfer-Encoding": "chunked"},
            )
        )

    def send_chunk(self, data: bytes) -> None:
        """Send one chunk."""
        self.write(b"%x\r\n%b\r\n" % (len(data), data))

    def end_chunked(self) -> None:
        """End the chunked response; the connection stays open."""
        self.write(b"0\r\n\r\n")

    def close(self) -> None:
        """Close the socket, even in the middle of a response."""
        if self._transport is not None:
            self._transport.abort()


def _head(status: int, headers: dict[str, str]) -> bytes:
    lines = [f"HTTP/1.1 {status} {_reason(status)}", *(f"{name}: {text}" for name, text in headers.items())]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def _reason(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Unknown"

"""Just enough HTTP/1.1 to answer model clients, with the socket close at hand.

Written on ``asyncio.Protocol`` because the tests need what web frameworks hide: dropping the
socket on purpose, and knowing at once that the client has gone.
"""

import asyncio
import contextlib
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl, urlsplit

EMPTY_LINE = b"\r\n\r\n"


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


def take_request(buffer: bytearray) -> HttpRequest | None:
    """Take one whole request out of the buffer, or None while bytes are missing.

    Raises ``BadRequest``.
    """
    end = buffer.find(EMPTY_LINE)
    if end < 0:
        return None
    first, *lines = bytes(buffer[:end]).decode("latin-1").split("\r\n")
    headers = {
        name.strip().lower(): text.strip() for name, _, text in (line.partition(":") for line in lines)
    }
    taken = _take_body(buffer, end + len(EMPTY_LINE), headers)
    if taken is None:
        return None
    body, used = taken
    try:
        method, target, _ = first.split(" ")
    except ValueError as error:
        raise BadRequest(first) from error
    del buffer[:used]
    parts = urlsplit(target)
    return HttpRequest(method, parts.path, dict(parse_qsl(parts.query)), headers, body)


def _take_body(buffer: bytearray, start: int, headers: dict[str, str]) -> tuple[bytes, int] | None:
    """The body and the offset behind it, or None while bytes are missing."""
    if "chunked" in headers.get("transfer-encoding", ""):
        return _take_chunks(buffer, start)
    end = start + int(headers.get("content-length", "0"))
    return (bytes(buffer[start:end]), end) if len(buffer) >= end else None


def _take_chunks(buffer: bytearray, start: int) -> tuple[bytes, int] | None:
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


Answer = Callable[["Connection", HttpRequest], Awaitable[None]]


class Connection(asyncio.Protocol):
    """One client connection; answers its requests one after the other."""

    def __init__(self, answer: Answer, open_connections: set["Connection"]) -> None:
        self._answer = answer
        self._open_connections = open_connections
        self._buffer = bytearray()
        self._transport: asyncio.Transport | None = None
        self._answering: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]
        self._open_connections.add(self)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        self._answer_next()

    def eof_received(self) -> None:
        self._abandon()

    def connection_lost(self, exc: Exception | None) -> None:
        self._open_connections.discard(self)
        self._transport = None
        self._abandon()

    def _abandon(self) -> None:
        if self._answering is not None:
            self._answering.cancel()

    def _answer_next(self) -> None:
        if self._answering is not None or self._transport is None:
            return
        try:
            request = take_request(self._buffer)
        except (BadRequest, ValueError):
            self.close()
            return
        if request is not None:
            self._answering = asyncio.ensure_future(self._serve(request))

    async def _serve(self, request: HttpRequest) -> None:
        try:
            with contextlib.suppress(asyncio.CancelledError):
                await self._answer(self, request)
        except BaseException:
            self.close()  # a rule's own function failed: no client waits for it in vain
            raise
        self._answering = None
        self._answer_next()

    def write(self, data: bytes) -> None:
        """Send bytes; they go nowhere when the client has left."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)

    def send(
        self, status: int, content_type: str, body: bytes, headers: dict[str, str] | None = None
    ) -> None:
        """Send one whole response."""
        self.write(
            _head(status, {"Content-Type": content_type, "Content-Length": str(len(body)), **(headers or {})})
            + body
        )

    def send_json(self, status: int, content: Any, headers: dict[str, str] | None = None) -> None:
        """Send one whole response as JSON."""
        self.send(status, "application/json", json.dumps(content).encode(), headers)

    def promise(self, body: bytes) -> None:
        """Send the beginning of a JSON response that announces more than it holds."""
        self.write(
            _head(200, {"Content-Type": "application/json", "Content-Length": str(len(body) + 1000)}) + body
        )

    def start_stream(self, content_type: str) -> None:
        """Begin a response of unknown length; go on with ``send_chunk`` and ``end_stream``."""
        self.write(
            _head(
                200,
                {"Content-Type": content_type, "Cache-Control": "no-cache", "Transfer-Encoding": "chunked"},
            )
        )

    def send_chunk(self, data: bytes) -> None:
        """Send one piece of a started stream."""
        self.write(b"%x\r\n%b\r\n" % (len(data), data))

    def end_stream(self) -> None:
        """End a started stream; the connection stays usable."""
        self.write(b"0\r\n\r\n")

    def close(self) -> None:
        """Close the socket, whatever was promised to the client."""
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

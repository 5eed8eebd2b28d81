"""One HTTP request to the gateway, and its response."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Protocol

Headers = Iterable[tuple[str, str]]


class RequestTooLarge(Exception):
    """The body of a request is larger than allowed."""


class ResponseChannel(Protocol):
    """Sends the response of one request; what is sent after a disconnect is discarded."""

    async def start(self, status: int, headers: Headers) -> None: ...

    async def send(self, data: bytes) -> None: ...

    async def finish(self) -> None: ...

    def abort(self) -> None:
        """Close the connection, so that the client sees that the response is incomplete."""


class Exchange:
    """A request whose body may still be arriving, and the channel for its response."""

    def __init__(
        self,
        method: str,
        target: str,
        headers: Mapping[str, tuple[str, ...]],
        channel: ResponseChannel,
        *,
        on_read: Callable[[], None] = lambda: None,
    ) -> None:
        self.method, self.target = method, target
        self._headers = headers
        self._channel = channel
        self._on_read = on_read
        self._body = bytearray()
        self._body_ended = asyncio.Event()
        self._is_too_large = False
        self.has_started = False
        """Whether the response has begun."""

    def header(self, name: str) -> str | None:
        """Return the value of a header, by its name in lower case; None if it is absent or sent twice."""
        values = self._headers.get(name, ())
        return values[0] if len(values) == 1 else None

    def feed(self, data: bytes) -> None:
        self._body += data

    def end_body(self) -> None:
        self._body_ended.set()

    def refuse_body(self) -> None:
        """Discard the body: it is too large."""
        self._is_too_large = True
        self._body.clear()
        self._body_ended.set()

    async def read_body(self) -> bytes:
        """Wait for the complete body and return it. Raises RequestTooLarge."""
        self._on_read()
        await self._body_ended.wait()
        if self._is_too_large:
            raise RequestTooLarge
        body = bytes(self._body)
        self._body.clear()
        return body

    async def start(self, status: int, headers: Headers) -> None:
        self.has_started = True
        await self._channel.start(status, headers)

    async def send(self, data: bytes) -> None:
        await self._channel.send(data)

    async def finish(self) -> None:
        await self._channel.finish()

    def abort(self) -> None:
        self._channel.abort()

    async def respond(self, status: int, body: bytes, headers: Headers = ()) -> None:
        """Send a complete JSON response."""
        fields = [("content-type", "application/json"), ("content-length", str(len(body))), *headers]
        await self.start(status, fields)
        await self.send(body)
        await self.finish()


ExchangeHandler = Callable[[Exchange], Awaitable[None]]
"""Answers one request; cancelled when the client disconnects."""

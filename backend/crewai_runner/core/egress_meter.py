"""Measures the requests of guarded HTTP clients: where each one goes, how much it carries, how it ends.

Bytes are those of HTTP, headers included, without what TLS adds. A connection that is kept alive serves one
request after the other, so what it carries belongs to the request that wrote last.
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextvars import ContextVar
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol, runtime_checkable

import httpcore
import httpx

from crewai_runner.core.url_validation import HostUnresolved, UrlRefused

_MAX_REASON_LENGTH = 500
_DEFAULT_PORTS = {"http": 80, "https": 443}


class RequestResult(StrEnum):
    """`failed`: it was allowed, and no complete answer arrived."""

    ALLOWED = "allowed"
    FAILED = "failed"
    REFUSED = "refused"


@dataclass(slots=True)
class MeasuredRequest:
    """One request, redirects apart. `sent` and `received` are bytes."""

    host: str
    port: int
    on_end: "OnRequestEnd"
    sent: int = 0
    received: int = 0
    result: RequestResult = RequestResult.ALLOWED
    reason: str | None = None
    refusal: UrlRefused | None = None
    seconds: float = 0.0
    _started: float = field(default_factory=time.monotonic)
    _is_over: bool = False
    _is_sending: bool = False

    def fail(self, error: BaseException) -> None:
        """Note why no complete answer arrived; the first reason counts."""
        if self.result is not RequestResult.ALLOWED:
            return
        is_refused = isinstance(error, UrlRefused) and not isinstance(error, HostUnresolved)
        self.result = RequestResult.REFUSED if is_refused else RequestResult.FAILED
        self.refusal = error if isinstance(error, UrlRefused) and is_refused else None
        text = "The request was cut off." if isinstance(error, asyncio.CancelledError) else str(error)
        self.reason = (text or type(error).__name__)[:_MAX_REASON_LENGTH]

    def end(self) -> None:
        """Report the request, once."""
        if not self._is_over:
            self._is_over = True
            self.seconds = time.monotonic() - self._started
            self.on_end(self)

    def end_with_connection(self) -> None:
        """Report the request whose connection was closed, unless `sending` does it with the reason."""
        if not self._is_sending:
            self.end()

    @contextlib.contextmanager
    def sending(self) -> Iterator[None]:
        """Count what is written and read in this block; an exception ends the request."""
        token, self._is_sending = _current.set(self), True
        try:
            yield
        except BaseException as error:
            self.fail(error)
            self.end()
            raise
        finally:
            self._is_sending = False
            _current.reset(token)

    def watch(self, response: httpx.Response) -> httpx.Response:
        """End the request when the body of its response is closed."""
        if isinstance(response.stream, httpx.AsyncByteStream):
            response.stream = _WatchedStream(response.stream, self)
        elif isinstance(response.stream, httpx.SyncByteStream):
            response.stream = _WatchedBlockingStream(response.stream, self)
        return response


OnRequestEnd = Callable[[MeasuredRequest], None]
"""Receives a request at its end, from the thread that made it; must not block or raise."""


@runtime_checkable  # pydantic checks it where a model of CrewAI holds a policy
class RequestObserver(Protocol):
    """Sees the requests of a client."""

    def begin_request(self) -> OnRequestEnd:
        """Note on whose behalf a request begins, which its context says; called where it is made."""


_current: ContextVar[MeasuredRequest | None] = ContextVar("measured_request", default=None)


def begin_measuring(observer: RequestObserver, url: httpx.URL) -> MeasuredRequest:
    """Begin the measurement of a request to a URL that nothing has checked yet."""
    host = url.raw_host.decode("ascii", "replace").lower()[:255]
    port = url.port or _DEFAULT_PORTS.get(url.scheme, 0)
    return MeasuredRequest(host, port, observer.begin_request())


class MeasuredStream(httpcore.AsyncNetworkStream):
    """Counts what a connection carries for the request that wrote last."""

    def __init__(self, stream: httpcore.AsyncNetworkStream) -> None:
        self._stream = stream
        self._request: MeasuredRequest | None = None

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109
        data = await self._stream.read(max_bytes, timeout)
        if self._request is not None:
            self._request.received += len(data)
        return data

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109
        self._request = _current.get() or self._request
        await self._stream.write(buffer, timeout)
        if self._request is not None:
            self._request.sent += len(buffer)

    async def aclose(self) -> None:
        try:
            await self._stream.aclose()
        finally:
            if self._request is not None:
                self._request.end_with_connection()

    async def start_tls(
        self,
        ssl_context: Any,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109
    ) -> httpcore.AsyncNetworkStream:
        return MeasuredStream(await self._stream.start_tls(ssl_context, server_hostname, timeout))

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


class MeasuredBlockingStream(httpcore.NetworkStream):
    """`MeasuredStream` for a thread without an event loop."""

    def __init__(self, stream: httpcore.NetworkStream) -> None:
        self._stream = stream
        self._request: MeasuredRequest | None = None

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        data = self._stream.read(max_bytes, timeout)
        if self._request is not None:
            self._request.received += len(data)
        return data

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._request = _current.get() or self._request
        self._stream.write(buffer, timeout)
        if self._request is not None:
            self._request.sent += len(buffer)

    def close(self) -> None:
        try:
            self._stream.close()
        finally:
            if self._request is not None:
                self._request.end_with_connection()

    def start_tls(
        self, ssl_context: Any, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        return MeasuredBlockingStream(self._stream.start_tls(ssl_context, server_hostname, timeout))

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


class _WatchedStream(httpx.AsyncByteStream):
    def __init__(self, stream: httpx.AsyncByteStream, request: MeasuredRequest) -> None:
        self._stream, self._request = stream, request

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            async for data in self._stream:
                yield data
        except Exception as error:
            self._request.fail(error)
            raise

    async def aclose(self) -> None:
        try:
            await self._stream.aclose()
        finally:
            self._request.end()


class _WatchedBlockingStream(httpx.SyncByteStream):
    def __init__(self, stream: httpx.SyncByteStream, request: MeasuredRequest) -> None:
        self._stream, self._request = stream, request

    def __iter__(self) -> Iterator[bytes]:
        try:
            yield from self._stream
        except Exception as error:
            self._request.fail(error)
            raise

    def close(self) -> None:
        try:
            self._stream.close()
        finally:
            self._request.end()

"""An HTTP/1.1 server connection that notices at once when its client is gone."""

import asyncio
import contextlib
from collections.abc import Callable
from typing import Any, cast

import h11

from crewai_runner.core.logging import get_logger
from crewai_runner.core.waiting import wait_event
from crewai_runner.executor.projects.gateway.exchange import Exchange, ExchangeHandler, Headers
from crewai_runner.executor.projects.gateway.limits import GatewayLimits

log = get_logger(__name__)
_DISCARD_SECONDS = 2.0
"""For which the rest of a refused body is read, so that the client can read the refusal."""


class ConnectionPool:
    """The connections of one run, and the memory that their request bodies take."""

    def __init__(self, handler: ExchangeHandler, limits: GatewayLimits) -> None:
        self.handler, self.limits = handler, limits
        self.open: set[Connection] = set()
        self.buffered_bytes = 0

    async def close(self) -> None:
        """Close every connection and wait until no request is handled any more."""
        tasks = [task for connection in list(self.open) if (task := connection.close()) is not None]
        if tasks:
            await asyncio.wait(tasks)


class Connection(asyncio.Protocol):
    """Handles the requests of one client, one after the other."""

    def __init__(self, pool: ConnectionPool) -> None:
        self._pool, self._limits = pool, pool.limits
        self._http = h11.Connection(h11.SERVER, max_incomplete_event_size=pool.limits.max_header_bytes)
        self._transport: asyncio.Transport | None = None
        self._exchange: Exchange | None = None
        self._task: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._body_bytes = self._unread_bytes = 0
        self._is_discarding = False
        self._writable = asyncio.Event()
        self._writable.set()

    # asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # A cast: the transports of uvloop are no subclasses.
        self._transport = connected = cast("asyncio.Transport", transport)
        self._pool.open.add(self)
        if len(self._pool.open) > self._limits.max_connections:
            connected.abort()
            return
        self._abort_after(self._limits.idle_seconds)

    def data_received(self, data: bytes) -> None:
        if self._is_discarding:
            return
        if self._task is not None and self._http.their_state is h11.DONE:
            # The next request, sent before the response to this one: it waits, unless it is large.
            self._unread_bytes += len(data)
            if self._unread_bytes > self._limits.max_header_bytes:
                self.abort()
                return
        self._http.receive_data(data)
        self._read_events()

    def eof_received(self) -> bool:
        self.abort()
        return False

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        self._pool.open.discard(self)
        self._transport = None
        self._writable.set()
        self._cancel_timer()
        self._release_body()
        if self._task is not None:
            self._task.cancel()

    def pause_writing(self) -> None:
        self._writable.clear()

    def resume_writing(self) -> None:
        self._writable.set()

    # Requests

    def _read_events(self) -> None:
        try:
            while self._transport is not None and self._take(self._http.next_event()):
                pass
        except h11.RemoteProtocolError as error:
            self._refuse(error.error_status_hint)

    def _take(self, event: Any) -> bool:
        """Handle an event; return whether another one may follow."""
        match event:
            case h11.Request():
                self._begin(event)
            case h11.Data() if self._exchange is not None:
                self._take_data(bytes(event.data), self._exchange)
            case h11.EndOfMessage() if self._exchange is not None:
                self._cancel_timer()
                self._exchange.end_body()
            case h11.ConnectionClosed():
                self.abort()
                return False
            case _:  # NEED_DATA, PAUSED
                return False
        return True

    def _begin(self, request: h11.Request) -> None:
        self._cancel_timer()
        headers: dict[str, tuple[str, ...]] = {}
        for name, value in request.headers:
            key = name.decode("ascii")
            headers[key] = (*headers.get(key, ()), value.decode("latin-1"))
        if "transfer-encoding" in headers and "content-length" in headers:
            raise h11.RemoteProtocolError("two lengths", error_status_hint=400)
        self._abort_after(self._limits.body_seconds)
        method, target = request.method.decode("ascii"), request.target.decode("latin-1")
        self._exchange = Exchange(method, target, headers, self, on_read=self._continue)
        self._task = asyncio.ensure_future(self._handle(self._exchange))

    def _continue(self) -> None:
        if self._http.they_are_waiting_for_100_continue:
            self._write(self._http.send(h11.InformationalResponse(status_code=100, headers=[])))

    def _take_data(self, data: bytes, exchange: Exchange) -> None:
        self._body_bytes += len(data)
        self._pool.buffered_bytes += len(data)
        limits = self._limits
        if self._body_bytes > limits.max_body_bytes or self._pool.buffered_bytes > limits.max_buffered_bytes:
            exchange.refuse_body()
            self._is_discarding = True
        elif not self._is_discarding:
            exchange.feed(data)

    async def _handle(self, exchange: Exchange) -> None:
        try:
            with contextlib.suppress(asyncio.CancelledError):
                await self._pool.handler(exchange)
                self._end_request()
                return
            self.abort()
        except Exception:
            log.exception("gateway_defect")
            self.abort()

    def _end_request(self) -> None:
        self._task = self._exchange = None
        self._unread_bytes = 0
        self._release_body()
        if self._http.our_state is h11.DONE and self._http.their_state is h11.DONE:
            self._http.start_next_cycle()
            self._abort_after(self._limits.idle_seconds)
            self._read_events()
        else:
            self._close_after_discarding()

    def _refuse(self, status: int) -> None:
        """Answer what is not a valid request, and close the connection."""
        if self._task is not None:
            self.abort()
            return
        with contextlib.suppress(h11.LocalProtocolError):
            headers = [("content-length", "0"), ("connection", "close")]
            self._write(self._http.send(h11.Response(status_code=status, headers=headers)))
            self._write(self._http.send(h11.EndOfMessage()))
        self._close_after_discarding()

    def _close_after_discarding(self) -> None:
        self._is_discarding = True
        if self._transport is not None and self._http.their_state in {h11.SEND_BODY, h11.ERROR}:
            if self._transport.can_write_eof():
                self._transport.write_eof()
            self._abort_after(_DISCARD_SECONDS)
        elif self._transport is not None:
            self._transport.close()

    def _release_body(self) -> None:
        self._pool.buffered_bytes -= self._body_bytes
        self._body_bytes = 0

    # ResponseChannel

    async def start(self, status: int, headers: Headers) -> None:
        self._write(self._http.send(h11.Response(status_code=status, headers=list(headers))))

    async def send(self, data: bytes) -> None:
        """Send a piece of the body; closes the connection of a client that does not read."""
        if not data:
            return
        self._write(self._http.send(h11.Data(data=data)))
        if not self._writable.is_set() and not await wait_event(self._writable, self._limits.write_seconds):
            self.abort()

    async def finish(self) -> None:
        self._write(self._http.send(h11.EndOfMessage()))

    def abort(self) -> None:
        if self._transport is not None:
            self._transport.abort()
        if self._task is not None:
            self._task.cancel()

    def close(self) -> asyncio.Task[None] | None:
        """Close the connection; return the task that still handles its request."""
        task = self._task
        self.abort()
        return task

    def _write(self, data: bytes | None) -> None:
        if data and self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)

    # Time limits

    def _abort_after(self, seconds: float) -> None:
        self._cancel_timer()
        self._timer = asyncio.get_running_loop().call_later(seconds, self.abort)

    def _cancel_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def connection_factory(pool: ConnectionPool) -> Callable[[], Connection]:
    return lambda: Connection(pool)

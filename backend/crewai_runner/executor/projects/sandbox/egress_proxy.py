"""The proxy through which a sandbox reaches allowed hosts: CONNECT, and plain HTTP with absolute URLs.

It listens on a Unix socket, the only way out of a sandbox besides the model gateway. Names are resolved here,
and every address is checked, as for all outgoing connections (core/egress_policy.py).
"""

import asyncio
import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from enum import StrEnum
from http import HTTPStatus
from pathlib import Path

from crewai_runner.core.egress_policy import EgressPolicy
from crewai_runner.core.host_patterns import HostPattern
from crewai_runner.core.logging import get_logger
from crewai_runner.core.url_validation import HostNotAllowed, HostUnresolved, UrlRefused
from crewai_runner.executor.projects.sandbox.proxy_request import (
    MalformedRequest,
    ProxyRequest,
    format_answer,
    parse_request,
)

log = get_logger(__name__)
READ_BYTES = 64 * 1024
REFUSAL_SECONDS = 1.0
ESTABLISHED = b"HTTP/1.1 200 Connection established\r\n\r\n"


@dataclass(frozen=True, slots=True)
class ProxyLimits:
    """Limits of one proxy; times in seconds. `idle` ends a connection on which nothing arrives."""

    connections: int = 64
    header_bytes: int = 32 * 1024
    header: float = 10.0
    connect: float = 10.0
    idle: float = 120.0
    total: float = 3600.0


class Refusal(StrEnum):
    """Why a connection was refused. Only `host-not-allowed` can be allowed for the project."""

    HOST_NOT_ALLOWED = "host-not-allowed"
    ADDRESS_REFUSED = "address-refused"
    HOST_UNRESOLVED = "host-unresolved"
    UNREACHABLE = "unreachable"


@dataclass(frozen=True, slots=True)
class EgressRecord:
    """One connection of a sandbox, recorded at its end: bytes sent by the sandbox and received by it."""

    host: str
    port: int
    refusal: Refusal | None
    sent: int
    received: int
    seconds: float

    @property
    def is_allowed(self) -> bool:
        return self.refusal is None


OnConnection = Callable[[EgressRecord], None]
"""Receives each connection at its end or refusal; called on the event loop, must not block."""


class _Refused(Exception):
    def __init__(self, refusal: Refusal, message: str) -> None:
        super().__init__(message)
        self.refusal = refusal


@dataclass(slots=True)
class _Traffic:
    """What has passed on one connection."""

    sent: int = 0
    received: int = 0
    last: float = field(default_factory=time.monotonic)


class EgressProxy:
    """The proxy of one run or build. Without allowed hosts it refuses everything."""

    def __init__(
        self,
        policy: EgressPolicy,
        allowed_hosts: tuple[HostPattern, ...],
        on_connection: OnConnection,
        limits: ProxyLimits | None = None,
    ) -> None:
        self._policy = replace(policy, allowed_hosts=allowed_hosts)
        self._on_connection = on_connection
        self._limits = limits or ProxyLimits()
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.Task[None]] = set()

    async def start(self, path: Path) -> None:
        """Listen on a new Unix socket. Raises OSError."""
        self._server = await asyncio.start_unix_server(self._accept, path, limit=self._limits.header_bytes)

    async def close(self) -> None:
        """Stop listening, and end every connection."""
        if self._server is not None:
            self._server.close()
        for task in self._connections:
            task.cancel()
        if self._connections:
            await asyncio.wait(self._connections)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._serve(reader, writer), name="egress-connection")
        self._connections.add(task)
        task.add_done_callback(self._connections.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(self._limits.total):
                await self._answer(reader, writer)
        except (OSError, TimeoutError):
            pass
        except Exception:
            log.exception("egress_proxy.connection_failed")
        finally:
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if len(self._connections) > self._limits.connections:
            message = "There are too many open connections."
            await _refuse(reader, writer, HTTPStatus.SERVICE_UNAVAILABLE, message)
            return
        try:
            request = await self._read_request(reader)
        except asyncio.IncompleteReadError:
            return
        except (MalformedRequest, asyncio.LimitOverrunError) as error:
            await _refuse(reader, writer, HTTPStatus.BAD_REQUEST, str(error))
            return
        started, traffic, refusal = time.monotonic(), _Traffic(), None
        try:
            upstream_reader, upstream_writer = await self._connect(request)
            try:
                await self._forward(request, (reader, writer), (upstream_reader, upstream_writer), traffic)
            finally:
                upstream_writer.close()
        except _Refused as error:
            refusal = error.refusal
            status = HTTPStatus.BAD_GATEWAY if refusal is Refusal.UNREACHABLE else HTTPStatus.FORBIDDEN
            await _refuse(reader, writer, status, str(error))
        finally:
            seconds = time.monotonic() - started
            self._on_connection(
                EgressRecord(request.host, request.port, refusal, traffic.sent, traffic.received, seconds)
            )

    async def _read_request(self, reader: asyncio.StreamReader) -> ProxyRequest:
        async with asyncio.timeout(self._limits.header):
            return parse_request(await reader.readuntil(b"\r\n\r\n"))

    async def _connect(self, request: ProxyRequest) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Connect to one of the checked addresses. Raises _Refused."""
        host, port = request.host, request.port
        try:
            async with asyncio.timeout(self._limits.connect):
                addresses = await self._policy.resolve_allowed(host, port)
        except HostNotAllowed as error:
            message = f"{host} (port {port}) is not among the hosts that this project may contact."
            raise _Refused(Refusal.HOST_NOT_ALLOWED, message) from error
        except (HostUnresolved, TimeoutError) as error:
            raise _Refused(Refusal.HOST_UNRESOLVED, f"The host {host} was not found.") from error
        except UrlRefused as error:
            raise _Refused(Refusal.ADDRESS_REFUSED, str(error)) from error
        for address in addresses:
            with contextlib.suppress(OSError, TimeoutError):
                async with asyncio.timeout(self._limits.connect):
                    return await asyncio.open_connection(address, port, limit=READ_BYTES)
        raise _Refused(Refusal.UNREACHABLE, f"{host} (port {port}) does not accept connections.")

    async def _forward(
        self,
        request: ProxyRequest,
        client: tuple[asyncio.StreamReader, asyncio.StreamWriter],
        upstream: tuple[asyncio.StreamReader, asyncio.StreamWriter],
        traffic: _Traffic,
    ) -> None:
        """Copy in both directions until the server has finished, or nothing has arrived for too long."""
        if request.is_tunnel:
            client[1].write(ESTABLISHED)
        else:
            upstream[1].write(request.head)
            traffic.sent += len(request.head)

        def count_sent(number: int) -> None:
            traffic.sent += number
            traffic.last = time.monotonic()

        def count_received(number: int) -> None:
            traffic.received += number
            traffic.last = time.monotonic()

        copies = [
            asyncio.create_task(_copy(client[0], upstream[1], count_sent)),
            asyncio.create_task(_copy(upstream[0], client[1], count_received)),
        ]
        try:
            await self._wait_until_over(copies, traffic)
        finally:
            for copy in copies:
                copy.cancel()
            await asyncio.wait(copies)

    async def _wait_until_over(self, copies: list[asyncio.Task[None]], traffic: _Traffic) -> None:
        """Return when the server has sent everything, when the client is gone, or when both are idle."""
        to_server, to_client = copies
        waiting = {to_server, to_client}
        while not to_client.done():
            left = traffic.last + self._limits.idle - time.monotonic()
            if left <= 0:
                return
            done, waiting = await asyncio.wait(waiting, timeout=left, return_when=asyncio.FIRST_COMPLETED)
            if to_server in done and to_server.exception() is not None:
                return


async def _refuse(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, status: HTTPStatus, message: str
) -> None:
    """Answer, and read what the client still sends: closing before that would discard the answer."""
    writer.write(format_answer(status, message))
    if writer.can_write_eof():
        writer.write_eof()
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(REFUSAL_SECONDS):
            while await reader.read(READ_BYTES):
                pass


async def _copy(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, count: Callable[[int], None]
) -> None:
    """Copy until the end of the input, and pass the end on. Raises OSError."""
    while data := await reader.read(READ_BYTES):
        writer.write(data)
        await writer.drain()
        count(len(data))
    if writer.can_write_eof():
        writer.write_eof()

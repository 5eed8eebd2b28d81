"""Lets a library that opens its own TCP connections reach one checked server, measured and with limits."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from crewai_runner.core.egress import EgressPolicy
from crewai_runner.core.egress_meter import MeasuredRequest

MAX_CLIENTS = 4
"""The library may open a second connection, to cancel what the first one does."""
_CHUNK = 64 * 1024
_CONNECT_SECONDS = 10.0


class TooMuchReceived(ConnectionError):
    """The server sent more than it may."""


@dataclass(slots=True)
class GuardedRelay:
    """A loopback port that leads to one of the addresses that the policy has checked.

    What is encrypted stays so: the library speaks TLS with the server itself. `error` says why the server
    was not reached, or what cut the connection.
    """

    addresses: tuple[str, ...]
    server_port: int
    max_received: int
    measured: MeasuredRequest | None
    port: int = 0
    error: Exception | None = None
    _received: int = 0
    _clients: int = 0
    _writers: set[asyncio.StreamWriter] = field(default_factory=set)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    def abort(self) -> None:
        """Close all connections at once."""
        for writer in self._writers:
            writer.transport.abort()

    async def close(self) -> None:
        """Close all connections, and wait until nothing of them goes on."""
        self.abort()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve a connection in a task."""
        task = asyncio.create_task(self.serve(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Forward one connection until a side closes it."""
        self._clients += 1
        self._writers.add(writer)
        try:
            if self._clients <= MAX_CLIENTS:
                await self._forward(reader, writer)
        except (OSError, TimeoutError) as error:
            self.error = self.error or error
        finally:
            writer.transport.abort()

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        server_reader, server_writer = await self._connect()
        self._writers.add(server_writer)
        sending = asyncio.create_task(self._send(reader, server_writer))
        receiving = asyncio.create_task(self._receive(server_reader, writer))
        try:
            done, _ = await asyncio.wait({sending, receiving}, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            server_writer.transport.abort()
            for task in (sending, receiving):
                task.cancel()
            await asyncio.gather(sending, receiving, return_exceptions=True)

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        failure: OSError = ConnectionError("the host has no address")
        for address in self.addresses:
            try:
                async with asyncio.timeout(_CONNECT_SECONDS):
                    return await asyncio.open_connection(address, self.server_port)
            except OSError as error:
                failure = error
        raise failure

    async def _send(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(_CHUNK):
            if self.measured is not None:
                self.measured.sent += len(data)
            writer.write(data)
            await writer.drain()

    async def _receive(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(_CHUNK):
            self._received += len(data)
            if self.measured is not None:
                self.measured.received += len(data)
            if self._received > self.max_received:
                raise TooMuchReceived(f"the answer has more than {self.max_received // 1_000_000} MB")
            writer.write(data)
            await writer.drain()


@contextlib.asynccontextmanager
async def open_relay(
    policy: EgressPolicy, host: str, port: int, max_received: int
) -> AsyncIterator[GuardedRelay]:
    """Check the host and listen for its client. Raises UrlRefused; the policy's observer sees it too."""
    measured = None
    if policy.observer is not None:
        measured = MeasuredRequest(host.lower()[:255], port, policy.observer.begin_request())
    try:
        relay = GuardedRelay(await policy.resolve_allowed(host, port), port, max_received, measured)
        server = await asyncio.start_server(relay.accept, "127.0.0.1", 0)
        relay.port = server.sockets[0].getsockname()[1]
        try:
            yield relay
        finally:
            server.close()
            await relay.close()
        if measured is not None and relay.error is not None:
            measured.fail(relay.error)
    except BaseException as error:
        if measured is not None:
            measured.fail(error)
        raise
    finally:
        if measured is not None:
            measured.end()

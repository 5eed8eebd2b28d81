"""Leads the connections of commands to their services: model gateway, egress proxy and bridge.

All commands use the same two ports and the same Unix socket. Linux says which user has opened a connection,
and so which command: no command reaches the services of another one.
"""

import asyncio
import contextlib
import os
import socket
import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from crewai_runner.core.logging import get_logger
from crewai_runner.executor.projects.sandbox.agent.places import EGRESS_PORT, GATEWAY_PORT, ServicePlaces
from crewai_runner.executor.projects.sandbox.port import BRIDGE_SOCKET, EGRESS_SOCKET, GATEWAY_SOCKET

log = get_logger(__name__)
MAX_CONNECTIONS = 200
READ_BYTES = 64 * 1024
_CREDENTIALS = struct.Struct("3i")
FindSockets = Callable[[int], Path | None]
"""Returns the folder of the sockets of a user's command; None if the user has none."""


def read_peer(connection: socket.socket) -> int:
    """Return the user at the other end of a Unix socket."""
    data = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    user: int = _CREDENTIALS.unpack(data)[1]
    return user


def find_owner(client_port: int, server_port: int) -> int | None:
    """Return the user that has opened a connection of loopback; None if it has gone. Blocks."""
    ends = f":{client_port:04X}", f":{server_port:04X}"
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        with contextlib.suppress(FileNotFoundError), Path(table).open(encoding="ascii") as lines:
            for line in lines:
                fields = line.split()
                if fields[1].endswith(ends[0]) and fields[2].endswith(ends[1]):
                    return int(fields[7])
    return None


@dataclass(slots=True)
class Relays:
    """The listeners of the service."""

    places: ServicePlaces
    find_sockets: FindSockets
    _servers: list[asyncio.Server] = field(default_factory=list)
    _open: dict[int, int] = field(default_factory=dict)

    async def start(self) -> None:
        """Listen on the ports and the socket. Raises OSError."""
        for port, name in ((GATEWAY_PORT, GATEWAY_SOCKET), (EGRESS_PORT, EGRESS_SOCKET)):
            self._servers.append(await asyncio.start_server(self._make_handler(name), "127.0.0.1", port))
        path = self.places.services / BRIDGE_SOCKET
        path.unlink(missing_ok=True)
        self._servers.append(await asyncio.start_unix_server(self._make_handler(BRIDGE_SOCKET), path))
        path.chmod(0o666)

    def close(self) -> None:
        for server in self._servers:
            server.close()

    def _make_handler(
        self, name: str
    ) -> Callable[[asyncio.StreamReader, asyncio.StreamWriter], "asyncio.Future[None]"]:
        def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> "asyncio.Future[None]":
            return asyncio.ensure_future(self._serve(name, reader, writer))

        return accept

    async def _serve(self, name: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            user = await self._identify(writer)
            sockets = None if user is None else self.find_sockets(user)
            if user is None or sockets is None:
                log.warning("sandbox.connection_refused", service=name, user=user)
                return
            count = self._open.get(user, 0)
            if count >= MAX_CONNECTIONS:
                return
            self._open[user] = count + 1
            try:
                await _relay(reader, writer, sockets / name)
            finally:
                self._open[user] -= 1
                if not self._open[user]:
                    del self._open[user]
        except OSError:
            pass
        finally:
            writer.close()

    @staticmethod
    async def _identify(writer: asyncio.StreamWriter) -> int | None:
        connection: socket.socket = writer.get_extra_info("socket")
        if connection.family == socket.AF_UNIX:
            return read_peer(connection)
        peer, own = writer.get_extra_info("peername"), writer.get_extra_info("sockname")
        return await asyncio.to_thread(find_owner, peer[1], own[1])


async def _relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, path: Path) -> None:
    """Copy in both directions until both have ended, or one has failed. Raises OSError."""
    upstream_reader, upstream_writer = await asyncio.open_unix_connection(os.fspath(path))
    copies = [
        asyncio.create_task(_copy(reader, upstream_writer)),
        asyncio.create_task(_copy(upstream_reader, writer)),
    ]
    try:
        await asyncio.wait(copies, return_when=asyncio.FIRST_EXCEPTION)
    finally:
        upstream_writer.close()
        for copy in copies:
            copy.cancel()
        await asyncio.gather(*copies, return_exceptions=True)


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(READ_BYTES):
        writer.write(data)
        await writer.drain()
    if writer.can_write_eof():
        writer.write_eof()

"""The forwarder of the launcher: loopback ports inside, Unix sockets outside."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from crewai_runner.executor.projects.sandbox.port import EGRESS_SOCKET, GATEWAY_SOCKET
from tests.executor.projects.sandbox.runner import ProgramRunner

PYTHONS = sorted(
    {
        Path(os.path.realpath(python))
        for folder in [Path.home() / ".pyenv" / "versions"]
        for python in folder.glob("3.1[0-3]*/bin/python3")
    }
    | {Path(os.path.realpath(sys.executable))}
)


@pytest.fixture
async def answered(runner: ProgramRunner) -> AsyncIterator[list[bytes]]:
    """Servers on both sockets: they answer each line with their name and the line."""
    received: list[bytes] = []

    def make_handler(name: bytes):  # type: ignore[no-untyped-def]
        async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            while line := await reader.readline():
                received.append(line)
                writer.write(name + b" " + line)
            received.append(b"end")
            writer.close()

        return handle

    assert runner.folders.sockets is not None
    servers = [
        await asyncio.start_unix_server(make_handler(name.encode()), runner.folders.sockets / name)
        for name in (GATEWAY_SOCKET, EGRESS_SOCKET)
    ]
    yield received
    for server in servers:
        server.close()


class TestForwarder:
    async def test_each_port_leads_to_its_socket(self, runner: ProgramRunner, answered: list[bytes]) -> None:
        layout = runner.sandbox.lay_out(runner.folders)
        spec = runner.make_spec("")
        source = (
            "import json, os, socket\n"
            "for port in json.loads(os.environ['PORTS']):\n"
            "    client = socket.create_connection(('127.0.0.1', port))\n"
            "    with client, client.makefile('rwb', 0) as file:\n"
            "        for line in (b'one\\n', b'two\\n'): file.write(line); print(file.readline())\n"
        )

        printed = await runner.ask(
            source,
            layout=spec.layout,
            environment={"PORTS": json.dumps([spec.layout.gateway_port, spec.layout.egress_port])},
        )

        assert printed.splitlines() == [
            f"b'{name} {line}\\n'" for name in (GATEWAY_SOCKET, EGRESS_SOCKET) for line in ("one", "two")
        ]
        assert layout.gateway_url.startswith("http://127.0.0.1:")

    async def test_large_data_in_both_directions(self, confined: ProgramRunner) -> None:
        async def reverse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write((await reader.read())[::-1])
            await writer.drain()
            writer.close()

        assert confined.folders.sockets is not None
        server = await asyncio.start_unix_server(reverse, confined.folders.sockets / GATEWAY_SOCKET)
        async with server:
            printed = await confined.ask(
                "import socket\n"
                "data = bytes(range(256)) * 40_000\n"
                "with socket.create_connection(('127.0.0.1', 8081)) as client:\n"
                "    client.sendall(data); client.shutdown(socket.SHUT_WR)\n"
                "    answer = b''.join(iter(lambda: client.recv(65536), b''))\n"
                "print(answer == data[::-1])"
            )

        assert printed == "True"

    async def test_many_connections(self, confined: ProgramRunner) -> None:
        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(await reader.readline())
            writer.close()

        assert confined.folders.sockets is not None
        server = await asyncio.start_unix_server(answer, confined.folders.sockets / GATEWAY_SOCKET)
        async with server:
            printed = await confined.ask(
                "import socket\n"
                "clients = [socket.create_connection(('127.0.0.1', 8081)) for _ in range(300)]\n"
                "for index, client in enumerate(clients): client.sendall(b'%d\\n' % index)\n"
                "def read(client):\n"
                "    with client: return client.makefile().readline()\n"
                "print([read(client) for client in clients] == [f'{index}\\n' for index in range(300)])"
            )

        assert printed == "True"

    async def test_the_end_of_a_client_reaches_the_server(
        self, confined: ProgramRunner, tmp_path: Path
    ) -> None:
        ended = asyncio.Event()

        async def wait_for_end(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(b"hello\n")
            await reader.read()
            ended.set()
            writer.close()

        assert confined.folders.sockets is not None
        server = await asyncio.start_unix_server(wait_for_end, confined.folders.sockets / GATEWAY_SOCKET)
        async with server:
            process, output = await confined.start(
                "import socket, time\n"
                "client = socket.create_connection(('127.0.0.1', 8081))\n"
                "print(client.recv(100), flush=True); client.close(); time.sleep(60)"
            )
            await output.wait_for("hello")
            async with asyncio.timeout(10):
                await ended.wait()
            await process.kill()

    async def test_a_kill_reaches_the_server(self, confined: ProgramRunner) -> None:
        ended = asyncio.Event()

        async def wait_for_end(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(b"hello\n")
            await reader.read()
            ended.set()
            writer.close()

        assert confined.folders.sockets is not None
        server = await asyncio.start_unix_server(wait_for_end, confined.folders.sockets / GATEWAY_SOCKET)
        async with server:
            process, output = await confined.start(
                "import socket, time\n"
                "client = socket.create_connection(('127.0.0.1', 8081))\n"
                "print(client.recv(100), flush=True); time.sleep(60)"
            )
            await output.wait_for("hello")
            await process.kill()
            async with asyncio.timeout(5):
                await ended.wait()


class TestVersions:
    @pytest.mark.parametrize("python", PYTHONS, ids=lambda python: python.name)
    async def test_launcher_runs(self, confined: ProgramRunner, python: Path) -> None:
        layout = confined.sandbox.lay_out(confined.folders, python)
        spec = confined.make_spec("", layout=layout, interpreter=python)

        printed = await confined.ask(
            "",
            layout=layout,
            interpreter=python,
            command=(layout.python, "-S", "-c", "import sys; print('%d.%d' % sys.version_info[:2])"),
        )

        assert python.name == f"python{printed}"
        assert spec.layout.python.startswith("/opt/python/bin/")

"""Starts commands that are MCP servers, in the sandbox of projects and without network."""

import asyncio
import contextlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

from crewai_runner.core.logging import get_logger
from crewai_runner.core.mcp_commands import McpCommand
from crewai_runner.core.setting_choices import ProjectsMode
from crewai_runner.executor.mcp.commands import CommandRefused, NoCommands, RunningCommand
from crewai_runner.executor.mcp.failures import ServerUnreachable
from crewai_runner.executor.projects.run_folders import (
    RunFolders,
    create_run_folders,
    remove_leftover_folders,
)
from crewai_runner.executor.projects.sandbox.port import (
    BRIDGE_SOCKET,
    Folders,
    Mount,
    OutputStream,
    Sandbox,
    SandboxFailed,
    SandboxLimits,
    SandboxProcess,
    SandboxSpec,
)
from crewai_runner.executor.projects.sandbox.selection import SandboxSelector

log = get_logger(__name__)
CONNECT_SECONDS = 10.0
MAX_LINE_BYTES = 8 * 1024**2
MAX_LOGGED = 2000
LIMITS = SandboxLimits(memory=1024**3, processes=128, work_size=256 * 1024**2, output=1024**2)
_selectors: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[object, SandboxSelector]] = WeakKeyDictionary()
"""A selector belongs to one event loop, and a process has several: that of the server and that of tools."""


@dataclass(frozen=True, slots=True)
class SandboxedCommands:
    """A CommandStarter. Each start has folders of its own in `folder`, which are removed with its end."""

    listed: Mapping[str, McpCommand]
    mode: ProjectsMode
    data_dir: Path
    folder: Path
    service_socket: Path | None = None

    async def start(self, name: str) -> RunningCommand:
        command = self.listed.get(name)
        if command is None:
            return await NoCommands().start(name)
        sandbox = await self._choose_sandbox(name)
        sockets_parent = None if self.service_socket is None else self.service_socket.parent
        await asyncio.to_thread(remove_leftover_folders, self.folder, sockets_parent)
        folders = await asyncio.to_thread(_create_folders, self.folder, sockets_parent)
        started = _SandboxedCommand(name, folders)
        try:
            await started.begin(sandbox, command)
        except SandboxFailed as error:
            await started.stop()
            raise CommandRefused(f"The command {name} is not started: {error}") from error
        except BaseException:
            await started.stop()
            raise
        return started

    async def _choose_sandbox(self, name: str) -> Sandbox:
        loop = asyncio.get_running_loop()
        of_loop = _selectors.setdefault(loop, {})
        key = (self.mode, self.data_dir, self.service_socket)
        choice = await of_loop.setdefault(key, SandboxSelector(*key)).choose()
        if choice.sandbox is None or not choice.sandbox.is_confined:
            raise CommandRefused(
                f"The command {name} is not started: MCP servers that are commands need a sandbox. "
                f"{choice.probe.message}; {choice.probe.hint}."
            )
        return choice.sandbox


class _SandboxedCommand:
    """A RunningCommand, which connects to a socket of ours before it becomes the server."""

    def __init__(self, name: str, folders: RunFolders) -> None:
        self._name, self._folders = name, folders
        self._streams: asyncio.Future[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = (
            asyncio.get_running_loop().create_future()
        )
        self._listener: asyncio.Server | None = None
        self._process: SandboxProcess | None = None
        self._errors = b""

    @property
    def reader(self) -> asyncio.StreamReader:
        return self._streams.result()[0]

    @property
    def writer(self) -> asyncio.StreamWriter:
        return self._streams.result()[1]

    async def begin(self, sandbox: Sandbox, command: McpCommand) -> None:
        """Start the command and wait for its connection. Raises SandboxFailed, ServerUnreachable."""
        path = self._folders.sockets / BRIDGE_SOCKET
        self._listener = await asyncio.start_unix_server(self._connect, path, limit=MAX_LINE_BYTES)
        self._process = await sandbox.start(_make_spec(sandbox, self._folders, command), self._keep_errors)
        ended = asyncio.create_task(self._process.wait())
        try:
            first: list[asyncio.Future[Any]] = [self._streams, ended]
            await asyncio.wait(first, timeout=CONNECT_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        finally:
            ended.cancel()
        if not self._streams.done():
            raise ServerUnreachable(f"The command {self._name} did not start. The server's log says why.")
        self._listener.close()

    async def stop(self) -> None:
        """End the command in the order that the protocol sets: close its input, terminate it, kill it."""
        if self._listener is not None:
            self._listener.close()
        if self._streams.done():
            with contextlib.suppress(OSError, RuntimeError):
                self.writer.close()
        if self._process is not None:
            end = await self._process.terminate()
            if self._errors:
                text = self._errors.decode("utf-8", "replace").strip()
                log.info("mcp.command_ended", command=self._name, status=end.status, errors=text)
        await asyncio.to_thread(self._folders.remove)

    def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._streams.done():
            writer.close()
        else:
            self._streams.set_result((reader, writer))

    def _keep_errors(self, stream: OutputStream, data: bytes) -> None:
        del stream  # its output goes to the socket
        self._errors = (self._errors + data)[-MAX_LOGGED:]


def _create_folders(parent: Path, sockets_parent: Path | None) -> RunFolders:
    """Blocks."""
    return create_run_folders(parent, parent / "no-files", sockets_parent)


def _make_spec(sandbox: Sandbox, own: RunFolders, command: McpCommand) -> SandboxSpec:
    folders = Folders(work=own.work, sockets=own.sockets)
    layout = sandbox.lay_out(folders)
    socket = f"{layout.sockets}/{BRIDGE_SOCKET}"
    relay = (layout.python, "-I", "-S", "-B", f"{layout.guest}/stdio_server.py", socket)
    return SandboxSpec(
        (*relay, *command.command),
        folders,
        layout,
        environment=command.environment,
        limits=LIMITS,
        mounts=tuple(Mount(Path(folder), folder) for folder in command.folders),
    )

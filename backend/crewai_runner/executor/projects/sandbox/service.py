"""Runs commands in the sandbox service of Compose: another container, which confines each by Landlock.

For machines that refuse namespaces, as containers do. The work folder is sent there and what was written
comes back, so the two containers share no folder that a command may write to.
"""

import asyncio
import contextlib
import hashlib
import os
import secrets
import socket
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

from crewai_runner import __version__
from crewai_runner.core.logging import get_logger
from crewai_runner.core.waiting import wait_event
from crewai_runner.executor.projects.sandbox.agent.places import (
    EGRESS_PORT,
    GATEWAY_PORT,
    SERVICE_USER,
    ServicePlaces,
)
from crewai_runner.executor.projects.sandbox.agent.protocol import (
    BUFFER_BYTES,
    PROTOCOL_VERSION,
    Channel,
    Exited,
    Failed,
    Folder,
    Hello,
    Kill,
    MalformedMessage,
    Output,
    Start,
    Started,
    Terminate,
)
from crewai_runner.executor.projects.sandbox.agent.relays import read_peer
from crewai_runner.executor.projects.sandbox.agent.transfer import FileReceiver, list_folders, send_files
from crewai_runner.executor.projects.sandbox.bwrap_arguments import GUEST_FOLDER
from crewai_runner.executor.projects.sandbox.port import (
    BRIDGE_SOCKET,
    EGRESS_SOCKET,
    GATEWAY_SOCKET,
    TERMINATE_SECONDS,
    EndCause,
    EscapeTargets,
    Folders,
    Layout,
    OnOutput,
    SandboxExit,
    SandboxFailed,
    SandboxProcess,
    SandboxSpec,
)
from crewai_runner.executor.projects.sandbox.work_folder import WrittenFile, read_states

log = get_logger(__name__)
START_SECONDS = 60.0
REMOVAL_SECONDS = 15.0
INSTALL_HINT = "start the service with `docker compose up --wait sandbox`; its log says what it lacks"


@dataclass(frozen=True, slots=True)
class SandboxService:
    """A Sandbox. Each command is another user in the service's container."""

    places: ServicePlaces
    salt: bytes = field(default_factory=lambda: secrets.token_bytes(16), repr=False)
    """Makes the names of the commands' folders unknown to other commands."""

    @property
    def name(self) -> str:
        return "the sandbox service"

    @property
    def is_confined(self) -> bool:
        return True

    def find_hint(self, message: str) -> str:
        del message
        return INSTALL_HINT

    @property
    def escape_targets(self) -> EscapeTargets:
        places = self.places
        return EscapeTargets(
            files=("/etc/shadow", "/proc/1/environ", str(places.runs), str(places.socket.parent)),
            written=("/tmp", "/var/tmp", str(places.runs), str(places.services)),  # noqa: S108
            sockets=(str(places.socket),),
        )

    def lay_out(self, folders: Folders, interpreter: Path = Path(sys.executable)) -> Layout:
        name = self._name(folders)
        python = os.path.realpath(interpreter)
        prefix = _find_prefix(interpreter)
        work, temporary = str(self.places.work(name)), str(self.places.temporary(name))
        environment = str(folders.environment or prefix)
        variables = {
            "PATH": f"{environment}/bin:{prefix}/bin:/usr/local/bin:/usr/bin:/bin",
            "HOME": temporary,
            "TMPDIR": temporary,
            "LANG": "C.UTF-8",
            "USER": "runner",
            "LOGNAME": "runner",
        }
        return Layout(
            project=str(folders.project or work),
            environment=environment,
            work=work,
            guest=str(GUEST_FOLDER),
            sockets=str(self.places.services),
            python=python,
            gateway_port=GATEWAY_PORT,
            egress_port=EGRESS_PORT,
            variables=variables,
        )

    async def start(self, spec: SandboxSpec, on_output: OnOutput) -> SandboxProcess:
        if spec.mounts:
            raise SandboxFailed("The sandbox service cannot mount a folder at another path.")
        channel = await self._connect()
        try:
            async with asyncio.timeout(START_SECONDS):
                await self._send_command(channel, spec)
        except (OSError, MalformedMessage, TimeoutError) as error:
            channel.close()
            message = str(error) or f"it did not answer within {START_SECONDS:g} s"
            raise SandboxFailed(f"The sandbox service failed at the start: {message}") from error
        except BaseException:
            channel.close()
            raise
        return ServiceProcess(channel, spec, on_output)

    async def _connect(self) -> Channel:
        """Return a connection to a service of this version. Raises SandboxFailed."""
        path = self.places.socket
        try:
            reader, writer = await asyncio.open_unix_connection(path, limit=BUFFER_BYTES)
        except OSError as error:
            message = f"The sandbox service does not answer at {path}: {error.strerror or error}"
            raise SandboxFailed(message) from error
        channel = Channel(reader, writer)
        try:
            connection: socket.socket = writer.get_extra_info("socket")
            if read_peer(connection) != SERVICE_USER:
                raise SandboxFailed(f"Another program than the sandbox service listens at {path}.")
            async with asyncio.timeout(START_SECONDS):
                received = await channel.receive()
            hello = None if received is None else received[0]
            if not isinstance(hello, Hello):
                user = os.geteuid()
                raise SandboxFailed(f"The sandbox service refuses user {user}: its folder has another owner.")
            if (hello.version, hello.product) != (PROTOCOL_VERSION, __version__):
                raise SandboxFailed(
                    f"The sandbox service has version {hello.product}, this process {__version__}: "
                    "build and start both again."
                )
        except (OSError, MalformedMessage, TimeoutError) as error:
            channel.close()
            raise SandboxFailed(f"The sandbox service does not answer as expected: {error}") from error
        except BaseException:
            channel.close()
            raise
        return channel

    async def _send_command(self, channel: Channel, spec: SandboxSpec) -> None:
        """Send the command and its files, and wait for its start. Raises SandboxFailed, OSError."""
        folders = spec.folders
        await asyncio.to_thread(_open_sockets, folders.sockets)
        prefix = _find_prefix(spec.interpreter)
        optional = (folders.project, folders.environment, None if prefix.is_relative_to("/usr") else prefix)
        start = Start(
            name=self._name(folders),
            command=spec.command,
            environment={**spec.layout.variables, **spec.environment},
            directory=spec.directory or spec.layout.work,
            readable=(str(GUEST_FOLDER), *(str(path) for path in optional if path is not None)),
            sockets=None if folders.sockets is None else str(folders.sockets),
            limits=spec.limits,
        )
        await channel.send(start)
        names, states = await asyncio.to_thread(
            lambda: (list_folders(folders.work), read_states(folders.work))
        )
        for name in names:
            await channel.send(Folder(path=name))
        await send_files(channel, folders.work, [WrittenFile(path, one.size) for path, one in states.items()])
        received = await channel.receive()
        answer = None if received is None else received[0]
        if isinstance(answer, Failed):
            raise SandboxFailed(f"The command could not be started: {answer.reason}")
        if not isinstance(answer, Started):
            raise SandboxFailed("The sandbox service ended the connection; its log says why.")

    def _name(self, folders: Folders) -> str:
        work = os.fsencode(folders.work)
        return hashlib.blake2b(work, key=self.salt, digest_size=16).hexdigest()


def _find_prefix(interpreter: Path) -> Path:
    """Return the folder that a Python is installed in."""
    return Path(os.path.realpath(interpreter)).parent.parent


def _open_sockets(folder: Path | None) -> None:
    """Let the group of this process, which the service has joined, use the sockets. Blocks."""
    if folder is None:
        return
    folder.chmod(0o710)
    for name in (GATEWAY_SOCKET, EGRESS_SOCKET, BRIDGE_SOCKET):
        with contextlib.suppress(FileNotFoundError):
            (folder / name).chmod(0o660)


class ServiceProcess:
    """A SandboxProcess in the container of the service."""

    def __init__(self, channel: Channel, spec: SandboxSpec, on_output: OnOutput) -> None:
        self._channel, self._spec, self._on_output = channel, spec, on_output
        self._started_at = time.monotonic()
        self._delivered = self._dropped = 0
        self._cause = EndCause.EXITED
        self._ended = asyncio.Event()
        self._following = asyncio.create_task(self._follow(), name="follow-sandbox-service")

    async def wait(self) -> SandboxExit:
        return await asyncio.shield(self._following)

    async def terminate(self, grace: float = TERMINATE_SECONDS) -> SandboxExit:
        if not self._ended.is_set():
            self._note_cause(EndCause.TERMINATED)
            await self._order(Terminate())
            if not await wait_event(self._ended, grace):
                return await self.kill()
        return await self.wait()

    async def kill(self) -> SandboxExit:
        if not self._ended.is_set():
            self._note_cause(EndCause.KILLED)
            await self._order(Kill())
        return await self.wait()

    def _note_cause(self, cause: EndCause) -> None:
        if self._cause in {EndCause.EXITED, EndCause.TERMINATED}:
            self._cause = cause

    async def _order(self, order: Terminate | Kill) -> None:
        with contextlib.suppress(OSError):  # the service has gone: so has the command
            await self._channel.send(order)

    async def _follow(self) -> SandboxExit:
        """Deliver output up to the end, then write the files that the command has written."""
        exited: Exited | None = None
        try:
            exited = await self._read_output()
            self._ended.set()
            receiver = FileReceiver(self._spec.folders.work, self._spec.limits)
            await receiver.receive_all(self._channel)
            if receiver.left_out:
                log.warning("sandbox.files_left_out", count=receiver.left_out)
            # The service ends the connection when it has removed everything: the folder can be used again.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(REMOVAL_SECONDS):
                    await self._channel.receive()
        except (OSError, MalformedMessage) as error:
            log.warning("sandbox.service_lost", error=str(error))
            if exited is None:
                self._note_cause(EndCause.SERVICE_LOST)
        finally:
            self._ended.set()
            self._channel.close()
        if exited is not None and exited.cause is not EndCause.EXITED:
            self._note_cause(exited.cause)
        seconds = time.monotonic() - self._started_at
        return SandboxExit(137 if exited is None else exited.status, self._cause, seconds, self._dropped)

    async def _read_output(self) -> Exited:
        while (received := await self._channel.receive()) is not None:
            message, data = received
            if isinstance(message, Exited):
                return message
            if isinstance(message, Output):
                self._deliver(message, data)
        raise MalformedMessage("The service ended the connection while the command ran.")

    def _deliver(self, message: Output, data: bytes) -> None:
        part = data[: max(0, self._spec.limits.output - self._delivered)]
        self._delivered += len(part)
        self._dropped += len(data) - len(part)
        if part:
            try:
                self._on_output(message.stream, part)
            except Exception:
                log.exception("sandbox.output_not_delivered", stream=message.stream)

"""One command of a worker: its folder, its process, its limits, and the files that it leaves."""

import asyncio
import base64
import contextlib
import json
import os
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from crewai_runner.core.logging import get_logger
from crewai_runner.executor.projects.sandbox.agent import confine
from crewai_runner.executor.projects.sandbox.agent.landlock_rules import build_rules
from crewai_runner.executor.projects.sandbox.agent.places import EGRESS_PORT, GATEWAY_PORT, ServicePlaces
from crewai_runner.executor.projects.sandbox.agent.protocol import (
    BUFFER_BYTES,
    Channel,
    Exited,
    Failed,
    Kill,
    MalformedMessage,
    Output,
    Start,
    Started,
    Terminate,
)
from crewai_runner.executor.projects.sandbox.agent.transfer import FileReceiver, send_files
from crewai_runner.executor.projects.sandbox.agent.usage import (
    find_excess,
    is_disk_full,
    remove_shared_files,
)
from crewai_runner.executor.projects.sandbox.agent.users import (
    acting_as,
    end_all,
    remove_folder,
    signal_all,
    unlock_folder,
)
from crewai_runner.executor.projects.sandbox.launch_config import resource_limits
from crewai_runner.executor.projects.sandbox.port import EndCause, OutputStream
from crewai_runner.executor.projects.sandbox.work_folder import FileState, list_written, read_states

log = get_logger(__name__)
WATCH_SECONDS = 0.5
DRAIN_SECONDS = 2.0
READ_BYTES = 64 * 1024


class StartRefused(Exception):
    """The command cannot be started; the message says why."""


@dataclass(frozen=True, slots=True)
class Confinement:
    """What holds on this machine: the version of Landlock, and the filter of system calls."""

    landlock: int
    call_filter: bytes


class CommandRun:
    """Serves one connection after its `start`, as one user. Use once."""

    def __init__(
        self, channel: Channel, start: Start, places: ServicePlaces, user: int, confinement: Confinement
    ) -> None:
        self._channel, self._start, self._user = channel, start, user
        self._confinement = confinement
        self._folder = places.run(start.name)
        self._work, self._temporary = places.work(start.name), places.temporary(start.name)
        self._services = places.services
        self._cause = EndCause.EXITED
        self._process: asyncio.subprocess.Process | None = None

    async def serve(self) -> None:
        """Run the command to its end and return what it has written; leave nothing behind."""
        try:
            await asyncio.to_thread(self._create_folders)
            await FileReceiver(self._work, self._start.limits, self._user).receive_all(self._channel)
            before = await asyncio.to_thread(self._read_states)
            try:
                process = await self._begin()
            except (StartRefused, OSError) as error:
                await self._channel.send(Failed(reason=str(error)))
                return
            await self._channel.send(Started())
            status = await self._supervise(process)
            await self._channel.send(Exited(status=status, cause=self._cause))
            await self._send_written(before)
        finally:
            await asyncio.shield(self._clean_up())

    async def _begin(self) -> asyncio.subprocess.Process:
        """Start the command. Raises StartRefused, OSError."""
        confinement = json.dumps(await asyncio.to_thread(self._build_config)).encode()
        read_end, write_end = os.pipe2(os.O_CLOEXEC)
        config = os.memfd_create("confinement", os.MFD_CLOEXEC)
        try:
            os.write(config, confinement)
            os.lseek(config, 0, os.SEEK_SET)
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-I", "-S", "-B", confine.__file__, str(config), str(write_end)),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                env={},
                cwd="/",
                start_new_session=True,
                pass_fds=(config, write_end),
            )
        finally:
            os.close(config)
            os.close(write_end)
            reader = os.fdopen(read_end, "rb")
        with reader:
            reason = await asyncio.to_thread(reader.read)
        if reason:
            raise StartRefused(reason.decode("utf-8", "replace"))
        return self._process

    def _build_config(self) -> Mapping[str, object]:
        start, ports = self._start, (GATEWAY_PORT, EGRESS_PORT)
        writable = (str(self._work), str(self._temporary))
        # To connect to a Unix socket needs no right of Landlock.
        with acting_as(self._user):
            rules = build_rules(self._confinement.landlock, start.readable, writable, ports)
        return {
            "command": start.command,
            "environment": start.environment,
            "directory": start.directory,
            "user": self._user,
            "limits": resource_limits(start.limits),
            "seccomp": base64.b64encode(self._confinement.call_filter).decode(),
            **asdict(rules),
        }

    async def _supervise(self, process: asyncio.subprocess.Process) -> int:
        """Return the exit status, once every process of the command has gone and its output is sent."""
        assert process.stdout is not None  # noqa: S101 - both were asked for
        assert process.stderr is not None  # noqa: S101
        pumps = [
            asyncio.create_task(self._pump(OutputStream.STDOUT, process.stdout)),
            asyncio.create_task(self._pump(OutputStream.STDERR, process.stderr)),
        ]
        watch, orders = asyncio.create_task(self._watch()), asyncio.create_task(self._obey())
        try:
            await _wait_for_exit(process.pid)
            await asyncio.to_thread(end_all, self._user)
            status = await process.wait()
            await asyncio.wait(pumps, timeout=DRAIN_SECONDS)
        finally:
            for task in (watch, orders, *pumps):
                task.cancel()
            await asyncio.gather(watch, orders, *pumps, return_exceptions=True)
        return status if status >= 0 else 128 - status

    async def _pump(self, stream: OutputStream, reader: asyncio.StreamReader) -> None:
        while data := await reader.read(READ_BYTES):
            await self._channel.send(Output(stream=stream), data)

    async def _obey(self) -> None:
        """Follow the worker's orders; kill the command when the worker has gone."""
        while True:
            try:
                received = await self._channel.receive()
            except (MalformedMessage, OSError):
                received = None
            order = None if received is None else received[0]
            if isinstance(order, Terminate):
                await asyncio.to_thread(signal_all, self._user, "TERM")
                continue
            await asyncio.to_thread(signal_all, self._user, "KILL")
            if not isinstance(order, Kill):
                return

    async def _watch(self) -> None:
        """End the command when it exceeds a limit that Linux does not keep."""
        cause, limits = None, self._start.limits
        while cause is None:
            await asyncio.sleep(WATCH_SECONDS)
            cause = await asyncio.to_thread(find_excess, self._user, self._work, self._temporary, limits)
        self._cause = cause
        await asyncio.to_thread(signal_all, self._user, "KILL")

    async def _send_written(self, before: Mapping[str, FileState]) -> None:
        limits = self._start.limits

        def list_files() -> tuple[list, int]:  # type: ignore[type-arg]
            unlock_folder(self._user, str(self._work))
            with acting_as(self._user):
                return list_written(self._work, before, limits.work_files, limits.work_size)

        files, left_out = await asyncio.to_thread(list_files)
        await send_files(self._channel, self._work, files, left_out, self._user)

    def _create_folders(self) -> None:
        if is_disk_full(self._services):
            raise StartRefused("the disk of the sandbox service is full")
        with acting_as(self._user):
            self._folder.mkdir(mode=0o700)
            self._work.mkdir(mode=0o755)
            self._temporary.mkdir(mode=0o700)

    def _read_states(self) -> Mapping[str, FileState]:
        with acting_as(self._user):
            return read_states(self._work)

    async def _clean_up(self) -> None:
        """End every process, also one that has not become the user yet, and remove its files."""
        process = self._process
        while process is not None and process.returncode is None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                process.kill()
            await asyncio.to_thread(signal_all, self._user, "KILL")
            await asyncio.sleep(0.01)
        await asyncio.to_thread(end_all, self._user)
        await asyncio.to_thread(remove_folder, self._user, str(self._folder))
        await asyncio.to_thread(remove_shared_files, self._user)


async def _wait_for_exit(process_id: int) -> None:
    """Wait for the end of a child. Up to Python 3.12.3 asyncio also waits for those that hold its output."""
    try:
        descriptor = os.pidfd_open(process_id)
    except ProcessLookupError:
        return
    loop, ended = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(descriptor, ended.set)
    try:
        await ended.wait()
    finally:
        loop.remove_reader(descriptor)
        os.close(descriptor)


def open_channel(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Channel:
    writer.transport.set_write_buffer_limits(high=BUFFER_BYTES)
    return Channel(reader, writer)


def remove_leftovers(runs: Path) -> None:
    """Remove the folders of an earlier process, each as its owner. Blocks."""
    for folder in runs.iterdir():
        owner = folder.lstat().st_uid
        if owner != 0:
            remove_folder(owner, str(folder))

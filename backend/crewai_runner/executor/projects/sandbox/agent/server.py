"""The sandbox service: accepts the connections of workers, and runs a command for each."""

import asyncio
import os
import signal
import stat
import sys
from dataclasses import dataclass, field
from pathlib import Path

from crewai_runner import __version__
from crewai_runner.core.logging import configure_logging, get_logger
from crewai_runner.core.setting_choices import LogFormat
from crewai_runner.executor.projects.sandbox.agent.call_filter import build_call_filter
from crewai_runner.executor.projects.sandbox.agent.landlock_rules import SCOPES_VERSION, find_version
from crewai_runner.executor.projects.sandbox.agent.places import SERVICE_USER, ServicePlaces
from crewai_runner.executor.projects.sandbox.agent.protocol import (
    BUFFER_BYTES,
    PROTOCOL_VERSION,
    Channel,
    Failed,
    Hello,
    MalformedMessage,
    Start,
)
from crewai_runner.executor.projects.sandbox.agent.relays import Relays, read_peer
from crewai_runner.executor.projects.sandbox.agent.run import (
    CommandRun,
    Confinement,
    StartRefused,
    open_channel,
    remove_leftovers,
)
from crewai_runner.executor.projects.sandbox.agent.users import UserPool, UserStillRuns, acting_as

log = get_logger(__name__)
MAX_COMMANDS = 200
_NO_FILES = Path("/proc"), Path("/dev"), Path("/sys")


class CannotServe(Exception):
    """The service cannot start here; the message says why, and what to do."""


@dataclass(slots=True)
class SandboxServer:
    """Serves until it is cancelled. `worker` is the only user that may connect.

    Where no confinement holds, it answers every start with `refusal`: workers say so to people.
    """

    places: ServicePlaces
    confinement: Confinement
    worker: int
    refusal: str = ""
    _users: UserPool = field(default_factory=UserPool)
    _sockets: dict[int, Path] = field(default_factory=dict)
    _tasks: "set[asyncio.Task[None]]" = field(default_factory=set)

    async def serve(self) -> None:
        relays = Relays(self.places, self._sockets.get)
        await relays.start()
        path = self.places.socket
        path.unlink(missing_ok=True)
        server = await asyncio.start_unix_server(self._accept, path, limit=BUFFER_BYTES)
        os.chown(path, -1, path.parent.stat().st_gid)
        path.chmod(0o660)
        log.info("sandbox.ready", socket=str(path), landlock=self.confinement.landlock, refusal=self.refusal)
        try:
            await server.serve_forever()
        finally:
            relays.close()
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._answer(reader, writer), name="sandbox-command")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            peer = read_peer(writer.get_extra_info("socket"))
            if peer != self.worker:
                if peer != SERVICE_USER:  # the container's health check connects as root
                    log.warning("sandbox.stranger_refused", user=peer)
                return
            channel = open_channel(reader, writer)
            await channel.send(Hello(version=PROTOCOL_VERSION, product=__version__))
            received = await channel.receive()
            if received is not None:
                await self._run(channel, received[0])
        except (OSError, MalformedMessage) as error:
            log.warning("sandbox.connection_lost", error=str(error))
        except Exception:
            log.exception("sandbox.command_failed")
        finally:
            writer.close()

    async def _run(self, channel: Channel, start: object) -> None:
        if not isinstance(start, Start):
            raise MalformedMessage("The first message is not a start.")
        try:
            self._check(start)
        except StartRefused as error:
            await channel.send(Failed(reason=str(error)))
            return
        user = self._users.take()
        if start.sockets is not None:
            self._sockets[user] = Path(start.sockets)
        try:
            await CommandRun(channel, start, self.places, user, self.confinement).serve()
        except StartRefused as error:
            await channel.send(Failed(reason=str(error)))
        except UserStillRuns:
            log.exception("sandbox.processes_left", user=user)
            self._sockets.pop(user, None)
            return  # no other command gets this user
        finally:
            self._sockets.pop(user, None)
        self._users.give_back(user)

    def _check(self, start: Start) -> None:
        """Refuse what no worker asks for: files of the service or of other commands. Raises StartRefused."""
        if self.refusal:
            raise StartRefused(self.refusal)
        if len(self._tasks) > MAX_COMMANDS:
            raise StartRefused("too many commands run at once")
        hidden = (self.places.runs, self.places.socket.parent)
        for given in start.readable:
            path = Path(os.path.normpath(given))
            if not path.is_absolute() or path.is_relative_to("/proc") or path.is_relative_to("/sys"):
                raise StartRefused(f"{given} may not be read")
            if any(path.is_relative_to(one) or one.is_relative_to(path) for one in hidden):
                raise StartRefused(f"{given} may not be read")


def prepare(places: ServicePlaces) -> SandboxServer:
    """Check what this machine offers, and create the folders. Raises CannotServe, OSError. Blocks."""
    if os.geteuid() != SERVICE_USER:
        raise CannotServe("the service must start as root: it runs each command as another user")
    version = find_version()
    call_filter = build_call_filter(can_listen=version >= SCOPES_VERSION)
    refusal = ""
    if version == 0:
        refusal = "the kernel of this machine does not offer Landlock (Linux 5.13 or newer, lsm=landlock)"
    elif call_filter is None:
        refusal = "system calls can be filtered on x86-64 and AArch64 only"
    shared = places.socket.parent.stat()
    if stat.S_IMODE(shared.st_mode) & 0o007:
        raise CannotServe(f"{places.socket.parent} must not be open to everyone (chmod o= on it)")
    _become_member(shared.st_gid)
    places.runs.chmod(0o1733)
    places.services.mkdir(exist_ok=True)
    places.services.chmod(0o755)
    remove_leftovers(places.runs)
    return SandboxServer(places, Confinement(version, call_filter or b""), shared.st_uid, refusal)


def _become_member(group: int) -> None:
    """Join the group of the workers, whose sockets are open to it; check the right to become a user."""
    try:
        os.setgroups([group])
        with acting_as(65_534):
            pass
    except PermissionError as error:
        raise CannotServe(f"the service needs the capabilities SETUID and SETGID: {error}") from error


def serve(places: ServicePlaces) -> int:
    """Serve until a signal; return the exit status."""
    configure_logging("INFO", LogFormat.JSON, lambda text: text)
    try:
        server = prepare(places)
        asyncio.run(_serve_until_signalled(server))
    except (CannotServe, OSError) as error:
        print(f"The sandbox service cannot start: {error}", file=sys.stderr)  # noqa: T201
        return 1
    return 0


async def _serve_until_signalled(server: SandboxServer) -> None:
    """Serve up to SIGTERM or SIGINT; then every command is killed."""
    serving = asyncio.ensure_future(server.serve())
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, serving.cancel)
    try:
        await serving
    except asyncio.CancelledError:
        log.info("sandbox.stopped")

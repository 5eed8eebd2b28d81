"""What the sandbox service decides by itself: filter of calls, rules of Landlock, paths, users, messages."""

import asyncio
import errno
import socket
import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crewai_runner.executor.projects.sandbox.agent.call_filter import build_call_filter, call_numbers
from crewai_runner.executor.projects.sandbox.agent.landlock_rules import READ, Access, build_rules
from crewai_runner.executor.projects.sandbox.agent.places import ServicePlaces
from crewai_runner.executor.projects.sandbox.agent.protocol import (
    BUFFER_BYTES,
    Channel,
    Data,
    End,
    File,
    Folder,
    MalformedMessage,
    Message,
    Start,
)
from crewai_runner.executor.projects.sandbox.agent.relays import Relays
from crewai_runner.executor.projects.sandbox.agent.run import CommandRun, Confinement, StartRefused
from crewai_runner.executor.projects.sandbox.agent.server import MAX_COMMANDS, SandboxServer
from crewai_runner.executor.projects.sandbox.agent.transfer import FileReceiver
from crewai_runner.executor.projects.sandbox.agent.users import FIRST_USER, USERS, UserPool, UserStillRuns
from crewai_runner.executor.projects.sandbox.port import SandboxLimits
from crewai_runner.executor.projects.sandbox.seccomp import refused_calls

ALLOW, REFUSE, UNKNOWN = 0x7FFF0000, 0x00050000 | errno.EPERM, 0x00050000 | errno.ENOSYS
ARCHITECTURES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}


def interpret(program: bytes, architecture: int, number: int, arguments: tuple[int, ...] = ()) -> int:
    """Execute the filter on a system call; return its verdict."""
    call = struct.pack("=IIQ", number, architecture, 0)
    call += struct.pack("=6Q", *(*arguments, 0, 0, 0, 0, 0, 0)[:6])
    instructions = list(struct.iter_unpack("=HBBI", program))
    loaded, place = 0, 0
    while True:
        code, then, otherwise, value = instructions[place]
        place += 1
        match code:
            case 0x06:
                return int(value)
            case 0x20:
                loaded = struct.unpack_from("=I", call, value)[0]
            case 0x54:
                loaded &= value
            case 0x15:
                place += then if loaded == value else otherwise
            case 0x35:
                place += then if loaded >= value else otherwise
            case 0x45:
                place += then if loaded & value else otherwise


@pytest.mark.parametrize("machine", ARCHITECTURES)
class TestCallFilter:
    @given(number=st.integers(0, 2**32 - 1) | st.integers(0, 500))
    def test_other_calls_are_those_of_the_common_filter(self, machine: str, number: int) -> None:
        numbers = call_numbers(machine)
        if number in numbers.values():
            return
        program = build_call_filter(machine)
        assert program is not None

        is_refused = number in refused_calls(machine).values() or number >= 0x40000000

        assert interpret(program, ARCHITECTURES[machine], number) == (REFUSE if is_refused else ALLOW)

    @pytest.mark.parametrize(
        ("name", "arguments", "verdict"),
        [
            ("unshare", (0,), REFUSE),
            ("setns", (3, 0), REFUSE),
            ("shmget", (1, 1, 0), REFUSE),
            ("clone3", (0, 0), UNKNOWN),
            ("clone", (0x1200011,), ALLOW),  # fork of the C library
            ("clone", (0x3D0F00,), ALLOW),  # a thread
            ("clone", (0x10000011,), REFUSE),
            ("clone", (0x00020011,), REFUSE),
            ("listen", (3, 1), ALLOW),
            ("socket", (1, 0x80001, 0), ALLOW),
            ("socket", (2, 1, 0), ALLOW),
            ("socket", (10, 0x801, 6), ALLOW),
            ("socket", (2, 1, 262), REFUSE),
            ("socket", (2, 2, 0), REFUSE),
            ("socket", (2, 3, 1), REFUSE),
            ("socket", (1, 2, 0), REFUSE),
            ("socket", (16, 0x80003, 0), ALLOW),
            ("socket", (16, 3, 2), REFUSE),
            ("socket", (17, 3, 0), REFUSE),
            ("socket", (40, 1, 0), REFUSE),
            ("sendto", (3, 0, 1, 0x4000), ALLOW),
            ("sendto", (3, 0, 1, 0x20004000), REFUSE),
            ("sendmsg", (3, 0, 0x20000000), REFUSE),
            ("sendmmsg", (3, 0, 1, 0x20000000), REFUSE),
        ],
    )
    def test_arguments(self, machine: str, name: str, arguments: tuple[int, ...], verdict: int) -> None:
        program = build_call_filter(machine)
        assert program is not None

        assert interpret(program, ARCHITECTURES[machine], call_numbers(machine)[name], arguments) == verdict

    def test_nothing_listens_where_landlock_is_too_old(self, machine: str) -> None:
        program = build_call_filter(machine, can_listen=False)
        assert program is not None

        assert interpret(program, ARCHITECTURES[machine], call_numbers(machine)["listen"]) == REFUSE

    def test_other_architectures_are_refused(self, machine: str) -> None:
        program = build_call_filter(machine)
        assert program is not None

        assert interpret(program, 0x40000003, 1) == REFUSE


class TestRules:
    @pytest.mark.parametrize(
        ("version", "files", "network", "scopes"),
        [(1, 13, 0, 0), (2, 14, 0, 0), (3, 15, 0, 0), (4, 15, 3, 0), (5, 16, 3, 0), (7, 16, 3, 3)],
    )
    def test_everything_that_the_version_knows_is_refused_by_default(
        self, version: int, files: int, network: int, scopes: int
    ) -> None:
        rules = build_rules(version, [], [], [])

        assert rules.files == (1 << files) - 1
        assert (rules.network, rules.scopes) == (network, scopes)
        assert all(access & ~rules.files == 0 for _, access in rules.paths)

    def test_folders_and_files(self, tmp_path: Path) -> None:
        (tmp_path / "file").touch()
        given = [str(tmp_path), str(tmp_path / "file"), str(tmp_path / "missing")]

        allowed = dict(build_rules(7, given, [], [8081]).paths)

        assert allowed[given[0]] == READ
        assert allowed[given[1]] == Access.EXECUTE | Access.READ_FILE
        assert given[2] not in allowed
        assert not {"/", "/etc", "/proc", "/tmp", "/root", "/var", "/run"} & set(allowed)


class TestPaths:
    @pytest.mark.parametrize(
        "path", ["/runs", "/", "/runs/other/work", "/run/shared", "/proc/1", "x", "/a/../runs"]
    )
    def test_of_the_service_or_of_other_commands(self, path: str) -> None:
        server = SandboxServer(ServicePlaces(Path("/run/shared/s.sock")), Confinement(7, b""), 10001)

        with pytest.raises(StartRefused, match="may not be read"):
            server._check(make_start(readable=(path,)))

    def test_of_environments(self) -> None:
        server = SandboxServer(ServicePlaces(Path("/run/shared/s.sock")), Confinement(7, b""), 10001)

        server._check(make_start(readable=("/environments/environments/1/venv", "/usr/local")))

    def test_refusal_of_the_machine(self) -> None:
        places = ServicePlaces(Path("/run/shared/s.sock"))

        with pytest.raises(StartRefused, match="no Landlock"):
            SandboxServer(places, Confinement(0, b""), 10001, "no Landlock")._check(make_start())


class TestCommands:
    def make_server(self) -> SandboxServer:
        return SandboxServer(ServicePlaces(Path("/run/shared/s.sock")), Confinement(7, b""), 10001)

    async def run(self, server: SandboxServer) -> None:
        ours, theirs = socket.socketpair()
        channel = Channel(*await asyncio.open_unix_connection(sock=ours))
        try:
            await server._run(channel, make_start().model_copy(update={"sockets": "/run/shared/1"}))
        finally:
            channel.close()
            theirs.close()

    def test_too_many_at_once(self) -> None:
        server = self.make_server()
        server._tasks = {object() for _ in range(MAX_COMMANDS + 1)}  # type: ignore[misc]

        with pytest.raises(StartRefused, match="too many commands"):
            server._check(make_start())

    @pytest.mark.parametrize(("left", "is_free"), [(None, True), (UserStillRuns("left"), False)])
    async def test_user_is_used_again_only_without_processes(
        self, monkeypatch: pytest.MonkeyPatch, left: Exception | None, is_free: bool
    ) -> None:
        server, seen = self.make_server(), list[dict[int, Path]]()

        async def serve(_run: CommandRun) -> None:
            seen.append(dict(server._sockets))
            if left is not None:
                raise left

        monkeypatch.setattr(CommandRun, "serve", serve)

        await self.run(server)

        [sockets] = seen
        assert list(sockets.values()) == [Path("/run/shared/1")]
        assert (server._users._used == set()) == is_free
        assert server._sockets == {}


class TestRelays:
    async def test_connections_of_a_command_are_bounded(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        served = asyncio.Event()

        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            served.set()
            await reader.read()
            writer.close()

        async def connect() -> tuple[asyncio.Task[None], asyncio.StreamReader, asyncio.StreamWriter]:
            ours, theirs = socket.socketpair()
            task = asyncio.create_task(
                relays._serve("gateway", *await asyncio.open_unix_connection(sock=theirs))
            )
            return task, *await asyncio.open_unix_connection(sock=ours)

        monkeypatch.setattr("crewai_runner.executor.projects.sandbox.agent.relays.MAX_CONNECTIONS", 1)
        upstream = await asyncio.start_unix_server(answer, tmp_path / "gateway")
        relays = Relays(ServicePlaces(tmp_path / "s.sock"), lambda _user: tmp_path)
        first, _, writer = await connect()
        await served.wait()

        second, reader, other = await connect()

        assert await asyncio.wait_for(reader.read(), 30) == b""
        assert not first.done()
        for one in (writer, other):
            one.close()
        await asyncio.wait_for(asyncio.gather(first, second), 30)
        assert relays._open == {}
        upstream.close()


def make_start(readable: tuple[str, ...] = ()) -> Start:
    return Start(
        name="0" * 32,
        command=("true",),
        environment={},
        directory="/",
        readable=readable,
        sockets=None,
        limits=SandboxLimits(),
    )


class TestFileReceiver:
    @pytest.mark.parametrize("path", ["../x", "/etc/x", "a//b", "a/./b", "", "a\0b", "x" * 5000])
    async def test_paths_that_lead_out(self, tmp_path: Path, path: str) -> None:
        with pytest.raises(MalformedMessage):
            await receive(tmp_path, [(File(path=path), b"")])

    async def test_limits(self, tmp_path: Path) -> None:
        limits = SandboxLimits(work_files=3, work_size=10)
        contents = [("a", b"12345"), ("b", b"123456"), ("c", b"1"), ("d", b"1")]
        messages: list[tuple[Message, bytes]] = []
        for name, data in contents:
            messages += [(File(path=name), b""), (Data(), data)]

        left_out = await receive(tmp_path, messages, limits)

        assert (tmp_path / "a").read_bytes() == b"12345"
        assert left_out == 3

    async def test_a_folder_in_the_place_of_a_file(self, tmp_path: Path) -> None:
        (tmp_path / "a").touch()

        left_out = await receive(
            tmp_path, [(Folder(path="b"), b""), (File(path="b"), b""), (File(path="a/c"), b"")]
        )

        assert left_out == 2

    async def test_links_are_not_followed(self, tmp_path: Path) -> None:
        (tmp_path / "work").mkdir()
        (tmp_path / "target").write_text("kept")
        (tmp_path / "work" / "link").symlink_to(tmp_path / "target")

        with pytest.raises(OSError, match="symbolic links"):
            await receive(tmp_path / "work", [(File(path="link"), b""), (Data(), b"changed")])

        assert (tmp_path / "target").read_text() == "kept"

    async def test_an_unexpected_message(self, tmp_path: Path) -> None:
        with pytest.raises(MalformedMessage, match="not expected"):
            await receive(tmp_path, [(make_start(), b"")])

    async def test_an_early_end(self, tmp_path: Path) -> None:
        with pytest.raises(MalformedMessage, match="ended before"):
            await receive(tmp_path, [], is_complete=False)


async def receive(
    root: Path,
    messages: list[tuple[Message, bytes]],
    limits: SandboxLimits | None = None,
    *,
    is_complete: bool = True,
) -> int:
    """Send messages over a pair of sockets to a receiver; return how many files it left out."""
    ours, theirs = socket.socketpair()
    sender = Channel(*await asyncio.open_unix_connection(sock=ours, limit=BUFFER_BYTES))
    taker = Channel(*await asyncio.open_unix_connection(sock=theirs, limit=BUFFER_BYTES))
    receiver = FileReceiver(root, limits or SandboxLimits())
    try:
        for message, data in messages:
            await sender.send(message, data)
        if is_complete:
            await sender.send(End())
        sender.close()
        await receiver.receive_all(taker)
    finally:
        sender.close()
        taker.close()
    return receiver.left_out


class TestUsers:
    def test_a_user_is_used_again_last(self) -> None:
        pool = UserPool()
        first = pool.take()
        pool.give_back(first)

        others = [pool.take() for _ in range(USERS - 1)]

        assert len({first, *others}) == USERS
        assert min(first, *others) == FIRST_USER
        assert pool.take() == first

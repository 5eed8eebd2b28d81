"""Programs that try to harm in the real sandbox service: each attack that ADR-0028 lists is contained."""

import asyncio
import json
import os
import signal
import socket
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from crewai_runner.executor.projects.sandbox.agent.users import FIRST_USER
from crewai_runner.executor.projects.sandbox.port import GATEWAY_SOCKET, EndCause
from crewai_runner.executor.projects.sandbox.service import SandboxService
from crewai_runner.executor.projects.sandbox.work_folder import list_written
from tests.executor.projects.sandbox.runner import LIMITS, ProgramRunner, make_folders
from tests.support.sandbox_container import WORKERS, SandboxContainer

CANARY = "canary-7f3a"
TRY = (
    "import ctypes, os, socket, sys, time\n"
    "libc = ctypes.CDLL(None, use_errno=True)\n"
    "def attempt(action):\n"
    "    try: return action() or 'done'\n"
    "    except OSError as error: return error.errno\n"
)
EPERM, EACCES, ESRCH, EXDEV, ENOSYS = 1, 13, 3, 18, 38


@pytest.fixture
def other(container: SandboxContainer, tmp_path: Path) -> ProgramRunner:
    """Runs a second program beside the one of `served`."""
    folder = tmp_path / "other"
    folder.mkdir()
    return ProgramRunner(SandboxService(container.places), make_folders(folder))


class TestFiles:
    async def test_nothing_of_the_machine_can_be_read(
        self, served: ProgramRunner, container: SandboxContainer
    ) -> None:
        places = container.places
        paths = ["/etc/shadow", "/root", "/home", "/var/log", "/tmp", "/proc", "/sys", str(places.runs)]
        paths += [str(places.socket.parent), str(places.services), str(Path(__file__).parent), "/"]

        found = await served.ask(
            TRY + f"for path in {paths}:\n"
            "    print(attempt(lambda: os.listdir(path) if os.path.isdir(path) else open(path).read()))"
        )

        assert found.splitlines() == [str(EACCES)] * len(paths)

    async def test_only_its_own_folders_are_writable(
        self, served: ProgramRunner, container: SandboxContainer
    ) -> None:
        places = container.places
        paths = [*("/tmp", "/var/tmp", "/usr", "/etc", "/dev", "/run", "/root"), str(places.runs)]
        paths += [str(places.services), str(places.socket.parent)]

        found = await served.ask(
            TRY + f"for path in {paths}:\n    print(attempt(lambda: open(path + '/x', 'w').close()))\n"
            "for path in ('.', os.environ['TMPDIR'], os.environ['HOME'], '/dev/shm'):\n"
            "    print(attempt(lambda: open(f'{path}/{os.getuid()}', 'w').close()))\n"
            "open('/dev/null', 'w').write('x')"
        )

        assert found.splitlines() == [str(EACCES)] * len(paths) + ["done"] * 4

    async def test_a_folder_that_is_open_to_everyone_is_not_open_to_other_commands(
        self, served: ProgramRunner, other: ProgramRunner
    ) -> None:
        process, output = await served.start(
            "import os, time\n"
            f"open('secret', 'w').write({CANARY!r}); os.chmod('secret', 0o777); os.chmod('.', 0o777)\n"
            "os.chmod('..', 0o777); print('ready', flush=True); time.sleep(60)"
        )
        await output.wait_for("ready")
        work = served.sandbox.lay_out(served.folders).work

        found = await other.ask(
            TRY + f"print(attempt(lambda: open({work + '/secret'!r}).read()),"
            f" attempt(lambda: open({work + '/new'!r}, 'w')), attempt(lambda: os.listdir({work!r})),"
            f" attempt(lambda: os.rename({work + '/secret'!r}, 'stolen')),"
            f" attempt(lambda: os.link({work + '/secret'!r}, 'stolen')))"
        )

        await process.kill()
        assert all(int(number) in (EPERM, EACCES, EXDEV) for number in found.split())

    async def test_links_and_devices_do_not_come_back(self, served: ProgramRunner) -> None:
        (served.folders.work.parent / "secret-key").write_text(CANARY)
        data = str(served.folders.work.parent)

        await served.ask(
            TRY + f"os.symlink({data!r} + '/secret-key', 'stolen'); os.symlink({data!r}, 'folder')\n"
            "os.mkfifo('fifo'); open('result', 'w').write('fine'); os.symlink('result', 'alias')\n"
            "os.makedirs('locked'); open('locked/inside', 'w').write('x'); os.chmod('locked', 0)\n"
            "os.link('result', 'twin'); open(b'\\xff', 'w').write('x')\n"
            "socket.socket(socket.AF_UNIX).bind('socket')"
        )

        assert {path.name for path in served.folders.work.iterdir()} == {"result", "twin", "locked"}
        assert (served.folders.work / "locked" / "inside").read_text() == "x"
        assert list_written(served.folders.work, {}, 100, 10**6)[1] == 0

    async def test_large_sparse_files_do_not_come_back(self, served: ProgramRunner) -> None:
        limits = replace(LIMITS, work_size=2_000_000, file_size=10**9)

        await served.ask(
            "for index in range(5):\n"
            "    with open(str(index), 'wb') as file: file.truncate(900_000_000)\n"
            "open('small', 'w').write('x')",
            limits=limits,
        )

        assert {path.name for path in served.folders.work.iterdir()} == {"small"}

    async def test_nothing_is_left_in_the_container(
        self, served: ProgramRunner, container: SandboxContainer
    ) -> None:
        before = {path.name for path in container.places.runs.iterdir()}

        await served.run(
            "import os\n"
            "open('/dev/shm/left-over', 'w').close()\n"
            "os.makedirs('a/b'); os.chmod('a/b', 0); os.chmod('a', 0)\n"
            "for _ in range(300): os.mkdir('d'); os.chdir('d')"
        )

        assert {path.name for path in container.places.runs.iterdir()} == before == {"services"}
        assert not Path("/dev/shm/left-over").exists()


class TestNetwork:
    async def test_only_its_services_can_be_dialled(self, served: ProgramRunner) -> None:
        found = await served.ask(
            TRY + "def dial(family, kind, address, protocol=0):\n"
            "    def connect():\n"
            "        with socket.socket(family, kind, protocol) as client:\n"
            "            client.settimeout(2); client.connect(address)\n"
            "    return attempt(connect)\n"
            "inet, stream, datagram = socket.AF_INET, socket.SOCK_STREAM, socket.SOCK_DGRAM\n"
            "own = socket.socket(); own.listen(); own_address = own.getsockname()\n"
            "port = own_address[1]\n"
            "print(dial(inet, stream, ('127.0.0.1', port)), dial(inet, stream, ('169.254.169.254', 80)),\n"
            "      dial(socket.AF_INET6, stream, ('::1', port)), attempt(lambda: own.bind(('', 99))),\n"
            "      dial(inet, datagram, ('192.0.2.1', 53)), dial(inet, stream, ('127.0.0.1', 8081), 262),\n"
            "      dial(socket.AF_NETLINK, socket.SOCK_RAW, (0, 0), 2),\n"
            "      dial(inet, socket.SOCK_RAW, ('::1', 1)),\n"
            "      dial(socket.AF_UNIX, datagram, '/dev/log'), dial(40, stream, (1, 1)),\n"
            "      attempt(lambda: socket.socket().sendto(b'x', 0x20000000, own_address)),\n"
            "      attempt(lambda: socket.socket().sendmsg([b'x'], [], 0x20000000, own_address)))"
        )

        assert set(map(int, found.split())) <= {EPERM, EACCES}

    async def test_names_are_still_resolved(self, served: ProgramRunner) -> None:
        found = await served.ask(
            "import socket; print({entry[4][0] for entry in socket.getaddrinfo('localhost', 80)})"
        )

        assert "127.0.0.1" in found

    async def test_abstract_sockets_of_others_are_out_of_reach(
        self, served: ProgramRunner, other: ProgramRunner
    ) -> None:
        process, output = await served.start(
            "import socket, time\n"
            f"listener = socket.socket(socket.AF_UNIX); listener.bind(b'\\0{CANARY}'); listener.listen()\n"
            "print('ready', flush=True); time.sleep(60)"
        )
        await output.wait_for("ready")

        found = await other.ask(
            TRY + f"print(attempt(lambda: socket.socket(socket.AF_UNIX).connect(b'\\0{CANARY}')))"
        )

        await process.kill()
        assert int(found) == EPERM

    async def test_each_command_reaches_its_own_gateway(
        self, served: ProgramRunner, other: ProgramRunner
    ) -> None:
        received: list[str] = []
        servers = []
        for name, runner in (("served", served), ("other", other)):
            servers.append(await _answer_with(name, runner, received))
        ask = (
            "import socket, sys\n"
            "client = socket.create_connection(('127.0.0.1', 8081))\n"
            "print(client.makefile().readline().strip())"
        )

        answers = await asyncio.gather(served.ask(ask), other.ask(ask))
        without = await served.ask(
            ask, folders=replace(served.folders, sockets=None), layout=served.make_spec("").layout
        )

        assert answers == ["served", "other"]
        assert without == ""
        assert sorted(received) == ["other", "served"]
        for server in servers:
            server.close()


async def _answer_with(name: str, runner: ProgramRunner, received: list[str]) -> asyncio.Server:
    async def answer(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        received.append(name)
        writer.write(name.encode() + b"\n")
        writer.close()

    assert runner.folders.sockets is not None
    return await asyncio.start_unix_server(answer, runner.folders.sockets / GATEWAY_SOCKET)


class TestProcesses:
    async def test_others_cannot_be_seen_or_ended(
        self, served: ProgramRunner, other: ProgramRunner, container: SandboxContainer
    ) -> None:
        process, output = await served.start(
            "import os, time; print(os.getpid(), 'ready', flush=True); time.sleep(60)",
            environment={"SECRET": CANARY},
        )
        await output.wait_for("ready")
        victim, service = int(output.text.split()[0]), container.process.pid

        found = await other.ask(
            TRY + f"for pid in ({victim}, {service}, 1):\n"
            "    for name in ('environ', 'cmdline', 'status', 'maps', 'fd', 'root', 'cwd'):\n"
            "        path = f'/proc/{pid}/{name}'\n"
            "        print(attempt(lambda: os.listdir(path) if os.path.isdir(path) else open(path).read()))\n"
            f"for pid in ({victim}, {service}):\n"
            "    print(attempt(lambda: os.kill(pid, 9)))\n"
            "attempt(lambda: os.kill(-1, 9))\n"
            f"print(libc.ptrace(16, {victim}, 0, 0), libc.process_vm_readv({victim}, 0, 0, 0, 0, 0))"
        )

        assert set(found.split()) <= {str(EPERM), str(EACCES), str(ESRCH), "-1"}
        assert CANARY not in found
        assert container.process.poll() is None
        assert not process._ended.is_set()  # type: ignore[attr-defined]
        assert (await process.kill()).cause is EndCause.KILLED

    async def test_the_service_takes_no_orders_from_commands(
        self, served: ProgramRunner, container: SandboxContainer
    ) -> None:
        found = await served.ask(
            TRY
            + "client = socket.socket(socket.AF_UNIX)\n"
            + f"print(attempt(lambda: client.connect({str(container.places.socket)!r})))"
        )

        assert int(found) == EACCES

    def test_the_socket_is_open_to_the_group_of_the_workers_only(self, container: SandboxContainer) -> None:
        status = container.places.socket.stat()

        assert (status.st_gid, status.st_mode & 0o777) == (WORKERS, 0o660)

    def test_the_service_takes_no_orders_from_other_users(self, container: SandboxContainer) -> None:
        shared = container.places.socket.parent
        ask = (
            "import socket, sys; client = socket.socket(socket.AF_UNIX); client.connect(sys.argv[1]);"
            "print(client.recv(100))"
        )
        shared.chmod(0o777)  # as if the folder had been opened by mistake
        container.places.socket.chmod(0o777)
        try:
            answers = [
                subprocess.run(
                    ["/usr/bin/env", "python3", "-c", ask, str(container.places.socket)],
                    user=user,
                    cwd="/",
                    env={"PATH": "/usr/bin:/bin"},
                    capture_output=True,
                    check=True,
                ).stdout
                for user in (FIRST_USER, 0)
            ]
        finally:
            container.places.socket.chmod(0o660)
            shared.chmod(0o770)

        assert answers[0] == b"b''\n"
        assert b"hello" in answers[1]

    async def test_no_rights_can_be_gained(self, served: ProgramRunner) -> None:
        found = await served.ask(
            TRY + "import re, subprocess\n"
            "print([libc.unshare(kind) for kind in (0x10000000, 0x20000, 0x40000000)],\n"
            "      libc.syscall(435, 0, 0), ctypes.get_errno(),\n"
            "      libc.syscall(56, 0x10000011, 0, 0, 0, 0),\n"
            "      libc.mount(b'none', b'/tmp', b'tmpfs', 0, None))\n"
            "print([attempt(lambda: action(0)) for action in (os.setuid, os.setgid)],\n"
            "      attempt(lambda: os.setgroups([0])), os.getuid() == os.geteuid() == os.getgid() > 0)\n"
            "status = open('/proc/self/status').read()\n"
            "print(re.findall('Cap(?:Inh|Prm|Eff|Amb):\\t0*([0-9a-f]+)', status),"
            " re.findall('(?:NoNewPrivs|Seccomp):\\t(.)', status))\n"
            "print(subprocess.run(['su', '-c', 'id'], capture_output=True).stdout)"
        )

        assert found.splitlines() == [
            f"[-1, -1, -1] -1 {ENOSYS} -1 -1",
            f"[{EPERM}, {EPERM}] {EPERM} True",
            "['0', '0', '0', '0'] ['1', '2']",
            "b''",
        ]

    async def test_shared_memory_of_system_v_is_refused(self, served: ProgramRunner) -> None:
        found = await served.ask(
            TRY + "print(libc.shmget(1, 4096, 0o1666), libc.semget(1, 1, 0o1666), libc.msgget(1, 0o1666))"
        )

        assert found == "-1 -1 -1"

    async def test_semaphores_of_python_work(self, served: ProgramRunner) -> None:
        found = await served.ask(
            "import multiprocessing as m\n"
            "context = m.get_context('fork')\n"
            "with context.Pool(2) as pool: print(pool.map(abs, [-1, -2]))"
        )

        assert found == "[1, 2]"

    async def test_forks_are_bounded_for_each_command(
        self, served: ProgramRunner, other: ProgramRunner
    ) -> None:
        process, output = await served.start(
            "import os, time\n"
            "count = 0\n"
            "try:\n"
            "    while count < 300:\n"
            "        if os.fork() == 0: time.sleep(60); os._exit(0)\n"
            "        count += 1\n"
            "except OSError as error: print(count < 64, error.errno, 'full', flush=True)\n"
            "time.sleep(60)"
        )
        await output.wait_for("full")

        assert output.text == "True 11 full\n"
        assert await other.ask("import os; print(os.fork() >= 0)") in ("True", "True\nTrue")
        assert (await process.kill()).cause is EndCause.KILLED

    async def test_children_that_fork_without_end_are_ended(self, served: ProgramRunner) -> None:
        process, output = await served.start(
            "import os, signal\n"
            "for number in (1, 2, 15): signal.signal(number, signal.SIG_IGN)\n"
            "print('ready', flush=True)\n"
            "while True:\n"
            "    try:\n"
            "        if os.fork(): os._exit(0)\n"
            "        os.setsid()\n"
            "    except OSError: pass"
        )
        await output.wait_for("ready")

        end = await process.kill()

        assert (end.cause, end.seconds < 20) in {(EndCause.KILLED, True), (EndCause.EXITED, True)}
        assert _list_processes(FIRST_USER) == []


def _list_processes(first_user: int) -> list[str]:
    """Return the command lines of living processes that belong to users of the service."""
    found = []
    for folder in Path("/proc").iterdir():
        try:
            status = dict(line.split(":", 1) for line in (folder / "status").read_text().splitlines())
        except (OSError, ValueError):
            continue
        user = int(status["Uid"].split()[0])
        if first_user <= user < first_user + 40_000 and status["State"].split()[0] != "Z":
            found.append((folder / "cmdline").read_text())
    return found


class TestResources:
    async def test_memory_of_all_processes_is_bounded(self, served: ProgramRunner) -> None:
        program = await served.run(
            "import os, time\n"
            "for _ in range(4):\n"
            "    if os.fork() == 0: data = b'x' * 30_000_000; time.sleep(60)\n"
            "time.sleep(60)",
            limits=replace(LIMITS, memory=100_000_000),
        )

        assert program.exit.cause is EndCause.OUT_OF_MEMORY

    @pytest.mark.parametrize("folder", ["os.environ['TMPDIR']", "'/dev/shm'"])
    async def test_temporary_files_are_bounded(self, served: ProgramRunner, folder: str) -> None:
        program = await served.run(
            f"import os, time; open({folder} + '/x', 'wb').write(b'x' * 20_000_000); time.sleep(60)"
        )

        assert program.exit.cause is EndCause.WORK_TOO_LARGE

    async def test_a_locked_folder_ends_the_command(self, served: ProgramRunner) -> None:
        program = await served.run("import os, time; os.chmod('.', 0); time.sleep(60)")

        assert program.exit.cause is EndCause.WORK_TOO_LARGE


class TestLoss:
    async def test_a_worker_that_is_gone_ends_its_command(
        self, served: ProgramRunner, container: SandboxContainer
    ) -> None:
        process, output = await served.start("import time; print('ready', flush=True); time.sleep(60)")
        await output.wait_for("ready")

        process._channel.writer.transport.abort()  # type: ignore[attr-defined]

        async with asyncio.timeout(20):
            while _list_processes(FIRST_USER) or len(list(container.places.runs.iterdir())) > 1:
                await asyncio.sleep(0.05)
        assert (await process.wait()).cause is EndCause.SERVICE_LOST

    async def test_a_service_that_is_killed_is_named(self, tmp_path: Path) -> None:
        if os.geteuid() != 0:
            pytest.skip("needs root")
        with SandboxContainer() as container:
            runner = ProgramRunner(SandboxService(container.places), make_folders(tmp_path))
            process, output = await runner.start("import time; print('ready', flush=True); time.sleep(2)")
            await output.wait_for("ready")

            container.process.send_signal(signal.SIGKILL)

            assert (await process.wait()).cause is EndCause.SERVICE_LOST

    async def test_leftovers_of_a_killed_service_are_removed(self, tmp_path: Path) -> None:
        if os.geteuid() != 0:
            pytest.skip("needs root")
        with SandboxContainer() as container:
            left = container.places.runs / "left"
            left.mkdir()
            (left / "file").touch()
            os.chown(left / "file", FIRST_USER, FIRST_USER)
            os.chown(left, FIRST_USER, FIRST_USER)
            left.chmod(0)

            container.restart()

            assert {path.name for path in container.places.runs.iterdir()} == {"services"}


def test_every_connection_names_one_user() -> None:
    """The kernel's table, by which connections are led: that of this process is found as its own."""
    from crewai_runner.executor.projects.sandbox.agent.relays import find_owner

    with socket.create_server(("127.0.0.1", 0)) as listener:
        with socket.create_connection(listener.getsockname()) as client:
            ports = client.getsockname()[1], listener.getsockname()[1]
            assert find_owner(*ports) == os.geteuid()
        assert find_owner(ports[0], 1) is None


def test_messages_list_every_limit() -> None:
    """A limit that is added to the port must be kept by the service too."""
    from crewai_runner.executor.projects.sandbox.port import SandboxLimits

    kept = {
        *("memory", "address_space", "processes", "cpu_seconds", "file_size", "open_files"),
        *("work_size", "work_files", "temporary_size", "output"),
    }
    not_kept = {"cpu_share"}
    assert set(json.loads(json.dumps(sorted(SandboxLimits.__slots__)))) == kept | not_kept

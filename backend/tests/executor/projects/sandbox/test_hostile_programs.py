"""Programs that try to harm: each is contained by real bubblewrap, some by the sandbox service too."""

import json
import os
import socket
import time
from dataclasses import replace
from pathlib import Path

import pytest

from crewai_runner.executor.projects.sandbox import work_folder
from crewai_runner.executor.projects.sandbox.port import EndCause
from crewai_runner.executor.projects.sandbox.work_folder import list_written
from tests.executor.projects.sandbox.runner import LIMITS, ProgramRunner

CANARY = "canary-7f3a"


class TestFiles:
    async def test_data_folder_is_out_of_reach(self, confined: ProgramRunner) -> None:
        data = confined.folders.work.parent
        (data / "secret-key").write_text(CANARY)

        found = await confined.ask(
            "import os\n"
            f"for path in ({str(data)!r}, '/root', '/home', '/var', '/tmp/0', '/etc/shadow', '/sys'):\n"
            "    print(path, os.path.lexists(path))\n"
            "print(sorted(os.listdir('/etc')), os.listdir('/tmp'))"
        )

        assert "True" not in found
        assert CANARY not in found
        expected = {"hosts", "passwd", "ssl", "ld.so.cache", "localtime", "pki"}
        assert set(json.loads(found.splitlines()[-1].partition("] [")[0].replace("'", '"') + "]")) <= expected

    async def test_only_the_work_folder_and_temporary_folders_are_writable(
        self, confined: ProgramRunner
    ) -> None:
        project, environment = confined.folders.work.parent / "project", confined.folders.work.parent / "venv"
        for folder in (project, environment):
            folder.mkdir()
        folders = replace(confined.folders, project=project, environment=environment)
        source = (
            "import os\n"
            "writable = []\n"
            "for place, folders, _ in os.walk('/'):\n"
            "    if place.startswith('/proc') or place.startswith('/usr'): folders.clear(); continue\n"
            "    try: open(os.path.join(place, 'x'), 'w').close(); writable.append(place)\n"
            "    except OSError: pass\n"
            "print(sorted(writable))\n"
        )

        assert await ProgramRunner(confined.sandbox, folders).ask(source) == "['/dev/shm', '/tmp', '/work']"

    async def test_host_paths_are_not_named(self, confined: ProgramRunner) -> None:
        found = await confined.ask(
            "import os, pathlib\n"
            "for process in filter(str.isdigit, os.listdir('/proc')):\n"
            "    for name in ('cmdline', 'environ', 'cgroup'):\n"
            "        print(pathlib.Path('/proc', process, name).read_bytes())\n"
        )

        assert str(confined.folders.work.parent) not in found
        assert "/root" not in found

    async def test_links_out_of_the_work_folder_are_not_followed(self, confined: ProgramRunner) -> None:
        (confined.folders.work.parent / "secret-key").write_text(CANARY)
        data = str(confined.folders.work.parent)

        await confined.ask(
            "import os\n"
            f"os.symlink({data!r} + '/secret-key', 'stolen'); os.symlink({data!r}, 'folder')\n"
            "os.symlink('/etc/passwd', 'passwd'); os.mkfifo('fifo'); open('result', 'w').write('fine')\n"
            "os.symlink('result', 'alias')"
        )

        written, left_out = list_written(confined.folders.work, {}, 100, 10**6)
        assert ([file.path for file in written], left_out) == (["result"], 0)


class TestNetwork:
    async def test_nothing_can_be_dialled(self, confined: ProgramRunner) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener, socket.socket(socket.AF_UNIX) as abstract:
            abstract.bind(b"\0" + CANARY.encode())
            abstract.listen()
            port = listener.getsockname()[1]

            found = await confined.ask(
                "import socket\n"
                "def dial(family, kind, address):\n"
                "    with socket.socket(family, kind) as client:\n"
                "        client.settimeout(2)\n"
                "        try: client.connect(address)\n"
                "        except OSError as error: return error.errno\n"
                "        return 'connected'\n"
                f"print(dial(socket.AF_INET, socket.SOCK_STREAM, ('127.0.0.1', {port})),\n"
                "      dial(socket.AF_INET, socket.SOCK_STREAM, ('169.254.169.254', 80)),\n"
                "      dial(socket.AF_INET, socket.SOCK_DGRAM, ('192.0.2.1', 53)),\n"
                f"      dial(socket.AF_UNIX, socket.SOCK_STREAM, b'\\0{CANARY}'))\n"
                "print(open('/proc/net/dev').read().count(':'))"
            )

        refused, unreachable = 111, 101
        assert found == f"{refused} {unreachable} {unreachable} {refused}\n1"


class TestProcesses:
    async def test_others_are_invisible(self, confined: ProgramRunner) -> None:
        found = await confined.ask(
            "import os\n"
            "print(sorted(int(name) for name in os.listdir('/proc') if name.isdigit()))\n"
            f"print(os.path.exists('/proc/{os.getpid()}'))"
        )

        assert found == "[1, 2]\nFalse"

    async def test_environment_of_process_1_is_clean(
        self, confined: ProgramRunner, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("API_KEY", CANARY)

        found = await confined.ask("print(open('/proc/1/environ').read())")

        assert {entry.partition("=")[0] for entry in found.split("\0") if entry} <= {
            "LANG",
            "LD_LIBRARY_PATH",
            "PWD",
        }

    async def test_no_rights_can_be_gained(self, confined: ProgramRunner) -> None:
        found = await confined.ask(
            "import ctypes, os, re\n"
            "libc = ctypes.CDLL(None, use_errno=True)\n"
            "print([libc.unshare(kind) for kind in (0x10000000, 0x20000, 0x40000000)])\n"
            "print(libc.mount(b'none', b'/tmp', b'tmpfs', 0, None), os.getuid())\n"
            "status = open('/proc/self/status').read()\n"
            "print(re.findall('Cap...:\\t0*([0-9a-f]+)', status), re.findall('NoNewPrivs:\\t(.)', status))\n"
        )

        assert found.splitlines() == ["[-1, -1, -1]", "-1 1000", "['0', '0', '0', '0', '0'] ['1']"]

    async def test_forks_are_bounded(self, confined: ProgramRunner) -> None:
        found = await confined.ask(
            "import os, time\n"
            "count = 0\n"
            "try:\n"
            "    while count < 300:\n"
            "        if os.fork() == 0: time.sleep(60); os._exit(0)\n"
            "        count += 1\n"
            "except OSError as error: print(error.errno)\n"
            "import resource\n"
            "print(count < 64, resource.getrlimit(resource.RLIMIT_NPROC))",
            limits=LIMITS,
        )

        assert found == "11\nTrue (64, 64)"

    async def test_the_launcher_cannot_be_ended(self, confined: ProgramRunner) -> None:
        program = await confined.run(
            "import os\nfor number in range(1, 65): os.kill(1, number)\nraise SystemExit(9)"
        )

        assert program.exit.status == 9

    async def test_stop_of_many_that_ignore_term(self, sandboxed: ProgramRunner) -> None:
        process, output = await sandboxed.start(
            "import os, signal, time\n"
            "signal.signal(15, signal.SIG_IGN)\n"
            "for _ in range(20):\n"
            "    if os.fork() == 0: os.setsid(); time.sleep(60)\n"
            "print('ready', flush=True)\n"
            "time.sleep(60)"
        )
        await output.wait_for("ready")
        started = time.monotonic()

        end = await process.terminate(grace=0.2)

        assert end.cause is EndCause.KILLED
        assert time.monotonic() - started < 5


class TestResources:
    async def test_disk_is_bounded(self, sandboxed: ProgramRunner) -> None:
        limits = replace(LIMITS, work_size=20 * 1024**2, file_size=5 * 1024**2)

        program = await sandboxed.run(
            "import time\n"
            "for index in range(10): open(str(index), 'wb').write(b'x' * 4_000_000)\n"
            "time.sleep(60)",
            limits=limits,
        )

        assert (program.exit.status, program.exit.cause) == (137, EndCause.WORK_TOO_LARGE)

    async def test_a_file_is_bounded(self, sandboxed: ProgramRunner) -> None:
        program = await sandboxed.run(
            "open('large', 'wb').write(b'x' * 10_000_000)", limits=replace(LIMITS, file_size=1_000_000)
        )

        assert program.exit.status != 0
        assert (sandboxed.folders.work / "large").stat().st_size == 1_000_000

    async def test_a_locked_folder_ends_the_command(
        self, confined: ProgramRunner, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def measure_like_another_user(work: Path, _: object) -> int:
            if work.stat().st_mode & 0o777 == 0:
                raise PermissionError(13, "Permission denied")
            return 0

        monkeypatch.setattr(work_folder, "measure", measure_like_another_user)

        program = await confined.run("import os, time; os.chmod('.', 0); time.sleep(60)")

        assert program.exit.cause is EndCause.WORK_TOO_LARGE

    async def test_number_of_files_is_bounded(self, sandboxed: ProgramRunner) -> None:
        program = await sandboxed.run(
            "import time\nfor index in range(300): open(str(index), 'w').close()\ntime.sleep(60)",
            limits=replace(LIMITS, work_files=200),
        )

        assert program.exit.cause is EndCause.WORK_TOO_LARGE

    @pytest.mark.parametrize("folder", ["/tmp", "/dev/shm"])
    async def test_file_systems_in_memory_are_sized(self, confined: ProgramRunner, folder: str) -> None:
        found = await confined.ask(
            f"try: open('{folder}/x', 'wb').write(b'x' * 20_000_000)\n"
            "except OSError as error: print(error.errno)"
        )

        assert found == "28"

    async def test_address_space_is_bounded(self, sandboxed: ProgramRunner) -> None:
        found = await sandboxed.ask(
            "try: bytearray(2_000_000_000)\nexcept MemoryError: print('refused')",
            limits=replace(LIMITS, address_space=1_000_000_000),
        )

        assert found == "refused"

    async def test_a_lot_of_output_is_bounded(self, sandboxed: ProgramRunner) -> None:
        program = await sandboxed.run(
            "import os\nfor _ in range(3000): os.write(1, b'x' * 65536)",
            limits=replace(LIMITS, output=1_000_000),
        )

        assert len(program.output.text) == 1_000_000
        assert program.exit.dropped == 3000 * 65536 - 1_000_000

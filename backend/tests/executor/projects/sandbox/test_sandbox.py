"""What every sandbox does, with and without confinement."""

import asyncio
import json
from dataclasses import replace

import pytest

from crewai_runner.executor.projects.sandbox.bubblewrap import BubblewrapSandbox
from crewai_runner.executor.projects.sandbox.port import EndCause, OutputStream, SandboxFailed
from tests.executor.projects.sandbox.runner import LIMITS, ProgramRunner

IGNORE_TERM = (
    "import signal, sys, time; signal.signal(15, signal.SIG_IGN); print('ready', flush=True); time.sleep(60)"
)


class TestRun:
    async def test_returns_the_status_and_streams_output(self, runner: ProgramRunner) -> None:
        program = await runner.run("import sys; print('out'); print('err', file=sys.stderr); sys.exit(7)")

        assert program.output.parts == {OutputStream.STDOUT: b"out\n", OutputStream.STDERR: b"err\n"}
        assert (program.exit.status, program.exit.cause) == (7, EndCause.EXITED)

    async def test_status_of_a_signal(self, runner: ProgramRunner) -> None:
        program = await runner.run("import os; os.kill(os.getpid(), 11)")

        assert program.exit.status == 128 + 11

    async def test_environment_holds_only_what_was_given(
        self, runner: ProgramRunner, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("API_KEY", "canary")

        printed = await runner.ask(
            "import json, os; print(json.dumps(dict(os.environ)))", environment={"NAME": "a=b\nc"}
        )

        variables = runner.sandbox.lay_out(runner.folders).variables
        assert json.loads(printed) == {**variables, "NAME": "a=b\nc"}

    async def test_input_is_empty(self, runner: ProgramRunner) -> None:
        assert await runner.ask("import sys; print(repr(sys.stdin.read()))") == "''"

    async def test_works_in_the_work_folder(self, runner: ProgramRunner) -> None:
        await runner.ask("open('result.txt', 'w').write('written')")

        assert (runner.folders.work / "result.txt").read_text() == "written"

    async def test_the_work_folder_can_be_used_again_at_once(self, runner: ProgramRunner) -> None:
        for number in range(3):
            await runner.ask(f"open('count', 'a').write('{number}')")

        assert (runner.folders.work / "count").read_text() == "012"

    async def test_descriptors_of_this_process_are_closed(self, runner: ProgramRunner) -> None:
        assert (
            await runner.ask("import os; print(sorted(map(int, os.listdir('/proc/self/fd')))[:-1])")
            == "[0, 1, 2]"
        )

    async def test_unknown_command(self, runner: ProgramRunner) -> None:
        spec = replace(runner.make_spec(""), command=("/no/such/program",))

        with pytest.raises(SandboxFailed, match="could not be started: ENOENT"):
            await runner.sandbox.start(spec, lambda _stream, _data: None)

    async def test_output_beyond_the_limit_is_dropped(self, runner: ProgramRunner) -> None:
        limits = replace(LIMITS, output=100_000)

        program = await runner.run("for _ in range(1000): print('x' * 9999)", limits=limits)

        assert len(program.output.text) == 100_000
        assert program.exit.dropped == 10_000_000 - 100_000

    async def test_a_defect_of_the_listener_does_not_stop_the_command(self, runner: ProgramRunner) -> None:
        def fail(stream: OutputStream, data: bytes) -> None:
            raise ValueError("a defect")

        process = await runner.sandbox.start(runner.make_spec("print('x' * 10_000_000)"), fail)

        assert (await process.wait()).status == 0

    async def test_limits(self, runner: ProgramRunner) -> None:
        limits = replace(LIMITS, file_size=1000, open_files=50, cpu_seconds=77)

        printed = await runner.ask(
            "from resource import *\n"
            "print([getrlimit(kind) for kind in (RLIMIT_FSIZE, RLIMIT_NOFILE, RLIMIT_CPU)])",
            limits=limits,
        )

        assert printed == "[(1000, 1000), (50, 50), (77, 77)]"


class TestStop:
    async def test_terminate_lets_the_command_end(self, runner: ProgramRunner) -> None:
        process, output = await runner.start(
            "import signal, sys, time\n"
            "signal.signal(15, lambda *_: sys.exit(5))\n"
            "print('ready', flush=True)\n"
            "time.sleep(60)"
        )
        await output.wait_for("ready")

        end = await process.terminate(grace=20)

        assert (end.status, end.cause) == (5, EndCause.TERMINATED)
        assert end.seconds < 20

    async def test_terminate_kills_what_ignores_it(self, runner: ProgramRunner) -> None:
        process, output = await runner.start(IGNORE_TERM)
        await output.wait_for("ready")

        end = await process.terminate(grace=0.1)

        assert end.cause is EndCause.KILLED

    async def test_terminate_reaches_processes_that_left_the_session(self, runner: ProgramRunner) -> None:
        process, output = await runner.start(
            "import os, signal, time\n"
            "signal.signal(15, lambda *_: os._exit(0))\n"
            "if os.fork() == 0:\n"
            "    os.setsid()\n"
            "    signal.signal(15, lambda *_: (open('received', 'w').close(), os._exit(0)))\n"
            "    print('ready', flush=True)\n"
            "else:\n"
            "    signal.signal(15, lambda *_: (os.wait(), os._exit(0)))\n"
            "time.sleep(60)"
        )
        await output.wait_for("ready")

        await process.terminate(grace=20)

        assert (runner.folders.work / "received").exists()

    async def test_kill(self, runner: ProgramRunner) -> None:
        process, output = await runner.start(IGNORE_TERM)
        await output.wait_for("ready")

        end = await process.kill()

        assert (end.status, end.cause) == (137, EndCause.KILLED)
        assert await process.wait() == await process.terminate() == end

    async def test_kill_reaches_processes_that_left_the_session(self, runner: ProgramRunner) -> None:
        source = (
            "import os, signal, time\n"
            "signal.signal(15, signal.SIG_IGN)\n"
            "for _ in range(3):\n"
            "    if os.fork() == 0:\n"
            "        os.setsid()\n"
            "        if os.fork(): os._exit(0)\n"
            "        break\n"
            "else:\n"
            "    print('ready', flush=True)\n"
            "while True:\n"
            "    open(f'alive-{os.getpid()}', 'w').write(str(time.monotonic_ns()))\n"
            "    time.sleep(0.02)\n"
        )
        process, output = await runner.start(source)
        await output.wait_for("ready")

        await process.kill()

        before = {path: path.read_text() for path in runner.folders.work.iterdir()}
        await asyncio.sleep(0.1)
        assert {path: path.read_text() for path in runner.folders.work.iterdir()} == before

    async def test_children_end_with_the_command(self, runner: ProgramRunner) -> None:
        source = "import os, time\nif os.fork() == 0:\n    os.setsid()\n    time.sleep(60)\n"

        program = await runner.run(source)

        assert program.exit.status == 0
        assert program.exit.seconds < 30

    async def test_cancelled_wait_leaves_the_command_running(self, runner: ProgramRunner) -> None:
        process, output = await runner.start(IGNORE_TERM)
        await output.wait_for("ready")

        waiting = asyncio.create_task(process.wait())
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.wait([waiting])

        assert waiting.cancelled()
        assert (await process.kill()).cause is EndCause.KILLED


class TestMissingBubblewrap:
    async def test_says_what_to_install(
        self, confined: ProgramRunner, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("crewai_runner.executor.projects.sandbox.bubblewrap.SEARCH_PATH", "/nonexistent")

        with pytest.raises(SandboxFailed, match="apt-get install bubblewrap"):
            await confined.start("")

    async def test_a_program_that_fails(self, confined: ProgramRunner) -> None:
        broken = ProgramRunner(BubblewrapSandbox("/bin/false"), confined.folders)

        with pytest.raises(SandboxFailed, match="no reason was given"):
            await broken.start("")

"""Commands as MCP servers: real processes in the real sandbox, and attacks on it."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from crewai_runner.core.mcp_commands import McpCommand
from crewai_runner.core.setting_choices import ProjectsMode
from crewai_runner.domain.mcp_server import McpEra
from crewai_runner.executor.mcp.binding import McpServerBinding
from crewai_runner.executor.mcp.commands import CommandRefused
from crewai_runner.executor.mcp.connection import McpConnection
from crewai_runner.executor.mcp.failures import McpFailure, ServerUnreachable
from crewai_runner.executor.mcp.listener import Notice
from crewai_runner.executor.mcp.session_pool import McpSessionPool
from crewai_runner.executor.mcp.tool_result import read_tool_result
from crewai_runner.executor.projects.mcp_commands import SandboxedCommands
from tests.executor.mcp.conftest import LOOPBACK

CANARY = "canary-of-the-server-7f3a"
SERVER = (Path(__file__).parent / "stdio_program.py").read_text()
DIGEST = "any"
Start = Callable[..., SandboxedCommands]


@pytest.fixture
def make_commands(tmp_path: Path) -> Start:
    def make(
        *arguments: str, mode: ProjectsMode = ProjectsMode.AUTO, environment: dict[str, str] | None = None
    ) -> SandboxedCommands:
        command = McpCommand(command=("python3", "-c", SERVER, *arguments), environment=environment or {})
        return SandboxedCommands({"test": command}, mode, tmp_path / "data", tmp_path / "mcp")

    return make


@asynccontextmanager
async def connected(commands: SandboxedCommands, name: str = "test") -> AsyncIterator[McpConnection]:
    binding = McpServerBinding("mcp_1", "test", f"stdio:{name}", timeout_seconds=10)
    connection = McpConnection(binding, LOOPBACK, commands=commands)
    try:
        await connection.open()
        yield connection
    finally:
        await connection.close()


async def call(connection: McpConnection, tool: str, **arguments: object) -> str:
    return read_tool_result(await connection.call_tool(tool, arguments))


class TestCalls:
    @pytest.mark.parametrize("era", list(McpEra))
    async def test_both_eras(self, make_commands: Start, era: McpEra) -> None:
        async with connected(make_commands(era)) as connection:
            tools = await connection.list_tools()
            results = await asyncio.gather(*(call(connection, "echo", text=str(n)) for n in range(20)))

        assert connection.era is era
        assert {tool.problem for tool in tools} == {None}
        assert results == [str(number) for number in range(20)]

    async def test_progress_belongs_to_its_call(self, make_commands: Start) -> None:
        notices: dict[str, list[Notice]] = {"a": [], "b": []}

        async with connected(make_commands()) as connection:
            calls = (connection.call_tool("count", {"steps": 3}, seen.append) for seen in notices.values())
            await asyncio.gather(*calls)

        assert [[notice.progress for notice in seen] for seen in notices.values()] == [[1, 2, 3]] * 2

    @pytest.mark.parametrize("era", list(McpEra))
    async def test_cancelling(self, make_commands: Start, era: McpEra) -> None:
        async with connected(make_commands(era)) as connection:
            waiting = asyncio.create_task(call(connection, "wait"))
            await asyncio.sleep(0.2)
            waiting.cancel()
            stopped = time.monotonic()
            while "cancelled" not in (events := await call(connection, "events")):
                assert time.monotonic() - stopped < 1
                await asyncio.sleep(0.02)

        assert events == "cancelled"

    async def test_restarts_after_its_end(self, make_commands: Start) -> None:
        pool = McpSessionPool(LOOPBACK, make_commands())
        binding = McpServerBinding("mcp_1", "test", "stdio:test", timeout_seconds=10)
        async with connected(make_commands()) as connection:
            digests = {tool.name: tool.digest for tool in await connection.list_tools()}

        with pytest.raises(ServerUnreachable) as failure:
            await pool.call(binding, "die", digests["die"], {})
        answer = await pool.call(binding, "echo", digests["echo"], {"text": "again"})
        await pool.close()

        assert failure.value.may_have_run  # so that it is not repeated
        assert read_tool_result(answer) == "again"


class TestLimits:
    @pytest.mark.parametrize("tool", ["flood", "long_line"])
    async def test_too_much_output(self, make_commands: Start, tool: str) -> None:
        async with connected(make_commands()) as connection:
            with pytest.raises(ServerUnreachable, match=r"sent too much|too long"):
                await call(connection, tool)

    async def test_noise_is_ignored(self, make_commands: Start) -> None:
        async with connected(make_commands()) as connection:
            assert await call(connection, "noise") == "quiet now"


class TestSandbox:
    async def test_environment(self, make_commands: Start, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("API_KEY", CANARY)
        monkeypatch.setenv("DATABASE_PASSWORD", CANARY)

        async with connected(make_commands(environment={"GREETING": "hello"})) as connection:
            seen: dict[str, Any] = json.loads(await call(connection, "environment"))

        assert CANARY not in json.dumps(seen)
        assert seen["own"]["GREETING"] == "hello"
        assert set(seen["own"]) <= {
            *("GREETING", "PATH", "HOME", "TMPDIR", "LANG", "USER", "LOGNAME", "LD_LIBRARY_PATH", "LC_CTYPE")
        }

    async def test_files_and_network(self, make_commands: Start, tmp_path: Path) -> None:
        secret = tmp_path / "secret"
        secret.write_text(CANARY)
        secret.chmod(0o644)
        listener = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0)
        port = listener.sockets[0].getsockname()[1]

        async with connected(make_commands()) as connection:
            file = await call(connection, "read", path=str(secret))
            network = await call(connection, "connect", port=port)
            processes = json.loads(await call(connection, "processes"))
        listener.close()

        assert (file, network) == ("FileNotFoundError", "ConnectionRefusedError")
        assert len(processes) <= 3  # the launcher and the command

    async def test_nothing_is_left(self, make_commands: Start, tmp_path: Path) -> None:
        async with connected(make_commands()) as connection:
            await call(connection, "echo", text="x")

        assert list((tmp_path / "mcp").iterdir()) == []
        assert not [process for process in Path("/proc").glob("[0-9]*") if _runs_program(process)]


class TestRefusals:
    async def test_not_listed(self, make_commands: Start) -> None:
        with pytest.raises(CommandRefused, match="MCP_STDIO_COMMANDS"):
            async with connected(make_commands(), "other"):
                pass

    @pytest.mark.parametrize("mode", [ProjectsMode.OFF, ProjectsMode.UNSANDBOXED])
    async def test_no_sandbox(self, make_commands: Start, mode: ProjectsMode) -> None:
        with pytest.raises(CommandRefused, match="need a sandbox"):
            async with connected(make_commands(mode=mode)):
                pass

    async def test_no_bubblewrap(self, make_commands: Start, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("crewai_runner.executor.projects.sandbox.bubblewrap.SEARCH_PATH", "/nowhere")

        with pytest.raises(CommandRefused, match="apt-get install bubblewrap"):
            async with connected(make_commands()):
                pass

    async def test_program_that_does_not_exist(self, tmp_path: Path) -> None:
        command = McpCommand(command=("no-such-program; echo injected",))
        commands = SandboxedCommands({"test": command}, ProjectsMode.AUTO, tmp_path, tmp_path / "mcp")

        with pytest.raises(McpFailure):
            async with connected(commands):
                pass


def _runs_program(process: Path) -> bool:
    try:
        return b"STDIO_TEST_PROGRAM" in (process / "cmdline").read_bytes()
    except OSError:
        return False

"""The client against servers that other people have written."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from crewai_runner.core.egress import EgressPolicy
from crewai_runner.core.mcp_commands import McpCommand
from crewai_runner.core.setting_choices import ProjectsMode
from crewai_runner.executor.mcp.binding import McpServerBinding
from crewai_runner.executor.mcp.connection import McpConnection
from crewai_runner.executor.mcp.contents import list_contents, read_resource
from crewai_runner.executor.mcp.listener import Notice
from crewai_runner.executor.mcp.tool_result import ToolFailed, read_tool_result
from crewai_runner.executor.projects.mcp_commands import SandboxedCommands
from crewai_runner.executor.tool_requests import ToolQuestion
from tests.features.mcp.conftest import add_server, approve_all, connect
from tests.support.harness import ON_SQLITE

POLICY = EgressPolicy(allow_private=True)
PUBLIC_URL = "http://127.0.0.1:9"
CANARY = "canary-of-the-server-91c4"


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[McpConnection]:
    connection = McpConnection(McpServerBinding("mcp_1", "test", url), POLICY)
    try:
        await connection.open()
        yield connection
    finally:
        await connection.close()


@asynccontextmanager
async def started(
    folder: Path, readable: Path, *words: str, **variables: str
) -> AsyncIterator[McpConnection]:
    command = McpCommand(command=words, folders=(str(readable),), environment=variables)
    commands = SandboxedCommands({"test": command}, ProjectsMode.AUTO, folder / "data", folder / "mcp")
    binding = McpServerBinding("mcp_1", "test", "stdio:test")
    connection = McpConnection(binding, POLICY, commands=commands)
    try:
        await connection.open()
        yield connection
    finally:
        await connection.close()


def start_python(folder: Path) -> list[str]:
    """Return the command of the example server with the packages in the folder."""
    packages = next(folder.glob("lib/*/site-packages"))
    script = str(folder / "python_server.py")
    code = f"import runpy, site; site.addsitedir({str(packages)!r})"
    return ["python3", "-c", f"{code}; runpy.run_path({script!r}, run_name='__main__')", "stdio"]


class TestPythonServers:
    async def test_era(self, python_server: str, request: pytest.FixtureRequest) -> None:
        version = request.node.callspec.params["python_server"]

        async with connected(python_server) as connection:
            assert connection.era == ("handshake" if version == "1.30.0" else "stateless")

    async def test_tools(self, python_server: str) -> None:
        async with connected(python_server) as connection:
            tools = {tool.name: tool for tool in await connection.list_tools()}
            result = await connection.call_tool("add", {"a": 2, "b": 3})

        assert {tool.problem for tool in tools.values()} == {None}
        assert tools["add"].description == "Add two numbers."
        assert read_tool_result(result) == "5"

    async def test_error(self, python_server: str) -> None:
        async with connected(python_server) as connection:
            result = await connection.call_tool("fail", {})

        with pytest.raises(ToolFailed, match="it went wrong"):
            read_tool_result(result)

    async def test_progress(self, python_server: str) -> None:
        notices: list[Notice] = []

        async with connected(python_server) as connection:
            await connection.call_tool("count", {"steps": 3}, notices.append)

        assert [(notice.progress, notice.total) for notice in notices] == [(1, 3), (2, 3), (3, 3)]

    async def test_cancelling(self, python_server: str) -> None:
        async with connected(python_server) as connection:
            call = asyncio.create_task(connection.call_tool("wait", {}))
            await asyncio.sleep(0.5)  # until it runs there: nothing tells it
            call.cancel()
            stopped = time.monotonic()
            events = ""
            while "cancelled" not in events and time.monotonic() - stopped < 5:
                events = read_tool_result(await connection.call_tool("list_events", {}))
            seconds = time.monotonic() - stopped

        assert "cancelled" in events
        assert seconds < 1.0

    async def test_question_during_a_call(self, python_server: str) -> None:
        asked: list[ToolQuestion] = []

        async def answer(question: ToolQuestion) -> dict[str, Any]:
            asked.append(question)
            return {"size": 3}

        async with connected(python_server) as connection:
            result = await connection.call_tool("order", {}, None, answer)

        assert read_tool_result(result) == "size 3"
        [question] = asked
        assert (question.text, question.parameters["properties"]["size"]["type"]) == (
            "Which size?",
            "integer",
        )

    async def test_resources_and_prompts(self, python_server: str) -> None:
        async with connected(python_server) as connection:
            contents = await list_contents(connection)
            text = await read_resource(connection, "text://tea")

        assert [resource.uri for resource in contents.resources] == ["text://tea"]
        assert [(prompt.name, prompt.arguments[0].name) for prompt in contents.prompts] == [("brew", "kind")]
        assert text.text == "Green tea."

    async def test_parallel_calls(self, python_server: str) -> None:
        async with connected(python_server) as connection:
            calls = (connection.call_tool("add", {"a": number, "b": 1}) for number in range(20))
            results = await asyncio.gather(*calls)

        assert [read_tool_result(result) for result in results] == [str(number + 1) for number in range(20)]


class TestCommands:
    """Servers that are commands, in the sandbox."""

    async def test_python(self, python_folder: Path, tmp_path: Path) -> None:
        notices: list[Notice] = []

        async with started(tmp_path, python_folder, *start_python(python_folder)) as connection:
            tools = {tool.name for tool in await connection.list_tools()}
            result = await connection.call_tool("count", {"steps": 3}, notices.append)

        assert {"add", "count", "wait"} <= tools
        assert read_tool_result(result) == "counted to 3"
        assert [notice.progress for notice in notices] == [1, 2, 3]

    async def test_python_cancelling(self, python_folder: Path, tmp_path: Path) -> None:
        async with started(tmp_path, python_folder, *start_python(python_folder)) as connection:
            call = asyncio.create_task(connection.call_tool("wait", {}))
            await asyncio.sleep(0.5)
            call.cancel()
            stopped = time.monotonic()
            events = ""
            while "cancelled" not in events and time.monotonic() - stopped < 5:
                events = read_tool_result(await connection.call_tool("list_events", {}))

        assert "cancelled" in events

    async def test_filesystem(self, node_folder: Path, tmp_path: Path) -> None:
        entry = node_folder / "node_modules/@modelcontextprotocol/server-filesystem/dist/index.js"
        docs = node_folder / "docs"
        async with started(tmp_path, node_folder, "node", str(entry), str(docs)) as connection:
            tools = {tool.name: tool for tool in await connection.list_tools()}
            read = await connection.call_tool("read_text_file", {"path": str(docs / "tea.txt")})
            outside = await connection.call_tool("read_text_file", {"path": "/etc/passwd"})
            written = await connection.call_tool(
                "write_file", {"path": str(docs / "new.txt"), "content": "x"}
            )

        assert {tool.problem for tool in tools.values()} == {None}
        assert read_tool_result(read) == "Green tea."
        for refused in (outside, written):
            with pytest.raises(ToolFailed):
                read_tool_result(refused)
        assert not (docs / "new.txt").exists()  # folders of the administrator are read-only

    async def test_memory(self, node_folder: Path, tmp_path: Path) -> None:
        entry = node_folder / "node_modules/@modelcontextprotocol/server-memory/dist/index.js"
        variables = {"MEMORY_FILE_PATH": "/work/memory.json"}
        entity = {"name": "Ann", "entityType": "person", "observations": ["likes tea"]}
        async with started(tmp_path, node_folder, "node", str(entry), **variables) as connection:
            tools = {tool.name: tool for tool in await connection.list_tools()}
            await connection.call_tool("create_entities", {"entities": [entity]})
            found = read_tool_result(await connection.call_tool("search_nodes", {"query": "tea"}))

        assert {tool.problem for tool in tools.values()} == {None}
        assert "Ann" in found

    async def test_everything_sees_no_environment(
        self, node_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("API_KEY", CANARY)
        entry = node_folder / "node_modules/@modelcontextprotocol/server-everything/dist/index.js"
        async with started(tmp_path, node_folder, "node", str(entry), "stdio") as connection:
            variables = read_tool_result(await connection.call_tool("get-env", {}))

        assert "PATH" in variables
        assert CANARY not in variables


@ON_SQLITE
@pytest.mark.harness(seed_models=False, allow_private_hosts=True, public_url=PUBLIC_URL)
class TestOAuth:
    async def test_flow(self, oauth_server: str, client: httpx.AsyncClient) -> None:
        server = await add_server(client, oauth_server, auth="oauth")
        refused = await connect(client, server["id"])
        begun = await client.post(f"/mcp/servers/{server['id']}/authorize")
        assert begun.status_code == 200, begun.text
        body = await agree(begun.json()["url"])
        finished = await client.post("/mcp/authorizations/finish", json=body)
        assert finished.status_code == 200, finished.text
        report = await connect(client, server["id"])
        await approve_all(client, server["id"])
        tried = await client.post("/mcp/tools/test", json={"tool": "mcp:test/whoami", "arguments": {}})

        assert (refused["ok"], refused["stage"]) == (False, "auth")
        assert report["ok"], report
        assert tried.json()["ok"], tried.text


async def agree(url: str) -> dict[str, str]:
    """Follow the authorization up to the redirect to the dashboard, as a browser does."""
    async with httpx.AsyncClient() as browser:
        while not url.startswith(PUBLIC_URL):
            response = await browser.get(url)
            assert response.is_redirect, response.text
            url = str(httpx.URL(url).join(response.headers["location"]))
    return {name: value for name, value in httpx.URL(url).params.items() if name in ("state", "code", "iss")}


class TestEverythingServer:
    async def test_tools(self, everything_server: str) -> None:
        async with connected(everything_server) as connection:
            tools = {tool.name: tool for tool in await connection.list_tools()}
            result = await connection.call_tool("echo", {"message": "tea"})

        assert {tool.problem for tool in tools.values()} == {None}
        assert read_tool_result(result) == "Echo: tea"

    async def test_list_is_the_same_each_time(self, everything_server: str) -> None:
        digests = []
        for _ in range(2):
            async with connected(everything_server) as connection:
                digests.append({tool.name: tool.digest for tool in await connection.list_tools()})

        assert digests[0] == digests[1]

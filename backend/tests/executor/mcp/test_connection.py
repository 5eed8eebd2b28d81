"""The connection to one server: eras, limits, cancellation."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from pydantic import SecretStr

from crewai_runner.core.egress import EgressPolicy, UrlRefused
from crewai_runner.domain.mcp_server import McpEra
from crewai_runner.executor.mcp.binding import McpServerBinding
from crewai_runner.executor.mcp.connection import McpConnection
from crewai_runner.executor.mcp.failures import (
    CredentialsRefused,
    ListTooLarge,
    RequestRejected,
    ServerBusy,
    ServerUnreachable,
)
from crewai_runner.executor.mcp.listener import Notice
from tests.executor.mcp.conftest import LOOPBACK
from tests.support.mcp_server import HANDSHAKE, STATELESS, ScriptedMcpServer, make_tool

ERAS = pytest.mark.parametrize("eras", [(STATELESS,), (HANDSHAKE,)], ids=["stateless", "handshake"])


@asynccontextmanager
async def connected(
    server: ScriptedMcpServer, egress: EgressPolicy = LOOPBACK, **options: Any
) -> AsyncIterator[McpConnection]:
    connection = McpConnection(McpServerBinding("mcp_1", "test", server.url, **options), egress)
    try:
        await connection.open()
        yield connection
    finally:
        await connection.close()


class TestEras:
    async def test_speaks_the_stateless_era_first(self, server: ScriptedMcpServer) -> None:
        async with connected(server) as connection:
            await connection.list_tools()
            result = await connection.call_tool("add", {"a": 1})

        assert connection.era is McpEra.STATELESS
        assert result["content"] == [{"type": "text", "text": "done"}]
        assert server.methods() == ["server/discover", "tools/list", "tools/call"]
        call = server.received[-1]
        assert call.headers["mcp-protocol-version"] == STATELESS
        assert (call.headers["mcp-method"], call.headers["mcp-name"]) == ("tools/call", "add")
        assert call.body["params"]["_meta"]["io.modelcontextprotocol/protocolVersion"] == STATELESS
        assert server.deleted == 0

    async def test_falls_back_to_the_handshake(self, server: ScriptedMcpServer) -> None:
        server.eras = (HANDSHAKE,)

        async with connected(server) as connection:
            await connection.call_tool("add", {})

        assert connection.era is McpEra.HANDSHAKE
        assert server.methods() == [
            "server/discover",
            "initialize",
            "notifications/initialized",
            "tools/call",
        ]
        assert server.received[-1].headers["mcp-session-id"].startswith("session-")
        assert server.received[-1].headers["mcp-protocol-version"] == HANDSHAKE
        assert server.deleted == 1

    async def test_known_era_is_not_asked_for(self, server: ScriptedMcpServer) -> None:
        server.eras = (HANDSHAKE,)

        async with connected(server, era=McpEra.HANDSHAKE):
            pass

        assert server.methods() == ["initialize", "notifications/initialized"]

    async def test_server_that_was_upgraded(self, server: ScriptedMcpServer) -> None:
        server.eras = (STATELESS,)

        async with connected(server, era=McpEra.HANDSHAKE) as connection:
            assert connection.era is McpEra.STATELESS

    async def test_not_an_mcp_server(self, server: ScriptedMcpServer) -> None:
        server.eras = ()

        with pytest.raises(ServerUnreachable, match="may not be the address of an MCP server"):
            async with connected(server):
                pass


class TestCancellation:
    @ERAS
    async def test_stop_cancels_at_the_server(self, server: ScriptedMcpServer, eras: tuple[str, ...]) -> None:
        server.eras, server.slow = eras, {"add": 30.0}

        async with connected(server) as connection:
            call = asyncio.create_task(connection.call_tool("add", {}))
            await asyncio.to_thread(server.wait_until, lambda: "tools/call" in server.methods())
            stopped = time.monotonic()
            call.cancel()
            with pytest.raises(asyncio.CancelledError):
                await call
            is_cancelled = await asyncio.to_thread(server.wait_until, lambda: server.cancelled == ["add"])

        assert is_cancelled
        assert time.monotonic() - stopped < 1.0

    @ERAS
    async def test_deadline_cancels_at_the_server(
        self, server: ScriptedMcpServer, eras: tuple[str, ...]
    ) -> None:
        server.eras, server.slow = eras, {"add": 30.0}

        async with connected(server, timeout_seconds=0.2) as connection:
            with pytest.raises(ServerUnreachable, match=r"within 0\.2 seconds") as failed:
                await connection.call_tool("add", {})
            assert await asyncio.to_thread(server.wait_until, lambda: server.cancelled == ["add"])

        assert failed.value.may_have_run


class TestAnswers:
    async def test_progress_and_log_lines(self, server: ScriptedMcpServer) -> None:
        server.notifications = [
            {"method": "notifications/progress", "params": {"progress": 1, "total": 2, "message": "Half"}},
            {"method": "notifications/message", "params": {"level": "info", "data": "A line\u202e"}},
        ]
        notices: list[Notice] = []

        async with connected(server) as connection:
            await connection.call_tool("add", {}, notices.append)

        assert notices == [Notice("Half", 1.0, 2.0), Notice("A line")]

    async def test_questions_of_the_server_are_refused(self, server: ScriptedMcpServer) -> None:
        server.eras = (HANDSHAKE,)
        server.requests_first = [
            {"id": "s1", "method": "sampling/createMessage", "params": {}},
            {"id": "s2", "method": "ping"},
        ]

        async with connected(server) as connection:
            await connection.call_tool("add", {})

        replies = [one.body for one in server.received if not one.method]
        assert replies[0]["error"]["code"] == -32601
        assert replies[1] == {"jsonrpc": "2.0", "id": "s2", "result": {}}

    async def test_error_of_the_protocol(self, server: ScriptedMcpServer) -> None:
        async with connected(server) as connection:
            with pytest.raises(RequestRejected, match="Method not found"):
                await connection.request("nothing", {})

    @pytest.mark.parametrize(
        "raw", [b"{", b"[1]", b"null", b'{"jsonrpc":"2.0","id":1}', b"[" * 100_000, b'{"result": 3, "id": 1}']
    )
    async def test_malformed_answers(self, server: ScriptedMcpServer, raw: bytes) -> None:
        server.raw_answer = raw

        with pytest.raises(ServerUnreachable):
            async with connected(server, era=McpEra.STATELESS):
                pass

    async def test_huge_answer(self, server: ScriptedMcpServer) -> None:
        server.results["add"] = "x" * (9 * 1024 * 1024)

        async with connected(server) as connection:
            with pytest.raises(ServerUnreachable, match="more than 8 MB"):
                await connection.call_tool("add", {})

    async def test_retry_after(self, server: ScriptedMcpServer) -> None:
        async with connected(server) as connection:
            server.status, server.extra_headers = 429, {"Retry-After": "3"}
            with pytest.raises(ServerBusy) as busy:
                await connection.call_tool("add", {})

        assert (busy.value.seconds, busy.value.may_have_run) == (3.0, False)


class TestLists:
    async def test_all_pages(self, server: ScriptedMcpServer) -> None:
        server.pages = [[make_tool("a")], [make_tool("b")], [make_tool("c")]]

        async with connected(server) as connection:
            tools = await connection.list_tools()

        assert [tool.name for tool in tools] == ["a", "b", "c"]

    async def test_endless_pages(self, server: ScriptedMcpServer) -> None:
        server.endless_cursor = True

        async with connected(server) as connection:
            with pytest.raises(ListTooLarge, match="more than 20 pages"):
                await connection.list_tools()

        assert server.methods().count("tools/list") == 20

    async def test_too_many_tools(self, server: ScriptedMcpServer) -> None:
        server.pages = [[make_tool(f"tool{number}") for number in range(257)]]

        async with connected(server) as connection:
            with pytest.raises(ListTooLarge, match="more than 256"):
                await connection.list_tools()


class TestSecurity:
    async def test_private_address(self, server: ScriptedMcpServer) -> None:
        with pytest.raises(UrlRefused):
            async with connected(server, EgressPolicy(allow_private=False)):
                pass

        assert server.received == []

    async def test_redirect_is_not_followed(self, server: ScriptedMcpServer) -> None:
        with ScriptedMcpServer() as other:
            server.status, server.extra_headers = 307, {"Location": other.url}

            with pytest.raises(ServerUnreachable, match="enter the final address"):
                async with connected(server, headers={"authorization": SecretStr("Bearer canary")}):
                    pass

            assert other.received == []

    async def test_credential_on_every_request(self, server: ScriptedMcpServer) -> None:
        server.eras, server.required_headers = (HANDSHAKE,), {"x-key": "canary-key"}

        async with connected(server, headers={"x-key": SecretStr("canary-key")}) as connection:
            await connection.call_tool("add", {})

        assert {one.headers["x-key"] for one in server.received} == {"canary-key"}

    async def test_wrong_credential(self, server: ScriptedMcpServer) -> None:
        server.required_headers = {"x-key": "canary-key"}

        with pytest.raises(CredentialsRefused, match="requires other credentials") as refused:
            async with connected(server, headers={"x-key": SecretStr("wrong-key-1")}):
                pass

        assert "wrong-key" not in str(refused.value)
        assert server.methods() == ["server/discover"]

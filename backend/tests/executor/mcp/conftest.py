"""Fixtures of the client of MCP servers."""

from collections.abc import AsyncIterator, Iterator

import pytest

from crewai_runner.core.egress import EgressPolicy
from crewai_runner.executor.mcp.session_pool import McpSessionPool
from tests.support.mcp_server import ScriptedMcpServer

LOOPBACK = EgressPolicy(allow_private=True)


@pytest.fixture
def server() -> Iterator[ScriptedMcpServer]:
    with ScriptedMcpServer() as running:
        yield running


@pytest.fixture
async def pool() -> AsyncIterator[McpSessionPool]:
    created = McpSessionPool(LOOPBACK)
    yield created
    await created.close()

"""Fixtures of MCP servers."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.support.mcp_server import ScriptedMcpServer


@pytest.fixture
def server() -> Iterator[ScriptedMcpServer]:
    with ScriptedMcpServer() as running:
        yield running


async def add_server(client: httpx.AsyncClient, url: str, **fields: Any) -> dict[str, Any]:
    """Add an MCP server named `test`; returns it."""
    response = await client.post("/mcp/servers", json={"name": "test", "url": url} | fields)
    assert response.status_code == 201, response.text
    found: dict[str, Any] = response.json()["server"]
    return found


async def connect(client: httpx.AsyncClient, server_id: str) -> dict[str, Any]:
    response = await client.post(f"/mcp/servers/{server_id}/connect")
    assert response.status_code == 200, response.text
    found: dict[str, Any] = response.json()
    return found


async def list_tools(client: httpx.AsyncClient, server_id: str) -> dict[str, dict[str, Any]]:
    response = await client.get(f"/mcp/servers/{server_id}/tools")
    return {tool["name"]: tool for tool in response.json()["tools"]}


async def approve_all(client: httpx.AsyncClient, server_id: str) -> None:
    """Approve every tool as it is listed."""
    tools = await list_tools(client, server_id)
    reviews = [{"name": name, "digest": tool["digest"], "use": True} for name, tool in tools.items()]
    response = await client.post(f"/mcp/servers/{server_id}/tools/review", json={"reviews": reviews})
    assert response.status_code == 200, response.text

"""What the requests about MCP servers need."""

import itertools
from collections.abc import Awaitable, Callable
from typing import Any

from crewai_runner.db.session import unit_of_work
from crewai_runner.db.tables.mcp import McpToolRow
from tests.contract.example_bodies import MCP_SERVER
from tests.support.harness import RunHarness
from tests.support.teams import Team

DIGEST = "0" * 64
TOOL = {"title": "", "description": "Adds.", "inputSchema": {"type": "object"}, "hints": {}}


class McpRequests:
    """Creates servers with one approved tool; the ids and bodies by operation are in `prepare`."""

    def __init__(self, team: Team, harness: RunHarness) -> None:
        self._team, self._harness, self._numbers = team, harness, itertools.count(1)
        self.prepare: dict[str, Callable[[], Awaitable[tuple[dict[str, str], dict[str, Any]]]]] = {
            "mcp:create_mcp_server": self._create,
            "mcp:replace_mcp_server": self._replace,
            "mcp:delete_mcp_server": self._existing,
            "mcp:connect_mcp_server": self._existing,
            "mcp:review_mcp_tools": self._existing,
            "mcp:try_mcp_tool": self._try,
        }

    def _name(self) -> str:
        return f"server-{next(self._numbers)}"

    async def _create(self) -> tuple[dict[str, str], dict[str, Any]]:
        return {}, {"json": MCP_SERVER | {"name": self._name()}}

    async def _replace(self) -> tuple[dict[str, str], dict[str, Any]]:
        ids, _ = await self._existing()
        return ids, {"json": MCP_SERVER | {"name": self._name()}}

    async def _try(self) -> tuple[dict[str, str], dict[str, Any]]:
        name = self._name()
        await self._add(name)
        return {}, {"json": {"tool": f"mcp:{name}/add", "arguments": {}}}

    async def _existing(self) -> tuple[dict[str, str], dict[str, Any]]:
        return {"mcp_server_id": await self._add(self._name())}, {}

    async def _add(self, name: str) -> str:
        response = await self._team.post("/mcp/servers", MCP_SERVER | {"name": name})
        assert response.is_success, response.text
        server_id = str(response.json()["server"]["id"])
        tool = McpToolRow(server_id=server_id, name="add", listed=TOOL, listed_digest=DIGEST)
        tool.approved, tool.approved_digest, tool.approved_by = TOOL, DIGEST, "test"
        async with unit_of_work(self._harness.container.sessions) as session:
            session.add(tool)
        return server_id

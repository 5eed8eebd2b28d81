"""Calls a tool of an MCP server once, for a person who tries it."""

from crewai_runner.core.principal import Principal
from crewai_runner.domain.mcp_server import TOOL_PREFIX
from crewai_runner.features.mcp.errors import McpToolNotFound, McpToolNotUsable
from crewai_runner.features.mcp.schemas import McpToolTest, McpToolTestReport
from crewai_runner.features.tools.errors import ToolsUnusable
from crewai_runner.features.tools.schemas import ToolTrial
from crewai_runner.features.tools.service import ToolTrials

_UNKNOWN = frozenset({"mcp-server-unknown", "mcp-tool-gone"})


class McpToolTester:
    """Tries tools as `POST /tools/try` does, with the errors of MCP servers."""

    def __init__(self, trials: ToolTrials) -> None:
        self._trials = trials

    async def call(self, principal: Principal, body: McpToolTest) -> McpToolTestReport:
        """Call a tool; its failures are reported, not raised. Raises McpToolNotFound, McpToolNotUsable."""
        if not body.tool.startswith(TOOL_PREFIX):
            raise McpToolNotFound(body.tool)
        try:
            result = await self._trials.call(principal, ToolTrial(tool=body.tool, arguments=body.arguments))
        except ToolsUnusable as error:
            problem = error.tool_problems[0]
            if problem.code in _UNKNOWN:
                raise McpToolNotFound(body.tool) from None
            raise McpToolNotUsable(problem.message) from None
        return McpToolTestReport(ok=result.ok, output=result.output, duration_ms=result.latency_ms)

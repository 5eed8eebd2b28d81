"""The runners of one process, by the kind of tool that they call."""

from collections.abc import Mapping

from crewai_runner.executor.mcp.commands import CommandStarter
from crewai_runner.executor.tool_binding import ToolKind
from crewai_runner.executor.tools.builtin import BuiltinTools
from crewai_runner.executor.tools.http_api import HttpApiTools
from crewai_runner.executor.tools.mcp_tools import McpTools
from crewai_runner.executor.tools.runner import ToolRunner


def make_runners(commands: CommandStarter | None = None) -> Mapping[ToolKind, ToolRunner]:
    """Create the runners of this process: the server, or a crew host. `commands` starts MCP servers."""
    return {
        ToolKind.BUILTIN: BuiltinTools(),
        ToolKind.HTTP_API: HttpApiTools(),
        ToolKind.MCP: McpTools(commands),
    }

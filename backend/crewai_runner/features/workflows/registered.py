"""What documents of a workspace may name."""

from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from crewai_runner.domain.tools import TOOLS
from crewai_runner.domain.workflow_yaml.registry import Registry
from crewai_runner.features.workflows.service import RegisteredNames


def registered_names(process: Any) -> RegisteredNames:
    """Looks names up in the database; `process` is `wiring.Parts`."""

    async def names(session: AsyncSession, workspace_id: str) -> Registry:
        models = await process.models(session).names(workspace_id)
        # No MCP server can be registered with this server yet, so naming one is a mistake.
        return Registry(
            models=models.llms,
            embedders=models.embedders,
            tools=frozenset(TOOLS),
            mcp_servers=frozenset(),
        )

    return names

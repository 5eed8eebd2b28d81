"""The catalog of tools as people see it."""

from sqlalchemy.ext.asyncio import AsyncSession

from crewai_runner.core.principal import Principal
from crewai_runner.domain.tool_classes import list_replaced_classes
from crewai_runner.features.tools.schemas import ToolFinding, ToolList, ToolRead
from crewai_runner.features.tools.service import ListedTool, ToolRegistry


class ToolCatalogService:
    def __init__(self, session: AsyncSession, registry: ToolRegistry) -> None:
        self._session, self._registry = session, registry

    async def list_all(self, principal: Principal) -> ToolList:
        """Return every tool of the workspace."""
        tools = await self._registry.list(self._session, principal.workspace_id)
        return ToolList(tools=[_to_schema(tool) for tool in tools])


def _to_schema(tool: ListedTool) -> ToolRead:
    problem = tool.problem
    return ToolRead(
        name=tool.name,
        kind=tool.kind,
        title=tool.title,
        description=tool.description,
        parameters=tool.parameters,
        effect=tool.effect,
        network=tool.network,
        connections=list(tool.connections),
        replaces=list_replaced_classes(tool.name),
        problem=None
        if problem is None
        else ToolFinding(code=problem.code, message=problem.message, remedy=problem.remedy),
    )

"""The lists of tools: what a server lists, and what a person approved of it."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from crewai_runner.core.clock import now
from crewai_runner.core.principal import Principal
from crewai_runner.db.subject_name_repository import load_subject_names
from crewai_runner.db.tables.mcp import McpServerRow, McpToolRow
from crewai_runner.domain.mcp_server import McpToolState, make_tool_reference
from crewai_runner.domain.mcp_tools import McpTool
from crewai_runner.features.mcp.errors import McpToolChanged, McpToolNotFound, McpToolNotUsable
from crewai_runner.features.mcp.repository import McpServerRepository, McpToolRepository
from crewai_runner.features.mcp.rules import UNUSABLE_BECAUSE, tool_state
from crewai_runner.features.mcp.schemas import (
    McpServerTools,
    McpToolRead,
    McpToolReview,
    McpToolReviews,
    McpToolText,
    McpUsableTool,
    McpUsableTools,
)


class McpToolReviewService:
    """The tools of the servers of the caller's workspace."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session
        self._servers, self._tools = McpServerRepository(session), McpToolRepository(session)

    async def list_of_server(self, principal: Principal, server_id: str) -> McpServerTools:
        """Return the tools of a server, by name. Raises McpServerNotFound."""
        server = await self._servers.get(server_id, principal.workspace_id)
        return await self._to_list(server, await self._tools.list_of([server]))

    async def list_usable(self, principal: Principal) -> McpUsableTools:
        """Return the tools that workflows may use now, by server and name."""
        rows = await self._servers.list_all(principal.workspace_id)
        servers = {row.id: row for row in rows if row.is_enabled}
        tools = await self._tools.list_of(list(servers.values()))
        usable = [_to_usable(servers[tool.server_id], tool) for tool in tools if _is_approved(tool)]
        return McpUsableTools(tools=sorted(usable, key=lambda tool: tool.reference))

    async def review(self, principal: Principal, server_id: str, body: McpToolReviews) -> McpServerTools:
        """Approve tools as the person has seen them, or switch them off; all or none.

        Raises McpServerNotFound, McpToolNotFound, McpToolChanged, McpToolNotUsable.
        """
        server = await self._servers.get_for_update(server_id, principal.workspace_id)
        rows = {row.name: row for row in await self._tools.lock_all(server)}
        for review in body.reviews:
            row = rows.get(review.name)
            if row is None:
                raise McpToolNotFound(review.name)
            _apply(row, review, principal.subject)
        await self._session.flush()
        return await self._to_list(server, sorted(rows.values(), key=lambda row: row.name))

    async def _to_list(self, server: McpServerRow, rows: Sequence[McpToolRow]) -> McpServerTools:
        await load_subject_names(self._session, rows)
        return McpServerTools(tools=[_to_schema(server, row) for row in rows])


def store_listed(
    repository: McpToolRepository, server: McpServerRow, rows: Sequence[McpToolRow], listed: Sequence[McpTool]
) -> list[McpToolRow]:
    """Store what a server lists now; return the rows of tools that are neither listed nor approved.

    What was approved is not changed: a tool that the server describes differently is no longer used.
    """
    by_name = {row.name: row for row in rows}
    for tool in listed:
        row = by_name.pop(tool.name, None)
        if row is None:
            row = McpToolRow(server_id=server.id, name=tool.name)
            repository.add(row)
        row.listed = None if tool.problem is not None else _to_stored(tool)
        row.listed_digest, row.problem = tool.digest, tool.problem
    for row in by_name.values():
        row.listed = row.listed_digest = row.problem = None
    return [row for row in by_name.values() if row.approved is None]


def _to_stored(tool: McpTool) -> dict[str, Any]:
    return {
        "title": tool.title,
        "description": tool.description,
        "inputSchema": dict(tool.input_schema),
        "hints": dict(tool.hints),
    }


def _apply(row: McpToolRow, review: McpToolReview, subject: str) -> None:
    if not review.use:
        row.is_off = True
        return
    if row.listed is None:
        raise McpToolNotUsable(f"{row.name!r} cannot be approved: {UNUSABLE_BECAUSE[tool_state(row)]}.")
    if row.listed_digest != review.digest:
        raise McpToolChanged(row.name)
    row.is_off = False
    if row.approved_digest != review.digest:
        row.approved, row.approved_digest = row.listed, row.listed_digest
        row.approved_by, row.approved_at = subject, now()


def _is_approved(row: McpToolRow) -> bool:
    return tool_state(row) is McpToolState.APPROVED


def _to_schema(server: McpServerRow, row: McpToolRow) -> McpToolRead:
    return McpToolRead(
        name=row.name,
        reference=make_tool_reference(server.name, row.name),
        state=tool_state(row),
        problem=row.problem,
        digest=row.listed_digest,
        listed=None if row.listed is None else McpToolText.model_validate(row.listed),
        approved=None if row.approved is None else McpToolText.model_validate(row.approved),
        approved_by=row.get_subject_name(),
        approved_at=row.approved_at,
    )


def _to_usable(server: McpServerRow, row: McpToolRow) -> McpUsableTool:
    approved = row.approved or {}
    return McpUsableTool(
        reference=make_tool_reference(server.name, row.name),
        server_id=server.id,
        server=server.name,
        name=row.name,
        title=approved["title"],
        description=approved["description"],
        input_schema=approved["inputSchema"],
        hints=approved["hints"],
    )

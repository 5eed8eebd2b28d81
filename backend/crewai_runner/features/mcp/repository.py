"""Queries on MCP servers and their tools."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Row, delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from crewai_runner.core.ids import Prefix
from crewai_runner.db.repository import NamedRowRepository
from crewai_runner.db.tables.mcp import McpServerRow, McpToolRow
from crewai_runner.features.mcp.errors import McpServerNameTaken, McpServerNotFound

MAX_REFRESHES = 50
"""Tokens that one round refreshes."""


class McpServerRepository(NamedRowRepository[McpServerRow]):
    def __init__(self, session: AsyncSession) -> None:
        super().__init__(
            session,
            McpServerRow,
            Prefix.MCP_SERVER,
            not_found=McpServerNotFound,
            name_taken=McpServerNameTaken,
        )

    async def list_all(self, workspace_id: str) -> Sequence[McpServerRow]:
        """Return the servers of the workspace, by name."""
        query = self._in_workspace(workspace_id).order_by(McpServerRow.name)
        return (await self._session.scalars(query)).all()

    async def list_by_names(self, names: Sequence[str], workspace_id: str) -> Sequence[McpServerRow]:
        query = self._in_workspace(workspace_id).where(McpServerRow.name.in_(names))
        return (await self._session.scalars(query)).all()

    async def count(self, workspace_id: str) -> int:
        query = select(func.count()).where(McpServerRow.workspace_id == workspace_id)
        return await self._session.scalar(query) or 0

    async def list_due_refreshes(self, moment: datetime) -> list[tuple[str, datetime]]:
        """Return (id, when it was due) of the tokens of all workspaces that are to be refreshed."""
        query = select(McpServerRow.id, McpServerRow.token_refresh_at)
        due = query.where(McpServerRow.token_refresh_at <= moment).order_by(McpServerRow.token_refresh_at)
        rows = await self._session.execute(due.limit(MAX_REFRESHES))
        return [(server_id, seen) for server_id, seen in rows if seen is not None]

    async def claim_refresh(self, server_id: str, seen: datetime, again: datetime) -> bool:
        """Make a refresh due `again` later; return whether no other process has done so."""
        claimed = await self._session.scalars(
            update(McpServerRow)
            .where(McpServerRow.id == server_id, McpServerRow.token_refresh_at == seen)
            .values(token_refresh_at=again)
            .returning(McpServerRow.id)
            .execution_options(synchronize_session=False)
        )
        return claimed.first() is not None

    async def get_for_refresh(self, server_id: str, *, lock: bool = False) -> McpServerRow | None:
        """The read without a workspace: a worker refreshes for the product, not for a person."""
        return await self._session.get(McpServerRow, server_id, with_for_update=lock or None)

    async def list_credentials(self) -> Sequence[Row[str, str, str | None]]:
        """Return (workspace id, id, encrypted credential) of the servers of all workspaces."""
        query = select(McpServerRow.workspace_id, McpServerRow.id, McpServerRow.sealed_credential)
        return (await self._session.execute(query.where(McpServerRow.sealed_credential.is_not(None)))).all()


class McpToolRepository:
    """The tools of servers that were read from a workspace."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def list_of(self, servers: Sequence[McpServerRow]) -> Sequence[McpToolRow]:
        """Return the tools of the servers, by name."""
        ids = [server.id for server in servers]
        query = select(McpToolRow).where(McpToolRow.server_id.in_(ids)).order_by(McpToolRow.name)
        return (await self._session.scalars(query)).all() if ids else []

    async def lock_all(self, server: McpServerRow) -> Sequence[McpToolRow]:
        """Return a server's tools as they are now, and lock them until the transaction ends."""
        query = select(McpToolRow).where(McpToolRow.server_id == server.id).with_for_update()
        return (await self._session.scalars(query.execution_options(populate_existing=True))).all()

    def add(self, row: McpToolRow) -> None:
        self._session.add(row)

    async def delete(self, row: McpToolRow) -> None:
        await self._session.delete(row)

    async def delete_all(self, server: McpServerRow) -> None:
        await self._session.execute(delete(McpToolRow).where(McpToolRow.server_id == server.id))

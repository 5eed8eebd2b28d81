"""Queries on public links."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from crewai_runner.core.ids import Prefix, has_prefix
from crewai_runner.db.tables.public_links import PublicLinkRow
from crewai_runner.db.tables.workspaces import WorkspaceRow


class PublicLinkRepository:
    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def add(self, row: PublicLinkRow) -> None:
        self._session.add(row)
        await self._session.flush()

    async def list_valid(self, run_id: str, at: datetime) -> Sequence[PublicLinkRow]:
        """Return the links to a run that have not expired, newest first."""
        query = select(PublicLinkRow).where(PublicLinkRow.run_id == run_id, PublicLinkRow.expires_at > at)
        return (await self._session.scalars(query.order_by(PublicLinkRow.id.desc()))).all()

    async def count_valid(self, run_id: str, at: datetime) -> int:
        query = select(func.count()).where(PublicLinkRow.run_id == run_id, PublicLinkRow.expires_at > at)
        return await self._session.scalar(query) or 0

    async def delete(self, run_id: str, link_id: str) -> bool:
        """Delete a link to a run; return whether there was one."""
        if not has_prefix(link_id, Prefix.PUBLIC_LINK):
            return False
        found = await self._session.scalars(
            delete(PublicLinkRow)
            .where(PublicLinkRow.run_id == run_id, PublicLinkRow.id == link_id)
            .returning(PublicLinkRow.id)
        )
        return found.first() is not None

    async def delete_expired(self, at: datetime) -> None:
        await self._session.execute(delete(PublicLinkRow).where(PublicLinkRow.expires_at <= at))

    async def allows_links(self, workspace_id: str) -> bool:
        query = select(WorkspaceRow.allows_public_links).where(WorkspaceRow.id == workspace_id)
        return bool(await self._session.scalar(query))

    async def find_valid(self, token_hash: str, at: datetime) -> PublicLinkRow | None:
        """Return a link that has not expired and whose workspace allows public links.

        The only read without a workspace: the token is all that its holder has.
        """
        query = (
            select(PublicLinkRow)
            .join(WorkspaceRow, WorkspaceRow.id == PublicLinkRow.workspace_id)
            .where(
                PublicLinkRow.token_hash == token_hash,
                PublicLinkRow.expires_at > at,
                WorkspaceRow.allows_public_links.is_(True),
            )
        )
        return await self._session.scalar(query)

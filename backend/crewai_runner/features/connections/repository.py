"""Queries on connections."""

from collections.abc import Sequence

from sqlalchemy import Row, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from crewai_runner.core.ids import Prefix
from crewai_runner.db.repository import NamedRowRepository
from crewai_runner.db.tables.connections import ConnectionRow
from crewai_runner.domain.connection import ConnectionPurpose
from crewai_runner.features.connections.errors import ConnectionNameTaken, ConnectionNotFound
from crewai_runner.features.connections.schemas import ConnectionRecord


class ConnectionRepository(NamedRowRepository[ConnectionRow]):
    def __init__(self, session: AsyncSession) -> None:
        super().__init__(
            session,
            ConnectionRow,
            Prefix.CONNECTION,
            not_found=ConnectionNotFound,
            name_taken=ConnectionNameTaken,
        )

    async def list_page(self, workspace_id: str, after: str | None, limit: int) -> Sequence[ConnectionRow]:
        """Return the connections with an id above `after`, oldest first."""
        query = self._in_workspace(workspace_id).order_by(ConnectionRow.id).limit(limit)
        if after is not None:
            query = query.where(ConnectionRow.id > after)
        return (await self._session.scalars(query)).all()

    async def list_records(
        self, workspace_id: str, purposes: Sequence[ConnectionPurpose]
    ) -> list[ConnectionRecord]:
        """Return what calls over the connections of these purposes need, default ones first, by name."""
        columns = [getattr(ConnectionRow, name) for name in ConnectionRecord._fields]
        query = select(*columns).where(
            ConnectionRow.workspace_id == workspace_id, ConnectionRow.purpose.in_(purposes)
        )
        rows = await self._session.execute(
            query.order_by(ConnectionRow.is_default.desc(), ConnectionRow.name)
        )
        return [ConnectionRecord(*row) for row in rows]

    async def list_encrypted_secrets(self) -> Sequence[Row[str, str, str | None]]:
        """Return (workspace id, id, encrypted secret) of the connections of all workspaces."""
        query = select(ConnectionRow.workspace_id, ConnectionRow.id, ConnectionRow.sealed_secret)
        return (await self._session.execute(query.where(ConnectionRow.sealed_secret.is_not(None)))).all()

    async def has_any(self, workspace_id: str, purpose: ConnectionPurpose) -> bool:
        query = select(func.count()).select_from(ConnectionRow)
        query = query.where(ConnectionRow.workspace_id == workspace_id, ConnectionRow.purpose == purpose)
        return bool(await self._session.scalar(query))

    async def clear_default(self, workspace_id: str, purpose: str) -> None:
        """Let no connection of a purpose be the default one."""
        await self._session.execute(
            update(ConnectionRow)
            .where(
                ConnectionRow.workspace_id == workspace_id,
                ConnectionRow.purpose == purpose,
                ConnectionRow.is_default,
            )
            .values(is_default=False, version=ConnectionRow.version + 1)
            .execution_options(synchronize_session="fetch")
        )

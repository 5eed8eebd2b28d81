"""Queries on stored responses, identified by workspace, route and key."""

from datetime import datetime

from sqlalchemy import delete
from sqlalchemy.ext.asyncio import AsyncSession

from crewai_runner.db.insert import insert_if_absent
from crewai_runner.db.tables.idempotency import IdempotencyRow


class IdempotencyRepository:
    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def claim(self, row: dict[str, object]) -> bool:
        """Insert the key; False if it exists. Waits for a concurrent transaction that inserted it first."""
        statement = insert_if_absent(self._session, IdempotencyRow, row)
        result = await self._session.execute(statement.returning(IdempotencyRow.key))
        return result.scalar() is not None

    async def get(self, workspace_id: str, key: str, route: str) -> IdempotencyRow | None:
        return await self._session.get(IdempotencyRow, (workspace_id, key, route))

    async def delete_before(self, at: datetime) -> None:
        """Delete the keys created before a time."""
        await self._session.execute(delete(IdempotencyRow).where(IdempotencyRow.created_at < at))

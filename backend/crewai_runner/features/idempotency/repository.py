"""Remembered answers, by workspace, route and key."""

from datetime import datetime

from sqlalchemy import delete
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.ext.asyncio import AsyncSession

from crewai_runner.db.tables.idempotency import IdempotencyRow


class IdempotencyRepository:
    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def claim(self, row: dict[str, object]) -> bool:
        """Take the key for this transaction; False when it is taken (another's is awaited first)."""
        dialect = self._session.get_bind().dialect.name
        insert = sqlite_insert if dialect == "sqlite" else postgresql_insert
        statement = insert(IdempotencyRow).values(row).on_conflict_do_nothing()
        done = await self._session.execute(statement.returning(IdempotencyRow.key))
        return done.scalar() is not None

    async def get(self, workspace_id: str, key: str, route: str) -> IdempotencyRow | None:
        return await self._session.get(IdempotencyRow, (workspace_id, key, route))

    async def forget_before(self, moment: datetime) -> None:
        await self._session.execute(delete(IdempotencyRow).where(IdempotencyRow.created_at < moment))

"""Queries on browser sessions. A session is found by its token, before its workspace is known."""

from datetime import datetime

from sqlalchemy import delete
from sqlalchemy.ext.asyncio import AsyncSession

from crewai_runner.db.tables.browser_sessions import BrowserSessionRow


class BrowserSessionRepository:
    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def get(self, token_hash: str) -> BrowserSessionRow | None:
        return await self._session.get(BrowserSessionRow, token_hash)

    def add(self, row: BrowserSessionRow) -> None:
        self._session.add(row)

    async def delete(self, token_hash: str) -> None:
        await self._session.execute(
            delete(BrowserSessionRow).where(BrowserSessionRow.token_hash == token_hash)
        )

    async def delete_expired(self, at: datetime) -> None:
        await self._session.execute(delete(BrowserSessionRow).where(BrowserSessionRow.expires_at <= at))

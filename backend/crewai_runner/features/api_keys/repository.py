"""Queries on API keys, each restricted to one workspace."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from crewai_runner.core.ids import Prefix, has_prefix
from crewai_runner.db.tables.api_keys import ApiKeyRow
from crewai_runner.features.api_keys.errors import ApiKeyNotFound


class ApiKeyRepository:
    """Keys of a workspace, or with `person_id` those of one person in it."""

    def __init__(self, session: AsyncSession, workspace_id: str, person_id: str | None = None) -> None:
        self._session, self._workspace_id = session, workspace_id
        self._mine = [ApiKeyRow.workspace_id == workspace_id]
        if person_id is not None:
            self._mine.append(ApiKeyRow.person_id == person_id)

    def add(self, row: ApiKeyRow) -> None:
        self._session.add(row)

    async def get_for_update(self, key_id: str) -> ApiKeyRow:
        """Return a key and lock it until the transaction ends. Raises ApiKeyNotFound."""
        query = select(ApiKeyRow).where(ApiKeyRow.id == key_id, *self._mine).with_for_update()
        row = await self._session.scalar(query) if has_prefix(key_id, Prefix.API_KEY) else None
        if row is None:
            raise ApiKeyNotFound(key_id)
        return row

    async def list_page(self, before: str | None, limit: int) -> Sequence[ApiKeyRow]:
        """Return keys, newest first."""
        query = select(ApiKeyRow).where(*self._mine)
        if before is not None:
            query = query.where(ApiKeyRow.id < before)
        return (await self._session.scalars(query.order_by(ApiKeyRow.id.desc()).limit(limit))).all()

    async def count_valid(self, at: datetime) -> int:
        query = select(func.count()).select_from(ApiKeyRow).where(*self._mine, *_is_valid(at))
        return await self._session.scalar(query) or 0


def _is_valid(at: datetime) -> list[ColumnElement[bool]]:
    is_current = or_(ApiKeyRow.expires_at.is_(None), ApiKeyRow.expires_at > at)
    return [ApiKeyRow.revoked_at.is_(None), is_current]

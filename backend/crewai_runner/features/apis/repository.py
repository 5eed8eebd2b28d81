"""Queries on HTTP APIs."""

from collections.abc import Sequence

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from crewai_runner.core.ids import Prefix
from crewai_runner.db.repository import NamedRowRepository
from crewai_runner.db.tables.http_apis import HttpApiRow
from crewai_runner.features.apis.errors import ApiNameTaken, ApiNotFound


class HttpApiRepository(NamedRowRepository[HttpApiRow]):
    def __init__(self, session: AsyncSession) -> None:
        super().__init__(session, HttpApiRow, Prefix.API, not_found=ApiNotFound, name_taken=ApiNameTaken)

    async def list_all(self, workspace_id: str) -> Sequence[HttpApiRow]:
        """Return the APIs of the workspace, by name."""
        query = self._in_workspace(workspace_id).order_by(HttpApiRow.name)
        return (await self._session.scalars(query)).all()

    async def list_by_names(self, names: Sequence[str], workspace_id: str) -> Sequence[HttpApiRow]:
        query = self._in_workspace(workspace_id).where(HttpApiRow.name.in_(names))
        return (await self._session.scalars(query)).all()

    async def count(self, workspace_id: str) -> int:
        query = select(func.count()).where(HttpApiRow.workspace_id == workspace_id)
        return await self._session.scalar(query) or 0

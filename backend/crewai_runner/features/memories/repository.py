"""Queries on the memories of workflows."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, delete, func, or_, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import defer

from crewai_runner.db.tables.knowledge import MemoryRow


class MemoryRepository:
    """Every query names the workflow, which was looked up in the caller's workspace before."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def list_page(
        self, workflow_id: str, text: str | None, before: tuple[datetime, str] | None, limit: int
    ) -> Sequence[MemoryRow]:
        """Return memories, newest first, without their vectors."""
        query = select(MemoryRow).where(*_matches(workflow_id, text)).options(defer(MemoryRow.vector))
        if before is not None:
            query = query.where(tuple_(MemoryRow.created_at, MemoryRow.id) < tuple_(*before))
        query = query.order_by(MemoryRow.created_at.desc(), MemoryRow.id.desc()).limit(limit)
        return (await self._session.scalars(query)).all()

    async def count(self, workflow_id: str, text: str | None) -> int:
        query = select(func.count()).select_from(MemoryRow).where(*_matches(workflow_id, text))
        return int(await self._session.scalar(query) or 0)

    async def list_all(self, workflow_id: str, limit: int) -> Sequence[MemoryRow]:
        """Return the memories that were used last, with their vectors."""
        query = select(MemoryRow).where(MemoryRow.workflow_id == workflow_id)
        return (await self._session.scalars(query.order_by(MemoryRow.accessed_at.desc()).limit(limit))).all()

    async def delete(self, workflow_id: str, ids: Sequence[str] | None = None) -> int:
        """Delete these memories, or all of the workflow; return how many there were."""
        query = delete(MemoryRow).where(MemoryRow.workflow_id == workflow_id)
        if ids is not None:
            query = query.where(MemoryRow.id.in_(ids))
        return len((await self._session.scalars(query.returning(MemoryRow.id))).all())


def _matches(workflow_id: str, text: str | None) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = [MemoryRow.workflow_id == workflow_id]
    if text:
        conditions.append(
            or_(
                MemoryRow.content.icontains(text, autoescape=True),
                MemoryRow.scope.icontains(text, autoescape=True),
            )
        )
    return conditions

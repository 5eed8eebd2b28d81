"""Shows and deletes what the crews of workflows remember."""

from datetime import UTC, datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from crewai_runner.core.errors import BadRequest
from crewai_runner.core.paging import decode_cursor, encode_cursor
from crewai_runner.core.principal import Principal
from crewai_runner.core.secret_mask import SecretMask
from crewai_runner.core.text import check_storable
from crewai_runner.db.tables.knowledge import MemoryRow
from crewai_runner.executor.memory_records import MAX_MEMORIES, StoredMemory
from crewai_runner.features.memories.errors import MemoryNotFound
from crewai_runner.features.memories.repository import MemoryRepository
from crewai_runner.features.memories.schemas import MemoriesDeleted, MemoryPage, MemoryRead
from crewai_runner.features.memories.writes import unpack_vector
from crewai_runner.features.workflows.service import WorkflowService

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class MemoryService:
    def __init__(self, session: AsyncSession, mask: SecretMask | None = None) -> None:
        self._memories, self._workflows = MemoryRepository(session), WorkflowService(session)
        self._mask = mask or SecretMask()

    async def list_page(
        self, principal: Principal, workflow_id: str, text: str | None, limit: int, cursor: str | None
    ) -> MemoryPage:
        """Return one page of memories, newest first. Raises WorkflowNotFound, BadRequest."""
        await self._workflows.definition_of(principal, workflow_id, None)
        before = None if cursor is None else _decode_position(cursor)
        rows = await self._memories.list_page(workflow_id, text, before, limit + 1)
        shown = rows[:limit]
        mask = self._mask.scoped(principal.workspace_id)
        return MemoryPage(
            memories=[
                MemoryRead.model_validate(row).model_copy(update={"content": mask(row.content)})
                for row in shown
            ],
            total=await self._memories.count(workflow_id, text),
            next_cursor=_encode_position(shown[-1]) if len(rows) > limit else None,
        )

    async def delete(self, principal: Principal, workflow_id: str, memory_id: str) -> None:
        """Delete one memory. Raises WorkflowNotFound, MemoryNotFound."""
        await self._workflows.definition_of(principal, workflow_id, None)
        if "\x00" in memory_id or not await self._memories.delete(workflow_id, [memory_id]):
            raise MemoryNotFound(memory_id)

    async def delete_many(
        self, principal: Principal, workflow_id: str, ids: list[str] | None
    ) -> MemoriesDeleted:
        """Delete these memories, or all of the workflow; ignore unknown ones. Raises WorkflowNotFound."""
        await self._workflows.definition_of(principal, workflow_id, None)
        return MemoriesDeleted(deleted=await self._memories.delete(workflow_id, ids))

    async def load(self, workflow_id: str, identity: str) -> list[StoredMemory]:
        """Return what a run begins with; memories of another embedder come without a vector."""
        rows = await self._memories.list_all(workflow_id, MAX_MEMORIES)
        return [_to_stored(row, identity) for row in rows]


def _to_stored(row: MemoryRow, identity: str) -> StoredMemory:
    is_current = row.embedder == identity and row.vector is not None
    return StoredMemory(
        id=row.id,
        content=row.content,
        scope=row.scope,
        categories=row.categories,
        extra=row.extra,
        importance=row.importance,
        created_at=row.created_at,
        accessed_at=row.accessed_at,
        source=row.source,
        private=row.private,
        vector=unpack_vector(row.vector) if is_current and row.vector is not None else None,
    )


def _encode_position(row: MemoryRow) -> str:
    return encode_cursor((row.created_at - _EPOCH) // timedelta(microseconds=1), row.id)


def _decode_position(cursor: str) -> tuple[datetime, str]:
    micros, memory_id = decode_cursor(cursor, 2)
    try:
        return _EPOCH + timedelta(microseconds=int(micros)), str(check_storable(memory_id))
    except (ValueError, OverflowError):
        raise BadRequest("The cursor is not valid; start again without it.") from None

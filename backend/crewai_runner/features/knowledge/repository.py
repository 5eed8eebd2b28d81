"""Queries on knowledge files and their chunks."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Select, delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from crewai_runner.core.ids import Prefix, has_prefix
from crewai_runner.db.subject_name_repository import load_subject_names
from crewai_runner.db.tables.knowledge import KnowledgeChunkRow, KnowledgeFileRow
from crewai_runner.features.knowledge.schemas import KnowledgeState


class KnowledgeRepository:
    """The files of workflows. Every read for a person names the workflow, which was looked up before."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def list_files(self, workflow_id: str) -> Sequence[KnowledgeFileRow]:
        """Return the files of a workflow by name, without their content."""
        query = _of_workflow(workflow_id).order_by(KnowledgeFileRow.name)
        rows = (await self._session.scalars(query)).all()
        await load_subject_names(self._session, rows)
        return rows

    async def get(self, workflow_id: str, file_id: str, *, lock: bool = False) -> KnowledgeFileRow | None:
        if not has_prefix(file_id, Prefix.KNOWLEDGE_FILE):
            return None
        query = _of_workflow(workflow_id).where(KnowledgeFileRow.id == file_id)
        row = await self._session.scalar(query.with_for_update() if lock else query)
        if row is not None:
            await load_subject_names(self._session, [row])
        return row

    async def get_content(self, workflow_id: str, file_id: str) -> bytes | None:
        query = select(KnowledgeFileRow.content).where(
            KnowledgeFileRow.workflow_id == workflow_id, KnowledgeFileRow.id == file_id
        )
        return await self._session.scalar(query)

    async def add(self, row: KnowledgeFileRow) -> None:
        self._session.add(row)
        await self._session.flush()
        await load_subject_names(self._session, [row])

    async def delete(self, row: KnowledgeFileRow) -> None:
        await self._session.delete(row)
        await self._session.flush()

    async def flush(self) -> None:
        await self._session.flush()

    async def lock_for_job(self, file_id: str) -> KnowledgeFileRow | None:
        """Return a file for the job that embeds it: a worker acts for no workspace."""
        query = select(KnowledgeFileRow).where(KnowledgeFileRow.id == file_id).with_for_update()
        return await self._session.scalar(query)

    async def get_content_for_job(self, file_id: str) -> bytes:
        query = select(KnowledgeFileRow.content).where(KnowledgeFileRow.id == file_id)
        return bytes(await self._session.scalar(query) or b"")

    async def count_chunks(self, file_id: str) -> int:
        query = select(func.count()).where(KnowledgeChunkRow.file_id == file_id)
        return int(await self._session.scalar(query) or 0)

    async def add_chunks(self, file_id: str, texts: Sequence[str]) -> None:
        rows = [{"file_id": file_id, "position": at, "text": text} for at, text in enumerate(texts)]
        await self._session.execute(insert(KnowledgeChunkRow), rows)

    async def delete_chunks(self, file_id: str) -> None:
        await self._session.execute(delete(KnowledgeChunkRow).where(KnowledgeChunkRow.file_id == file_id))

    async def clear_vectors(self, file_id: str) -> None:
        await self._session.execute(
            update(KnowledgeChunkRow).where(KnowledgeChunkRow.file_id == file_id).values(vector=None)
        )

    async def list_unembedded(self, file_id: str, limit: int) -> Sequence[tuple[int, str]]:
        """Return (position, text) of the next chunks without a vector."""
        query = (
            select(KnowledgeChunkRow.position, KnowledgeChunkRow.text)
            .where(KnowledgeChunkRow.file_id == file_id, KnowledgeChunkRow.vector.is_(None))
            .order_by(KnowledgeChunkRow.position)
            .limit(limit)
        )
        return [(position, text) for position, text in await self._session.execute(query)]

    async def set_vectors(self, file_id: str, vectors: Sequence[tuple[int, bytes]]) -> None:
        rows = [{"file_id": file_id, "position": at, "vector": vector} for at, vector in vectors]
        await self._session.execute(update(KnowledgeChunkRow), rows)

    async def list_searchable(self, workflow_id: str) -> Sequence[tuple[KnowledgeFileRow, Sequence[Any]]]:
        """Return the files whose chunks a run can use, each with (text, vector) in order."""
        files = await self._session.scalars(
            _of_workflow(workflow_id)
            .where(KnowledgeFileRow.chunk_count > 0, KnowledgeFileRow.state != KnowledgeState.FAILED)
            .order_by(KnowledgeFileRow.name)
        )
        found = {row.id: row for row in files}
        query = (
            select(KnowledgeChunkRow.file_id, KnowledgeChunkRow.text, KnowledgeChunkRow.vector)
            .where(KnowledgeChunkRow.file_id.in_(list(found)))
            .order_by(KnowledgeChunkRow.file_id, KnowledgeChunkRow.position)
        )
        chunks: dict[str, list[Any]] = {file_id: [] for file_id in found}
        for chunk in await self._session.execute(query):
            chunks[chunk.file_id].append(chunk)
        return [(row, chunks[row.id]) for row in found.values()]

    async def has_files(self, workflow_id: str) -> bool:
        query = select(KnowledgeFileRow.id).where(KnowledgeFileRow.workflow_id == workflow_id).limit(1)
        return await self._session.scalar(query) is not None


def _of_workflow(workflow_id: str) -> Select[KnowledgeFileRow]:
    return select(KnowledgeFileRow).where(KnowledgeFileRow.workflow_id == workflow_id)

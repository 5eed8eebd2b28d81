"""FastAPI dependencies of the knowledge endpoints."""

from typing import Annotated

from fastapi import Depends, Request

from crewai_runner.core.principal import Principal, Scope
from crewai_runner.features.auth.deps import Requires
from crewai_runner.features.knowledge.schemas import UploadedFile
from crewai_runner.features.knowledge.service import KnowledgeDeps, KnowledgeService
from crewai_runner.features.knowledge.upload_form import read_files
from crewai_runner.http.deps import Provided, ReadSessionDep, SessionDep

Reader = Annotated[Principal, Depends(Requires(Scope.WORKFLOWS_READ))]
Writer = Annotated[Principal, Depends(Requires(Scope.WORKFLOWS_WRITE))]
_Deps = Annotated[KnowledgeDeps, Depends(Provided(KnowledgeDeps))]


async def _knowledge(session: SessionDep, deps: _Deps) -> KnowledgeService:
    return KnowledgeService(session, deps)


async def _knowledge_to_read(session: ReadSessionDep, deps: _Deps) -> KnowledgeService:
    return KnowledgeService(session, deps)


async def _uploads(request: Request, writer: Writer, deps: _Deps) -> list[UploadedFile]:
    await deps.workspace_quota.check_storage(writer)
    return await read_files(request)


Knowledge = Annotated[KnowledgeService, Depends(_knowledge, scope="function")]
KnowledgeToRead = Annotated[KnowledgeService, Depends(_knowledge_to_read, scope="function")]
Uploads = Annotated[list[UploadedFile], Depends(_uploads)]

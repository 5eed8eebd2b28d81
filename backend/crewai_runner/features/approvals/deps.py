"""FastAPI dependencies of the approval endpoints."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends

from crewai_runner.core.principal import Principal, Scope
from crewai_runner.core.secret_mask import SecretMask
from crewai_runner.features.approvals.approval_list import ApprovalListService
from crewai_runner.features.approvals.service import ApprovalService
from crewai_runner.features.auth.deps import Requires
from crewai_runner.http.deps import Provided, ReaderDep, ReadSessionDep, SessionDep
from crewai_runner.queue.port import JobQueue

Reader = Annotated[Principal, Depends(Requires(Scope.RUNS_READ))]
Resolver = Annotated[Principal, Depends(Requires(Scope.APPROVALS_WRITE))]


@dataclass(frozen=True, slots=True)
class ApprovalDeps:
    """Dependencies of the approval service, built by the container."""

    queue: JobQueue
    mask: SecretMask


_Deps = Annotated[ApprovalDeps, Depends(Provided(ApprovalDeps))]


async def _list_service(reader: ReaderDep) -> ApprovalListService:
    return ApprovalListService(reader)


async def _write_service(session: SessionDep, deps: _Deps) -> ApprovalService:
    return ApprovalService(session, deps.queue, deps.mask)


async def _read_service(session: ReadSessionDep, deps: _Deps) -> ApprovalService:
    return ApprovalService(session, deps.queue, deps.mask)


ApprovalLists = Annotated[ApprovalListService, Depends(_list_service)]
Approvals = Annotated[ApprovalService, Depends(_write_service, scope="function")]
ApprovalsToRead = Annotated[ApprovalService, Depends(_read_service, scope="function")]

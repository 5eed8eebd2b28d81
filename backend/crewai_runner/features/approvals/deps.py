"""What the approval endpoints are given."""

from typing import Annotated

from fastapi import Depends

from crewai_runner.core.principal import Principal, Scope
from crewai_runner.features.approvals.service import ApprovalService
from crewai_runner.features.auth.deps import Requires
from crewai_runner.http.deps import Container, ReadSessionDep, SessionDep

Reader = Annotated[Principal, Depends(Requires(Scope.RUNS_READ))]
Resolver = Annotated[Principal, Depends(Requires(Scope.APPROVALS_WRITE))]


async def _service(session: SessionDep, process: Container) -> ApprovalService:
    return ApprovalService(session, process.queue, process.mask)


async def _reading(session: ReadSessionDep, process: Container) -> ApprovalService:
    return ApprovalService(session, process.queue, process.mask)


Approvals = Annotated[ApprovalService, Depends(_service, scope="function")]
ApprovalsToRead = Annotated[ApprovalService, Depends(_reading, scope="function")]

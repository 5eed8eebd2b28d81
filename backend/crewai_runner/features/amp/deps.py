"""FastAPI dependencies of the AMP run API."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Path
from sqlalchemy.ext.asyncio import AsyncSession

from crewai_runner.core.egress import EgressPolicy
from crewai_runner.core.encryption import SecretCipher
from crewai_runner.core.principal import Principal, Scope
from crewai_runner.core.secret_mask import SecretMask
from crewai_runner.features.amp.service import AmpService, AmpServices
from crewai_runner.features.approvals.service import ApprovalService
from crewai_runner.features.auth.deps import Requires
from crewai_runner.features.executions.service import ExecutionService
from crewai_runner.features.projects.service import ProjectDeps
from crewai_runner.http.deps import Provided, ReadSessionDep, SessionDep

Author = Annotated[Principal, Depends(Requires(Scope.WORKFLOWS_READ))]
Reader = Annotated[Principal, Depends(Requires(Scope.RUNS_READ))]
Writer = Annotated[Principal, Depends(Requires(Scope.RUNS_WRITE))]
Reviewer = Annotated[Principal, Depends(Requires(Scope.APPROVALS_WRITE))]
Slug = Annotated[str, Path(max_length=80, description="Of a workflow or a project: its `slug` or id.")]
KickoffId = Annotated[str, Path(max_length=64, description="From the answer to the kickoff.")]


@dataclass(frozen=True, slots=True)
class AmpDeps:
    """Dependencies of the run API, built by the container."""

    executions: Callable[[AsyncSession], ExecutionService]
    approvals: Callable[[AsyncSession], ApprovalService]
    projects: ProjectDeps
    cipher: SecretCipher
    egress: EgressPolicy
    mask: SecretMask

    def service(self, session: AsyncSession) -> AmpService:
        services = AmpServices(
            self.executions(session),
            self.approvals(session),
            self.projects,
            self.cipher,
            self.egress,
            self.mask,
        )
        return AmpService(session, services)


_Deps = Annotated[AmpDeps, Depends(Provided(AmpDeps))]


async def _write_service(session: SessionDep, deps: _Deps) -> AmpService:
    return deps.service(session)


async def _read_service(session: ReadSessionDep, deps: _Deps) -> AmpService:
    return deps.service(session)


Automations = Annotated[AmpService, Depends(_write_service, scope="function")]
AutomationsToRead = Annotated[AmpService, Depends(_read_service, scope="function")]

"""Dependencies of the insight and workflow list endpoints."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends

from crewai_runner.core.principal import Principal, Scope
from crewai_runner.core.secret_mask import SecretMask
from crewai_runner.features.auth.deps import Requires
from crewai_runner.features.insights.service import InsightService, WorkflowListService
from crewai_runner.http.deps import Provided, ReadSessionDep

RunReader = Annotated[Principal, Depends(Requires(Scope.RUNS_READ))]
WorkflowReader = Annotated[Principal, Depends(Requires(Scope.WORKFLOWS_READ))]


@dataclass(frozen=True, slots=True)
class InsightDeps:
    """Dependencies of the insight services, built by the container."""

    mask: SecretMask


async def _insights(session: ReadSessionDep) -> InsightService:
    return InsightService(session)


async def _workflow_list(
    session: ReadSessionDep, deps: Annotated[InsightDeps, Depends(Provided(InsightDeps))]
) -> WorkflowListService:
    return WorkflowListService(session, deps.mask)


InsightsDep = Annotated[InsightService, Depends(_insights, scope="function")]
WorkflowListDep = Annotated[WorkflowListService, Depends(_workflow_list, scope="function")]

"""What the endpoints of figures are given."""

from typing import Annotated

from fastapi import Depends

from crewai_runner.core.principal import Principal, Scope
from crewai_runner.features.auth.deps import Requires
from crewai_runner.features.insights.service import InsightService, WorkflowOverview
from crewai_runner.http.deps import Container, ReadSessionDep

RunReader = Annotated[Principal, Depends(Requires(Scope.RUNS_READ))]
WorkflowReader = Annotated[Principal, Depends(Requires(Scope.WORKFLOWS_READ))]


async def _insights(session: ReadSessionDep) -> InsightService:
    return InsightService(session)


async def _overview(session: ReadSessionDep, process: Container) -> WorkflowOverview:
    return WorkflowOverview(session, process.mask)


InsightsOfRuns = Annotated[InsightService, Depends(_insights, scope="function")]
Overview = Annotated[WorkflowOverview, Depends(_overview, scope="function")]

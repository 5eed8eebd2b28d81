"""Dependencies of the insight and workflow list endpoints."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends

from crewai_runner.core.principal import Principal, Scope
from crewai_runner.core.secret_mask import SecretMask
from crewai_runner.db.snapshot_reader import SnapshotReader
from crewai_runner.features.auth.deps import Requires
from crewai_runner.features.insights.service import InsightService
from crewai_runner.features.insights.workflow_list import WorkflowListService
from crewai_runner.http.deps import Provided

RunReader = Annotated[Principal, Depends(Requires(Scope.RUNS_READ))]
WorkflowReader = Annotated[Principal, Depends(Requires(Scope.WORKFLOWS_READ))]


@dataclass(frozen=True, slots=True)
class InsightDeps:
    """Dependencies of the insight services, built by the container."""

    reader: SnapshotReader
    mask: SecretMask


_Deps = Annotated[InsightDeps, Depends(Provided(InsightDeps))]


async def _insights(deps: _Deps) -> InsightService:
    return InsightService(deps.reader)


async def _workflow_list(deps: _Deps) -> WorkflowListService:
    return WorkflowListService(deps.reader, deps.mask)


InsightsDep = Annotated[InsightService, Depends(_insights)]
WorkflowListDep = Annotated[WorkflowListService, Depends(_workflow_list)]

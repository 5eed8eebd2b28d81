"""FastAPI dependencies of the workspace endpoints."""

from typing import Annotated

from fastapi import Depends

from crewai_runner.core.principal import Principal, Scope
from crewai_runner.features.auth.deps import Requires
from crewai_runner.features.workspaces.overview import WorkspaceOverviewService
from crewai_runner.features.workspaces.quota_settings import QuotaSettingsService
from crewai_runner.features.workspaces.service import WorkspaceDeps, WorkspaceService
from crewai_runner.http.deps import Provided, ReadSessionDep, SessionDep

Administrator = Annotated[Principal, Depends(Requires(Scope.INSTANCE_ADMIN))]
Manager = Annotated[Principal, Depends(Requires(Scope.SETTINGS_WRITE))]
Member = Annotated[Principal, Depends(Requires(Scope.RUNS_READ))]


_Deps = Annotated[WorkspaceDeps, Depends(Provided(WorkspaceDeps))]


async def _workspaces_to_read(session: ReadSessionDep, deps: _Deps) -> WorkspaceService:
    return WorkspaceService(session, deps)


async def _workspaces(session: SessionDep, deps: _Deps) -> WorkspaceService:
    return WorkspaceService(session, deps)


async def _overview(session: ReadSessionDep, deps: _Deps) -> WorkspaceOverviewService:
    return WorkspaceOverviewService(session, deps.limits)


async def _quotas_to_read(session: ReadSessionDep, deps: _Deps) -> QuotaSettingsService:
    return QuotaSettingsService(session, deps.limits)


async def _quotas(session: SessionDep, deps: _Deps) -> QuotaSettingsService:
    return QuotaSettingsService(session, deps.limits)


WorkspacesToRead = Annotated[WorkspaceService, Depends(_workspaces_to_read, scope="function")]
Workspaces = Annotated[WorkspaceService, Depends(_workspaces, scope="function")]
QuotasToRead = Annotated[QuotaSettingsService, Depends(_quotas_to_read, scope="function")]
Overview = Annotated[WorkspaceOverviewService, Depends(_overview, scope="function")]
Quotas = Annotated[QuotaSettingsService, Depends(_quotas, scope="function")]

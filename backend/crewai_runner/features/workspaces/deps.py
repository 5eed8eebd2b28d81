"""FastAPI dependencies of the workspace endpoints."""

from typing import Annotated

from fastapi import Depends

from crewai_runner.core.principal import Principal, Scope
from crewai_runner.features.auth.deps import Requires
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


WorkspacesToRead = Annotated[WorkspaceService, Depends(_workspaces_to_read, scope="function")]
Workspaces = Annotated[WorkspaceService, Depends(_workspaces, scope="function")]

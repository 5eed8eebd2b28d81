"""FastAPI dependencies of the project endpoints."""

from typing import Annotated

from fastapi import Depends, Path, Query, Request

from crewai_runner.core.principal import Principal, Scope
from crewai_runner.features.auth.deps import Requires
from crewai_runner.features.projects.project_secrets import ProjectSecrets
from crewai_runner.features.projects.service import ProjectDeps, ProjectService
from crewai_runner.features.projects.upload_body import read_upload
from crewai_runner.features.projects.uploads import CheckedUpload
from crewai_runner.features.projects.versions import ProjectVersions
from crewai_runner.http.deps import Provided, ReadSessionDep, SessionDep

Reader = Annotated[Principal, Depends(Requires(Scope.PROJECTS_READ))]
Writer = Annotated[Principal, Depends(Requires(Scope.PROJECTS_WRITE))]
Coder = Annotated[Principal, Depends(Requires(Scope.CODE_WRITE))]
VersionNumber = Annotated[int, Path(ge=1, le=2**31 - 1, description="Number of the version, starting at 1.")]
QueryNumber = Annotated[int, Query(ge=1, le=2**31 - 1)]
SecretName = Annotated[str, Path(max_length=128, description="Name of the environment variable.")]
_Deps = Annotated[ProjectDeps, Depends(Provided(ProjectDeps))]


async def _projects(session: SessionDep, deps: _Deps) -> ProjectService:
    return ProjectService(session, deps)


async def _projects_to_read(session: ReadSessionDep, deps: _Deps) -> ProjectService:
    return ProjectService(session, deps)


async def _versions(session: SessionDep, deps: _Deps) -> ProjectVersions:
    return ProjectVersions(session, deps)


async def _versions_to_read(session: ReadSessionDep, deps: _Deps) -> ProjectVersions:
    return ProjectVersions(session, deps)


async def _secrets(session: SessionDep, deps: _Deps) -> ProjectSecrets:
    return ProjectSecrets(session, deps)


async def _secrets_to_read(session: ReadSessionDep, deps: _Deps) -> ProjectSecrets:
    return ProjectSecrets(session, deps)


async def _upload(
    request: Request,
    coder: Coder,
    deps: _Deps,
    name: Annotated[str | None, Query(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f]+$")] = None,
    note: Annotated[str | None, Query(max_length=500, pattern=r"^[^\x00-\x1f]*$")] = None,
) -> CheckedUpload:
    await deps.workspace_quota.check_storage(coder)
    return await read_upload(request, name, note, deps.archive_slots)


Projects = Annotated[ProjectService, Depends(_projects, scope="function")]
ProjectsToRead = Annotated[ProjectService, Depends(_projects_to_read, scope="function")]
Versions = Annotated[ProjectVersions, Depends(_versions, scope="function")]
VersionsToRead = Annotated[ProjectVersions, Depends(_versions_to_read, scope="function")]
Secrets = Annotated[ProjectSecrets, Depends(_secrets, scope="function")]
SecretsToRead = Annotated[ProjectSecrets, Depends(_secrets_to_read, scope="function")]
Upload = Annotated[CheckedUpload, Depends(_upload)]

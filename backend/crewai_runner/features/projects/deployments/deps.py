"""FastAPI dependencies of deployments."""

from typing import Annotated, Any

from fastapi import Depends, Path, Request

from crewai_runner.core.principal import Principal, Scope
from crewai_runner.features.auth.deps import Requires
from crewai_runner.features.projects.deployments.form import ARCHIVE, DeploymentForm, read_deployment
from crewai_runner.features.projects.deployments.service import DeploymentService
from crewai_runner.features.projects.service import ProjectDeps
from crewai_runner.features.projects.upload_body import FORM_TYPE
from crewai_runner.http.client_address import get_base_url
from crewai_runner.http.deps import Provided, ReadSessionDep, SessionDep

UPLOAD_PATHS = r"/crewai_plus/api/v1/crews/(zip|[^/]+/zip_update)"
"""The routes whose bodies may be as large as uploads of projects."""
UPLOAD_FORM: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            FORM_TYPE: {
                "schema": {
                    "type": "object",
                    "required": [ARCHIVE],
                    "properties": {
                        ARCHIVE: {"type": "string", "format": "binary", "description": "At most 64 MiB."},
                        "name": {"type": "string", "maxLength": 200},
                        "project_id": {"type": "string", "description": "Has no effect."},
                        "force": {"type": "string", "description": "Has no effect."},
                    },
                    "additionalProperties": {
                        "type": "string",
                        "description": "`env[NAME]` sets an environment variable.",
                    },
                }
            }
        },
    }
}

Reader = Annotated[Principal, Depends(Requires(Scope.PROJECTS_READ))]
Writer = Annotated[Principal, Depends(Requires(Scope.PROJECTS_WRITE))]
Coder = Annotated[Principal, Depends(Requires(Scope.CODE_WRITE))]
Uuid = Annotated[str, Path(description="Of the deployment: the id of its project.")]
ProjectName = Annotated[str, Path(description="As in the project's `pyproject.toml`.")]
LogKind = Annotated[str, Path(description="`deployment`.")]
BaseUrl = Annotated[str, Depends(get_base_url)]
_Deps = Annotated[ProjectDeps, Depends(Provided(ProjectDeps))]


async def _deployments(session: SessionDep, deps: _Deps) -> DeploymentService:
    return DeploymentService(session, deps)


async def _deployments_to_read(session: ReadSessionDep, deps: _Deps) -> DeploymentService:
    return DeploymentService(session, deps)


async def _form(request: Request, coder: Coder, deps: _Deps) -> DeploymentForm:
    await deps.workspace_quota.check_storage(coder)
    return await read_deployment(request, deps.archive_slots)


Deployments = Annotated[DeploymentService, Depends(_deployments, scope="function")]
DeploymentsToRead = Annotated[DeploymentService, Depends(_deployments_to_read, scope="function")]
Form = Annotated[DeploymentForm, Depends(_form)]

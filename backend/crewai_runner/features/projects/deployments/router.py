"""Endpoints that `crewai deploy` calls: projects as deployments."""

from http import HTTPStatus

from crewai_runner.core.errors import BadRequest, TooLarge, Unavailable
from crewai_runner.features.projects.deployments.deps import (
    UPLOAD_FORM,
    BaseUrl,
    Coder,
    Deployments,
    DeploymentsToRead,
    Form,
    LogKind,
    ProjectName,
    Reader,
    Uuid,
    Writer,
)
from crewai_runner.features.projects.deployments.errors import (
    DeploymentLogNotFound,
    DeploymentRefused,
    RepositoryUnsupported,
)
from crewai_runner.features.projects.deployments.schemas import (
    Deployed,
    DeploymentEntry,
    DeploymentLogLine,
    DeploymentRead,
)
from crewai_runner.features.projects.errors import (
    BuildInProgress,
    ProjectInUse,
    ProjectNotFound,
    TooManySecrets,
    UploadTypeUnknown,
)
from crewai_runner.features.workspaces.errors import WorkspaceStorageFull
from crewai_runner.http.deps import NoTimeout, QueueOpen
from crewai_runner.http.prefixed_router import PrefixedRouter
from crewai_runner.http.problems import problems

router = PrefixedRouter(prefix="/crewai_plus/api/v1/crews", tags=["deployments"])

_UPLOAD_PROBLEMS = problems(
    BadRequest,
    DeploymentRefused,
    TooLarge,
    UploadTypeUnknown,
    TooManySecrets,
    WorkspaceStorageFull,
    Unavailable,
)
_REBUILD_PROBLEMS = problems(BadRequest, ProjectNotFound, BuildInProgress, Unavailable)


@router.get("")
async def list_deployments(reader: Reader, deployments: DeploymentsToRead) -> list[DeploymentEntry]:
    """List projects as `crewai deploy list` shows them, newest first."""
    return await deployments.list_all(reader)


@router.post("", response_model=None, responses=problems(RepositoryUnsupported))
async def create_deployment_from_repository(coder: Coder) -> None:  # noqa: ARG001 - the right is required
    """Refuse to deploy from a git repository, as `crewai deploy create` asks where there is an `origin`."""
    raise RepositoryUnsupported


@router.post(
    "/zip",
    status_code=HTTPStatus.CREATED,
    response_model_exclude_none=True,
    dependencies=[NoTimeout, QueueOpen],
    responses=_UPLOAD_PROBLEMS,
    openapi_extra=UPLOAD_FORM,
)
async def create_deployment(
    coder: Coder, form: Form, deployments: Deployments, base_url: BaseUrl
) -> Deployed:
    """Create a project from a zip, as `crewai deploy create`.

    `env[NAME]` fields become secrets of the project. A name that is taken gets a number.
    """
    return await deployments.create(coder, form, base_url)


@router.post(
    "/{uuid}/zip_update",
    response_model_exclude_none=True,
    dependencies=[NoTimeout, QueueOpen],
    responses=_UPLOAD_PROBLEMS | problems(ProjectNotFound),
    openapi_extra=UPLOAD_FORM,
)
async def update_deployment(
    uuid: Uuid, coder: Coder, form: Form, deployments: Deployments, base_url: BaseUrl
) -> Deployed:
    """Add a version, as `crewai deploy push`. `env[NAME]` fields replace secrets of the same name."""
    return await deployments.update(coder, uuid, form, base_url)


@router.post(
    "/{uuid}/deploy",
    response_model_exclude_none=True,
    dependencies=[QueueOpen],
    responses=_REBUILD_PROBLEMS,
)
async def rebuild_deployment(
    uuid: Uuid, coder: Coder, deployments: Deployments, base_url: BaseUrl
) -> Deployed:
    """Build the newest version again."""
    return await deployments.rebuild(coder, uuid, base_url)


@router.post(
    "/by-name/{project_name}/deploy",
    response_model_exclude_none=True,
    dependencies=[QueueOpen],
    responses=_REBUILD_PROBLEMS,
)
async def rebuild_deployment_by_name(
    project_name: ProjectName, coder: Coder, deployments: Deployments, base_url: BaseUrl
) -> Deployed:
    """Build the newest version again."""
    return await deployments.rebuild(coder, await deployments.find(coder, project_name), base_url)


@router.get("/{uuid}/status", responses=problems(BadRequest, ProjectNotFound))
async def get_deployment(
    uuid: Uuid, reader: Reader, deployments: DeploymentsToRead, base_url: BaseUrl
) -> DeploymentRead:
    """Get the state of the newest version, as `crewai deploy status` shows it."""
    return await deployments.get(reader, uuid, base_url)


@router.get("/by-name/{project_name}/status", responses=problems(BadRequest, ProjectNotFound))
async def get_deployment_by_name(
    project_name: ProjectName, reader: Reader, deployments: DeploymentsToRead, base_url: BaseUrl
) -> DeploymentRead:
    """Get the state of the newest version, as `crewai deploy status` shows it."""
    return await deployments.get(reader, await deployments.find(reader, project_name), base_url)


@router.get("/{uuid}/logs/{log_type}", responses=problems(ProjectNotFound, DeploymentLogNotFound))
async def get_deployment_log(
    uuid: Uuid, log_type: LogKind, reader: Reader, deployments: DeploymentsToRead
) -> list[DeploymentLogLine]:
    """Get the log of the newest version's build, as `crewai deploy logs` shows it."""
    return await deployments.list_log(reader, uuid, log_type)


@router.get(
    "/by-name/{project_name}/logs/{log_type}", responses=problems(ProjectNotFound, DeploymentLogNotFound)
)
async def get_deployment_log_by_name(
    project_name: ProjectName, log_type: LogKind, reader: Reader, deployments: DeploymentsToRead
) -> list[DeploymentLogLine]:
    """Get the log of the newest version's build, as `crewai deploy logs` shows it."""
    return await deployments.list_log(reader, await deployments.find(reader, project_name), log_type)


@router.delete(
    "/{uuid}", status_code=HTTPStatus.NO_CONTENT, responses=problems(ProjectNotFound, ProjectInUse)
)
async def delete_deployment(uuid: Uuid, writer: Writer, deployments: Deployments) -> None:
    """Delete a project with its versions and secrets, as `crewai deploy remove`. Its runs are kept."""
    await deployments.delete(writer, uuid)


@router.delete(
    "/by-name/{project_name}",
    status_code=HTTPStatus.NO_CONTENT,
    responses=problems(ProjectNotFound, ProjectInUse),
)
async def delete_deployment_by_name(
    project_name: ProjectName, writer: Writer, deployments: Deployments
) -> None:
    """Delete a project with its versions and secrets, as `crewai deploy remove`. Its runs are kept."""
    await deployments.delete(writer, await deployments.find(writer, project_name))

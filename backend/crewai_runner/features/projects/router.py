"""HTTP API of projects: upload, versions, builds and secrets."""

from http import HTTPStatus
from typing import Annotated

from fastapi import Query, Response

from crewai_runner.core.errors import BadRequest, StaleVersion, TooLarge, Unavailable
from crewai_runner.core.zip_archive import ArchiveRefused
from crewai_runner.features.idempotency.deps import IdempotencyKey
from crewai_runner.features.idempotency.errors import IdempotencyKeyReused
from crewai_runner.features.projects.deps import (
    Coder,
    Projects,
    ProjectsToRead,
    QueryNumber,
    Reader,
    SecretName,
    Secrets,
    SecretsToRead,
    Upload,
    VersionNumber,
    Versions,
    VersionsToRead,
    Writer,
)
from crewai_runner.features.projects.errors import (
    BuildInProgress,
    ProjectFileNotFound,
    ProjectInUse,
    ProjectInvalid,
    ProjectNotFound,
    ProjectSecretNotFound,
    ProjectVersionNotFound,
    TooManySecrets,
    UploadTypeUnknown,
)
from crewai_runner.features.projects.schemas import (
    BuildAnswer,
    BuildLogPage,
    ProjectAnswer,
    ProjectDiff,
    ProjectFileList,
    ProjectFileText,
    ProjectPage,
    ProjectSecretList,
    ProjectUpdateEnvelope,
    ProjectUploaded,
    ProjectVersionAnswer,
    ProjectVersionPage,
    SecretValue,
)
from crewai_runner.features.projects.upload_body import UPLOAD_SCHEMA
from crewai_runner.features.workspaces.errors import WorkspaceStorageFull
from crewai_runner.http.deps import LIMIT, Cursor, IfMatch, Limit, NoTimeout, QueueOpen, set_etag
from crewai_runner.http.prefixed_router import PrefixedRouter
from crewai_runner.http.problems import problems

router = PrefixedRouter(prefix="/projects", tags=["projects"])

_UPLOAD_PROBLEMS = problems(
    BadRequest,
    TooLarge,
    UploadTypeUnknown,
    ArchiveRefused,
    IdempotencyKeyReused,
    WorkspaceStorageFull,
    Unavailable,
)
_VERSION_PROBLEMS = problems(ProjectNotFound, ProjectVersionNotFound)


@router.post(
    "",
    status_code=HTTPStatus.CREATED,
    dependencies=[NoTimeout, QueueOpen],
    responses=_UPLOAD_PROBLEMS,
    openapi_extra=UPLOAD_SCHEMA,
)
async def create_project(
    upload: Upload,
    coder: Coder,
    projects: Projects,
    response: Response,
    *,
    idempotency_key: IdempotencyKey = None,
) -> ProjectUploaded:
    """Upload a CrewAI project to run it as code: a zip, or its files in a form; at most 64 MiB.

    The files are read without executing anything; `inspection` says what was found. Variables of `.env`
    files become secrets of the project, and the files themselves are not stored. Then the environment of
    the project is built; follow `version.build`. A name that is taken gets a number.
    """
    created = await projects.create(coder, upload, idempotency_key)
    set_etag(response, created.project.revision)
    return created


@router.get("", responses=problems(BadRequest))
async def list_projects(
    reader: Reader,
    projects: ProjectsToRead,
    q: Annotated[
        str | None,
        Query(max_length=200, pattern=r"^[^\x00]*$", description="Part of the name or description."),
    ] = None,
    limit: Limit = LIMIT,
    cursor: Cursor = None,
) -> ProjectPage:
    """List projects, newest first."""
    return await projects.list_page(reader, q, limit, cursor)


@router.get("/{project_id}", responses=problems(ProjectNotFound))
async def get_project(project_id: str, reader: Reader, projects: ProjectsToRead) -> ProjectAnswer:
    """Get a project with its newest version.

    There is no ETag: the state of its build changes without a change of the project. Its `revision` is what
    `If-Match` of a change expects.
    """
    return ProjectAnswer(project=await projects.get(reader, project_id))


@router.patch("/{project_id}", responses=problems(ProjectNotFound, ProjectInvalid, StaleVersion, BadRequest))
async def update_project(
    project_id: str,
    body: ProjectUpdateEnvelope,
    writer: Writer,
    projects: Projects,
    response: Response,
    *,
    if_match: IfMatch = None,
) -> ProjectAnswer:
    """Change a project's name, description, entry point, map of models, allowed hosts or approver.

    They apply to runs that start afterwards, of every version. A retry has the approver of its first run.
    """
    project = await projects.update(writer, project_id, body.project, if_match)
    set_etag(response, project.revision)
    return ProjectAnswer(project=project)


@router.delete(
    "/{project_id}",
    status_code=HTTPStatus.NO_CONTENT,
    responses=problems(ProjectNotFound, ProjectInUse, StaleVersion, BadRequest),
)
async def delete_project(
    project_id: str, writer: Writer, projects: Projects, if_match: IfMatch = None
) -> None:
    """Delete a project with its versions and secrets. Its finished runs are kept."""
    await projects.delete(writer, project_id, if_match)


@router.post(
    "/{project_id}/versions",
    status_code=HTTPStatus.CREATED,
    dependencies=[NoTimeout, QueueOpen],
    responses=_UPLOAD_PROBLEMS | problems(ProjectNotFound),
    openapi_extra=UPLOAD_SCHEMA,
)
async def add_project_version(
    project_id: str,
    upload: Upload,
    coder: Coder,
    projects: Projects,
    response: Response,
    *,
    idempotency_key: IdempotencyKey = None,
) -> ProjectUploaded:
    """Upload the next version of a project, as `POST /projects`. Equal content adds no version."""
    added = await projects.upload(coder, project_id, upload, idempotency_key)
    set_etag(response, added.project.revision)
    return added


@router.get("/{project_id}/versions", responses=problems(ProjectNotFound, BadRequest))
async def list_project_versions(
    project_id: str, reader: Reader, versions: VersionsToRead, limit: Limit = LIMIT, cursor: Cursor = None
) -> ProjectVersionPage:
    """List the versions of a project, newest first."""
    return await versions.list_page(reader, project_id, limit, cursor)


@router.get("/{project_id}/versions/{number}", responses=_VERSION_PROBLEMS)
async def get_project_version(
    project_id: str, number: VersionNumber, reader: Reader, versions: VersionsToRead
) -> ProjectVersionAnswer:
    """Get a version with its inspection and its newest build."""
    return await versions.get(reader, project_id, number)


@router.get("/{project_id}/versions/{number}/files", responses=_VERSION_PROBLEMS)
async def list_project_files(
    project_id: str, number: VersionNumber, reader: Reader, versions: VersionsToRead
) -> ProjectFileList:
    """List the files of a version."""
    return await versions.list_files(reader, project_id, number)


@router.get(
    "/{project_id}/versions/{number}/files/{path:path}",
    responses=_VERSION_PROBLEMS | problems(ProjectFileNotFound),
)
async def get_project_file(
    project_id: str, number: VersionNumber, path: str, reader: Reader, versions: VersionsToRead
) -> ProjectFileText:
    """Get the text of a file, up to 256 KiB."""
    return await versions.get_file(reader, project_id, number, path)


@router.get("/{project_id}/versions/{number}/diff", responses=_VERSION_PROBLEMS)
async def diff_project_versions(
    project_id: str,
    number: VersionNumber,
    reader: Reader,
    versions: VersionsToRead,
    from_version: Annotated[QueryNumber, Query(alias="from", description="The version to compare with.")],
) -> ProjectDiff:
    """Compare the files of a version with those of another one."""
    return await versions.diff(reader, project_id, number, from_version)


@router.get("/{project_id}/versions/{number}/build", responses=_VERSION_PROBLEMS)
async def get_project_build(
    project_id: str, number: VersionNumber, reader: Reader, versions: VersionsToRead
) -> BuildAnswer:
    """Get the state of a version's newest build."""
    return await versions.get_build(reader, project_id, number)


@router.post(
    "/{project_id}/versions/{number}/build",
    status_code=HTTPStatus.ACCEPTED,
    dependencies=[QueueOpen],
    responses=_VERSION_PROBLEMS | problems(BuildInProgress, Unavailable),
)
async def build_project_version(
    project_id: str, number: VersionNumber, coder: Coder, versions: Versions
) -> BuildAnswer:
    """Build the environment of a version again."""
    return await versions.build_again(coder, project_id, number)


@router.get("/{project_id}/versions/{number}/build/log", responses=_VERSION_PROBLEMS)
async def get_project_build_log(
    project_id: str,
    number: VersionNumber,
    reader: Reader,
    versions: VersionsToRead,
    after: Annotated[int, Query(ge=0, le=2**31 - 1, description="`next` of the previous part.")] = 0,
) -> BuildLogPage:
    """Get the next part of the log of a version's newest build."""
    return await versions.get_log(reader, project_id, number, after)


@router.get("/{project_id}/secrets", responses=problems(ProjectNotFound))
async def list_project_secrets(project_id: str, reader: Reader, secrets: SecretsToRead) -> ProjectSecretList:
    """List the names of a project's secrets. Values cannot be read."""
    return await secrets.list_names(reader, project_id)


@router.put(
    "/{project_id}/secrets/{name}",
    status_code=HTTPStatus.NO_CONTENT,
    responses=problems(ProjectNotFound, ProjectInvalid, TooManySecrets),
)
async def set_project_secret(
    project_id: str, name: SecretName, body: SecretValue, writer: Writer, secrets: Secrets
) -> None:
    """Set an environment variable of the project's runs. It is stored encrypted and never shown."""
    await secrets.set(writer, project_id, {name: body.value})


@router.delete(
    "/{project_id}/secrets/{name}",
    status_code=HTTPStatus.NO_CONTENT,
    responses=problems(ProjectNotFound, ProjectSecretNotFound),
)
async def delete_project_secret(project_id: str, name: SecretName, writer: Writer, secrets: Secrets) -> None:
    """Delete a secret of a project."""
    await secrets.delete(writer, project_id, name)

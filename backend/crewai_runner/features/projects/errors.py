"""Errors of projects."""

from http import HTTPStatus

from crewai_runner.core.errors import AppError, Conflict, NotFound, Unprocessable


class ProjectNotFound(NotFound):
    slug = "project-not-found"
    title = "Project not found"

    def __init__(self, project_id: str) -> None:
        super().__init__(
            f"Project {project_id!r} does not exist. It may have been deleted.", project_id=project_id
        )


class ProjectVersionNotFound(NotFound):
    slug = "project-version-not-found"
    title = "Project version not found"

    def __init__(self, project_id: str, number: int) -> None:
        super().__init__(
            f"Project {project_id} has no version {number}.", project_id=project_id, version=number
        )


class ProjectFileNotFound(NotFound):
    slug = "project-file-not-found"
    title = "File not found"

    def __init__(self, path: str, number: int) -> None:
        super().__init__(f"Version {number} has no file {path[:200]!r}.")


class ProjectSecretNotFound(NotFound):
    slug = "project-secret-not-found"
    title = "Secret not found"

    def __init__(self, name: str) -> None:
        super().__init__(f"The project has no secret {name!r}.")


class ProjectInUse(Conflict):
    """Runs of the project have not ended."""

    slug = "project-in-use"
    title = "Project is in use"

    def __init__(self, count: int) -> None:
        runs = "1 run of this project has" if count == 1 else f"{count} runs of this project have"
        super().__init__(f"{runs} not ended. Stop them first, or wait for their end.", runs=count)


class ProjectNotReady(Conflict):
    """The environment of the version is not built."""

    slug = "project-not-ready"
    title = "Project is not ready to run"

    def __init__(self, project_id: str, number: int, state: str, error: str | None) -> None:
        reason = {
            "queued": "its build has not started",
            "building": "it is being built",
            "failed": f"its build failed: {(error or 'see its log').removesuffix('.')}",
        }.get(state, f"it is {state}")
        super().__init__(
            f"Version {number} cannot run yet: {reason}.", project_id=project_id, version=number, state=state
        )


class BuildInProgress(Conflict):
    slug = "build-in-progress"
    title = "A build is in progress"


class TooManySecrets(Conflict):
    slug = "too-many-secrets"
    title = "Too many secrets"


class ProjectInvalid(Unprocessable):
    """A setting of a project is not valid; `errors` names the field."""

    slug = "project-invalid"
    title = "Project is not valid"

    def __init__(self, pointer: str, detail: str) -> None:
        super().__init__(detail, errors=[{"pointer": pointer, "detail": detail}])


class ProjectArchiveRefused(Unprocessable):
    """An uploaded archive is damaged or violates a limit; nothing was stored."""

    slug = "project-archive-refused"
    title = "Archive refused"


class UploadTypeUnknown(AppError):
    status = HTTPStatus.UNSUPPORTED_MEDIA_TYPE
    slug = "unsupported-media-type"
    title = "Content type is not accepted"

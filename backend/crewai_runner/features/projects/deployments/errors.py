"""Errors of deployments. None is a 422: CrewAI's command line expects other bodies there, and would crash."""

from crewai_runner.core.errors import BadRequest, NotFound


class DeploymentRefused(BadRequest):
    """The upload cannot be stored; nothing was."""

    slug = "deployment-refused"
    title = "Deployment refused"


class RepositoryUnsupported(BadRequest):
    slug = "repository-unsupported"
    title = "Git repositories are not read"

    def __init__(self) -> None:
        super().__init__(
            "This server does not read git repositories. Deploy from a copy of the project without the "
            "remote `origin`, or upload its folder with `crewai-runner push`."
        )


class DeploymentLogNotFound(NotFound):
    slug = "deployment-log-not-found"
    title = "Log not found"

    def __init__(self, kind: str) -> None:
        super().__init__(f"There is no log {kind[:100]!r}; deployments have the log `deployment`.")

"""What can go wrong when talking to a run."""

from http import HTTPStatus

from crewai_runner.core.errors import AppError, Conflict, Unprocessable


class AgentUnknown(Unprocessable):
    slug = "agent-unknown"
    title = "No such agent"


class RunIsOver(Conflict):
    slug = "run-is-over"
    title = "The run is over"


class ModelFailed(AppError):
    """The model that should answer did not; the provider's words are in the detail."""

    status = HTTPStatus.BAD_GATEWAY
    slug = "model-failed"
    title = "The model did not answer"

"""Errors of chat with a run."""

from http import HTTPStatus

from crewai_runner.core.errors import AppError, Conflict, Unprocessable


class AgentUnknown(Unprocessable):
    slug = "agent-unknown"
    title = "Unknown agent"


class RunNotAcceptingMessages(Conflict):
    slug = "run-is-over"
    title = "Run already finished"


class MessagesNotDelivered(Conflict):
    slug = "messages-not-delivered"
    title = "Projects receive no messages"


class ModelFailed(AppError):
    """The model that should answer failed; the detail holds the provider's message."""

    status = HTTPStatus.BAD_GATEWAY
    slug = "model-failed"
    title = "Model call failed"

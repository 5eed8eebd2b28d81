"""Exceptions of the executor: an attempt's end, and models that cannot be called."""

from collections.abc import Mapping
from typing import Any

from crewai_runner.executor.port import Outcome


class AttemptEnded(BaseException):
    """Ends the attempt with `outcome`. Not an Exception: CrewAI retries and swallows those."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(type(outcome).__name__)
        self.outcome = outcome


class UnusableModel(Exception):
    """A model cannot be called with its current configuration; `code` is the failure's slug."""

    def __init__(self, message: str, *, code: str = "provider-bad-request", hint: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.hint = hint


class MissingExtra(UnusableModel):
    """The optional dependency of a provider type is not installed."""

    def __init__(self, title: str, extra: str) -> None:
        super().__init__(
            f"Support for {title} is not installed.",
            code="extra-missing",
            hint=f'Run `uv sync --extra {extra}` (or `pip install "crewai-runner[{extra}]"`) and restart.',
        )


class UnusableSchema(UnusableModel):
    """The output schema of a task is too large for CrewAI."""

    def __init__(self, task_key: str, reason: str) -> None:
        super().__init__(
            f"The `output_json` of task `{task_key}` cannot be used. {reason}",
            code="output-invalid",
            hint="Simplify the schema in the workflow and start it again.",
        )


class UnexpectedHtml(Exception):
    """The base URL returned a web page instead of a model response."""

    def __init__(self, host: str) -> None:
        super().__init__(f"{host} returned a web page instead of a model response")


class AnswerError(Exception):
    """A provider responded, but the response holds no answer that can be used.

    `usage` holds the tokens of the response as the provider reported them.
    """

    usage: Mapping[str, Any] | None = None


class ProviderReportedError(AnswerError):
    """The response has status 200 and reports an error.

    `status_code` is the status it stands for, if known.
    """

    def __init__(self, body: Any, *, status_code: int | None) -> None:
        super().__init__(body if isinstance(body, str) else "the response reports an error")
        self.body = body
        self.status_code = status_code


class UnreadableAnswer(AnswerError):
    """The response is not in the format of the provider's protocol; the message quotes it."""


class AnswerInterrupted(AnswerError):
    """The connection was lost, or the answer ended, before it was complete."""


class AnswerTruncated(AnswerError):
    """The token limit was reached before the answer began."""


class AnswerFiltered(AnswerError):
    """The provider's content filter removed the answer."""


class AnswerRefused(AnswerError):
    """The model refused to answer; the message is its refusal."""


class AnswerMissing(AnswerError):
    """The response is well-formed and holds no answer; the message says what it holds instead."""


class ToolsRefused(Exception):
    """The model cannot call tools natively. CrewAI recognizes the message and lets it call them in text."""

    def __init__(self, model: str) -> None:
        super().__init__(f"{model} does not support tools")


class CallCutShort(Exception):
    """A model call was ended before the model had answered: by a stop, a limit or a failure beside it."""

    def __init__(self) -> None:
        super().__init__("The call was cut short before the model had answered.")


class RequestFailed(Exception):
    """A request failed and the client sends it again; `status_code` is the HTTP status, if there was one."""

    def __init__(self, status: int | None) -> None:
        reason = f"status {status}" if status is not None else "no answer"
        super().__init__(f"{reason}; the request is sent again")
        self.status_code = status

"""Adds the task, agent and provider to the failure of a run."""

from typing import Any

from crewai_runner.domain.run import RunFailure
from crewai_runner.executor.crew.context.exceptions import UnusableModel
from crewai_runner.executor.crew.errors.classify import classify_error
from crewai_runner.executor.port import ModelBinding


def failure_fields(
    error: BaseException, binding: ModelBinding | None, *, task_key: str | None, agent: str | None
) -> dict[str, Any]:
    """Return the fields of a RunFailure for an error of a run. Secrets are not redacted yet."""
    failure = _classify(error, binding).model_copy(update={"task_key": task_key, "agent": agent})
    return failure.model_dump(mode="json", by_alias=False)


def _classify(error: BaseException, binding: ModelBinding | None) -> RunFailure:
    provider = binding.provider_name if binding else None
    if isinstance(error, SystemExit):  # raised by CrewAI when respect_context_window is False
        return RunFailure(
            code="context-too-long",
            message="The conversation exceeds the model's context window, and the agent may not shorten it.",
            hint="Use a model with a larger context window, or set respect_context_window.",
            provider=provider,
        )
    if isinstance(error, UnusableModel):
        return RunFailure(code=error.code, message=str(error), hint=error.hint, provider=provider)
    if binding is None:
        return classify_error(error)
    return classify_error(
        error, provider_name=provider, provider_type=binding.provider_type, model=binding.model
    )

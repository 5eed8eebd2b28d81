"""Failures placed: which task, which agent, which provider. The cause in words is `failures`'."""

from typing import Any

from crewai_runner.domain.run import RunFailure
from crewai_runner.executor.crew.failures import explain
from crewai_runner.executor.crew.model_facts import UnusableModel
from crewai_runner.executor.port import ModelBinding


def failure_of(
    error: BaseException, binding: ModelBinding | None, *, task_key: str | None, agent: str | None
) -> dict[str, Any]:
    """The fields of a RunFailure for an error of a run. Not yet cleaned of secrets."""
    failure = _failure(_named(error), binding)
    placed = failure.model_copy(update={"task_key": task_key, "agent": agent})
    return placed.model_dump(mode="json", by_alias=False)


def _failure(error: BaseException, binding: ModelBinding | None) -> RunFailure:
    provider = binding.provider_name if binding else None
    if isinstance(error, UnusableModel):
        return RunFailure(code=error.code, message=str(error), hint=error.hint, provider=provider)
    if binding is None:
        return explain(error)
    return explain(error, provider_name=provider, provider_type=binding.provider_type, model=binding.model)


def _named(error: BaseException) -> BaseException:
    if isinstance(error, SystemExit):  # the engine's word for it
        return UnusableModel(
            "The conversation is longer than the model can read, and the agent may not shorten it.",
            code="context-too-long",
            hint="Use a model with a larger context window, or set respect_context_window.",
        )
    return error

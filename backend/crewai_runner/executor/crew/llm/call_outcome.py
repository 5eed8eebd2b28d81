"""What follows a model call: its answer is cleaned, a lost one asked for again, an error reported."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import httpx
from crewai.utilities.exceptions.context_window_exceeding_exception import LLMContextLengthExceededError

from crewai_runner.executor.crew.context.exceptions import AnswerInterrupted, ProviderReportedError
from crewai_runner.executor.crew.context.run_context import RunContext, current_run
from crewai_runner.executor.crew.errors.context_length import is_context_too_long
from crewai_runner.executor.crew.errors.provider_message import http_status, provider_message, retry_after
from crewai_runner.executor.crew.llm.answer.reasoning_text import split_reasoning
from crewai_runner.executor.crew.llm.model_rate_limiter import ModelRateLimiter
from crewai_runner.executor.crew.llm.surrogates import strip_surrogates

DEFAULT_RETRIES = 1
_FIRST_WAIT_SECONDS = 0.5
_MAX_WAIT_SECONDS = 8.0
_MAX_REQUESTED_WAIT_SECONDS = 60.0
"""A provider that asks for a longer wait is called again after the usual one, as its own client would do."""
_TEMPORARY = frozenset({408, 409, 425, 429, 500, 502, 503, 504, 529})
_LOST = (httpx.ReadError, httpx.RemoteProtocolError)
_RETRIED_BY_CLIENT = "APIConnectionError"
_CONNECTION_ERRORS = frozenset({"TransportError", "HTTPClientError", "ClientConnectionError"})
"""The base classes of httpx, botocore and aiohttp, by name: the latter are optional."""


def clean_answer(answer: Any) -> Any:
    """Return the answer without the reasoning in its text and without unpaired surrogates."""
    if isinstance(answer, str):
        answer, _ = split_reasoning(answer)
    return strip_surrogates(answer)


def is_worth_retrying(error: Exception, *, client_retries: bool = True) -> bool:
    """Return whether a call failed temporarily, in a way that the provider's client does not retry.

    Clients that retry do so until the response begins; what remains is what goes wrong afterwards.
    """
    if isinstance(error, AnswerInterrupted):
        return True
    if isinstance(error, ProviderReportedError):
        return error.status_code in _TEMPORARY
    causes = list(_causes(error))
    kinds = {kind.__name__ for cause in causes for kind in type(cause).__mro__}
    if client_retries:
        return _RETRIED_BY_CLIENT not in kinds and any(isinstance(cause, _LOST) for cause in causes)
    status = next((found for cause in causes if (found := http_status(cause)) is not None), None)
    return status in _TEMPORARY if status is not None else not kinds.isdisjoint(_CONNECTION_ERRORS)


async def call_with_retries(
    call: Callable[[], Awaitable[Any]],
    retries: int,
    limiter: ModelRateLimiter | None,
    *,
    client_retries: bool = True,
) -> Any:
    """Make a model call, again if it failed temporarily; `call` reserves each attempt with the run's budget.

    `client_retries` says that the provider's client retries requests without a response.
    """
    run = current_run.get()
    retry = 0
    while True:
        if limiter is not None:
            await limiter.acquire()
        with translated_errors():
            try:
                return clean_answer(await call())
            except Exception as error:
                if retry >= retries or not is_worth_retrying(error, client_retries=client_retries):
                    raise
                requested = retry_after(list(_causes(error)))
        await _wait_before_retry(retry, requested, run)
        retry += 1


async def _wait_before_retry(retry: int, requested: float | None, run: RunContext | None) -> None:
    seconds = min(_FIRST_WAIT_SECONDS * 2**retry, _MAX_WAIT_SECONDS)
    if requested is not None and requested <= _MAX_REQUESTED_WAIT_SECONDS:
        seconds = requested
    if run is not None:
        run.emit_retry_warning(seconds)
    await asyncio.sleep(seconds)


@contextlib.contextmanager
def translated_errors() -> Iterator[None]:
    """Raise CrewAI's own error if the conversation is too long, so that CrewAI shortens it."""
    try:
        yield
    except LLMContextLengthExceededError:
        raise
    except Exception as error:
        causes = list(_causes(error))
        if is_context_too_long(causes):
            raise LLMContextLengthExceededError(provider_message(causes)) from error
        raise


def _causes(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    cause: BaseException | None = error
    while cause is not None and id(cause) not in seen:
        seen.add(id(cause))
        yield cause
        cause = cause.__cause__

"""A single model call outside a crew."""

import asyncio
import contextvars
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from crewai_runner.core.egress import EgressPolicy
from crewai_runner.domain.model_settings import ModelSettings
from crewai_runner.domain.run import RunFailure
from crewai_runner.executor.crew.compat.llm_internals import close_clients, without_retries
from crewai_runner.executor.crew.compat.run_scope import listen_to_events
from crewai_runner.executor.crew.context.exceptions import UnusableModel
from crewai_runner.executor.crew.errors.classify import classify_error
from crewai_runner.executor.crew.llm.call_outcome import call_with_retries
from crewai_runner.executor.crew.llm.factory import make_llm
from crewai_runner.executor.crew.llm.response import parse_usage
from crewai_runner.executor.port import ModelBinding, ModelCallFailed, ModelCompletion, ReplacingText

OnText = Callable[[str], Awaitable[None]]


async def complete(
    binding: ModelBinding,
    messages: Sequence[Mapping[str, str]],
    on_text: OnText | None = None,
    *,
    egress: EgressPolicy | None = None,
) -> ModelCompletion:
    """Return the model's answer to `messages` (`role`, `content`) and its usage. Raises ModelCallFailed.

    With `on_text` the answer is streamed to it piece by piece, in order; a ReplacingText replaces the pieces
    before it, such as those of a lost answer. An error that it raises ends the call and is raised here.
    Cancelling closes the connection to the provider.
    """
    try:
        llm = make_llm(binding, settings=ModelSettings(), stream=on_text is not None, egress=egress)
    except UnusableModel as error:
        raise ModelCallFailed(_classify(error, binding)) from error
    call = _Call(llm, [dict(message) for message in messages])
    try:
        text = await call.run(on_text)
    finally:
        await close_clients(llm)
    if isinstance(text, Exception):
        raise ModelCallFailed(_classify(text, binding)) from text
    if not text.strip():
        raise ModelCallFailed(_empty_answer(binding))
    return ModelCompletion(text=text, usage=parse_usage(call.reported_usage, binding))


class _Call:
    """A model call in its own context, so that it receives its own CrewAI events only."""

    def __init__(self, llm: Any, messages: list[dict[str, str]]) -> None:
        self._llm = llm
        self._messages = messages
        self._pieces: asyncio.Queue[str | None] = asyncio.Queue()
        self._has_text = False
        self.reported_usage: dict[str, Any] | None = None

    async def run(self, on_text: OnText | None) -> str | Exception:
        """Return the text, or the error of the provider or its client. Raises what `on_text` raises."""
        task = asyncio.create_task(self._call_llm(), context=contextvars.copy_context())
        task.add_done_callback(lambda _task: self._pieces.put_nowait(None))
        try:
            while (piece := await self._pieces.get()) is not None:
                if on_text is not None:
                    await on_text(piece)
        finally:
            task.cancel()
            await asyncio.wait([task])
        return _result_or_error(task)

    async def _call_llm(self) -> str:
        listen_to_events(self._on_event)
        llm = self._llm
        return str(
            await call_with_retries(
                self._make_request, llm.max_retries, None, client_retries=llm.client_retries
            )
        )

    async def _make_request(self) -> Any:
        if self._has_text:  # of an answer that was lost
            self._put(ReplacingText(""))
        return await without_retries(type(self._llm).acall)(self._llm, self._messages)

    def _put(self, text: str) -> None:
        self._has_text = bool(text)
        self._pieces.put_nowait(text)

    def _on_event(self, _source: Any, event: Any) -> None:
        if event.type == "llm_stream_chunk" and event.chunk:
            self._put(str(event.chunk))
        elif event.type == "llm_text_replaced":
            self._put(ReplacingText(event.chunk))
        elif event.type == "llm_call_completed":
            self.reported_usage = event.usage


def _result_or_error(task: asyncio.Task[str]) -> str | Exception:
    if task.cancelled():
        raise asyncio.CancelledError
    error = task.exception()
    if error is None:
        return task.result()
    if isinstance(error, Exception):
        return error
    raise error


def _empty_answer(binding: ModelBinding) -> RunFailure:
    failure = _classify(ValueError("None or empty"), binding)
    message = f"{binding.model} at {binding.provider_name} returned an empty answer."
    return failure.model_copy(update={"message": message})


def _classify(error: Exception, binding: ModelBinding) -> RunFailure:
    return classify_error(
        error, provider_name=binding.provider_name, provider_type=binding.provider_type, model=binding.model
    )

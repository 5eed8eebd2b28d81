"""One plain model call outside any crew."""

import asyncio
import contextlib
import contextvars
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from crewai.events.event_context import EventContextConfig, MismatchBehavior, _event_context_config
from crewai.events.stream_context import add_stream_sink
from crewai_core.printer import set_suppress_console_output

from crewai_runner.core.egress import EgressPolicy
from crewai_runner.domain.run import RunFailure
from crewai_runner.domain.workflow import ModelSettings
from crewai_runner.executor.crew.failures import explain
from crewai_runner.executor.crew.llm import make_llm
from crewai_runner.executor.crew.model_facts import UnusableModel
from crewai_runner.executor.crew.reading import usage_of
from crewai_runner.executor.port import ModelAnswer, ModelBinding, ModelCallFailed

OnText = Callable[[str], Awaitable[None]]


async def ask(
    binding: ModelBinding,
    messages: Sequence[Mapping[str, str]],
    on_text: OnText | None = None,
    *,
    egress: EgressPolicy | None = None,
) -> ModelAnswer:
    """The model's answer to `messages` (`role`, `content`), with what it used.

    With `on_text` the answer is streamed to it piece by piece, in order; an error it raises ends the
    call and is raised here. Cancelling closes the connection to the provider. Raises ModelCallFailed.
    """
    try:
        llm = make_llm(binding, settings=ModelSettings(), stream=on_text is not None, egress=egress)
    except UnusableModel as error:
        raise _failed(error, binding) from error
    conversation = _Conversation(llm, [dict(message) for message in messages])
    try:
        text = await conversation.answer(on_text)
    finally:
        await _close(llm)
    if isinstance(text, Exception):
        raise _failed(text, binding) from text
    if not text.strip():
        raise ModelCallFailed(_empty(binding))
    return ModelAnswer(text=text, usage=usage_of(conversation.reported, binding))


class _Conversation:
    """A call in its own context, where the engine's events of this call alone are heard."""

    def __init__(self, llm: Any, messages: list[dict[str, str]]) -> None:
        self._llm = llm
        self._messages = messages
        self._pieces: asyncio.Queue[str | None] = asyncio.Queue()
        self.reported: dict[str, Any] | None = None

    async def answer(self, on_text: OnText | None) -> str | Exception:
        """The text, or the error of the provider or its client. Raises what `on_text` raises."""
        task = asyncio.create_task(self._call(), context=contextvars.copy_context())
        task.add_done_callback(lambda _task: self._pieces.put_nowait(None))
        try:
            while (piece := await self._pieces.get()) is not None:
                if on_text is not None:
                    await on_text(piece)
        finally:
            task.cancel()
            await asyncio.wait([task])
        return _outcome(task)

    async def _call(self) -> str:
        set_suppress_console_output(True)
        quiet = EventContextConfig(
            mismatch_behavior=MismatchBehavior.SILENT, empty_pop_behavior=MismatchBehavior.SILENT
        )
        _event_context_config.set(quiet)
        add_stream_sink(self._hear)
        # Beneath the engine's own retry layer: retries are the client's, as the model's settings say.
        acall = getattr(type(self._llm).acall, "__wrapped__", type(self._llm).acall)
        return str(await acall(self._llm, self._messages))

    def _hear(self, _source: Any, event: Any) -> None:
        if event.type == "llm_stream_chunk" and event.chunk:
            self._pieces.put_nowait(str(event.chunk))
        elif event.type == "llm_call_completed":
            self.reported = event.usage


def _outcome(task: asyncio.Task[str]) -> str | Exception:
    if task.cancelled():
        raise asyncio.CancelledError
    error = task.exception()
    if error is None:
        return task.result()
    if isinstance(error, Exception):
        return error
    raise error


async def _close(llm: Any) -> None:
    for name in ("_async_client", "_client"):
        client = getattr(llm, name, None)
        if client is not None and hasattr(client, "close"):
            with contextlib.suppress(Exception):
                closing = client.close()
                if asyncio.iscoroutine(closing):
                    await closing


def _failed(error: Exception, binding: ModelBinding) -> ModelCallFailed:
    return ModelCallFailed(_explained(error, binding))


def _empty(binding: ModelBinding) -> RunFailure:
    return _explained(ValueError("None or empty"), binding).model_copy(
        update={"message": f"{binding.model} at {binding.provider_name} gave an empty answer."}
    )


def _explained(error: Exception, binding: ModelBinding) -> RunFailure:
    return explain(
        error, provider_name=binding.provider_name, provider_type=binding.provider_type, model=binding.model
    )

"""Events of model calls."""

import asyncio
import sys
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from crewai_runner.domain import run_events
from crewai_runner.domain.usage import Usage
from crewai_runner.executor.crew.context.agent_keys import AgentKeyMap
from crewai_runner.executor.crew.context.budget import BudgetTracker
from crewai_runner.executor.crew.context.exceptions import AttemptEnded, CallCutShort, RequestFailed
from crewai_runner.executor.crew.context.redaction import MAX_PROMPT_LENGTH, MAX_TEXT_LENGTH, truncate
from crewai_runner.executor.crew.context.run_context import CallScope, TaskScope, current_call, current_task
from crewai_runner.executor.crew.errors.classify import is_unreached
from crewai_runner.executor.crew.errors.run_failure import failure_fields
from crewai_runner.executor.crew.events.chunk_buffer import ChunkBuffer
from crewai_runner.executor.crew.events.emitter import EventClass, EventEmitter
from crewai_runner.executor.crew.events.message_inbox import MessageInbox
from crewai_runner.executor.crew.llm.answer.check import find_warning
from crewai_runner.executor.crew.llm.response import (
    find_impossible_figures,
    parse_usage,
    requested_tools,
    summarize_messages,
    to_text,
)
from crewai_runner.executor.crew.llm.supervised import binding_of
from crewai_runner.executor.port import ModelBinding, ReplacingText

Prompt = tuple[int, str | None]
"""The number of messages, and the last one, truncated."""


@dataclass
class ModelCall:
    """A model call in progress; `number` counts the calls of the run. Announced with its first request."""

    call_id: str
    number: int
    binding: ModelBinding | None
    model: str
    scope: TaskScope
    request: CallScope
    prompt: Prompt
    started_at: float
    chunks: ChunkBuffer
    is_announced: bool = False

    @property
    def duration_ms(self) -> int:
        return round((time.monotonic() - self.started_at) * 1000)


class ModelCallTracker:
    """Converts CrewAI's events of model calls. Thread-safe.

    `on_usage` is called after a call's usage was counted.
    """

    def __init__(
        self,
        emitter: EventEmitter,
        agent_keys: AgentKeyMap,
        budget: BudgetTracker,
        inbox: MessageInbox,
        *,
        on_usage: Callable[[], None],
    ) -> None:
        self._emitter = emitter
        self._agent_keys = agent_keys
        self._budget = budget
        self._inbox = inbox
        self._on_usage = on_usage
        self._lock = threading.Lock()
        self._open_calls: dict[str, ModelCall] = {}
        self._models_warned_of: set[str] = set()
        self._call_starts: list[float] = []
        self.last_binding: dict[str | None, ModelBinding] = {}
        """The model used last, by task key."""

    @property
    def open_calls(self) -> list[ModelCall]:
        """The model calls in progress."""
        with self._lock:
            return [call for call in self._open_calls.values() if call.is_announced]

    def count_calls_since(self, moment: float | None) -> int:
        """Return how many calls started after a moment of `time.monotonic()`; 0 if there is none."""
        with self._lock:
            return 0 if moment is None else sum(start > moment for start in self._call_starts)

    def flush_chunks(self) -> None:
        """Emit all buffered text."""
        for call in self.open_calls:
            call.chunks.flush()

    def on_started(self, source: Any, event: Any) -> None:
        request = current_call.get() or CallScope()
        agent = self._agent_keys.find(event.agent_id)
        request.engine_call_id = event.call_id
        prompt = summarize_messages(event.messages)
        call = self._add(request, binding_of(source), str(event.model), agent, prompt)
        if not request.is_observed:
            self._announce(call)

    def open_call(self, request: CallScope, binding: ModelBinding, count: int, prompt: str) -> None:
        """Begin a call for which CrewAI emits no events."""
        request.engine_call_id = str(uuid.uuid4())
        self._add(request, binding, binding.name, None, (count, truncate(prompt, MAX_PROMPT_LENGTH)))

    def on_request(self, request: CallScope, reserve: Callable[[], int]) -> None:
        """Announce the call with its first request; each further request is a call of its own."""
        call = self._open_calls.get(request.engine_call_id or "")
        if call is None:
            return
        if call.is_announced:
            call = self._repeat(call, reserve())
        self._announce(call)

    def on_chunk(self, _source: Any, event: Any) -> None:
        call = self._open_calls.get(event.call_id)
        if call is not None and event.chunk and event.tool_call is None:
            call.chunks.add(event.chunk)

    def on_replaced(self, _source: Any, event: Any) -> None:
        if (call := self._open_calls.get(event.call_id)) is not None:
            call.chunks.replace(event.chunk)

    def on_completed(self, _source: Any, event: Any) -> None:
        call = self._close(event.call_id)
        if call is None:
            return
        self._announce(call)
        usage = parse_usage(event.usage or call.request.usage, call.binding)
        tools = requested_tools(event)
        text = "" if tools else to_text(event.response)
        self._complete(call, usage, {"text": text, "tool_calls": tools, "finish_reason": event.finish_reason})
        if warning := find_warning(event.finish_reason, call.model, has_tool_calls=bool(tools)):
            self._emit_warning(call, *warning)
        self._warn_of_impossible_figures(call, event.usage or call.request.usage)
        self._inbox.on_model_response(
            text, call=call.number, task_key=call.scope.task_key, agent=call.scope.agent
        )

    def complete_call(self, request: CallScope, reported: dict[str, Any]) -> None:
        """Complete a call that was begun with `open_call`."""
        call = self._close(request.engine_call_id)
        if call is not None:
            self._complete(call, parse_usage(reported, call.binding), {"text": ""})

    def on_failed(self, _source: Any, event: Any) -> None:
        # CrewAI emits the event twice, both times inside the `except` block of the error.
        call = self._close(event.call_id)
        if call is not None:
            self._fail(call, sys.exception() or RuntimeError(str(event.error)))

    def end_call(self, request: CallScope, error: BaseException | None) -> bool:
        """Fail the call if it is still open. Returns whether a request was sent for it."""
        call = self._close(request.engine_call_id)
        if call is not None:
            self._fail(call, error or CallCutShort())
        return request.requests > 0 or not request.is_observed

    def end_all(self) -> None:
        """Fail every open call: the attempt does not wait for them any longer."""
        for call in self.open_calls:
            self.end_call(call.request, CallCutShort())

    def _complete(self, call: ModelCall, usage: Usage, data: dict[str, Any]) -> None:
        self._budget.add_usage(usage)
        length = len(data["text"])
        fields = {
            "usage": usage,
            "duration_ms": call.duration_ms,
            "text_length": length,
            "is_truncated": length > MAX_TEXT_LENGTH,
            **data,
        }
        self._emit(call, run_events.LlmCompleted, fields)
        self._on_usage()

    def _fail(self, call: ModelCall, error: BaseException, *, will_retry: bool | None = None) -> None:
        if not call.is_announced:
            return
        if isinstance(error, asyncio.CancelledError | AttemptEnded):
            error = CallCutShort()
        usage = _usage_of_failed_call(call, error)
        self._budget.add_usage(usage)
        failure = failure_fields(error, call.binding, task_key=call.scope.task_key, agent=call.scope.agent)
        data = {"error": failure, "duration_ms": call.duration_ms, "usage": usage, "will_retry": will_retry}
        self._emit(call, run_events.LlmFailed, data)
        self._on_usage()

    def _warn_of_impossible_figures(self, call: ModelCall, reported: Any) -> None:
        """Warn once per model."""
        names = find_impossible_figures(reported)
        if not names or call.model in self._models_warned_of:
            return
        self._models_warned_of.add(call.model)
        figures = ", ".join(names)
        message = f"{call.model} reported impossible numbers of tokens ({figures}). They count as unknown."
        self._emit_warning(call, "usage-impossible", message)

    def _repeat(self, failed: ModelCall, number: int) -> ModelCall:
        """End a call whose client sends another request, and begin the next one."""
        request = failed.request
        self._close(request.engine_call_id)
        self._fail(failed, RequestFailed(request.status), will_retry=True)
        request.status, request.usage = None, None
        call_id = str(uuid.uuid4())
        chunks = self._chunk_buffer(call_id, failed.scope)
        call = replace(failed, call_id=call_id, number=number, chunks=chunks, is_announced=False)
        return self._register(call)

    def _announce(self, call: ModelCall) -> None:
        if call.is_announced:
            return
        with self._lock:
            call.is_announced = True
            call.started_at = time.monotonic()
            self._call_starts.append(time.monotonic())
            if call.binding is not None:
                self.last_binding[call.scope.task_key] = call.binding
        count, prompt = call.prompt
        self._emit(call, run_events.LlmStarted, {"messages": count, "prompt": prompt})

    def _add(
        self, request: CallScope, binding: ModelBinding | None, model: str, agent: str | None, prompt: Prompt
    ) -> ModelCall:
        task = current_task.get()
        scope = TaskScope(task.task_key, agent or task.agent)
        call_id = request.engine_call_id or str(uuid.uuid4())
        call = ModelCall(
            call_id=call_id,
            number=self._budget.count_unreserved_call() if request.number is None else request.number,
            binding=binding,
            model=binding.name if binding else model,
            scope=scope,
            request=request,
            prompt=prompt,
            started_at=time.monotonic(),
            chunks=self._chunk_buffer(call_id, scope),
        )
        return self._register(call)

    def _register(self, call: ModelCall) -> ModelCall:
        with self._lock:
            self._open_calls[call.request.engine_call_id or call.call_id] = call
        return call

    def _chunk_buffer(self, call_id: str, scope: TaskScope) -> ChunkBuffer:
        def emit_chunk(text: str) -> None:
            data = {"call_id": call_id, "text": text, "replaces": isinstance(text, ReplacingText)}
            self._emitter.emit(run_events.LlmChunk, data, task_key=scope.task_key, agent=scope.agent)

        return ChunkBuffer(emit_chunk)

    def _close(self, key: str | None) -> ModelCall | None:
        with self._lock:
            call = self._open_calls.pop(key, None) if key else None
        if call is not None:
            call.chunks.flush()
        return call

    def _emit_warning(self, call: ModelCall, code: str, message: str) -> None:
        data = {"code": code, "message": message}
        scope = call.scope
        self._emitter.emit(run_events.WarningRaised, data, task_key=scope.task_key, agent=scope.agent)

    def _emit(self, call: ModelCall, event_class: EventClass, data: dict[str, Any]) -> None:
        fields = {"call_id": call.call_id, "call": call.number, "model": call.model, **data}
        self._emitter.emit(event_class, fields, task_key=call.scope.task_key, agent=call.scope.agent)


def _usage_of_failed_call(call: ModelCall, error: BaseException) -> Usage:
    """Return what the provider reported; nothing was generated if it refused or was never reached."""
    status = call.request.status
    was_refused = status is not None and status >= 400
    if was_refused or (status is None and is_unreached(error)):
        return Usage.of_call(0, 0, 0, 0)
    return parse_usage(getattr(error, "usage", None) or call.request.usage, call.binding)

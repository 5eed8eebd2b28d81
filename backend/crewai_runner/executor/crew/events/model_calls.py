"""Events of model calls."""

import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from crewai_runner.domain import run_events
from crewai_runner.executor.crew.context.agent_keys import AgentKeyMap
from crewai_runner.executor.crew.context.budget import BudgetTracker
from crewai_runner.executor.crew.context.run_context import TaskScope, current_task, reserved_call
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
from crewai_runner.executor.port import ModelBinding


@dataclass
class ModelCall:
    """A model call in progress; `number` counts the calls of the run."""

    call_id: str
    number: int
    binding: ModelBinding | None
    model: str
    scope: TaskScope
    started_at: float
    chunks: ChunkBuffer

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
        is_stopping: Callable[[], bool],
    ) -> None:
        self._emitter = emitter
        self._agent_keys = agent_keys
        self._budget = budget
        self._inbox = inbox
        self._on_usage = on_usage
        self._is_stopping = is_stopping
        self._lock = threading.Lock()
        self._open_calls: dict[str, ModelCall] = {}
        self._models_warned_of: set[str] = set()
        self.calls_after_stop = 0
        self.last_binding: dict[str | None, ModelBinding] = {}
        """The model used last, by task key."""

    @property
    def open_calls(self) -> list[ModelCall]:
        """The model calls in progress."""
        with self._lock:
            return list(self._open_calls.values())

    def flush_chunks(self) -> None:
        """Emit all buffered text."""
        for call in self.open_calls:
            call.chunks.flush()

    def on_started(self, source: Any, event: Any) -> None:
        call = self._create_call(source, event)
        with self._lock:
            self._open_calls[call.call_id] = call
            self.calls_after_stop += self._is_stopping()
            if call.binding is not None:
                self.last_binding[call.scope.task_key] = call.binding
        count, prompt = summarize_messages(event.messages)
        self._emit(call, run_events.LlmStarted, {"messages": count, "prompt": prompt})

    def on_chunk(self, _source: Any, event: Any) -> None:
        call = self._open_calls.get(event.call_id)
        if call is not None and event.chunk and event.tool_call is None:
            call.chunks.add(event.chunk)

    def on_completed(self, _source: Any, event: Any) -> None:
        call = self._close(event.call_id)
        if call is None:
            return
        usage = parse_usage(event.usage, call.binding)
        self._budget.add_usage(usage)
        tools = requested_tools(event)
        text = "" if tools else to_text(event.response)
        data = {
            "text": text,
            "tool_calls": tools,
            "usage": usage,
            "duration_ms": call.duration_ms,
            "finish_reason": event.finish_reason,
        }
        self._emit(call, run_events.LlmCompleted, data)
        if warning := find_warning(event.finish_reason, call.model, has_tool_calls=bool(tools)):
            self._emit_warning(call, *warning)
        self._warn_of_impossible_figures(call, event.usage)
        self._on_usage()
        self._inbox.on_model_response(
            text, call=call.number, task_key=call.scope.task_key, agent=call.scope.agent
        )

    def on_failed(self, _source: Any, event: Any) -> None:
        # CrewAI emits the event twice, both times inside the `except` block of the error.
        call = self._close(event.call_id)
        if call is None:
            return
        error = sys.exception() or RuntimeError(str(event.error))
        self._budget.add_usage(parse_usage(getattr(error, "usage", None), call.binding))
        failure = failure_fields(error, call.binding, task_key=call.scope.task_key, agent=call.scope.agent)
        self._emit(call, run_events.LlmFailed, {"error": failure, "duration_ms": call.duration_ms})

    def _warn_of_impossible_figures(self, call: ModelCall, reported: Any) -> None:
        """Warn once per model."""
        names = find_impossible_figures(reported)
        if not names or call.model in self._models_warned_of:
            return
        self._models_warned_of.add(call.model)
        figures = ", ".join(names)
        message = f"{call.model} reported impossible numbers of tokens ({figures}). They count as unknown."
        self._emit_warning(call, "usage-impossible", message)

    def _create_call(self, source: Any, event: Any) -> ModelCall:
        number = reserved_call.get()
        reserved_call.set(None)
        task = current_task.get()
        scope = TaskScope(task.task_key, self._agent_keys.find(event.agent_id) or task.agent)
        binding = binding_of(source)

        def emit_chunk(text: str) -> None:
            data = {"call_id": event.call_id, "text": text}
            self._emitter.emit(run_events.LlmChunk, data, task_key=scope.task_key, agent=scope.agent)

        return ModelCall(
            call_id=event.call_id,
            number=number if number is not None else self._budget.count_unreserved_call(),
            binding=binding,
            model=binding.name if binding else str(event.model),
            scope=scope,
            started_at=time.monotonic(),
            chunks=ChunkBuffer(emit_chunk),
        )

    def _close(self, call_id: str) -> ModelCall | None:
        with self._lock:
            call = self._open_calls.pop(call_id, None)
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

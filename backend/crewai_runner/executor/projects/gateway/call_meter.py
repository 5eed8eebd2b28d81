"""Meters the model calls of one run: its budget, its events, and the figures of its stop receipt."""

import asyncio
import threading
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from crewai_runner.domain import run_events
from crewai_runner.domain.budget import Budget, BudgetLimit
from crewai_runner.domain.run import RunFailure
from crewai_runner.domain.usage import Usage, calculate_cost
from crewai_runner.executor.crew.context.budget import BudgetTracker
from crewai_runner.executor.crew.context.exceptions import CallCutShort
from crewai_runner.executor.crew.context.redaction import MAX_TEXT_LENGTH
from crewai_runner.executor.crew.context.run_context import TaskScope
from crewai_runner.executor.crew.errors.run_failure import failure_fields
from crewai_runner.executor.crew.events.chunk_buffer import ChunkBuffer
from crewai_runner.executor.crew.events.emitter import EventClass, EventEmitter
from crewai_runner.executor.crew.llm.response import find_impossible_figures, parse_usage
from crewai_runner.executor.port import ModelBinding, ReplacingText, RunControl
from crewai_runner.executor.projects.gateway.answer_observer import CHARACTERS_PER_TOKEN, ObservedAnswer

Prompt = tuple[int, str | None]
"""The number of messages, and the last one, truncated."""


class CallRefused(Exception):
    """No call may begin: the run has ended or is stopping, or a limit is reached.

    The limit is one of its budget, or that of its workspace, which fails the run.
    """

    def __init__(self, limit: BudgetLimit | RunFailure | None = None) -> None:
        super().__init__("the run has ended" if limit is None else f"limit {limit}")
        self.limit = limit


@dataclass(eq=False)
class MeteredCall:
    """A model call in progress; `number` counts the calls of the run."""

    call_id: str
    number: int
    binding: ModelBinding
    scope: TaskScope
    request_bytes: int
    chunks: ChunkBuffer
    started_at: float = field(default_factory=time.monotonic)
    has_ended: bool = False

    @property
    def duration_ms(self) -> int:
        return round((time.monotonic() - self.started_at) * 1000)


class CallMeter:
    """Permits, counts and reports model calls. `begin` and `close` may race: both are thread-safe."""

    def __init__(
        self, emitter: EventEmitter, tracker: BudgetTracker, budget: Budget, control: RunControl
    ) -> None:
        self._emitter, self._tracker, self._budget, self._control = emitter, tracker, budget, control
        self._lock = threading.Lock()
        self._is_closed = False
        self._open: dict[str, MeteredCall] = {}
        self._starts: list[float] = []
        self._models_warned_of: set[str] = set()
        self._models_without_tools: set[str] = set()
        self.in_flight_at_close = 0
        """The calls in progress when the meter was closed."""

    @property
    def is_closed(self) -> bool:
        return self._is_closed or self._control.stop_mode is not None

    @property
    def open_calls(self) -> int:
        with self._lock:
            return len(self._open)

    def count_calls_after_stop(self) -> int:
        """Return how many calls began after a person requested the stop."""
        since = self._control.stopping_since
        with self._lock:
            return 0 if since is None else sum(start > since for start in self._starts)

    def continue_with(self, tracker: BudgetTracker, budget: Budget, control: RunControl) -> None:
        """Count the calls of another attempt, whose limits and stop apply from now on."""
        with self._lock:
            self._tracker, self._budget, self._control = tracker, budget, control
            self._starts.clear()

    def close(self) -> None:
        """Let no further call begin."""
        with self._lock:
            if not self._is_closed:
                self._is_closed = True
                self.in_flight_at_close = len(self._open)

    def begin(
        self, binding: ModelBinding, prompt: Prompt, request_bytes: int, scope: TaskScope
    ) -> MeteredCall:
        """Reserve a call with the budget and announce it. Raises CallRefused."""
        call_id = str(uuid.uuid4())
        chunks = ChunkBuffer(lambda text: self._emit_chunk(call_id, scope, text))
        with self._lock:
            if self.is_closed:
                raise CallRefused
            reserved = self._control.refusal or self._tracker.reserve_call()
            if not isinstance(reserved, int):
                raise CallRefused(reserved)
            call = MeteredCall(call_id, reserved, binding, scope, request_bytes, chunks)
            self._open[call_id] = call
            self._starts.append(time.monotonic())
        count, text = prompt
        self._emit(call, run_events.LlmStarted, {"messages": count, "prompt": text})
        self._emit_budget_warnings()
        return call

    async def wait_until_spending_counts(self) -> None:
        """Wait until the calls before are stored, if the workspace limits what it spends."""
        if self._control.limits_spending:
            await self._control.wait_until_stored()

    async def wait_until_stored(self) -> None:
        """Wait until the begun calls are stored, if a budget depends on it or too many events wait."""
        if self._tracker.limits_spending or self._control.has_backlog:
            await self._control.wait_until_stored()

    def complete(self, call: MeteredCall, observed: ObservedAnswer, estimated_tokens: int) -> None:
        """Count the usage of an answer and emit its event; its error, if it reports one."""
        if observed.error is not None:
            self.fail(call, observed.error, observed.usage, estimated_tokens=estimated_tokens)
            return
        answer = observed.answer
        usage = parse_usage(observed.usage, call.binding)
        text = "" if observed.tools else answer.text
        fields = {
            "text": text,
            "text_length": len(text),
            "is_truncated": len(text) > MAX_TEXT_LENGTH,
            "tool_calls": observed.tools,
            "finish_reason": answer.finish_reason,
        }
        estimate = estimated_tokens if usage.completion_tokens is None else 0
        self._end(call, run_events.LlmCompleted, usage, fields, estimate)
        self._warn_of_impossible_figures(call, observed.usage)

    def complete_without_text(self, call: MeteredCall, reported: Mapping[str, Any] | None) -> None:
        """Count the usage of an answer that is no text, such as embeddings."""
        figures = dict(reported) if reported else None
        fields = {"text": "", "text_length": 0}
        self._end(call, run_events.LlmCompleted, parse_usage(figures, call.binding), fields, 0)

    def fail(
        self,
        call: MeteredCall,
        error: BaseException,
        reported: dict[str, Any] | None = None,
        *,
        was_refused: bool = False,
        estimated_tokens: int = 0,
    ) -> None:
        """Emit the failure of a call. `was_refused`: the provider generated nothing."""
        if isinstance(error, asyncio.CancelledError):
            error = CallCutShort()
        usage = Usage.of_call(0, 0, 0, 0) if was_refused else parse_usage(reported, call.binding)
        scope = call.scope
        failure = failure_fields(error, call.binding, task_key=scope.task_key, agent=scope.agent)
        estimate = 0 if was_refused else estimated_tokens
        self._end(call, run_events.LlmFailed, usage, {"error": failure}, estimate)

    def _end(
        self,
        call: MeteredCall,
        event_class: EventClass,
        usage: Usage,
        fields: dict[str, Any],
        estimated_tokens: int,
    ) -> None:
        with self._lock:
            if self._open.pop(call.call_id, None) is None:
                return
            call.has_ended = True
        call.chunks.flush()
        self._tracker.add_usage(usage)
        self._tracker.add_estimate(_estimate_missing(call, usage, estimated_tokens))
        data = {"usage": usage, "duration_ms": call.duration_ms, **fields}
        self._emit(call, event_class, data)
        self._emit_budget_warnings()

    def _emit_budget_warnings(self) -> None:
        """Warn of limits that are used to 80 %, once per limit and run."""
        for limit in self._tracker.take_new_warnings():
            usage, seconds = self._tracker.total_usage(), self._tracker.seconds
            data = {"limit": limit, "budget": self._budget, "usage": usage, "seconds": seconds}
            self._emitter.emit(run_events.BudgetWarned, data)

    def warn_of_unused_tools(self, model: str) -> None:
        """Warn once per model that the tools of the code are not given to it."""
        if model not in self._models_without_tools:
            self._models_without_tools.add(model)
            message = f"{model} calls no tools: those of the code were left out of its requests."
            data = {"code": "tools-left-out", "message": message}
            self._emitter.emit(run_events.WarningRaised, data)

    def _warn_of_impossible_figures(self, call: MeteredCall, reported: dict[str, Any] | None) -> None:
        """Warn once per model."""
        names = find_impossible_figures(reported)
        name = call.binding.name
        if names and name not in self._models_warned_of:
            self._models_warned_of.add(name)
            figures = ", ".join(names)
            message = f"{name} reported impossible numbers of tokens ({figures}). They count as unknown."
            self._emitter.emit(run_events.WarningRaised, {"code": "usage-impossible", "message": message})

    def _emit_chunk(self, call_id: str, scope: TaskScope, text: str) -> None:
        data = {"call_id": call_id, "text": text, "replaces": isinstance(text, ReplacingText)}
        self._emitter.emit(run_events.LlmChunk, data, task_key=scope.task_key, agent=scope.agent)

    def _emit(self, call: MeteredCall, event_class: EventClass, data: dict[str, Any]) -> None:
        fields = {"call_id": call.call_id, "call": call.number, "model": call.binding.name, **data}
        self._emitter.emit(event_class, fields, task_key=call.scope.task_key, agent=call.scope.agent)


def _estimate_missing(call: MeteredCall, usage: Usage, completion: int) -> Usage:
    """Return the estimated tokens of a call beyond those that the provider reported, for the limits only.

    Code that hangs up before the figures arrive would otherwise use tokens that no limit counts.
    """
    prompt = -(-call.request_bytes // CHARACTERS_PER_TOKEN) if usage.prompt_tokens is None else 0
    missing = max(0, completion - (usage.completion_tokens or 0))
    if usage.total_tokens == 0 or not (prompt or missing):
        return Usage()
    cost = calculate_cost(prompt, missing, call.binding.pricing)
    return Usage(prompt_tokens=prompt, completion_tokens=missing, total_tokens=prompt + missing, cost=cost)

"""Builds spans from committed events and their timestamps. Spans contain no prompts and no outputs.

A trace is a run: each attempt is a root span `invoke_workflow` with spans for tasks, agents, model calls and
tools, named by OpenTelemetry's semantic conventions for generative AI. This module does not import it.
"""

import hashlib
import random
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from crewai_runner.domain.base_event import Event
from crewai_runner.domain.committed_events import CommittedEvents
from crewai_runner.domain.provider import ProviderType
from crewai_runner.domain.run_events import (
    FINAL_EVENT_TYPES,
    AgentCompleted,
    AgentFailed,
    AgentStarted,
    LlmCompleted,
    LlmFailed,
    LlmStarted,
    RunCrashed,
    RunEvent,
    RunFailed,
    RunResumed,
    RunStarted,
    TaskCompleted,
    TaskFailed,
    TaskStarted,
    ToolCompleted,
    ToolFailed,
    ToolStarted,
)

MOST_ATTEMPTS = 5000
"""Limit of attempts with open spans: an outdated attempt never emits an end event."""
CANCELLED = "cancelled"
Value = str | int | Sequence[str]
Key = tuple[str, ...]

PROVIDER_NAMES: Mapping[ProviderType, str] = {
    ProviderType.GEMINI: "gcp.gemini",
    ProviderType.AZURE: "azure.ai.openai",
    ProviderType.BEDROCK: "aws.bedrock",
    ProviderType.MISTRAL: "mistral_ai",
}
"""The providers whose names in the conventions differ from ours."""


@dataclass(slots=True)
class RunSpan:
    """One span. Ids are integers of 128 and 64 bits; `error` is a short code, or None."""

    name: str
    trace_id: int
    span_id: int
    parent_id: int | None
    began: datetime
    attributes: dict[str, Value]
    ended: datetime | None = None
    error: str | None = None
    calls_out: bool = False


@dataclass(slots=True)
class _OpenAttempt:
    root: RunSpan
    open: dict[Key, RunSpan] = field(default_factory=dict)


class SpanBuilder:
    """A `CommitListener` that passes each span on when it ends. Not thread-safe: use it on the event loop."""

    def __init__(self, finished: Callable[[RunSpan], None]) -> None:
        self._finished = finished
        self._attempts: OrderedDict[str, _OpenAttempt] = OrderedDict()
        self._handlers: dict[str, Callable[[CommittedEvents, Any], None]] = {
            "run.started": self._run_started,
            "run.resumed": self._run_started,
            "run.waiting": self._attempt_ended,
            "run.queued": self._attempt_ended,
            **dict.fromkeys(FINAL_EVENT_TYPES, self._attempt_ended),
            "task.started": self._task_started,
            "task.completed": self._task_ended,
            "task.failed": self._task_ended,
            "agent.started": self._agent_started,
            "agent.completed": self._agent_ended,
            "agent.failed": self._agent_ended,
            "llm.started": self._call_started,
            "llm.completed": self._call_ended,
            "llm.failed": self._call_ended,
            "tool.started": self._tool_started,
            "tool.completed": self._tool_ended,
            "tool.failed": self._tool_ended,
        }

    def on_commit(self, batch: Sequence[CommittedEvents]) -> None:
        for committed in batch:
            for event in committed.events:
                handler = self._handlers.get(event.type)
                if handler is not None:
                    handler(committed, event)

    def _run_started(self, committed: CommittedEvents, event: RunStarted | RunResumed) -> None:
        self._attempt_ended(committed, event)  # a run still open here was lost by its worker
        name = committed.facts.workflow_name if committed.facts is not None else ""
        root = RunSpan(
            name=f"invoke_workflow {name}".strip(),
            trace_id=trace_id_of(committed.run_id),
            span_id=_new_id(),
            parent_id=None,
            began=event.at,
            attributes={
                "gen_ai.operation.name": "invoke_workflow",
                "gen_ai.workflow.name": name,
                "crewai_runner.run.id": committed.run_id,
                "crewai_runner.run.attempt": committed.attempt,
            },
        )
        self._attempts[committed.run_id] = _OpenAttempt(root)
        if len(self._attempts) > MOST_ATTEMPTS:
            self._attempts.popitem(last=False)

    def _attempt_ended(self, committed: CommittedEvents, event: RunEvent) -> None:
        """End the attempt's span and every span that is open in it."""
        attempt = self._attempts.pop(committed.run_id, None)
        if attempt is None:
            return
        for span in reversed(attempt.open.values()):
            self._end(span, event.at, CANCELLED if span.calls_out else None)
        attempt.root.attributes["crewai_runner.run.state"] = event.type.removeprefix("run.")
        error = event.data.error.code if isinstance(event, RunFailed | RunCrashed) else None
        self._end(attempt.root, event.at, error)

    def _task_started(self, committed: CommittedEvents, event: TaskStarted) -> None:
        key = event.task_key or ""
        self._open(committed, ("task", key), f"task {key}", event.at, {"crewai_runner.task.key": key})

    def _task_ended(self, committed: CommittedEvents, event: TaskCompleted | TaskFailed) -> None:
        error = event.data.error.code if isinstance(event, TaskFailed) else None
        self._close(committed, ("task", event.task_key or ""), event.at, error)

    def _agent_started(self, committed: CommittedEvents, event: AgentStarted) -> None:
        agent = event.agent or ""
        attributes: dict[str, Value] = {
            "gen_ai.operation.name": "invoke_agent",
            "gen_ai.agent.name": agent,
        }
        parent = ("task", event.task_key or "")
        self._open(committed, _agent(event), f"invoke_agent {agent}", event.at, attributes, parent)

    def _agent_ended(self, committed: CommittedEvents, event: AgentCompleted | AgentFailed) -> None:
        self._close(
            committed, _agent(event), event.at, "agent-failed" if isinstance(event, AgentFailed) else None
        )

    def _call_started(self, committed: CommittedEvents, event: LlmStarted) -> None:
        called = committed.models.get(event.data.model)
        model = called.model if called is not None else event.data.model
        attributes = _by_agent("chat", event) | {"gen_ai.request.model": model}
        attributes["crewai_runner.model"] = event.data.model
        if called is not None:
            name = PROVIDER_NAMES.get(called.provider, called.provider.value)
            attributes["gen_ai.provider.name"] = name
        key = ("call", event.data.call_id)
        self._open(committed, key, f"chat {model}", event.at, attributes, _agent(event), calls_out=True)

    def _call_ended(self, committed: CommittedEvents, event: LlmCompleted | LlmFailed) -> None:
        key = ("call", event.data.call_id)
        span = self._span(committed, key)
        if span is None:
            return
        if isinstance(event, LlmFailed):
            self._close(committed, key, event.at, event.data.error.code)
            return
        span.attributes |= _usage(event)
        self._close(committed, key, event.at)

    def _tool_started(self, committed: CommittedEvents, event: ToolStarted) -> None:
        tool = event.data.tool
        attributes = _by_agent("execute_tool", event) | {
            "gen_ai.tool.name": tool,
            "gen_ai.tool.call.id": event.data.tool_call_id,
            "gen_ai.tool.type": "function",
        }
        key = ("tool", event.data.tool_call_id)
        self._open(
            committed, key, f"execute_tool {tool}", event.at, attributes, _agent(event), calls_out=True
        )

    def _tool_ended(self, committed: CommittedEvents, event: ToolCompleted | ToolFailed) -> None:
        error = "tool-failed" if isinstance(event, ToolFailed) else None
        self._close(committed, ("tool", event.data.tool_call_id), event.at, error)

    def _open(
        self,
        committed: CommittedEvents,
        key: Key,
        name: str,
        at: datetime,
        attributes: dict[str, Value],
        below: Key = (),
        *,
        calls_out: bool = False,
    ) -> None:
        attempt = self._attempts.get(committed.run_id)
        if attempt is None:
            return
        root = attempt.root
        parent = attempt.open.get(below) or attempt.open.get(("task", *below[1:2])) or root
        attempt.open[key] = RunSpan(
            name, root.trace_id, _new_id(), parent.span_id, at, attributes, calls_out=calls_out
        )

    def _span(self, committed: CommittedEvents, key: Key) -> RunSpan | None:
        attempt = self._attempts.get(committed.run_id)
        return None if attempt is None else attempt.open.get(key)

    def _close(self, committed: CommittedEvents, key: Key, at: datetime, error: str | None = None) -> None:
        span = self._span(committed, key)
        if span is not None:
            del self._attempts[committed.run_id].open[key]
            self._end(span, at, error)

    def _end(self, span: RunSpan, at: datetime, error: str | None) -> None:
        span.ended, span.error = at, error
        self._finished(span)


def trace_id_of(run_id: str) -> int:
    """Derived from the run's id: every attempt and process uses the same trace."""
    return int.from_bytes(hashlib.sha256(run_id.encode()).digest()[:16])


def _new_id() -> int:
    return random.getrandbits(64) or 1  # needs to be unique, not secret


def _agent(event: Event) -> Key:
    return "agent", event.task_key or "", event.agent or ""


def _by_agent(operation: str, event: Event) -> dict[str, Value]:
    known: dict[str, Value] = {"gen_ai.operation.name": operation}
    if event.agent:
        known["gen_ai.agent.name"] = event.agent
    return known


def _usage(event: LlmCompleted) -> dict[str, Value]:
    """Token counts as reported by the provider; unknown ones are omitted."""
    usage = event.data.usage
    found: dict[str, Value | None] = {
        "gen_ai.usage.input_tokens": usage.prompt_tokens,
        "gen_ai.usage.output_tokens": usage.completion_tokens,
        "gen_ai.usage.cache_read.input_tokens": usage.cached_tokens,
        "gen_ai.response.finish_reasons": [event.data.finish_reason] if event.data.finish_reason else None,
    }
    return {name: value for name, value in found.items() if value is not None}

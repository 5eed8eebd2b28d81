"""Converts spans to run events. Pure functions."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import JsonValue

from crewai_runner.domain.run import RunFailure
from crewai_runner.domain.run_event_payloads import (
    AgentCompletedData,
    AgentFailedData,
    AgentStartedData,
    LlmCompletedData,
    LlmFailedData,
    LlmStartedData,
    TaskCompletedData,
    TaskFailedData,
    ToolCompletedData,
    ToolFailedData,
    ToolStartedData,
)
from crewai_runner.domain.run_events import (
    AgentCompleted,
    AgentFailed,
    AgentStarted,
    LlmCompleted,
    LlmFailed,
    LlmStarted,
    RunEvent,
    TaskCompleted,
    TaskFailed,
    ToolCompleted,
    ToolFailed,
    ToolStarted,
)
from crewai_runner.domain.usage import Usage, read_token_count
from crewai_runner.features.crewai_plus.spans import Span

MAX_NAME_LENGTH = 200
MAX_PROMPT_LENGTH = 2000
MODEL_OPERATIONS = frozenset({"chat", "generate_content", "text_completion"})
UNKNOWN_MODEL = "unknown"
SILENCE = "silent-elsewhere"
"""The code of the failure of a run that has sent no spans for too long."""


@dataclass(frozen=True, slots=True)
class Step:
    """The events of one span: when it started, and when it ended."""

    span: Span
    task_key: str | None
    started: RunEvent | None
    ended: RunEvent


@dataclass(slots=True)
class SpanReader:
    """Converts the spans of one request. `calls` is the number of model calls of the run so far."""

    calls: int
    _tasks: dict[str, str] = field(default_factory=dict)
    """The task of each span of the request, by span id."""

    def read(self, spans: Sequence[Span]) -> list[Step]:
        """Return the steps in the order of their start; spans that are no step of a run are left out."""
        ordered = sorted(spans, key=lambda span: (span.started_at, -span.seconds))
        self._tasks = _find_tasks(ordered)
        return [step for span in ordered if (step := self._read_one(span)) is not None]

    def _read_one(self, span: Span) -> Step | None:
        operation = span.text("gen_ai.operation.name")
        if operation in MODEL_OPERATIONS:
            return self._model_call(span)
        builders = {
            "execute_task": self._task,
            "invoke_agent": self._agent,
            "execute_tool": self._tool,
        }
        build = builders.get(operation)
        return None if build is None else build(span)

    def _place(self, span: Span, at_end: bool) -> dict[str, Any]:
        return {
            "at": span.ended_at if at_end else span.started_at,
            "task_key": self._tasks.get(span.span_id),
            "agent": span.text("crewai.agent.role", "gen_ai.agent.name")[:MAX_NAME_LENGTH] or None,
        }

    def _step(self, span: Span, started: RunEvent | None, ended: RunEvent) -> Step:
        return Step(span, self._tasks.get(span.span_id), started, ended)

    def _task(self, span: Span) -> Step:
        place = self._place(span, at_end=True)
        if span.is_error:
            failure = describe_failure(span, place["task_key"])
            return self._step(span, None, TaskFailed(**place, data=TaskFailedData(error=failure)))
        output = span.text("crewai.task.output") or read_messages(span.text("gen_ai.output.messages"))
        return self._step(span, None, TaskCompleted(**place, data=TaskCompletedData(raw=output)))

    def _agent(self, span: Span) -> Step:
        started = AgentStarted(**self._place(span, at_end=False), data=AgentStartedData())
        place = self._place(span, at_end=True)
        if span.is_error:
            return self._step(span, started, AgentFailed(**place, data=AgentFailedData(message=span.message)))
        output = read_messages(span.text("gen_ai.output.messages"))
        return self._step(span, started, AgentCompleted(**place, data=AgentCompletedData(output=output)))

    def _tool(self, span: Span) -> Step:
        tool = span.text("gen_ai.tool.name")[:MAX_NAME_LENGTH] or "tool"
        common = {"tool": tool, "tool_call_id": span.span_id}
        arguments = _parse_json(span.text("gen_ai.tool.call.arguments"))
        started = ToolStarted(
            **self._place(span, at_end=False), data=ToolStartedData(**common, arguments=arguments)
        )
        place, duration = self._place(span, at_end=True), round(span.seconds * 1000)
        if span.is_error:
            failed = ToolFailedData(**common, message=span.message, duration_ms=duration)
            return self._step(span, started, ToolFailed(**place, data=failed))
        output = span.text("gen_ai.tool.call.result")
        completed = ToolCompletedData(**common, output=output, duration_ms=duration)
        return self._step(span, started, ToolCompleted(**place, data=completed))

    def _model_call(self, span: Span) -> Step:
        self.calls += 1
        model = span.text("gen_ai.response.model", "gen_ai.request.model")[:MAX_NAME_LENGTH] or UNKNOWN_MODEL
        common = {"call_id": span.span_id, "call": self.calls, "model": model}
        messages = _parse_json(span.text("gen_ai.input.messages", "gen_ai.prompt"))
        count = len(messages) if isinstance(messages, list) else 1
        prompt = read_messages(span.text("gen_ai.input.messages", "gen_ai.prompt"), last=True)
        started = LlmStarted(
            **self._place(span, at_end=False),
            data=LlmStartedData(**common, messages=count, prompt=prompt[:MAX_PROMPT_LENGTH] or None),
        )
        place, duration, usage = self._place(span, at_end=True), round(span.seconds * 1000), read_usage(span)
        if span.is_error:
            error = describe_failure(span, place["task_key"])
            failed = LlmFailedData(**common, error=error, duration_ms=duration, usage=usage)
            return self._step(span, started, LlmFailed(**place, data=failed))
        text = read_messages(span.text("gen_ai.output.messages", "gen_ai.completion"))
        completed = LlmCompletedData(
            **common,
            text=text,
            text_length=len(text),
            usage=usage,
            duration_ms=duration,
            finish_reason=span.text("gen_ai.response.finish_reasons")[:100] or None,
        )
        return self._step(span, started, LlmCompleted(**place, data=completed))


def order_events(steps: Sequence[Step]) -> list[tuple[RunEvent, Step]]:
    """Return the events of steps by their time; at the same time, inner steps are inside outer ones."""
    started = [(step.started, step) for step in steps if step.started is not None]
    ended = [(step.ended, step) for step in reversed(steps)]
    return sorted([*started, *ended], key=lambda pair: pair[0].at)


def make_task_key(task_id: str) -> str:
    """Return the key of a task: its spans arrive before its name is known."""
    return f"task-{''.join(filter(str.isalnum, task_id))[:8]}"


def _find_tasks(spans: Iterable[Span]) -> dict[str, str]:
    """Return the task of each span: its own, or that of its parent or child in the same request."""
    by_id = {span.span_id: span for span in spans}
    found = {
        span_id: make_task_key(span.text("crewai.task.id"))
        for span_id, span in by_id.items()
        if span.text("crewai.task.id")
    }
    for span_id in list(found):
        parent = by_id[span_id].parent_id
        if parent in by_id and by_id[parent].text("gen_ai.operation.name") == "invoke_agent":
            found.setdefault(parent, found[span_id])
    for span in by_id.values():
        if span.parent_id in found:
            found.setdefault(span.span_id, found[span.parent_id])
    return found


def read_usage(span: Span) -> Usage:
    """Return the tokens of a model call; impossible figures are unknown."""
    prompt = _count(span, "gen_ai.usage.input_tokens", "gen_ai.usage.prompt_tokens")
    completion = _count(span, "gen_ai.usage.output_tokens", "gen_ai.usage.completion_tokens")
    cached = _count(span, "gen_ai.usage.cache_read.input_tokens")
    total = None if prompt is None or completion is None else prompt + completion
    return Usage.of_call(prompt, completion, cached, total)


def _count(span: Span, *names: str) -> int | None:
    given = next((span.attributes[name] for name in names if name in span.attributes), None)
    return read_token_count(given)


def read_messages(text: str, *, last: bool = False) -> str:
    """Return the texts of messages in the format of the GenAI conventions; other text as it is."""
    messages = _parse_json(text)
    if not isinstance(messages, list):
        return text
    texts = [_read_message(message) for message in (messages[-1:] if last else messages)]
    return "\n".join(filter(None, texts))


def _read_message(message: object) -> str:
    if not isinstance(message, Mapping):
        return ""
    parts = message.get("parts")
    if not isinstance(parts, list):
        return str(message.get("content") or "")
    contents = (part.get("content") for part in parts if isinstance(part, Mapping))
    return "\n".join(content for content in contents if isinstance(content, str))


def _parse_json(text: str) -> JsonValue:
    try:
        found: JsonValue = json.loads(text)
    except (ValueError, RecursionError):
        return text or None
    return found


def describe_failure(span: Span, task_key: str | None = None) -> RunFailure:
    return RunFailure(
        code="failed-elsewhere", message=span.message or f"{span.name} failed.", task_key=task_key
    )


def describe_silence(minutes: float) -> RunFailure:
    """Return the failure of a run that has sent no spans for `minutes`."""
    return RunFailure(
        code=SILENCE,
        message=f"No spans arrived for {minutes:g} minutes: the process that runs the crew may have ended.",
        hint="If it is still running, the run continues here when its next span arrives.",
    )


def find_root(spans: Iterable[Span]) -> Span | None:
    """Return the span of the execution itself, which ends last."""
    return next((span for span in spans if not span.parent_id), None)


def read_inputs(root: Span) -> dict[str, Any]:
    inputs = _parse_json(root.text("crewai.crew.inputs"))
    return inputs if isinstance(inputs, dict) else {}


def read_result(root: Span) -> str:
    own = root.text("crewai.crew.output", "crewai.flow.result")
    return own or read_messages(root.text("gen_ai.output.messages"))


def read_name(root: Span) -> str:
    name = root.text("gen_ai.workflow.name", "crewai.crew.name", "crewai.flow.name")
    return " ".join(name.split())[:MAX_NAME_LENGTH]

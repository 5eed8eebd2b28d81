"""Events of tool calls and of delegation, which CrewAI implements as tools."""

import json
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from crewai_runner.domain import run_events
from crewai_runner.domain.open_steps import CUT_OFF
from crewai_runner.domain.usage import Usage
from crewai_runner.executor.crew.context.agent_keys import AgentKeyMap
from crewai_runner.executor.crew.context.budget import BudgetTracker
from crewai_runner.executor.crew.context.run_context import current_task, current_tool_call
from crewai_runner.executor.crew.events.emitter import EventClass, EventEmitter
from crewai_runner.executor.crew.llm.response import to_plain_json
from crewai_runner.executor.tool_binding import ToolBinding
from crewai_runner.executor.tools.progress import ToolProgress

_DELEGATION_TOOLS = frozenset({"delegate_work_to_coworker", "ask_question_to_coworker"})


@dataclass
class ToolCall:
    """A tool call in progress. `coworker` is set if the tool is a delegation tool."""

    call_id: str
    tool: str
    task_key: str | None
    agent: str | None
    started_at: float
    coworker: str | None = None
    failure: str | None = None

    @property
    def duration_ms(self) -> int:
        return round((time.monotonic() - self.started_at) * 1000)


class ToolCallTracker:
    """Converts CrewAI's tool events. Thread-safe."""

    def __init__(
        self,
        emitter: EventEmitter,
        agent_keys: AgentKeyMap,
        budget: BudgetTracker,
        tools: Mapping[str, ToolBinding],
    ) -> None:
        self._emitter = emitter
        self._agent_keys = agent_keys
        self._budget = budget
        self._names = {tool.model_name: tool.name for tool in tools.values()}
        self._changed = threading.Condition()
        self._open_calls: dict[str, ToolCall] = {}

    def name_of(self, model_name: str) -> str:
        """Return the name of a tool in documents; CrewAI's own tools have no other name."""
        return self._names.get(model_name, model_name)

    def describe_open_calls(self) -> list[str]:
        """Return one text for each tool call in progress."""
        with self._changed:
            return [f"tool '{call.tool}' of agent '{call.agent}'" for call in self._open_calls.values()]

    def find_open(self, call_id: str | None) -> ToolCall | None:
        """Return a tool call in progress."""
        with self._changed:
            return self._open_calls.get(call_id or "")

    def wait_until_idle(self, timeout: float) -> None:
        """Block until no tool call is in progress."""
        with self._changed:
            self._changed.wait_for(lambda: not self._open_calls, timeout)

    def on_started(self, _source: Any, event: Any) -> None:
        scope = current_task.get()
        arguments = to_plain_json(event.tool_args)
        call = ToolCall(
            call_id=event.event_id,
            tool=self.name_of(event.tool_name),
            task_key=scope.task_key,
            agent=self._agent_keys.find(event.agent_id) or scope.agent,
            started_at=time.monotonic(),
            coworker=self._find_coworker(event.tool_name, arguments),
        )
        with self._changed:
            self._open_calls[call.call_id] = call
        current_tool_call.set(call.call_id)
        if call.coworker is None:
            data = {"tool": call.tool, "tool_call_id": call.call_id, "arguments": arguments}
            self._emit(call, run_events.ToolStarted, data)
            return
        request = arguments if isinstance(arguments, dict) else {}
        text = str(request.get("task") or request.get("question") or "")
        data = {"to": call.coworker, "tool_call_id": call.call_id, "request": text}
        self._emit(call, run_events.DelegationStarted, data)

    def on_finished(self, _source: Any, event: Any) -> None:
        failure = getattr(event, "failure", None)
        if failure is not None:
            self._on_failed(event, str(failure.message))
            return
        output = event.output
        text = output if isinstance(output, str) else json.dumps(to_plain_json(output), ensure_ascii=False)
        call = self._close(event)
        if call is None:
            return
        if call.failure is not None:
            self._emit_failed(call, call.failure)
            return
        if call.coworker is not None:
            self._emit_delegation_completed(call, text)
            return
        data = {
            "tool_call_id": call.call_id,
            "tool": call.tool,
            "duration_ms": call.duration_ms,
            "output": text,
            "from_cache": bool(event.from_cache),
        }
        self._emit(call, run_events.ToolCompleted, data)

    def on_error(self, _source: Any, event: Any) -> None:
        self._on_failed(event, str(event.error))

    def cut_off(self, call_id: str | None) -> None:
        """End a call whose work was cancelled because the attempt ended."""
        with self._changed:
            call = self._open_calls.pop(call_id or "", None)
            self._changed.notify_all()
        if call is not None:
            self._budget.add_usage(Usage(tool_calls=1))
            self._emit_failed(call, CUT_OFF, cut_off=True)

    def report_progress(self, call_id: str | None, progress: ToolProgress) -> None:
        """Report what a tool says of a call that has not ended."""
        call = self.find_open(call_id)
        if call is not None:
            data = {"tool_call_id": call.call_id, "tool": call.tool, "message": progress.text}
            numbers = {"progress": progress.progress, "total": progress.total}
            self._emit(call, run_events.ToolProgressed, data | numbers)

    def mark_failed(self, call_id: str | None, message: str) -> None:
        """Report a delegation as failed when it ends, although its tool returns normally."""
        with self._changed:
            call = self._open_calls.get(call_id or "")
            if call is not None:
                call.failure = message

    def end_all(self) -> None:
        """End the calls that could not be cancelled; their results are discarded."""
        for call_id in list(self._open_calls):
            self.cut_off(call_id)

    def discard(self, tool: str) -> None:
        """Remove the latest call of a tool that was announced but not permitted to start."""
        with self._changed:
            same_tool = [call for call in self._open_calls.values() if call.tool == self.name_of(tool)]
            if same_tool:
                del self._open_calls[same_tool[-1].call_id]
            self._changed.notify_all()

    def _on_failed(self, event: Any, message: str) -> None:
        call = self._close(event)
        if call is None:
            return
        self._emit_failed(call, message)

    def _emit_failed(self, call: ToolCall, message: str, *, cut_off: bool = False) -> None:
        data: dict[str, Any] = {"tool_call_id": call.call_id, "message": message, "cut_off": cut_off}
        if call.coworker is not None:
            self._emit(call, run_events.DelegationFailed, data | {"to": call.coworker})
            return
        fields = data | {"tool": call.tool, "duration_ms": call.duration_ms}
        self._emit(call, run_events.ToolFailed, fields)

    def _close(self, event: Any) -> ToolCall | None:
        with self._changed:
            call = self._open_calls.pop(event.started_event_id, None)
            if call is None:
                same_tool = [
                    call for call in self._open_calls.values() if call.tool == self.name_of(event.tool_name)
                ]
                call = self._open_calls.pop(same_tool[-1].call_id) if same_tool else None
            self._changed.notify_all()
        if call is not None:
            self._budget.add_usage(Usage(tool_calls=1))
        return call

    def _find_coworker(self, tool: str, arguments: Any) -> str | None:
        if tool.strip().lower().replace(" ", "_") not in _DELEGATION_TOOLS:
            return None
        request = arguments if isinstance(arguments, dict) else {}
        return self._agent_keys.find_by_role(str(request.get("coworker") or request.get("co_worker") or ""))

    def _emit_delegation_completed(self, call: ToolCall, output: str) -> None:
        data = {"tool_call_id": call.call_id, "to": call.coworker, "output": output}
        self._emit(call, run_events.DelegationCompleted, data)

    def _emit(self, call: ToolCall, event_class: EventClass, data: dict[str, Any]) -> None:
        self._emitter.emit(event_class, data, task_key=call.task_key, agent=call.agent)

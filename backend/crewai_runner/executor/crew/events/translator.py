"""Translates CrewAI's events into the product's. Event types without a translation are only counted."""

import threading
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from crewai_runner.domain import run_events
from crewai_runner.executor.crew.context.agent_keys import AgentKeyMap
from crewai_runner.executor.crew.context.budget import BudgetTracker
from crewai_runner.executor.crew.context.run_context import current_task
from crewai_runner.executor.crew.events.emitter import EventClass, EventEmitter
from crewai_runner.executor.crew.events.message_inbox import MessageInbox
from crewai_runner.executor.crew.events.model_calls import ModelCallTracker
from crewai_runner.executor.crew.events.tool_calls import ToolCallTracker
from crewai_runner.executor.tool_binding import ToolBinding

_WARNINGS = {
    "memory_query_failed": ("memory-query-failed", "Memories could not be searched"),
    "memory_retrieval_failed": ("memory-query-failed", "Memories could not be searched"),
    "knowledge_query_failed": ("knowledge-query-failed", "Knowledge could not be searched"),
    "knowledge_search_query_failed": ("knowledge-query-failed", "Knowledge could not be searched"),
    "context_window_summarization_failed": (
        "context-not-shortened",
        "The conversation could not be shortened",
    ),
}


class EventTranslator:
    """Receives the CrewAI events of one attempt and emits the product's events. Thread-safe.

    `tools` are those of the run. `on_usage` is called after a model call's usage was counted.
    """

    def __init__(
        self,
        emitter: EventEmitter,
        agent_keys: AgentKeyMap,
        budget: BudgetTracker,
        inbox: MessageInbox,
        tools: Mapping[str, ToolBinding],
        *,
        on_usage: Callable[[], None],
    ) -> None:
        self._emitter = emitter
        self._agent_keys = agent_keys
        self._lock = threading.Lock()
        self._open_guardrails: dict[str, str] = {}
        self.model_calls = ModelCallTracker(emitter, agent_keys, budget, inbox, on_usage=on_usage)
        self.tool_calls = ToolCallTracker(emitter, agent_keys, budget, tools)
        self.ignored_events: Counter[str] = Counter()
        self._handlers: dict[str, Callable[[Any, Any], None]] = {
            "llm_call_started": self.model_calls.on_started,
            "llm_stream_chunk": self.model_calls.on_chunk,
            "llm_text_replaced": self.model_calls.on_replaced,
            "llm_call_completed": self.model_calls.on_completed,
            "llm_call_failed": self.model_calls.on_failed,
            "agent_execution_started": self._on_agent_started,
            "agent_execution_completed": self._on_agent_completed,
            "agent_execution_error": self._on_agent_failed,
            "tool_usage_started": self.tool_calls.on_started,
            "tool_usage_finished": self.tool_calls.on_finished,
            "tool_usage_error": self.tool_calls.on_error,
            "llm_guardrail_started": self._on_guardrail_started,
            "llm_guardrail_completed": self._on_guardrail_completed,
            **dict.fromkeys(_WARNINGS, self._on_warning),
        }

    def on_event(self, source: Any, event: Any) -> None:
        """Translate one event. Never raises: an exception would end the crew."""
        handler = self._handlers.get(event.type)
        if handler is None:
            self.ignored_events[event.type] += 1
            return
        try:
            handler(source, event)
        except Exception as error:  # noqa: BLE001 - a missing event is better than a failed run
            self.ignored_events[f"{event.type}: {type(error).__name__}"] += 1

    def describe_pending_work(self) -> list[str]:
        """Return one text for each open model call and guardrail, or for the unknown step that is running."""
        with self._lock:
            guardrails = [f"guardrail '{text}'" for text in self._open_guardrails.values()]
        calls = [
            f"model call {call.number} of agent '{call.scope.agent}'" for call in self.model_calls.open_calls
        ]
        return calls + guardrails or ["a step of CrewAI"]

    def _on_agent_started(self, _source: Any, event: Any) -> None:
        tools = getattr(event.agent.agent_executor, "original_tools", None) or event.tools or ()
        self._emit_for_agent(
            run_events.AgentStarted,
            event,
            {"tools": [self.tool_calls.name_of(str(tool.name)) for tool in tools]},
        )

    def _on_agent_completed(self, _source: Any, event: Any) -> None:
        self._emit_for_agent(run_events.AgentCompleted, event, {"output": event.output})

    def _on_agent_failed(self, _source: Any, event: Any) -> None:
        message = event.error or "The agent failed."
        self._emit_for_agent(run_events.AgentFailed, event, {"message": message})

    def _on_guardrail_started(self, _source: Any, event: Any) -> None:
        with self._lock:
            self._open_guardrails[event.event_id] = str(event.guardrail_name or "guardrail")

    def _on_guardrail_completed(self, _source: Any, event: Any) -> None:
        with self._lock:
            name = self._open_guardrails.pop(event.started_event_id, None)
        event_class = run_events.GuardrailPassed if event.success else run_events.GuardrailFailed
        message = None if event.success else str(event.error or event.result or "")
        self._emit(event_class, {"guardrail": name, "retry": event.retry_count, "message": message})

    def _on_warning(self, _source: Any, event: Any) -> None:
        code, message = _WARNINGS[event.type]
        self._emit(run_events.WarningRaised, {"code": code, "message": f"{message}: {event.error}"})

    def _emit_for_agent(self, event_class: EventClass, event: Any, data: dict[str, Any]) -> None:
        scope = current_task.get()
        agent = self._agent_keys.find(str(event.agent.id)) or scope.agent
        self._emitter.emit(event_class, data, task_key=scope.task_key, agent=agent)

    def _emit(self, event_class: EventClass, data: dict[str, Any]) -> None:
        scope = current_task.get()
        self._emitter.emit(event_class, data, task_key=scope.task_key, agent=scope.agent)

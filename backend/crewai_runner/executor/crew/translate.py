"""The engine's events in our words. What is not named here is not told; it is only counted."""

import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from crewai_runner.domain import run_events as told
from crewai_runner.executor.crew import scene
from crewai_runner.executor.crew.calls import binding_of
from crewai_runner.executor.crew.cast import Cast, named
from crewai_runner.executor.crew.chunks import Chunks
from crewai_runner.executor.crew.failing import failure_of
from crewai_runner.executor.crew.limits import Spending
from crewai_runner.executor.crew.reading import last_of, text_of, tools_asked_for, usage_of
from crewai_runner.executor.crew.steering import Steering
from crewai_runner.executor.crew.story import Story
from crewai_runner.executor.crew.tooling import Tooling
from crewai_runner.executor.port import ModelBinding


@dataclass
class Call:
    """A model call that has begun."""

    call_id: str
    number: int
    binding: ModelBinding | None
    model: str
    task_key: str | None
    agent: str | None
    began: float
    chunks: Chunks

    @property
    def duration_ms(self) -> int:
        return round((time.monotonic() - self.began) * 1000)


class Translator:
    """A stream sink for the engine: hears one attempt's events, tells them, keeps count. Thread-safe."""

    on_spent: Callable[[], None] = staticmethod(lambda: None)
    stopping: Callable[[], bool] = staticmethod(lambda: False)

    def __init__(self, story: Story, cast: Cast, spending: Spending, steering: Steering) -> None:
        self._story = story
        self._cast = cast
        self._spending = spending
        self._steering = steering
        self._lock = threading.Lock()
        self._calls: dict[str, Call] = {}
        self._tooling = Tooling(story, cast, spending)
        self._guardrails: dict[str, str] = {}
        self.unmapped: Counter[str] = Counter()
        self.calls_after_stop = 0
        self.last_binding: dict[str | None, ModelBinding] = {}
        self._words: dict[str, Callable[[Any, Any], None]] = {
            "llm_call_started": self._call_started,
            "llm_stream_chunk": self._chunk,
            "llm_call_completed": self._call_completed,
            "llm_call_failed": self._call_failed,
            "agent_execution_started": self._agent_started,
            "agent_execution_completed": self._agent_completed,
            "agent_execution_error": self._agent_failed,
            "tool_usage_started": lambda _source, event: self._tooling.started(event),
            "tool_usage_finished": lambda _source, event: self._tooling.finished(event),
            "tool_usage_error": lambda _source, event: self._tooling.failed(event),
            "llm_guardrail_started": self._guardrail_started,
            "llm_guardrail_completed": self._guardrail_completed,
            "memory_query_failed": self._warned("memory-query-failed", "Memories could not be searched"),
            "memory_retrieval_failed": self._warned("memory-query-failed", "Memories could not be searched"),
            "knowledge_query_failed": self._warned("knowledge-query-failed", "Knowledge was not searched"),
            "knowledge_search_query_failed": self._warned(
                "knowledge-query-failed", "Knowledge could not be searched"
            ),
            "context_window_summarization_failed": self._warned(
                "context-not-shortened", "The conversation could not be shortened"
            ),
        }

    def __call__(self, source: Any, event: Any) -> None:
        """Hear one event. Never raises: an exception here would end the crew."""
        word = self._words.get(event.type)
        if word is None:
            self.unmapped[event.type] += 1
            return
        try:
            word(source, event)
        except Exception as error:  # noqa: BLE001 - a story with a gap is better than a dead run
            self.unmapped[f"{event.type}: {type(error).__name__}"] += 1

    @property
    def open_calls(self) -> list[Call]:
        """The model calls in flight."""
        with self._lock:
            return list(self._calls.values())

    @property
    def open_tools(self) -> list[str]:
        """The tools at work, described."""
        return self._tooling.open

    def tool_refused(self, tool: str) -> None:
        """A tool that was told as begun is not used after all."""
        self._tooling.refused(tool)

    def wait_for_tools(self, seconds: float) -> None:
        """Block until no tool is at work, at most so long."""
        self._tooling.wait(seconds)

    def stuck(self) -> list[str]:
        """What else is open, described: model calls, guardrails, or a step that nothing told of."""
        with self._lock:
            guardrails = [f"guardrail '{text}'" for text in self._guardrails.values()]
        calls = [f"model call {call.number} of agent '{call.agent}'" for call in self.open_calls]
        return calls + guardrails or ["a step of the engine"]

    def flush(self) -> None:
        """Tell the streamed text that has gathered."""
        for call in self.open_calls:
            call.chunks.flush()

    def retrying(self, seconds: float) -> None:
        """Tell that the provider's client tries the call at hand once more, after so many seconds."""
        now = scene.scene.get()
        binding = self.last_binding.get(now.task_key)
        name = binding.provider_name if binding else "The provider"
        message = f"{name} did not answer well; it is asked again in {seconds:.1f} seconds."
        data = {"code": "provider-retry", "message": message}
        self._story.tell(told.WarningRaised, data, task_key=now.task_key, agent=now.agent)

    def _call_started(self, source: Any, event: Any) -> None:
        number = scene.reserved.get()
        scene.reserved.set(None)
        now = scene.scene.get()
        binding = binding_of(source)
        agent = self._cast.key(event.agent_id) or now.agent
        call = Call(
            call_id=event.call_id,
            number=number if number is not None else self._spending.next_number(),
            binding=binding,
            model=binding.name if binding else str(event.model),
            task_key=now.task_key,
            agent=agent,
            began=time.monotonic(),
            chunks=Chunks(
                lambda text: self._tell_chunk(event.call_id, text, task_key=now.task_key, agent=agent)
            ),
        )
        with self._lock:
            self._calls[call.call_id] = call
            self.calls_after_stop += self.stopping()
            if binding is not None:
                self.last_binding[now.task_key] = binding
        count, prompt = last_of(event.messages)
        data = {"call_id": call.call_id, "call": call.number, "model": call.model}
        self._tell_of(call, told.LlmStarted, {**data, "messages": count, "prompt": prompt})

    def _tell_chunk(self, call_id: str, text: str, *, task_key: str | None, agent: str | None) -> None:
        self._story.tell(told.LlmChunk, {"call_id": call_id, "text": text}, task_key=task_key, agent=agent)

    def _chunk(self, _source: Any, event: Any) -> None:
        call = self._calls.get(event.call_id)
        if call is not None and event.chunk and event.tool_call is None:
            call.chunks.add(event.chunk)

    def _end(self, call_id: str) -> Call | None:
        with self._lock:
            call = self._calls.pop(call_id, None)
        if call is not None:
            call.chunks.flush()
        return call

    def _call_completed(self, _source: Any, event: Any) -> None:
        call = self._end(event.call_id)
        if call is None:
            return
        usage = usage_of(event.usage, call.binding)
        self._spending.add(usage)
        tools = tools_asked_for(event)
        text = "" if tools else text_of(event.response)
        data = {
            "call_id": call.call_id,
            "call": call.number,
            "model": call.model,
            "text": text,
            "tool_calls": tools,
            "usage": usage,
            "duration_ms": call.duration_ms,
            "finish_reason": event.finish_reason,
        }
        self._tell_of(call, told.LlmCompleted, data)
        self.on_spent()
        self._steering.answered(text, call=call.number, task_key=call.task_key, agent=call.agent)

    def _call_failed(self, _source: Any, event: Any) -> None:
        # Told twice by the engine; the second finds nothing open. Both are told from inside the
        # `except` block, so the error itself is at hand.
        call = self._end(event.call_id)
        if call is None:
            return
        self._spending.add(usage_of(None, call.binding))
        error = sys.exception() or RuntimeError(str(event.error))
        data = {
            "call_id": call.call_id,
            "call": call.number,
            "model": call.model,
            "error": failure_of(error, call.binding, task_key=call.task_key, agent=call.agent),
            "duration_ms": call.duration_ms,
        }
        self._tell_of(call, told.LlmFailed, data)

    def _agent_started(self, _source: Any, event: Any) -> None:
        at_hand = getattr(event.agent.agent_executor, "original_tools", None) or event.tools
        self._tell_agent(told.AgentStarted, event, {"tools": named(at_hand)})

    def _agent_completed(self, _source: Any, event: Any) -> None:
        self._tell_agent(told.AgentCompleted, event, {"output": event.output})

    def _agent_failed(self, _source: Any, event: Any) -> None:
        self._tell_agent(told.AgentFailed, event, {"message": event.error or "The agent failed."})

    def _tell_agent(self, kind: Any, event: Any, data: dict[str, Any]) -> None:
        now = scene.scene.get()
        key = self._cast.key(str(event.agent.id)) or now.agent
        self._story.tell(kind, data, task_key=now.task_key, agent=key)

    def _guardrail_started(self, _source: Any, event: Any) -> None:
        with self._lock:
            self._guardrails[event.event_id] = str(event.guardrail_name or "guardrail")

    def _guardrail_completed(self, _source: Any, event: Any) -> None:
        with self._lock:
            name = self._guardrails.pop(event.started_event_id, None)
        kind = told.GuardrailPassed if event.success else told.GuardrailFailed
        message = None if event.success else str(event.error or event.result or "")
        now = scene.scene.get()
        self._story.tell(
            kind,
            {"guardrail": name, "retry": event.retry_count, "message": message},
            task_key=now.task_key,
            agent=now.agent,
        )

    def _warned(self, code: str, words: str) -> Callable[[Any, Any], None]:
        def tell(_source: Any, event: Any) -> None:
            now = scene.scene.get()
            data = {"code": code, "message": f"{words}: {event.error}"}
            self._story.tell(told.WarningRaised, data, task_key=now.task_key, agent=now.agent)

        return tell

    def _tell_of(self, call: Call, kind: Any, data: dict[str, Any]) -> None:
        self._story.tell(kind, data, task_key=call.task_key, agent=call.agent)

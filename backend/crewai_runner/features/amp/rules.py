"""The states and webhook payloads of AMP, from our runs and events. Pure functions."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from crewai_runner.domain.run import RunState, TaskResult, WaitReason
from crewai_runner.domain.run_events import (
    AgentCompleted,
    ApprovalRequested,
    LlmCompleted,
    RunCompleted,
    RunCrashed,
    RunEvent,
    RunFailed,
    RunStopped,
    TaskCompleted,
    TaskStarted,
    ToolCompleted,
    ToolFailed,
    ToolStarted,
)
from crewai_runner.domain.workflow import InputDefinition, WorkflowDefinition

STEP_TYPES = ("tool.completed", "tool.failed", "agent.completed")
STREAM_NAMES: Mapping[str, str] = {
    "run.started": "crew_kickoff_started",
    "run.completed": "crew_kickoff_completed",
    "run.failed": "crew_kickoff_failed",
    "run.stopped": "crew_kickoff_failed",
    "run.crashed": "crew_kickoff_failed",
    "task.started": "task_started",
    "task.completed": "task_completed",
    "task.failed": "task_failed",
    "agent.started": "agent_execution_started",
    "agent.completed": "agent_execution_completed",
    "agent.failed": "agent_execution_error",
    "llm.started": "llm_call_started",
    "llm.completed": "llm_call_completed",
    "llm.failed": "llm_call_failed",
    "tool.started": "tool_usage_started",
    "tool.completed": "tool_usage_finished",
    "tool.failed": "tool_usage_error",
    "guardrail.passed": "llm_guardrail_completed",
    "guardrail.failed": "llm_guardrail_failed",
}
"""CrewAI's name of each event that a webhook can ask for, by our type."""
STREAM_EVENTS = frozenset(STREAM_NAMES.values())
SUMMARY_WORDS = 10
"""As CrewAI's own summary of a task: its first words."""
_STATES: Mapping[RunState, tuple[str, str]] = {
    RunState.QUEUED: ("PENDING", "pending"),
    RunState.RUNNING: ("RUNNING", "running"),
    RunState.STOPPING: ("RUNNING", "running"),
    RunState.COMPLETED: ("SUCCESS", "completed"),
    RunState.FAILED: ("FAILED", "error"),
    RunState.STOPPED: ("FAILED", "error"),
    RunState.CRASHED: ("FAILED", "error"),
}


def describe_state(state: RunState, wait_reason: str | None, *, has_step: bool) -> tuple[str, str]:
    """Return AMP's `state` and `status` of a run. A waiting run is RUNNING, and its status says why."""
    if state is RunState.WAITING:
        waits_for_person = wait_reason == WaitReason.HUMAN_INPUT
        return "RUNNING", "awaiting_human_feedback" if waits_for_person else "awaiting_budget"
    if state is RunState.RUNNING and not has_step:
        return "STARTED", "running"
    return _STATES[state]


def list_missing_inputs(inputs: Sequence[InputDefinition], given: Mapping[str, Any]) -> list[str]:
    """Return the inputs that need a value and have none."""
    return [
        declared.name
        for declared in inputs
        if declared.required and declared.default is None and given.get(declared.name) is None
    ]


@dataclass(slots=True)
class PayloadBuilder:
    """Builds the payloads of one run. Show it every event in order: some payloads need earlier events."""

    run_id: str
    definition: WorkflowDefinition
    meta: Mapping[str, Any]
    _descriptions: dict[str, str] = field(default_factory=dict)
    _thoughts: dict[str, str] = field(default_factory=dict)
    _tool_inputs: dict[str, Any] = field(default_factory=dict)

    def observe(self, event: RunEvent) -> None:
        """Remember what later payloads need: descriptions, the model's last text, and inputs of tools."""
        match event:
            case TaskStarted():
                self._descriptions[event.task_key or ""] = event.data.description
            case LlmCompleted():
                self._thoughts[event.task_key or ""] = event.data.text
            case ToolStarted():
                self._tool_inputs[event.data.tool_call_id] = event.data.arguments

    def build_step(self, event: RunEvent) -> dict[str, Any] | None:
        """Return the payload of one action of an agent, or of its final answer; None for other events."""
        match event:
            case ToolCompleted():
                return self._step(event, event.data.tool, event.data.tool_call_id, event.data.output)
            case ToolFailed():
                return self._step(event, event.data.tool, event.data.tool_call_id, event.data.message)
            case AgentCompleted():
                return self._step(event, None, None, event.data.output)
        return None

    def _step(
        self, event: RunEvent, tool: str | None, tool_call_id: str | None, result: str
    ) -> dict[str, Any]:
        arguments = self._tool_inputs.get(tool_call_id or "")
        is_text = arguments is None or isinstance(arguments, str)
        return self._with_meta(
            {
                "prompt": self._description(event.task_key),
                "thought": self._thoughts.get(event.task_key or "", ""),
                "tool": tool,
                "tool_input": arguments if is_text else json.dumps(arguments, ensure_ascii=False),
                "result": result,
                "agent": self.role_of(event.agent),
            }
        )

    def build_task(self, event: RunEvent) -> dict[str, Any] | None:
        """Return the payload of a task that ended or waits for feedback; None for other events."""
        match event:
            case TaskCompleted():
                result = TaskResult(raw=event.data.raw, json_output=event.data.json_output, agent=event.agent)
                return self._with_meta(self.describe_task(event.task_key or "", result))
            case ApprovalRequested():
                waiting = self.describe_task(
                    event.task_key or "",
                    TaskResult(raw=event.data.output or event.data.prompt, agent=event.agent),
                )
                more = {"status": "awaiting_human_feedback", "execution_id": self.run_id}
                return self._with_meta(waiting | more)
        return None

    def describe_task(self, key: str, result: TaskResult) -> dict[str, Any]:
        """Return what AMP says about an executed task."""
        task = next((task for task in self.definition.tasks if task.key == key), None)
        return {
            "task_id": key,
            "name": key,
            "description": self._description(key),
            "expected_output": task.expected_output if task else "",
            "summary": _summarize(self._description(key)),
            "agent": self.role_of(result.agent or (task.agent if task else None)),
            "output": result.raw,
            "output_json": result.json_output,
        }

    def build_crew(self, event: RunEvent) -> dict[str, Any] | None:
        """Return the payload of a crew that ended, also of one that failed; None for other events."""
        match event:
            case RunCompleted():
                return self._crew("completed", event.data.raw, event)
            case RunFailed() | RunCrashed():
                return self._crew("error", event.data.error.message, event)
            case RunStopped():
                return self._crew("error", "The run was stopped.", event)
        return None

    def _crew(
        self, status: str, result: str, event: RunCompleted | RunFailed | RunCrashed | RunStopped
    ) -> dict[str, Any]:
        usage = event.data.usage
        tokens = {
            "total_tokens": usage.total_tokens,
            "prompt_tokens": usage.prompt_tokens,
            "completion_tokens": usage.completion_tokens,
        }
        error = None if status == "completed" else result
        return self._with_meta({"status": status, "result": result, "error": error, "token_usage": tokens})

    def build_stream_event(self, event: RunEvent, wanted: frozenset[str]) -> dict[str, Any] | None:
        """Return the event as the event stream of AMP sends it; None unless it is wanted."""
        name = STREAM_NAMES.get(event.type)
        if name is None or name not in wanted:
            return None
        place = {"task_name": event.task_key, "agent_role": self.role_of(event.agent)}
        return {
            "id": f"{self.run_id}-{event.seq}",
            "execution_id": self.run_id,
            "timestamp": event.at.isoformat().replace("+00:00", "Z"),
            "type": name,
            "data": place | event.data.model_dump(mode="json", by_alias=False),
            "meta": dict(self.meta),
        }

    def role_of(self, key: str | None) -> str | None:
        """Return the role of an agent; its key if it is not one of the crew's, such as the manager."""
        return next((agent.role for agent in self.definition.agents if agent.key == key), key)

    def _description(self, key: str | None) -> str:
        declared = (task.description for task in self.definition.tasks if task.key == key)
        return self._descriptions.get(key or "") or next(declared, "")

    def _with_meta(self, payload: dict[str, Any]) -> dict[str, Any]:
        return payload | {"kickoff_id": self.run_id, "meta": dict(self.meta)}


def _summarize(description: str) -> str:
    return " ".join(description.split()[:SUMMARY_WORDS]) + "..."

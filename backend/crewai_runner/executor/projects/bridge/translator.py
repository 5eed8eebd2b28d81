"""Translates messages of the bridge into the events of a run.

Messages may be forged. An end is emitted only for a step that has started, a restored output is the one that
the host stored, durations are measured here, and names pass the mask of secrets.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypedDict

from crewai_runner.core.outside_values import make_storable
from crewai_runner.core.secret_mask import TextMask
from crewai_runner.domain import run_event_payloads as payloads
from crewai_runner.domain.run import RunFailure, TaskResult
from crewai_runner.domain.run_events import (
    AgentCompleted,
    AgentFailed,
    AgentStarted,
    RunEvent,
    TaskCompleted,
    TaskFailed,
    TaskReused,
    TaskStarted,
    ToolCompleted,
    ToolFailed,
    ToolStarted,
    WarningRaised,
)
from crewai_runner.executor.projects.bridge.messages import (
    AgentCompletedMessage,
    AgentFailedMessage,
    AgentMessage,
    AgentStartedMessage,
    FinishedTask,
    FlowRestoredMessage,
    GuestMessage,
    TaskCompletedMessage,
    TaskFailedMessage,
    TaskMessage,
    TaskReusedMessage,
    TaskStartedMessage,
    ToolCompletedMessage,
    ToolFailedMessage,
    ToolMessage,
    ToolStartedMessage,
)

MAX_TASKS = 1000
MAX_OPEN_STEPS = 1000
PROJECT_ERROR = "project-error"


@dataclass(frozen=True, slots=True)
class _OpenCall:
    tool: str
    started: float
    event: ToolStarted


class _Scope(TypedDict):
    run_id: str
    task_key: str | None
    agent: str | None


class BridgeTranslator:
    """Keeps the open steps and finished tasks of one attempt of a run."""

    def __init__(
        self,
        run_id: str,
        finished: dict[str, FinishedTask] | None = None,
        mask: TextMask | None = None,
        clock: Callable[[], float] = time.monotonic,
        *,
        flows: frozenset[str] = frozenset(),
    ) -> None:
        self._run_id = run_id
        self._restorable = finished or {}
        self._mask = mask or TextMask(())
        self._clock = clock
        self._restorable_flows = set(flows)
        self._open_tasks: dict[str, TaskStarted] = {}
        self._open_agents: dict[tuple[str | None, str], int] = {}
        self._open_calls: dict[str, _OpenCall] = {}
        self.finished_tasks: dict[str, FinishedTask] = {}
        """By task key, restored ones included: the next attempt may restore them."""

    def translate(self, message: GuestMessage) -> RunEvent | None:
        """Return the event for a message, or None if it has none or contradicts the earlier messages."""
        match message:
            case TaskMessage():
                return self._translate_task(message)
            case ToolMessage():
                return self._translate_tool(message)
            case AgentMessage():
                return self._translate_agent(message)
            case FlowRestoredMessage():
                return self._restore_flow(message)
            case _:
                return None

    def as_results(self) -> dict[str, TaskResult]:
        """Return the finished tasks for the run's result."""
        return {
            key: TaskResult(
                raw=task.raw, json_output=make_storable(task.json_output), agent=task.agent or None
            )
            for key, task in self.finished_tasks.items()
        }

    def _translate_task(self, message: TaskMessage) -> RunEvent | None:
        match message:
            case TaskStartedMessage():
                return self._start_task(message)
            case TaskReusedMessage():
                return self._restore_task(message)
        if message.task_key not in self._open_tasks:
            return None
        del self._open_tasks[message.task_key]
        scope = self._scope(message.task_key, message.agent)
        match message:
            case TaskCompletedMessage():
                task = FinishedTask.model_validate(message, from_attributes=True)
                self.finished_tasks[message.task_key] = task
                return TaskCompleted(**scope, data=_as_output(task))
            case TaskFailedMessage():
                failure = RunFailure(
                    code=PROJECT_ERROR,
                    message=message.message,
                    task_key=scope["task_key"],
                    agent=scope["agent"],
                )
                return TaskFailed(**scope, data=payloads.TaskFailedData(error=failure))
        return None

    def _start_task(self, message: TaskStartedMessage) -> RunEvent | None:
        key = message.task_key
        if key in self._open_tasks or len(self._open_tasks) + len(self.finished_tasks) >= MAX_TASKS:
            return None
        data = payloads.TaskStartedData(description=message.description)
        self._open_tasks[key] = TaskStarted(**self._scope(key, message.agent), data=data)
        return self._open_tasks[key]

    def _restore_task(self, message: TaskReusedMessage) -> RunEvent | None:
        stored = self._restorable.get(message.task_key)
        if stored is None or message.task_key in self.finished_tasks:
            return None
        self.finished_tasks[message.task_key] = stored
        return TaskReused(**self._scope(message.task_key, stored.agent), data=_as_output(stored))

    def _restore_flow(self, message: FlowRestoredMessage) -> RunEvent | None:
        if message.flow not in self._restorable_flows:
            return None
        self._restorable_flows.discard(message.flow)
        text = f"The flow {message.flow} begins again with the state that it saved last."
        data = payloads.WarningRaisedData(code="flow-restored", message=self._mask(text))
        return WarningRaised(run_id=self._run_id, data=data)

    def reopen(self, results: Mapping[str, TaskResult]) -> list[RunEvent]:
        """Return the events that begin the open tasks and agents again, in another attempt.

        The end of the attempt before has ended them. `results` has the tasks that persons have completed
        meanwhile: what the code still reports of those is not emitted again.
        """
        for key in results.keys() & self._open_tasks.keys():
            del self._open_tasks[key]
            result = results[key]
            self.finished_tasks[key] = FinishedTask.model_construct(
                task_key=key,
                description_hash="",
                agent=result.agent or "",
                raw=result.raw,
                json_output=result.json_output,
            )
        self._open_agents = {
            step: count for step, count in self._open_agents.items() if step[0] not in self.finished_tasks
        }
        started: list[RunEvent] = list(self._open_tasks.values())
        for (task_key, agent), count in self._open_agents.items():
            event = AgentStarted(**self._scope(task_key, agent), data=payloads.AgentStartedData(tools=[]))
            started += [event] * count
        return started + [call.event for call in self._open_calls.values()]

    def _translate_agent(self, message: AgentMessage) -> RunEvent | None:
        scope, step = self._scope(message.task_key, message.agent), (message.task_key, message.agent)
        if isinstance(message, AgentStartedMessage):
            if sum(self._open_agents.values()) >= MAX_OPEN_STEPS:
                return None
            self._open_agents[step] = self._open_agents.get(step, 0) + 1
            return AgentStarted(**scope, data=payloads.AgentStartedData(tools=message.tools))
        if step not in self._open_agents:
            return None
        self._open_agents[step] -= 1
        if not self._open_agents[step]:
            del self._open_agents[step]
        match message:
            case AgentCompletedMessage():
                return AgentCompleted(**scope, data=payloads.AgentCompletedData(output=message.output))
            case AgentFailedMessage():
                return AgentFailed(**scope, data=payloads.AgentFailedData(message=message.message))
        return None

    def _translate_tool(self, message: ToolMessage) -> RunEvent | None:
        scope, call_id = self._scope(message.task_key, message.agent), message.call_id
        if isinstance(message, ToolStartedMessage):
            if call_id in self._open_calls or len(self._open_calls) >= MAX_OPEN_STEPS:
                return None
            data = payloads.ToolStartedData(
                tool=message.tool, tool_call_id=call_id, arguments=make_storable(message.arguments)
            )
            started = ToolStarted(**scope, data=data)
            self._open_calls[call_id] = _OpenCall(message.tool, self._clock(), started)
            return started
        call = self._open_calls.pop(call_id, None)
        if call is None:
            return None
        duration = int((self._clock() - call.started) * 1000)
        match message:
            case ToolCompletedMessage():
                completed = payloads.ToolCompletedData(
                    tool=call.tool,
                    tool_call_id=call_id,
                    output=message.output,
                    from_cache=message.from_cache,
                    duration_ms=duration,
                )
                return ToolCompleted(**scope, data=completed)
            case ToolFailedMessage():
                failed = payloads.ToolFailedData(
                    tool=call.tool, tool_call_id=call_id, message=message.message, duration_ms=duration
                )
                return ToolFailed(**scope, data=failed)
        return None

    def _scope(self, task_key: str | None, agent: str) -> "_Scope":
        """Return the fields of the event itself. The event writer masks no identifiers."""
        return {
            "run_id": self._run_id,
            "task_key": None if task_key is None else self._mask(task_key),
            "agent": self._mask(agent) or None,
        }


def _as_output(task: FinishedTask) -> payloads.TaskCompletedData:
    return payloads.TaskCompletedData(raw=task.raw, json_output=make_storable(task.json_output))


def warn_without_model_call(run_id: str, model_calls: int) -> WarningRaised | None:
    """Return the warning for a project that has ended without a model call, counted by the gateway."""
    if model_calls:
        return None
    message = (
        "The project ended without calling a model: choose another entry point if a crew should have run."
    )
    return WarningRaised(
        run_id=run_id, data=payloads.WarningRaisedData(code="no-model-call", message=message)
    )

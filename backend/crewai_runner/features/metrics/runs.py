"""Runs, tasks, model calls and tools, counted from what was committed: once, by whoever stored it."""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from crewai_runner.core.clock import now
from crewai_runner.domain.committed_events import CommittedEvents
from crewai_runner.domain.run import FINAL_STATES
from crewai_runner.domain.run_events import (
    FINAL_EVENT_TYPES,
    AgentStarted,
    DelegationCompleted,
    LlmCompleted,
    LlmFailed,
    RunEvent,
    RunQueued,
    TaskCompleted,
    TaskFailed,
    TaskReused,
    TaskSkipped,
    TaskStarted,
    ToolCompleted,
    ToolFailed,
)
from crewai_runner.domain.usage import Usage
from crewai_runner.features.metrics.instruments import LAG_BUCKETS, WORK_BUCKETS, Instruments
from crewai_runner.features.metrics.labels import Children, ModelLabels, ToolLabels

MOST_OPEN_RUNS = 5000
"""Runs whose begun tasks are remembered; an attempt that was fenced off never says that it ended."""
OK = "ok"


class RunMetrics:
    """A listener of commits. A few microseconds an event: one look-up by its type, then its own counters."""

    def __init__(self, instruments: Instruments) -> None:
        self._lag = instruments.histogram(
            "event_lag_seconds", "From telling an event to its commit.", LAG_BUCKETS
        )
        self._events = instruments.counter("events_stored", "Events of runs stored by this process.")
        self._runs, self._calls, self._tools = (
            _Runs(instruments),
            _Calls(instruments),
            _Tools(instruments),
        )
        self._count: dict[str, Callable[[CommittedEvents, Any], None]] = {
            "run.queued": self._runs.queued,
            "run.started": self._runs.started,
            "run.waiting": self._runs.left,
            **dict.fromkeys(FINAL_EVENT_TYPES, self._runs.ended),
            "task.started": self._runs.task_started,
            **dict.fromkeys(
                ("task.completed", "task.failed", "task.skipped", "task.reused"), self._runs.task_ended
            ),
            "llm.completed": self._calls.completed,
            "llm.failed": self._calls.failed,
            "agent.started": self._tools.given,
            "tool.completed": self._tools.used,
            "tool.failed": self._tools.used,
            "delegation.completed": self._tools.delegated,
        }

    def heard(self, batch: Sequence[CommittedEvents]) -> None:
        moment = now()
        for told in batch:
            self._events.inc(len(told.events))
            for event in told.events:
                self._lag.observe(max(0.0, (moment - event.at).total_seconds()))
                count = self._count.get(event.type)
                if count is not None:
                    count(told, event)


class _Runs:
    def __init__(self, instruments: Instruments) -> None:
        self._queued = Children(
            instruments.counter("runs_queued", "Attempts put into the queue, by why.", "reason")
        )
        self._started = instruments.counter("runs_started", "Runs begun for the first time.")
        self._ended = Children(
            instruments.counter("runs_ended", "Runs ended, by their final state.", "state")
        )
        self._seconds = Children(
            instruments.histogram(
                "run_duration_seconds", "Time at work of ended runs, waits left out.", WORK_BUCKETS, "state"
            )
        )
        self._delay = instruments.histogram(
            "run_start_delay_seconds", "From a run's creation to its first start.", WORK_BUCKETS
        )
        self._tasks = Children(instruments.counter("tasks_ended", "Tasks ended, by how.", "outcome"))
        self._task_seconds = Children(
            instruments.histogram("task_duration_seconds", "Time of ended tasks.", WORK_BUCKETS, "outcome")
        )
        self._begun: OrderedDict[str, dict[str, datetime]] = OrderedDict()
        for state in FINAL_STATES:  # a counter that begins at its first 1 hides that one from rate()
            self._ended(state.value)

    def queued(self, told: CommittedEvents, event: RunQueued) -> None:
        self._queued(event.data.reason).inc()
        self.left(told, event)

    def started(self, told: CommittedEvents, event: RunEvent) -> None:
        self._started.inc()
        if told.facts is not None:
            self._delay.observe(max(0.0, (event.at - told.facts.created_at).total_seconds()))

    def ended(self, told: CommittedEvents, event: RunEvent) -> None:
        state = event.type.removeprefix("run.")
        self._ended(state).inc()
        if told.facts is not None:
            self._seconds(state).observe(told.facts.active_seconds)
        self.left(told, event)

    def left(self, told: CommittedEvents, _event: RunEvent) -> None:
        """The attempt is over; what it had begun is begun anew by the next one."""
        self._begun.pop(told.run_id, None)

    def task_started(self, told: CommittedEvents, event: TaskStarted) -> None:
        self._begun.setdefault(told.run_id, {})[event.task_key or ""] = event.at
        if len(self._begun) > MOST_OPEN_RUNS:
            self._begun.popitem(last=False)

    def task_ended(
        self, told: CommittedEvents, event: TaskCompleted | TaskFailed | TaskSkipped | TaskReused
    ) -> None:
        outcome = event.type.removeprefix("task.")
        self._tasks(outcome).inc()
        began = self._begun.get(told.run_id, {}).pop(event.task_key or "", None)
        if began is not None:
            self._task_seconds(outcome).observe(max(0.0, (event.at - began).total_seconds()))


class _Calls:
    def __init__(self, instruments: Instruments) -> None:
        self._label = ModelLabels()
        of_model = ("provider", "model")
        self._total = Children(
            instruments.counter(
                "model_calls",
                "Model calls of crews; the outcome is ok or an error's code.",
                *of_model,
                "outcome",
            )
        )
        self._seconds = Children(
            instruments.histogram(
                "model_call_duration_seconds", "Time of model calls.", WORK_BUCKETS, *of_model
            )
        )
        self._tokens = Children(
            instruments.counter("model_tokens", "Tokens that providers reported.", *of_model, "direction")
        )
        self._cost = Children(
            instruments.counter(
                "model_cost", "Cost of model calls at the registered prices.", *of_model, "currency"
            )
        )

    def completed(self, told: CommittedEvents, event: LlmCompleted) -> None:
        model = self._label(told.models, event.data.model)
        self._total(*model, OK).inc()
        self._seconds(*model).observe(event.data.duration_ms / 1000)
        self._spent(model, event.data.usage)

    def failed(self, told: CommittedEvents, event: LlmFailed) -> None:
        model = self._label(told.models, event.data.model)
        self._total(*model, event.data.error.code).inc()
        self._seconds(*model).observe(event.data.duration_ms / 1000)

    def _spent(self, model: tuple[str, str], usage: Usage) -> None:
        """What is not known is not counted."""
        if usage.prompt_tokens:
            self._tokens(*model, "prompt").inc(usage.prompt_tokens)
        if usage.completion_tokens:
            self._tokens(*model, "completion").inc(usage.completion_tokens)
        if usage.cost is not None:
            self._cost(*model, usage.cost.currency).inc(float(usage.cost.amount))


class _Tools:
    def __init__(self, instruments: Instruments) -> None:
        self._label = ToolLabels()
        self._total = Children(instruments.counter("tool_calls", "Tool calls of crews.", "tool", "outcome"))
        self._seconds = Children(
            instruments.histogram("tool_call_duration_seconds", "Time of tool calls.", WORK_BUCKETS, "tool")
        )

    def given(self, _told: CommittedEvents, event: AgentStarted) -> None:
        self._label.given(event.data.tools)

    def used(self, _told: CommittedEvents, event: ToolCompleted | ToolFailed) -> None:
        tool = self._label(event.data.tool)
        self._total(tool, OK if isinstance(event, ToolCompleted) else "failed").inc()
        self._seconds(tool).observe(event.data.duration_ms / 1000)

    def delegated(self, _told: CommittedEvents, _event: DelegationCompleted) -> None:
        self._total("delegation", OK).inc()

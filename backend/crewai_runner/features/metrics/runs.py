"""Metrics of runs, tasks, model calls and tools, counted when their events are committed."""

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
"""Limit of runs with started tasks in memory: an outdated attempt never emits an end event."""
OK = "ok"


class RunMetrics:
    """A `CommitListener`. Takes a few microseconds per event: one lookup by type, then its counters."""

    def __init__(self, instruments: Instruments) -> None:
        self._lag = instruments.histogram(
            "event_lag_seconds", "Time from an event to its commit.", LAG_BUCKETS
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
            "run.waiting": self._runs.attempt_ended,
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

    def on_commit(self, batch: Sequence[CommittedEvents]) -> None:
        moment = now()
        for committed in batch:
            self._events.inc(len(committed.events))
            if committed.is_elsewhere:  # its times are those of another machine
                continue
            for event in committed.events:
                self._lag.observe(max(0.0, (moment - event.at).total_seconds()))
                count = self._count.get(event.type)
                if count is not None:
                    count(committed, event)


class _Runs:
    def __init__(self, instruments: Instruments) -> None:
        self._queued = Children(instruments.counter("runs_queued", "Attempts queued, by reason.", "reason"))
        self._started = instruments.counter("runs_started", "Runs started for the first time.")
        self._ended = Children(instruments.counter("runs_ended", "Runs finished, by final state.", "state"))
        self._seconds = Children(
            instruments.histogram(
                "run_duration_seconds",
                "Active time of finished runs, without waiting.",
                WORK_BUCKETS,
                "state",
            )
        )
        self._delay = instruments.histogram(
            "run_start_delay_seconds", "Time from a run's creation to its first start.", WORK_BUCKETS
        )
        self._tasks = Children(instruments.counter("tasks_ended", "Tasks ended, by outcome.", "outcome"))
        self._task_seconds = Children(
            instruments.histogram("task_duration_seconds", "Time of ended tasks.", WORK_BUCKETS, "outcome")
        )
        self._started_at: OrderedDict[str, dict[str, datetime]] = OrderedDict()
        for state in FINAL_STATES:  # rate() does not count the first increment of a series that did not exist
            self._ended(state.value)

    def queued(self, committed: CommittedEvents, event: RunQueued) -> None:
        self._queued(event.data.reason).inc()
        self.attempt_ended(committed, event)

    def started(self, committed: CommittedEvents, event: RunEvent) -> None:
        self._started.inc()
        if committed.facts is not None:
            self._delay.observe(max(0.0, (event.at - committed.facts.created_at).total_seconds()))

    def ended(self, committed: CommittedEvents, event: RunEvent) -> None:
        state = event.type.removeprefix("run.")
        self._ended(state).inc()
        if committed.facts is not None:
            self._seconds(state).observe(committed.facts.active_seconds)
        self.attempt_ended(committed, event)

    def attempt_ended(self, committed: CommittedEvents, _event: RunEvent) -> None:
        """The attempt ended; the next one starts its unfinished tasks again."""
        self._started_at.pop(committed.run_id, None)

    def task_started(self, committed: CommittedEvents, event: TaskStarted) -> None:
        self._started_at.setdefault(committed.run_id, {})[event.task_key or ""] = event.at
        if len(self._started_at) > MOST_OPEN_RUNS:
            self._started_at.popitem(last=False)

    def task_ended(
        self, committed: CommittedEvents, event: TaskCompleted | TaskFailed | TaskSkipped | TaskReused
    ) -> None:
        outcome = event.type.removeprefix("task.")
        self._tasks(outcome).inc()
        started_at = self._started_at.get(committed.run_id, {}).pop(event.task_key or "", None)
        if started_at is not None:
            self._task_seconds(outcome).observe(max(0.0, (event.at - started_at).total_seconds()))


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

    def completed(self, committed: CommittedEvents, event: LlmCompleted) -> None:
        model = self._label(committed.models, event.data.model)
        self._total(*model, OK).inc()
        self._seconds(*model).observe(event.data.duration_ms / 1000)
        self._count_usage(model, event.data.usage)

    def failed(self, committed: CommittedEvents, event: LlmFailed) -> None:
        model = self._label(committed.models, event.data.model)
        self._total(*model, event.data.error.code).inc()
        self._seconds(*model).observe(event.data.duration_ms / 1000)

    def _count_usage(self, model: tuple[str, str], usage: Usage) -> None:
        """Unknown figures are not counted."""
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

    def given(self, _committed: CommittedEvents, event: AgentStarted) -> None:
        self._label.given(event.data.tools)

    def used(self, _committed: CommittedEvents, event: ToolCompleted | ToolFailed) -> None:
        tool = self._label(event.data.tool)
        self._total(tool, OK if isinstance(event, ToolCompleted) else "failed").inc()
        self._seconds(tool).observe(event.data.duration_ms / 1000)

    def delegated(self, _committed: CommittedEvents, _event: DelegationCompleted) -> None:
        self._total("delegation", OK).inc()

"""The contract of the executor port, tested for every adapter."""

import asyncio
from abc import ABC, abstractmethod
from typing import Any

import pytest

from crewai_runner.domain.run import TaskResult
from crewai_runner.domain.run_events import RunEvent
from crewai_runner.executor.port import (
    Completed,
    EngineState,
    Executor,
    Failed,
    NeedsHuman,
    Outcome,
    RunControl,
    RunSpec,
    Stopped,
)

"""The maximum duration of a stop; the test waits longer, for a busy machine."""

FINISHED_RESEARCH = TaskResult(raw="Known facts.", agent="researcher")


class RunningAttempt:
    """An attempt that runs in a task, with the events that it emitted so far."""

    def __init__(self, executor: Executor, spec: RunSpec) -> None:
        self.control = RunControl()
        self.events: list[RunEvent] = []
        self.future: asyncio.Future[Outcome] = asyncio.ensure_future(
            executor.execute(spec, self.events.append, self.control)
        )

    async def outcome(self) -> Outcome:
        return await asyncio.wait_for(self.future, 30)

    @property
    def task_events(self) -> list[tuple[str, str | None]]:
        """(type, task key) of the events about tasks."""
        return [(event.type, event.task_key) for event in self.events if event.type.startswith("task.")]


class AdapterHarness(ABC):
    """An adapter with a crew of two sequential tasks, `research` and `report`."""

    executor: Executor

    @abstractmethod
    def spec(self, **settings: Any) -> RunSpec:
        """Create an attempt, which succeeds unless another method arranged otherwise before."""

    @abstractmethod
    def refuse_model_calls(self) -> None:
        """Refuse every model call of the next attempt."""

    @abstractmethod
    def hang(self) -> None:
        """Make the first task of the next attempt hang."""

    @abstractmethod
    def spec_with_review(self) -> RunSpec:
        """Create an attempt whose first task requires a review."""

    @abstractmethod
    async def wait_until_hanging(self, attempt: RunningAttempt) -> None:
        """Wait until the attempt hangs."""

    @abstractmethod
    def spec_with_finished_task(self) -> RunSpec:
        """Create an attempt that has the result of `research`."""


class ExecutorContract:
    """Inherited by one test class per adapter, which defines the fixture `harness`."""

    @pytest.fixture
    def harness(self) -> AdapterHarness:
        raise NotImplementedError

    async def test_status_after_loading(self, harness: AdapterHarness) -> None:
        status = harness.executor.status()

        assert status.state is EngineState.READY
        assert status.name
        assert status.version

    async def test_emits_start_and_end_of_each_task_in_order(self, harness: AdapterHarness) -> None:
        attempt = RunningAttempt(harness.executor, harness.spec())

        outcome = await attempt.outcome()

        assert isinstance(outcome, Completed)
        assert attempt.task_events == [
            ("task.started", "research"),
            ("task.completed", "research"),
            ("task.started", "report"),
            ("task.completed", "report"),
        ]
        assert set(outcome.result.tasks) == {"research", "report"}
        assert outcome.result.raw == outcome.result.tasks["report"].raw

    async def test_every_event_has_its_run_id(self, harness: AdapterHarness) -> None:
        spec = harness.spec()
        attempt = RunningAttempt(harness.executor, spec)

        await attempt.outcome()

        assert {event.run_id for event in attempt.events} <= {"", spec.run_id}

    async def test_stop_ends_an_attempt_that_hangs(self, harness: AdapterHarness) -> None:
        harness.hang()
        attempt = RunningAttempt(harness.executor, harness.spec())
        await harness.wait_until_hanging(attempt)

        attempt.control.stop()
        outcome = await attempt.outcome()

        assert isinstance(outcome, Stopped)
        assert outcome.llm_calls_after_stop == 0
        assert ("task.completed", "research") not in attempt.task_events

    async def test_stop_before_the_start_makes_no_model_call(self, harness: AdapterHarness) -> None:
        control, events = RunControl(), list[RunEvent]()
        control.stop()

        outcome = await harness.executor.execute(harness.spec(), events.append, control)

        assert isinstance(outcome, Stopped)
        assert not [event for event in events if event.type in ("llm.started", "task.completed")]

    async def test_emits_nothing_after_the_outcome(self, harness: AdapterHarness) -> None:
        harness.hang()
        attempt = RunningAttempt(harness.executor, harness.spec())
        await harness.wait_until_hanging(attempt)
        attempt.control.stop()
        await attempt.outcome()
        count = len(attempt.events)

        # A second attempt leaves time for events of the first one.
        later = RunningAttempt(harness.executor, harness.spec_with_finished_task())
        later.control.stop()
        await later.outcome()

        assert len(attempt.events) == count

    async def test_failure_is_an_outcome(self, harness: AdapterHarness) -> None:
        harness.refuse_model_calls()
        attempt = RunningAttempt(harness.executor, harness.spec())

        outcome = await attempt.outcome()

        assert isinstance(outcome, Failed)
        assert outcome.failure.code == "provider-auth"
        assert outcome.failure.task_key == "research"

    async def test_finished_tasks_are_reused(self, harness: AdapterHarness) -> None:
        spec = harness.spec_with_finished_task()
        attempt = RunningAttempt(harness.executor, spec)

        outcome = await attempt.outcome()

        assert isinstance(outcome, Completed)
        assert ("task.reused", "research") in attempt.task_events
        assert ("task.started", "research") not in attempt.task_events
        assert outcome.result.tasks["research"].raw == spec.finished_tasks["research"].raw

    async def test_review_ends_the_attempt_with_the_proposed_output(self, harness: AdapterHarness) -> None:
        attempt = RunningAttempt(harness.executor, harness.spec_with_review())

        outcome = await attempt.outcome()

        assert isinstance(outcome, NeedsHuman)
        assert (outcome.task_key, outcome.agent) == ("research", "researcher")
        assert outcome.output
        assert ("task.completed", "research") not in attempt.task_events
        assert ("task.started", "report") not in attempt.task_events

    async def test_cancelling_the_awaiting_task_ends_the_attempt(self, harness: AdapterHarness) -> None:
        harness.hang()
        attempt = RunningAttempt(harness.executor, harness.spec())
        await harness.wait_until_hanging(attempt)

        attempt.future.cancel()
        await asyncio.wait([attempt.future], timeout=30)

        assert attempt.future.cancelled()

"""The promises of the executor port, kept by every adapter alike."""

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

STOP_SECONDS = 1.0
"""What a stop may take; the wait in the tests is longer, for a busy machine."""


class Performance:
    """One attempt at work: what it told so far, and its outcome."""

    def __init__(self, executor: Executor, spec: RunSpec) -> None:
        self.control = RunControl()
        self.told: list[RunEvent] = []
        self.work: asyncio.Future[Outcome] = asyncio.ensure_future(
            executor.execute(spec, self.told.append, self.control)
        )

    async def outcome(self) -> Outcome:
        return await asyncio.wait_for(self.work, 30)

    @property
    def tasks(self) -> list[tuple[str, str | None]]:
        """(type, task) of what was told about tasks."""
        return [(event.type, event.task_key) for event in self.told if event.type.startswith("task.")]


class Stage(ABC):
    """An adapter, set up for a crew of two tasks, `research` and `report`, one after the other."""

    executor: Executor

    @abstractmethod
    def spec(self, **settings: Any) -> RunSpec:
        """An attempt that will end well, unless one of the methods below said otherwise before."""

    @abstractmethod
    def refuse(self) -> None:
        """Every model call of the next attempt is refused."""

    @abstractmethod
    def hang(self) -> None:
        """The first task of the next attempt never ends by itself."""

    @abstractmethod
    def reviewed(self) -> RunSpec:
        """An attempt whose first task asks a person."""

    @abstractmethod
    async def at_work(self, performance: Performance) -> None:
        """Wait until the attempt hangs."""

    @abstractmethod
    def resumed(self) -> RunSpec:
        """An attempt that has the output of `research` already."""


class ExecutorContract:
    """Inherited by one test class for each adapter; `stage` is the adapter's."""

    @pytest.fixture
    def stage(self) -> Stage:
        raise NotImplementedError

    async def test_is_ready_once_loaded_and_says_what_it_is(self, stage: Stage) -> None:
        status = stage.executor.status()

        assert status.state is EngineState.READY
        assert status.name
        assert status.version

    async def test_tells_the_start_and_end_of_each_task_in_order(self, stage: Stage) -> None:
        performance = Performance(stage.executor, stage.spec())

        outcome = await performance.outcome()

        assert isinstance(outcome, Completed)
        assert performance.tasks == [
            ("task.started", "research"),
            ("task.completed", "research"),
            ("task.started", "report"),
            ("task.completed", "report"),
        ]
        assert set(outcome.result.tasks) == {"research", "report"}
        assert outcome.result.raw == outcome.result.tasks["report"].raw

    async def test_every_event_names_its_run(self, stage: Stage) -> None:
        spec = stage.spec()
        performance = Performance(stage.executor, spec)

        await performance.outcome()

        assert {event.run_id for event in performance.told} <= {"", spec.run_id}

    async def test_a_stop_ends_the_attempt_within_a_second(self, stage: Stage) -> None:
        stage.hang()
        performance = Performance(stage.executor, stage.spec())
        await stage.at_work(performance)
        loop = asyncio.get_running_loop()
        asked = loop.time()

        performance.control.stop()
        outcome = await performance.outcome()

        assert isinstance(outcome, Stopped)
        assert outcome.llm_calls_after_stop == 0
        assert loop.time() - asked < 5 * STOP_SECONDS
        assert ("task.completed", "research") not in performance.tasks

    async def test_an_attempt_stopped_before_it_began_asks_nothing_of_a_model(self, stage: Stage) -> None:
        control, told = RunControl(), list[RunEvent]()
        control.stop()

        outcome = await stage.executor.execute(stage.spec(), told.append, control)

        assert isinstance(outcome, Stopped)
        assert not [event for event in told if event.type in ("llm.started", "task.completed")]

    async def test_nothing_is_told_after_the_outcome(self, stage: Stage) -> None:
        stage.hang()
        performance = Performance(stage.executor, stage.spec())
        await stage.at_work(performance)
        performance.control.stop()
        await performance.outcome()
        count = len(performance.told)

        later = Performance(stage.executor, stage.resumed())  # another attempt has time to stir things up
        later.control.stop()
        await later.outcome()

        assert len(performance.told) == count

    async def test_a_failure_is_an_outcome_and_no_exception(self, stage: Stage) -> None:
        stage.refuse()
        performance = Performance(stage.executor, stage.spec())

        outcome = await performance.outcome()

        assert isinstance(outcome, Failed)
        assert outcome.failure.code == "provider-auth"
        assert outcome.failure.task_key == "research"

    async def test_finished_tasks_are_taken_and_not_begun_again(self, stage: Stage) -> None:
        spec = stage.resumed()
        performance = Performance(stage.executor, spec)

        outcome = await performance.outcome()

        assert isinstance(outcome, Completed)
        assert ("task.reused", "research") in performance.tasks
        assert ("task.started", "research") not in performance.tasks
        assert outcome.result.tasks["research"].raw == spec.finished_tasks["research"].raw

    async def test_a_task_for_a_person_ends_the_attempt_with_its_output(self, stage: Stage) -> None:
        performance = Performance(stage.executor, stage.reviewed())

        outcome = await performance.outcome()

        assert isinstance(outcome, NeedsHuman)
        assert (outcome.task_key, outcome.agent) == ("research", "researcher")
        assert outcome.output
        assert ("task.completed", "research") not in performance.tasks
        assert ("task.started", "report") not in performance.tasks

    async def test_cancelling_the_waiting_task_ends_the_attempt(self, stage: Stage) -> None:
        stage.hang()
        performance = Performance(stage.executor, stage.spec())
        await stage.at_work(performance)

        performance.work.cancel()
        await asyncio.wait([performance.work], timeout=30)

        assert performance.work.cancelled()


KNOWN = TaskResult(raw="Known facts.", agent="researcher")

"""Every attempt gets an ending, whatever raises and whatever is requested meanwhile."""

import asyncio
import contextlib
import random
from typing import Any

import pytest

from crewai_runner.core.errors import AppError
from crewai_runner.domain.run import FINAL_STATES, StopMode
from crewai_runner.executor.scripted import Script, ScriptedExecutor
from crewai_runner.features.events.writes import EventWrites
from crewai_runner.features.executions.errors import NoModel
from crewai_runner.features.executions.event_writer import EventWriter
from crewai_runner.features.executions.spec_builder import RunSpecBuilder
from crewai_runner.features.executions.stop_service import StopService
from crewai_runner.features.lifecycle.service import LifecycleService
from crewai_runner.features.lifecycle.writes import LifecycleWrites
from crewai_runner.features.runs.errors import RunAlreadyFinished
from tests.support.harness import ON_SQLITE, RunHarness
from tests.support.principals import OWNER

pytestmark = pytest.mark.each_database

PLAN_RACES = 20


def raise_once(monkeypatch: pytest.MonkeyPatch, owner: type, name: str, error: Exception) -> None:
    """Make the first call of a method raise."""
    original, errors = getattr(owner, name), [error]

    def flaky(self: Any, *arguments: Any, **options: Any) -> Any:
        if errors:
            raise errors.pop()
        return original(self, *arguments, **options)

    monkeypatch.setattr(owner, name, flaky)


class TestStopWhilePlanning:
    async def test_stop_takes_precedence_over_a_spec_that_cannot_be_built(
        self, harness: RunHarness, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        run_id = await harness.create()

        async def fail_after_the_stop(_builder: RunSpecBuilder, run_id: str, *_: Any) -> Any:
            async with harness.transaction(run_id) as (run, lifecycle):
                await lifecycle.request_stop(run, StopMode.NOW, "me")
            raise NoModel("No model.")

        monkeypatch.setattr(RunSpecBuilder, "build", fail_after_the_stop)

        await harness.execute(run_id, 1)

        run = await harness.get_run(run_id)
        assert run.state == "stopped"
        assert run.receipt is not None
        assert (await harness.event_types(run_id))[-1] == "run.stopped"

    @ON_SQLITE
    async def test_races_of_a_stop_and_a_failing_plan_leave_no_unfinished_run(
        self, harness: RunHarness, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        chance = random.Random(1)

        async def fail_soon(*_: Any) -> Any:
            await asyncio.sleep(chance.random() / 100)
            raise NoModel("No model.")

        monkeypatch.setattr(RunSpecBuilder, "build", fail_soon)

        async def race() -> str:
            run_id = await harness.create()
            job = asyncio.ensure_future(harness.execute(run_id, 1))
            await asyncio.sleep(chance.random() / 50)
            with contextlib.suppress(RunAlreadyFinished):
                await StopService(harness.deps).stop(OWNER, run_id, StopMode.NOW)
            await job
            return (await harness.get_run(run_id)).state

        states = [await race() for _ in range(PLAN_RACES)]

        assert set(states) <= FINAL_STATES, states


class TestUnexpectedError:
    @pytest.mark.parametrize(
        ("owner", "name"),
        [
            (LifecycleWrites, "begin_first"),
            (RunSpecBuilder, "build"),
            (EventWriter, "flush"),
            (LifecycleWrites, "complete"),
        ],
    )
    @pytest.mark.parametrize("error", [RuntimeError("a bug"), AppError("a bug")])
    async def test_anywhere_in_the_job_ends_the_run(
        self,
        harness: RunHarness,
        monkeypatch: pytest.MonkeyPatch,
        owner: type,
        name: str,
        error: Exception,
    ) -> None:
        run_id = await harness.create()
        raise_once(monkeypatch, owner, name, error)

        await harness.execute(run_id, 1)

        run = await harness.get_run(run_id)
        assert run.error is not None
        assert (run.state, run.error["code"]) == ("failed", "internal-error")
        assert harness.deps.active_runs == set()

    async def test_while_a_stop_is_requested_stops_the_run(
        self, harness: RunHarness, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        harness.executor = ScriptedExecutor(Script(gate=asyncio.Event()))
        run_id = await harness.create()
        job = asyncio.ensure_future(harness.execute(run_id, 1))
        await harness.wait_for_state(run_id, "running")
        raise_once(monkeypatch, LifecycleService, "stop", RuntimeError("a bug"))

        response = await StopService(harness.deps).stop(OWNER, run_id, StopMode.NOW)
        await job

        assert response.status == "stopped"

    async def test_of_a_write_of_the_outcome_ends_the_run(
        self, harness: RunHarness, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        run_id = await harness.create()
        original = EventWrites.add_all

        def refuse_completions(self: EventWrites, rows: list[dict[str, Any]]) -> None:
            if any(row["type"] == "run.completed" for row in rows):
                raise ValueError("a value the database refuses")
            original(self, rows)

        monkeypatch.setattr(EventWrites, "add_all", refuse_completions)

        await harness.execute(run_id, 1)

        assert (await harness.event_types(run_id))[-1] == "run.failed"

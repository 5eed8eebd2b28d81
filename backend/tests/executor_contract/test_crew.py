"""The executor contract for CrewAI, against a scripted provider."""

from typing import Any

import pytest

from crewai_runner.domain.workflow import WorkflowDefinition
from crewai_runner.executor.crew.executor import CrewExecutor
from crewai_runner.executor.port import Completed, Executor, RunSpec
from tests.executor.crew.harness import EngineHarness
from tests.executor_contract.contract import (
    FINISHED_RESEARCH,
    AdapterHarness,
    ExecutorContract,
    RunningAttempt,
)
from tests.support.builders import definition, task
from tests.support.scripted_provider import Fail, Hang, Say, ScriptedProvider


class CrewHarness(AdapterHarness):
    def __init__(self, engine: Executor, provider: ScriptedProvider) -> None:
        self.executor, self._provider = engine, provider
        self._engine = EngineHarness(engine, provider)

    def spec(self, workflow: WorkflowDefinition | None = None, **settings: Any) -> RunSpec:
        return self._engine.spec(workflow or definition(), **settings)

    def refuse_model_calls(self) -> None:
        self._provider.on(Fail(401, "Incorrect API key provided"))

    def hang(self) -> None:
        self._provider.on(Hang(60), times=1)

    def spec_with_review(self) -> RunSpec:
        return self.spec(definition(tasks=[task("research", "researcher", human_input=True), task("report")]))

    async def wait_until_hanging(self, attempt: RunningAttempt) -> None:
        await self._engine.wait_for_requests(1)

    def spec_with_finished_task(self) -> RunSpec:
        return self.spec(finished_tasks={"research": FINISHED_RESEARCH})


@pytest.mark.crew
class TestCrewExecutor(ExecutorContract):
    @pytest.fixture
    def harness(self, engine: CrewExecutor, provider: ScriptedProvider) -> AdapterHarness:
        return CrewHarness(engine, provider)

    async def test_output_contains_no_character_that_databases_refuse(
        self, harness: AdapterHarness, provider: ScriptedProvider
    ) -> None:
        provider.on(Say("Tea\x00 and half \ud83d a character"))
        attempt = RunningAttempt(harness.executor, harness.spec_with_finished_task())

        outcome = await attempt.outcome()

        assert isinstance(outcome, Completed)
        assert outcome.result.raw == "Tea\ufffd and half \ufffd a character"
        assert all(event.model_dump_json().encode() for event in attempt.events)
        assert not [event for event in attempt.events if "\\u0000" in event.model_dump_json()]

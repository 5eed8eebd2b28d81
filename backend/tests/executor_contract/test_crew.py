"""The real engine keeps the same promises, against a scripted provider."""

from typing import Any

import pytest

from crewai_runner.domain.workflow import WorkflowDefinition
from crewai_runner.executor.crew.executor import CrewExecutor
from crewai_runner.executor.port import Completed, RunSpec
from tests.executor.crew.kit import Stage as CrewKit
from tests.executor_contract.contract import KNOWN, ExecutorContract, Performance, Stage
from tests.support.runs import definition, task
from tests.support.scripted_provider import Fail, Hang, Say, ScriptedProvider


class CrewStage(Stage):
    def __init__(self, engine: CrewExecutor, provider: ScriptedProvider) -> None:
        self.executor, self._provider = engine, provider
        self._kit = CrewKit(engine, provider)

    def spec(self, definition_of: WorkflowDefinition | None = None, **settings: Any) -> RunSpec:
        return self._kit.spec(definition_of or definition(), **settings)

    def refuse(self) -> None:
        self._provider.on(Fail(401, "Incorrect API key provided"))

    def hang(self) -> None:
        self._provider.on(Hang(60), times=1)

    def reviewed(self) -> RunSpec:
        return self.spec(definition(tasks=[task("research", "researcher", human_input=True), task("report")]))

    async def at_work(self, performance: Performance) -> None:
        await self._kit.requests(1)

    def resumed(self) -> RunSpec:
        return self.spec(finished_tasks={"research": KNOWN})


@pytest.mark.crew
class TestCrew(ExecutorContract):
    @pytest.fixture
    def stage(self, engine: CrewExecutor, provider: ScriptedProvider) -> Stage:
        return CrewStage(engine, provider)

    async def test_what_no_database_keeps_does_not_leave_the_engine(
        self, stage: Stage, provider: ScriptedProvider
    ) -> None:
        provider.on(Say("Tea\x00 and half \ud83d a character"))
        performance = Performance(stage.executor, stage.resumed())

        outcome = await performance.outcome()

        assert isinstance(outcome, Completed)
        assert outcome.result.raw == "Tea\ufffd and half \ufffd a character"
        assert all(event.model_dump_json().encode() for event in performance.told)
        assert not [event for event in performance.told if "\\u0000" in event.model_dump_json()]

"""The scripted twin keeps the promises of the executor port."""

import asyncio
from typing import Any

import pytest

from crewai_runner.domain.run import RunFailure, RunResult, TaskResult
from crewai_runner.domain.run_event_payloads import TaskCompletedData
from crewai_runner.domain.run_events import TaskReused
from crewai_runner.executor.port import Completed, Failed, NeedsHuman, RunSpec
from crewai_runner.executor.scripted import Script, ScriptedExecutor
from tests.executor_contract.contract import KNOWN, ExecutorContract, Performance, Stage
from tests.support.runs import completed, definition, started

OUTPUTS = {"research": TaskResult(raw="R"), "report": TaskResult(raw="End")}
FIRST = [started("research"), completed("research", "R")]
SECOND = [started("report"), completed("report", "End")]
REFUSED = RunFailure(code="provider-auth", message="refused", task_key="research")


class ScriptedStage(Stage):
    def __init__(self) -> None:
        self.executor = ScriptedExecutor(
            Script([*FIRST, *SECOND], Completed(RunResult(raw="End", tasks=OUTPUTS)))
        )

    def _next(self, script: Script) -> None:
        self.executor._scripts.insert(0, script)  # type: ignore[attr-defined]

    def spec(self, **settings: Any) -> RunSpec:
        given: dict[str, Any] = {"inputs": {}, "models": {}, "default_model": "m"} | settings
        return RunSpec(run_id="run_1", attempt=1, definition=definition(), **given)

    def refuse(self) -> None:
        self._next(Script([started("research")], Failed(REFUSED)))

    def hang(self) -> None:
        self._next(Script([started("research")], gate=asyncio.Event()))

    def reviewed(self) -> RunSpec:
        self._next(Script([started("research")], NeedsHuman("research", "researcher", "A proposal.")))
        return self.spec()

    async def at_work(self, performance: Performance) -> None:
        while not performance.told:
            await asyncio.sleep(0)

    def resumed(self) -> RunSpec:
        reused = TaskReused(task_key="research", data=TaskCompletedData(raw=KNOWN.raw))
        outputs = OUTPUTS | {"research": KNOWN}
        self._next(Script([reused, *SECOND], Completed(RunResult(raw="End", tasks=outputs))))
        return self.spec(finished_tasks={"research": KNOWN})


class TestScripted(ExecutorContract):
    @pytest.fixture
    def stage(self) -> Stage:
        return ScriptedStage()

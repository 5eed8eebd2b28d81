"""The executor contract for the test double."""

import asyncio
from typing import Any

import pytest

from crewai_runner.domain.run import RunFailure, RunResult, TaskResult
from crewai_runner.domain.run_event_payloads import TaskCompletedData
from crewai_runner.domain.run_events import TaskReused
from crewai_runner.executor.port import Completed, Failed, NeedsHuman, RunSpec
from crewai_runner.executor.scripted import Script, ScriptedExecutor
from tests.executor_contract.contract import (
    FINISHED_RESEARCH,
    AdapterHarness,
    ExecutorContract,
    RunningAttempt,
)
from tests.support.builders import completed, definition, started

RESULTS = {"research": TaskResult(raw="R"), "report": TaskResult(raw="End")}
RESEARCH_EVENTS = [started("research"), completed("research", "R")]
REPORT_EVENTS = [started("report"), completed("report", "End")]
REFUSED = RunFailure(code="provider-auth", message="refused", task_key="research")


class ScriptedHarness(AdapterHarness):
    def __init__(self) -> None:
        self.executor = ScriptedExecutor(
            Script([*RESEARCH_EVENTS, *REPORT_EVENTS], Completed(RunResult(raw="End", tasks=RESULTS)))
        )

    def _run_next(self, script: Script) -> None:
        self.executor._scripts.insert(0, script)  # type: ignore[attr-defined]

    def spec(self, **settings: Any) -> RunSpec:
        options: dict[str, Any] = {"inputs": {}, "models": {}, "default_model": "m"} | settings
        return RunSpec(run_id="run_1", attempt=1, definition=definition(), **options)

    def refuse_model_calls(self) -> None:
        self._run_next(Script([started("research")], Failed(REFUSED)))

    def hang(self) -> None:
        self._run_next(Script([started("research")], gate=asyncio.Event()))

    def spec_with_review(self) -> RunSpec:
        self._run_next(Script([started("research")], NeedsHuman("research", "researcher", "A proposal.")))
        return self.spec()

    async def wait_until_hanging(self, attempt: RunningAttempt) -> None:
        while not attempt.events:
            await asyncio.sleep(0)

    def spec_with_finished_task(self) -> RunSpec:
        reused = TaskReused(task_key="research", data=TaskCompletedData(raw=FINISHED_RESEARCH.raw))
        results = RESULTS | {"research": FINISHED_RESEARCH}
        self._run_next(Script([reused, *REPORT_EVENTS], Completed(RunResult(raw="End", tasks=results))))
        return self.spec(finished_tasks={"research": FINISHED_RESEARCH})


class TestScriptedExecutor(ExecutorContract):
    @pytest.fixture
    def harness(self) -> AdapterHarness:
        return ScriptedHarness()

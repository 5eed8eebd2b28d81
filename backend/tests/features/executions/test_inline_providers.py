"""A provider of a single run is forgotten, with its key, when the run ends in any way."""

from collections.abc import Awaitable, Callable

import pytest

from crewai_runner.db.tables.runs import RunRow
from crewai_runner.domain.run import RunFailure, RunResult
from crewai_runner.features.lifecycle.service import LifecycleService
from crewai_runner.features.providers.schemas import ProviderCreate
from crewai_runner.features.runs.service import NewRun
from crewai_runner.wiring import periodic_tasks
from crewai_runner.wiring.periodic_tasks import PeriodicTasks
from tests.support.builders import definition
from tests.support.harness import HOUR, ON_SQLITE, RunHarness, request_approval

KEY = "sk-of-one-run-5f1d"
FAILURE = RunFailure(code="x", message="y")
Ending = Callable[[LifecycleService, RunRow], Awaitable[object]]
ENDINGS: dict[str, Ending] = {
    "completed": lambda lifecycle, run: lifecycle.complete(run, RunResult(raw="done")),
    "failed": lambda lifecycle, run: lifecycle.fail(run, FAILURE),
    "crashed": lambda lifecycle, run: lifecycle.crash(run, FAILURE),
    "stopped": lambda lifecycle, run: lifecycle.stop(run),
}


async def create_run(harness: RunHarness) -> str:
    config = {"name": "mine", "type": "openai", "apiKey": KEY, "models": ["m"]}
    run_id = await harness.create_running(NewRun(definition(), {}, inline_provider=True))
    harness.container.inline_providers.keep(run_id, ProviderCreate.model_validate(config))
    return run_id


def is_known(harness: RunHarness, run_id: str) -> bool:
    is_masked = harness.container.mask.scoped(run_id)(KEY) != KEY
    assert is_masked == (harness.container.inline_providers.get(run_id) is not None)
    return is_masked


@ON_SQLITE
class TestInlineProviders:
    @pytest.mark.parametrize("ending", ENDINGS)
    async def test_is_forgotten_at_the_end(self, harness: RunHarness, ending: str) -> None:
        run_id = await create_run(harness)
        assert is_known(harness, run_id)

        async with harness.transaction(run_id) as (run, lifecycle):
            await ENDINGS[ending](lifecycle, run)

        assert not is_known(harness, run_id)

    async def test_is_kept_when_the_end_is_rolled_back(self, harness: RunHarness) -> None:
        run_id = await create_run(harness)

        async with harness.transaction_rolled_back(run_id) as (run, lifecycle):
            await lifecycle.fail(run, FAILURE)

        assert is_known(harness, run_id)

    async def test_is_forgotten_when_an_approval_expires(self, harness: RunHarness) -> None:
        run_id = await create_run(harness)
        await request_approval(harness, -HOUR, run_id)
        assert is_known(harness, run_id)

        await PeriodicTasks(harness.container).expire_approvals()

        assert not is_known(harness, run_id)

    async def test_sweep_forgets_runs_that_ended_elsewhere(
        self, harness: RunHarness, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(periodic_tasks, "SECRET_SWEEP_SECONDS", 0.0)
        ended, active = await create_run(harness), await create_run(harness)
        monkeypatch.setattr(harness.container.inline_providers, "on_commit", lambda _batch: None)
        async with harness.transaction(ended) as (run, lifecycle):
            await lifecycle.fail(run, FAILURE)

        await PeriodicTasks(harness.container).forget_secrets()

        assert not is_known(harness, ended)
        assert is_known(harness, active)

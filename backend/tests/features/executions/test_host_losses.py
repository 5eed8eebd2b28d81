"""What follows when the process that executed a run is gone."""

from crewai_runner.domain.run import RunResult
from crewai_runner.executor.attempt_loss import AttemptLost, LossReason
from crewai_runner.executor.port import Completed
from crewai_runner.executor.scripted import Script, ScriptedExecutor
from crewai_runner.features.executions.host_losses import HostLosses
from tests.support.builders import completed, started
from tests.support.harness import RunHarness

DONE = Script([started("report"), completed("report")], Completed(RunResult(raw="End")))


class TestHostLosses:
    def test_death_is_no_suspicion_at_first(self) -> None:
        losses = HostLosses()

        assert losses.count(AttemptLost(LossReason.DIED)) is None
        assert not losses.runs_alone
        assert losses.count(AttemptLost(LossReason.DIED)) is None
        assert losses.runs_alone

    def test_freeze_continues_alone_then_fails(self) -> None:
        losses = HostLosses()

        assert losses.count(AttemptLost(LossReason.FROZEN)) is None
        assert losses.runs_alone
        failed = losses.count(AttemptLost(LossReason.FROZEN, "tool.started"))

        assert failed is not None
        assert failed.failure.code == "engine-frozen"
        assert "tool.started" in failed.failure.message

    def test_memory_is_treated_alike(self) -> None:
        losses = HostLosses()
        losses.count(AttemptLost(LossReason.FROZEN))

        failed = losses.count(AttemptLost(LossReason.OUT_OF_MEMORY))

        assert failed is not None
        assert failed.failure.code == "engine-out-of-memory"


async def execute(harness: RunHarness, *scripts: Script | Exception) -> tuple[ScriptedExecutor, str]:
    executor = ScriptedExecutor(*scripts)
    harness.executor = executor
    run_id = await harness.create()
    await harness.execute(run_id, 1)
    return executor, run_id


class TestRun:
    async def test_continues_in_another_process(self, harness: RunHarness) -> None:
        executor, run_id = await execute(harness, AttemptLost(LossReason.DIED), DONE)

        assert (await harness.get_run(run_id)).state == "completed"
        assert [spec.alone for spec in executor.specs] == [False, False]

    async def test_fails_when_it_freezes_alone(self, harness: RunHarness) -> None:
        frozen = AttemptLost(LossReason.FROZEN, "llm.started")

        executor, run_id = await execute(harness, frozen, frozen)

        run = await harness.get_run(run_id)
        assert run.state == "failed"
        assert run.error is not None
        assert run.error["code"] == "engine-frozen"
        assert [spec.alone for spec in executor.specs] == [False, True]

    async def test_losses_are_limited(self, harness: RunHarness) -> None:
        """`max_attempts` of the harness's settings, as for workers that die."""
        executor, run_id = await execute(harness, AttemptLost(LossReason.DIED))

        assert (await harness.get_run(run_id)).state == "crashed"
        assert len(executor.specs) == harness.container.settings.max_attempts

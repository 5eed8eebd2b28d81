"""Failures of runs that the worker itself reports."""

from crewai_runner.domain.run import RunFailure
from crewai_runner.domain.workflow import OnWorkerLoss
from crewai_runner.executor.port import Failed


def engine_failure() -> Failed:
    return Failed(
        RunFailure(
            code="internal-error",
            message="The engine failed unexpectedly. See the server log for details.",
            hint="Resume the run to continue after its last finished task.",
        )
    )


def storage_failure() -> Failed:
    return Failed(
        RunFailure(
            code="internal-error",
            message="An event of the run could not be stored. See the server log for details.",
            hint="Resume the run to continue after its last finished task.",
        )
    )


def worker_lost(losses: int, policy: OnWorkerLoss) -> RunFailure:
    times = "once" if losses == 1 else f"{losses} times"
    reason = (
        "the workflow does not allow a retry (on_worker_loss: fail)"
        if policy is OnWorkerLoss.FAIL
        else "the limit of attempts is reached"
    )
    return RunFailure(
        code="worker-lost",
        message=f"The worker that ran this run died {times}, and {reason}.",
        hint="Resume the run to continue after its last finished task.",
    )

"""How an attempt ends: the one place that moves a run out of `running` and `stopping`."""

from dataclasses import dataclass
from datetime import timedelta

from crewai_runner.core.logging import get_logger
from crewai_runner.core.outside_values import clean_model
from crewai_runner.core.settings import Settings
from crewai_runner.domain.artifact_events import make_artifact_event
from crewai_runner.domain.budget import Budget
from crewai_runner.domain.run import RunFailure, RunResult, RunState, WaitReason
from crewai_runner.domain.run_event_payloads import BudgetData
from crewai_runner.domain.run_events import BudgetExceeded
from crewai_runner.domain.workflow import OnWorkerLoss
from crewai_runner.executor.port import Completed, Failed, NeedsHuman, Outcome, OutOfBudget, Stopped
from crewai_runner.features.executions.failures import worker_lost
from crewai_runner.features.executions.run_transaction import RunTransaction

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Crashed:
    """The attempt ended with its worker, and the run must not be tried again."""

    failure: RunFailure


Ending = Outcome | Crashed
UNSETTLED_STATES = frozenset({RunState.QUEUED, RunState.RUNNING, RunState.STOPPING})
"""The states of a run whose current attempt has not ended."""


async def settle(
    transaction: RunTransaction, ending: Ending, settings: Settings, budget: Budget | None = None
) -> None:
    """End the current attempt of a locked run; a requested stop takes precedence over every other ending.

    Does nothing if the attempt has already ended. `budget` holds the limits that applied to the attempt.
    """
    run, lifecycle = transaction.run, transaction.lifecycle
    if RunState(run.state) not in UNSETTLED_STATES:
        log.warning("run.outcome_refused", outcome=type(ending).__name__, state=run.state)
        return
    if run.state == RunState.STOPPING and not isinstance(ending, Stopped):
        ending = Stopped(review=ending if isinstance(ending, NeedsHuman) else None)
    match ending:
        case Completed(result=result):
            await _complete(transaction, result)
        case Failed() | Crashed() | Stopped():
            await transaction.approvals.tool_calls.cancel_open(run)
            await _end(transaction, ending)
        case NeedsHuman():
            expires_in = timedelta(hours=settings.approval_expires_hours)
            await transaction.approvals.request(run, ending, expires_in)
        case OutOfBudget():
            exceeded = BudgetData(
                limit=ending.limit, budget=budget or Budget(), usage=ending.usage, seconds=ending.seconds
            )
            await lifecycle.wait(run, WaitReason.BUDGET, BudgetExceeded(data=exceeded))


async def _end(transaction: RunTransaction, ending: Failed | Crashed | Stopped) -> None:
    """End the run without a result."""
    run, lifecycle = transaction.run, transaction.lifecycle
    if isinstance(ending, Failed):
        await lifecycle.fail(run, ending.failure)
    elif isinstance(ending, Crashed):
        await lifecycle.crash(run, ending.failure)
    else:
        if ending.review is not None and ending.review.tool_call is None:
            await transaction.approvals.keep(run, ending.review)
        await lifecycle.stop(
            run,
            in_flight=ending.llm_calls_in_flight,
            after_stop=ending.llm_calls_after_stop,
            abandoned=ending.abandoned,
        )


async def _complete(transaction: RunTransaction, result: RunResult) -> None:
    """Complete the run. Files are saved with their tasks; save those of tasks that finished before."""
    run = transaction.run
    result = clean_model(result, transaction.mask)
    saved = {artifact.name for artifact in await transaction.runs.list_artifacts(run.id)}
    for key, path in run.parsed_definition.output_files().items():
        if path in saved or key not in result.tasks:
            continue
        output = result.tasks[key].raw
        await transaction.runs.save_artifact(run, key, path, output)
        await transaction.lifecycle.emit(run, make_artifact_event(key, path, output))
    await transaction.lifecycle.complete(run, result)


async def count_loss(transaction: RunTransaction, settings: Settings) -> Crashed | None:
    """Count the loss of the worker that ran this run, and prepare the tasks for another try.

    Returns the ending if the run must not be tried again.
    """
    run = transaction.run
    await transaction.lifecycle.end_lost_calls(run)
    run.losses += 1
    await transaction.lifecycle.end_steps(run, "worker-lost")
    policy = run.parsed_definition.on_worker_loss
    if policy is OnWorkerLoss.FAIL or run.losses >= settings.max_attempts:
        return Crashed(worker_lost(run.losses, policy))
    if policy is OnWorkerLoss.RESTART:
        await transaction.runs.reset_tasks(run)
    return None

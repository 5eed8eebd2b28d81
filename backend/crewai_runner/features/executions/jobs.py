"""Runs one attempt of a run in a worker, from the queue to its ending."""

import asyncio
import contextlib
from collections.abc import Coroutine
from dataclasses import replace
from typing import Any, TypeVar

import structlog
from sqlalchemy.exc import SQLAlchemyError

from crewai_runner.core.clock import Stopwatch
from crewai_runner.core.errors import AppError
from crewai_runner.core.keyring import secret_parts
from crewai_runner.core.logging import get_logger
from crewai_runner.db.session import shielded, with_retry
from crewai_runner.domain.run import RunFailure, RunResult, RunState
from crewai_runner.domain.run_quota import QUOTA_EXCEEDED
from crewai_runner.executor.attempt_loss import AttemptLost
from crewai_runner.executor.port import Completed, Failed, Outcome, Stopped
from crewai_runner.features.executions.attempt_writes import AttemptWrites
from crewai_runner.features.executions.claim import Claim
from crewai_runner.features.executions.control import ControlListener
from crewai_runner.features.executions.crew_saving import CrewSaving
from crewai_runner.features.executions.endings import (
    UNSETTLED_STATES,
    Ending,
    count_loss,
    settle,
)
from crewai_runner.features.executions.execution_deps import ExecutionDeps
from crewai_runner.features.executions.failures import engine_failure
from crewai_runner.features.executions.rules import key_owner, name_engine, result_when_all_done
from crewai_runner.features.executions.run_transaction import RunTransaction, run_transaction
from crewai_runner.features.executions.spec_builder import RunSpecBuilder, SpecifiedAttempt
from crewai_runner.features.executions.tool_approvals import ToolApprovals
from crewai_runner.stream.notifier import Subscription, control_topic

log = get_logger(__name__)
Result = TypeVar("Result")
CLEANUP_SECONDS = 2.0
"""How long a cancelled job may continue to store its ending, and how long to return its run to the queue."""


class RunWorker:
    """The body of the queue's jobs: runs one attempt of a run. Called again after a crash, it resumes."""

    def __init__(self, deps: ExecutionDeps) -> None:
        self._deps = deps
        self._spec_builder, self._writes = RunSpecBuilder(deps), AttemptWrites(deps.mask)
        self._slots = asyncio.Semaphore(deps.settings.worker_concurrency)

    async def __call__(self, run_id: str, attempt: int) -> None:
        """Run the attempt to an ending, whatever happens; cancelled, return the run to the queue."""
        with structlog.contextvars.bound_contextvars(run_id=run_id):
            await self._deps.loader.wait_until_loaded()
            claim = Claim(run_id, attempt)
            async with self._slots:
                self._deps.active_runs.add((run_id, attempt))
                try:
                    await self._run_to_ending(claim)
                finally:
                    self._deps.mask.release(run_id, key_owner(claim.fencing_token))
                    self._deps.active_runs.discard((run_id, attempt))

    async def _run_to_ending(self, claim: Claim) -> None:
        try:
            ending = await self._run(claim)
            if ending is not None:
                await _finish_or_abandon(self._finish(claim, ending))
        except asyncio.CancelledError:
            await self._try_to_requeue(claim)
            raise
        except Exception:
            # Without an ending the run would keep its state for ever.
            log.exception("run.attempt_failed")
            await _finish_or_abandon(with_retry(lambda: self._settle(claim, engine_failure())))

    async def _run(self, claim: Claim) -> Ending | None:
        """Claim and execute the attempt, again when its process is lost; None if nothing is left to do."""
        with self._deps.notifier.subscribe(control_topic(claim.run_id)) as requests:
            return await self._run_until_no_loss(claim, requests)

    async def _run_until_no_loss(self, claim: Claim, requests: Subscription) -> Ending | None:
        while True:
            await _finish_or_abandon(with_retry(lambda: self._claim(claim)))
            if claim.fencing_token is None:
                return None
            try:
                return await self._build_and_execute(claim, claim.fencing_token, requests)
            except AttemptLost as lost:
                log.warning("run.host_lost", reason=lost.reason, last_event=lost.last_event)
                if (failure := claim.host_losses.count(lost)) is not None:
                    return failure
            await _finish_or_abandon(self._close_sink(claim))
            self._deps.mask.release(claim.run_id, key_owner(claim.fencing_token))
            claim.renew()

    async def _build_and_execute(self, claim: Claim, token: int, requests: Subscription) -> Outcome:
        try:
            begun = await _finish_or_abandon(
                with_retry(lambda: self._spec_builder.build(claim.run_id, token, claim.begun))
            )
        except AppError as error:
            return Failed(RunFailure(code=error.slug, message=error.detail))
        begun = replace(begun, spec=replace(begun.spec, alone=claim.host_losses.runs_alone))
        claim.budget, claim.stopwatch = begun.spec.budget, Stopwatch(begun.spec.budget_seconds_used)
        claim.has_files = bool(begun.spec.definition.output_files())
        reads_first = claim.begun is None or not claim.begun.is_untouched
        saving = CrewSaving(self._deps, begun)
        listener = ControlListener(self._deps, claim.run_id, requests, saving, reads_first=reads_first)
        try:
            return await self._execute(begun, claim.stopwatch, listener, saving)
        finally:
            claim.stopwatch.stop()
            await saving.close()

    async def _claim(self, claim: Claim) -> None:
        """Move the run to `running`, unless it has ended or another attempt follows."""
        engine = self._deps.loader.executor.status()
        claim.begun = await self._deps.writer.run(
            lambda transaction: self._writes.begin_first(
                transaction, claim.run_id, claim.attempt, claim.id, engine
            )
        )
        if claim.begun is not None:
            claim.fencing_token = claim.begun.fencing_token
            return
        token = None
        async with run_transaction(self._deps, claim.run_id) as transaction:
            if transaction is not None and _is_unsettled(transaction, claim):
                _add_active_seconds(transaction, claim)
                token = await self._begin(transaction, claim)
        claim.fencing_token = token

    async def _begin(self, transaction: RunTransaction, claim: Claim) -> int | None:
        """Begin the attempt and return its fencing token; None if it ended at once.

        A run that is already running was lost by a worker that died, or begun by an earlier try of this call.
        """
        run, settings = transaction.run, self._deps.settings
        if run.state == RunState.RUNNING and run.claim == claim.id:
            return run.fencing_token
        ending: Ending | None = Stopped() if run.state == RunState.STOPPING else None
        if run.state == RunState.RUNNING:
            ending = await count_loss(transaction, settings)
        if ending is None:
            engine, is_native = name_engine(self._deps.loader.executor.status(), run.project_id)
            await transaction.lifecycle.begin(run, engine, native=is_native, claim=claim.id)
            finished = await transaction.runs.get_task_results(run.id)
            result = result_when_all_done(run.parsed_definition, finished)
            ending = (
                Completed(result) if result else await transaction.approvals.find_unreviewed(run.id, finished)
            )
            if ending is None:
                return run.fencing_token
        await settle(transaction, ending, settings)
        return None

    async def _execute(
        self, begun: SpecifiedAttempt, stopwatch: Stopwatch, listener: ControlListener, saving: CrewSaving
    ) -> Outcome:
        deps, spec, control = self._deps, begun.spec, listener.control
        values = [] if spec.project is None else spec.project.secrets.values()
        secrets = secret_parts(*(model.api_key for model in spec.models.values()), *values)
        deps.mask.hold(spec.run_id, key_owner(begun.fencing_token), secrets)
        emit = deps.event_writer.open_sink(
            spec.run_id,
            begun.fencing_token,
            control.stop,
            begun.callable_models,
            workspace_id=begun.workspace_id,
            files=spec.definition.output_files(),
            stopwatch=stopwatch,
            # A project has the tasks that its code starts.
            task_keys=None if spec.project else {task.key for task in spec.definition.tasks},
            on_backlog=control.set_backlog,
        )
        tool_approvals = ToolApprovals(deps, spec.run_id, begun.fencing_token, control)
        control.on_connection = deps.event_writer.ledger_of(spec.run_id, begun.fencing_token).add
        saving.begin(emit)
        if begun.limits_spending:
            control.limit_spending(None)
        deps.controls[spec.run_id] = control
        listening = asyncio.create_task(listener.listen(), name=f"control-{spec.run_id}")
        try:
            return await deps.loader.executor.execute(spec, emit, control)
        except AttemptLost:
            raise
        except Exception:
            log.exception("run.engine_failed")  # an executor must not raise
            return engine_failure()
        finally:
            tool_approvals.close()
            deps.controls.pop(spec.run_id, None)
            listening.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await listening

    async def _close_sink(self, claim: Claim) -> RunFailure | None:
        """Store what is emitted; return why the run fails, if storing it did not succeed."""
        if claim.fencing_token is None:
            return None
        sink = await self._deps.event_writer.close_sink(claim.run_id, claim.fencing_token)
        if sink is None:
            return None
        claim.connections = sink.describe(sink.connections.take()) or claim.connections
        return sink.failure

    async def _try_to_requeue(self, claim: Claim) -> None:
        """Return a claimed run to the queue, so that it is not counted as lost."""
        if claim.fencing_token is None:
            return
        try:
            async with asyncio.timeout(CLEANUP_SECONDS):
                await shielded(with_retry(lambda: self._requeue(claim)), 0)
        except (SQLAlchemyError, TimeoutError) as error:
            log.warning("run.not_requeued", error=type(error).__name__)

    async def _requeue(self, claim: Claim) -> None:
        await self._close_sink(claim)
        async with run_transaction(self._deps, claim.run_id) as transaction:
            if transaction is None or not _is_unsettled(transaction, claim):
                return
            if transaction.run.state == RunState.RUNNING:
                _add_active_seconds(transaction, claim)
                await transaction.lifecycle.requeue(transaction.run)
                await transaction.lifecycle.attach_connections(transaction.run, claim.connections)

    async def _finish(self, claim: Claim, ending: Ending) -> None:
        failure = await self._close_sink(claim)
        is_complete = isinstance(ending, Completed)
        if failure is not None and not (is_complete and failure.code == QUOTA_EXCEEDED):
            ending = Failed(failure)
        await with_retry(lambda: self._settle(claim, ending))

    async def _settle(self, claim: Claim, ending: Ending) -> None:
        if isinstance(ending, Completed) and await self._complete(claim, ending.result):
            return
        async with run_transaction(self._deps, claim.run_id) as transaction:
            if transaction is None or not _is_unsettled(transaction, claim):
                log.warning("run.outcome_refused", outcome=type(ending).__name__)
                return
            _add_active_seconds(transaction, claim)
            await settle(transaction, ending, self._deps.settings, claim.budget)
            await transaction.lifecycle.attach_connections(transaction.run, claim.connections)

    async def _complete(self, claim: Claim, result: RunResult) -> bool:
        """Complete the attempt in the usual way, if nothing else has to be done at its end."""
        token, stopwatch = claim.fencing_token, claim.stopwatch
        if token is None or stopwatch is None or claim.has_files:
            return False
        return await self._deps.writer.run(
            lambda transaction: self._writes.complete(
                transaction, claim.run_id, token, result, stopwatch.seconds, claim.connections
            )
        )


def _is_unsettled(transaction: RunTransaction, claim: Claim) -> bool:
    """Whether the run still waits for the ending of this call's attempt, and no later worker claimed it."""
    run = transaction.run
    owns = claim.fencing_token is None or run.fencing_token == claim.fencing_token
    return owns and run.attempt == claim.attempt and RunState(run.state) in UNSETTLED_STATES


def _add_active_seconds(transaction: RunTransaction, claim: Claim) -> None:
    """Store the run's active time, with what the attempt has added since its last batch of events."""
    if claim.stopwatch is not None:
        transaction.run.active_seconds = max(transaction.run.active_seconds, claim.stopwatch.seconds)


async def _finish_or_abandon(work: Coroutine[Any, Any, Result]) -> Result:
    """Finish database work before raising a cancellation, unless the database does not answer."""
    return await shielded(work, CLEANUP_SECONDS)

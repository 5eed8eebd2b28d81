"""Runs one attempt of a run in a worker, from the queue to its outcome."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar

import structlog
from sqlalchemy.exc import InterfaceError, OperationalError

from crewai_runner.core.errors import AppError
from crewai_runner.core.keyring import secret_parts
from crewai_runner.core.logging import get_logger
from crewai_runner.core.outside_values import clean_model
from crewai_runner.db.session import pop_notifications, shielded, unit_of_work
from crewai_runner.db.tables.runs import ArtifactRow, RunRow
from crewai_runner.domain.committed_events import CalledModel
from crewai_runner.domain.run import (
    FINAL_STATES,
    RunFailure,
    RunResult,
    RunState,
    WaitReason,
)
from crewai_runner.domain.run_event_payloads import ArtifactSavedData, BudgetData
from crewai_runner.domain.run_events import ArtifactSaved, BudgetExceeded
from crewai_runner.domain.workflow import OnWorkerLoss, WorkflowDefinition
from crewai_runner.executor.port import (
    Completed,
    Failed,
    NeedsHuman,
    Outcome,
    OutOfBudget,
    RunSpec,
    Stopped,
)
from crewai_runner.features.approvals.service import ApprovalService
from crewai_runner.features.executions.control import ControlListener
from crewai_runner.features.executions.execution_deps import ExecutionDeps
from crewai_runner.features.executions.failures import engine_failure, storage_failure, worker_lost
from crewai_runner.features.executions.rules import media_type, result_when_all_done
from crewai_runner.features.executions.spec_builder import RunSpecBuilder, SpecifiedAttempt
from crewai_runner.features.lifecycle.service import LifecycleService
from crewai_runner.features.runs.service import RunService

log = get_logger(__name__)
Result = TypeVar("Result")


@dataclass(slots=True)
class _RunTransaction:
    """The locked run of one transaction, and the services that work in it."""

    run: RunRow
    runs: RunService
    lifecycle: LifecycleService
    approvals: ApprovalService


class RunWorker:
    """The body of the queue's jobs: runs one attempt of a run. Called again after a crash, it resumes."""

    def __init__(self, deps: ExecutionDeps) -> None:
        self._deps = deps
        self._spec_builder = RunSpecBuilder(deps)

    async def __call__(self, run_id: str, attempt: int) -> None:
        with structlog.contextvars.bound_contextvars(run_id=run_id):
            await self._deps.loader.wait_until_loaded()
            begun = await self._begin(run_id, attempt)
            if begun is None:
                return
            try:
                outcome = await self._execute(begun)
            except asyncio.CancelledError:
                await shielded(self._requeue(begun))
                raise
            await shielded(self._finish(begun, outcome))

    async def _begin(self, run_id: str, attempt: int) -> SpecifiedAttempt | None:
        """Start the attempt. Cancelled meanwhile, requeue the run, so that it is not counted as lost."""
        beginning = asyncio.ensure_future(self._claim_and_specify(run_id, attempt))
        try:
            return await asyncio.shield(beginning)
        except asyncio.CancelledError:
            await asyncio.wait([beginning])
            if beginning.exception() is None and (begun := beginning.result()) is not None:
                await shielded(self._requeue(begun))
            raise

    async def _claim_and_specify(self, run_id: str, attempt: int) -> SpecifiedAttempt | None:
        token = await _with_retry(lambda: self._claim(run_id, attempt))
        return None if token is None else await _with_retry(lambda: self._specify(run_id, token))

    async def _claim(self, run_id: str, attempt: int) -> int | None:
        """Move the run to `running` and return its fencing token; None if nothing is left to execute."""
        async with self._transaction(run_id) as transaction:
            if transaction is None:
                return None
            run = transaction.run
            if run.attempt != attempt or RunState(run.state) in FINAL_STATES:
                return None
            if not await self._can_run(transaction):
                return None
            status = self._deps.loader.executor.status()
            engine = f"{status.name} {status.version or ''}".strip()
            await transaction.lifecycle.begin(run, engine, native=status.native)
            finished = await transaction.runs.get_task_results(run_id)
            result = result_when_all_done(run.parsed_definition, finished)
            if result is None:
                return run.fencing_token
            await self._complete(transaction, run.parsed_definition, result)
            return None

    async def _can_run(self, transaction: _RunTransaction) -> bool:
        """Whether the attempt may start. A run that is already running was lost by a worker that died."""
        run = transaction.run
        if run.state == RunState.QUEUED:
            return True
        if run.state == RunState.WAITING:
            return False
        if run.state == RunState.STOPPING:
            await transaction.lifecycle.stop(run)
            return False
        run.losses += 1
        policy = run.parsed_definition.on_worker_loss
        if policy is OnWorkerLoss.FAIL or run.losses >= self._deps.settings.max_attempts:
            await transaction.lifecycle.crash(run, worker_lost(run.losses, policy))
            return False
        if policy is OnWorkerLoss.RESTART:
            await transaction.runs.reset_tasks(run.id)
        return True

    async def _specify(self, run_id: str, fencing_token: int) -> SpecifiedAttempt | None:
        """Build the executor's input; fail the run if that is not possible."""
        try:
            return await self._spec_builder.build(run_id, fencing_token)
        except AppError as error:
            failure = RunFailure(code=error.slug, message=error.detail)
            async with self._transaction(run_id) as transaction:
                if transaction is not None and transaction.run.fencing_token == fencing_token:
                    await transaction.lifecycle.fail(transaction.run, failure)
            return None

    async def _execute(self, begun: SpecifiedAttempt) -> Outcome:
        deps, spec = self._deps, begun.spec
        listener = ControlListener(deps, spec.run_id)
        control = listener.control
        secrets = secret_parts(*(model.api_key for model in spec.models.values()))
        deps.mask.hold(spec.run_id, _key_owner(begun.fencing_token), secrets)
        emit = deps.event_writer.open_sink(
            spec.run_id,
            begun.fencing_token,
            control.stop,
            _callable_models(spec),
            workspace_id=begun.workspace_id,
        )
        deps.active_runs.add(spec.run_id)
        listening = asyncio.create_task(listener.listen(), name=f"control-{spec.run_id}")
        try:
            return await deps.loader.executor.execute(spec, emit, control)
        except Exception:
            # An executor must not raise; without an outcome the run would stay in `running`.
            log.exception("run.engine_failed")
            return engine_failure()
        finally:
            listening.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await listening
            deps.active_runs.discard(spec.run_id)

    async def _close_sink(self, begun: SpecifiedAttempt) -> bool:
        """Store what is emitted and forget the attempt's keys; return whether every event was stored."""
        run_id, token = begun.spec.run_id, begun.fencing_token
        is_stored = await self._deps.event_writer.close_sink(run_id, token)
        self._deps.mask.release(run_id, _key_owner(token))
        return is_stored

    async def _requeue(self, begun: SpecifiedAttempt) -> None:
        await self._close_sink(begun)
        async with self._transaction(begun.spec.run_id) as transaction:
            if transaction is None or transaction.run.fencing_token != begun.fencing_token:
                return
            if transaction.run.state == RunState.RUNNING:
                await transaction.lifecycle.requeue(transaction.run)

    async def _finish(self, begun: SpecifiedAttempt, outcome: Outcome) -> None:
        if not await self._close_sink(begun):
            outcome = storage_failure()
        await _with_retry(lambda: self._store_outcome(begun, outcome))

    async def _store_outcome(self, begun: SpecifiedAttempt, outcome: Outcome) -> None:
        async with self._transaction(begun.spec.run_id) as transaction:
            if (
                transaction is None
                or transaction.run.fencing_token != begun.fencing_token
                or RunState(transaction.run.state) in FINAL_STATES
            ):
                log.warning("run.outcome_refused", outcome=type(outcome).__name__)
                return
            await self._apply_outcome(transaction, begun.spec, outcome)

    async def _apply_outcome(self, transaction: _RunTransaction, spec: RunSpec, outcome: Outcome) -> None:
        run, lifecycle = transaction.run, transaction.lifecycle
        if run.state == RunState.STOPPING and not isinstance(outcome, Stopped):
            # The attempt ended while the stop was requested; the stop wins.
            outcome = Stopped()
        match outcome:
            case Completed(result=result):
                await self._complete(transaction, spec.definition, result)
            case Failed(failure=failure):
                await lifecycle.fail(run, failure)
            case Stopped():
                await lifecycle.stop(
                    run,
                    in_flight=outcome.llm_calls_in_flight,
                    after_stop=outcome.llm_calls_after_stop,
                    abandoned=outcome.abandoned,
                )
            case NeedsHuman():
                expires_in = timedelta(hours=self._deps.settings.approval_expires_hours)
                await transaction.approvals.request(
                    run, outcome.task_key, outcome.agent, outcome.output, outcome.json_output, expires_in
                )
            case OutOfBudget():
                exceeded = BudgetData(
                    limit=outcome.limit, budget=spec.budget, usage=outcome.usage, seconds=outcome.seconds
                )
                await lifecycle.wait(run, WaitReason.BUDGET, BudgetExceeded(data=exceeded))

    async def _complete(
        self, transaction: _RunTransaction, definition: WorkflowDefinition, result: RunResult
    ) -> None:
        """Complete the run; store the outputs of tasks with `output_file` as artifacts."""
        run = transaction.run
        result = clean_model(result, self._deps.mask.scoped(run.workspace_id, run.id))
        for task in definition.tasks:
            if not task.output_file or task.key not in result.tasks:
                continue
            name, content = task.output_file, result.tasks[task.key].raw.encode()
            kind = media_type(name)
            artifact = ArtifactRow(
                run_id=run.id,
                name=name,
                task_key=task.key,
                media_type=kind,
                size=len(content),
                content=content,
            )
            await transaction.runs.save_artifact(artifact)
            saved = ArtifactSavedData(name=name, media_type=kind, size=len(content))
            await transaction.lifecycle.emit(run, ArtifactSaved(task_key=task.key, data=saved))
        await transaction.lifecycle.complete(run, result)

    @contextlib.asynccontextmanager
    async def _transaction(self, run_id: str) -> AsyncIterator[_RunTransaction | None]:
        """A transaction with the run locked, None if it does not exist; notifies after the commit."""
        deps = self._deps
        async with unit_of_work(deps.sessions) as session:
            runs = RunService(session)
            run = await runs.lock_for_worker(run_id)
            if run is None:
                yield None
            else:
                lifecycle = LifecycleService(session, deps.queue, deps.mask)
                approvals = ApprovalService(session, deps.queue, deps.mask)
                yield _RunTransaction(run, runs, lifecycle, approvals)
        deps.notifier.publish(pop_notifications(session))
        if run is None:
            deps.inline_providers.forget(run_id)


async def _with_retry(operation: Callable[[], Awaitable[Result]]) -> Result:
    """Run a database operation; while the database is unavailable, retry it for about two minutes."""
    for wait in (0.2, 0.5, 1, 2, 5, 5, 5, 10, 10, 10, 30, 30):
        try:
            return await operation()
        except (OperationalError, InterfaceError) as error:
            log.warning("run.database_retry", error=type(error).__name__, wait=wait)
            await asyncio.sleep(wait)
    return await operation()


def _callable_models(spec: RunSpec) -> dict[str, CalledModel]:
    """The models this attempt may call, by the names its events use; without credentials."""
    bindings = spec.models.values()
    return {
        binding.name: CalledModel(binding.provider_type, binding.model, binding.is_registered)
        for binding in bindings
    }


def _key_owner(fencing_token: int) -> str:
    """The owner of an attempt's keys in the secret mask."""
    return f"attempt:{fencing_token}"

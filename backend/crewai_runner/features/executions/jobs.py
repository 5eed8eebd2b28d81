"""The worker's side: one attempt of a run, from the queue to its outcome."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar

import structlog
from sqlalchemy.exc import InterfaceError, OperationalError

from crewai_runner.core.errors import AppError
from crewai_runner.core.logging import get_logger
from crewai_runner.db.session import pop_notifications, shielded, unit_of_work
from crewai_runner.db.tables.runs import ArtifactRow, RunRow
from crewai_runner.domain.committed_events import CalledModel
from crewai_runner.domain.run import (
    FINAL_STATES,
    RunFailure,
    RunResult,
    RunState,
    TaskResult,
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
from crewai_runner.features.executions.rules import media_type, result_when_all_done
from crewai_runner.features.executions.spec_builder import RunSpecBuilder, SpecifiedAttempt
from crewai_runner.features.lifecycle.service import LifecycleService
from crewai_runner.features.runs.service import RunService

log = get_logger(__name__)
Written = TypeVar("Written")


@dataclass(slots=True)
class _RunTransaction:
    """What one transaction of a job works with."""

    run: RunRow
    runs: RunService
    lifecycle: LifecycleService
    approvals: ApprovalService


class RunWorker:
    """The body of the queue's jobs. Called again for the same attempt after a crash, it resumes."""

    def __init__(self, deps: ExecutionDeps) -> None:
        self._deps = deps
        self._spec_builder = RunSpecBuilder(deps)

    async def __call__(self, run_id: str, attempt: int) -> None:
        with structlog.contextvars.bound_contextvars(run_id=run_id):
            await self._deps.loader.wait_until_loaded()
            planned = await self._begin(run_id, attempt)
            if planned is None:
                return
            try:
                outcome = await self._execute(planned)
            except asyncio.CancelledError:
                await shielded(self._hand_back(planned))
                raise
            await shielded(self._conclude(planned, outcome))

    async def _begin(self, run_id: str, attempt: int) -> SpecifiedAttempt | None:
        """Take the run; called off in that very moment, hand it back, so that it is not counted as lost."""
        taking = asyncio.ensure_future(self._take_and_plan(run_id, attempt))
        try:
            return await asyncio.shield(taking)
        except asyncio.CancelledError:
            await asyncio.wait([taking])
            if taking.exception() is None and (planned := taking.result()) is not None:
                await shielded(self._hand_back(planned))
            raise

    async def _take_and_plan(self, run_id: str, attempt: int) -> SpecifiedAttempt | None:
        fencing_token = await _persistently(lambda: self._take(run_id, attempt))
        return (
            None if fencing_token is None else await _persistently(lambda: self._plan(run_id, fencing_token))
        )

    async def _take(self, run_id: str, attempt: int) -> int | None:
        """The taken run's fencing token; None if the run is over, of another attempt or lost too often."""
        async with self._desk(run_id) as desk:
            if desk is None or desk.run.attempt != attempt or RunState(desk.run.state) in FINAL_STATES:
                return None
            if not await self._may_go_on(desk):
                return None
            status = self._deps.loader.executor.status()
            engine = f"{status.name} {status.version or ''}".strip()
            await desk.lifecycle.begin(desk.run, engine, native=status.native)
            definition = WorkflowDefinition.model_validate(desk.run.definition)
            finished = await desk.runs.get_task_results(run_id)
            done = result_when_all_done(definition, finished)
            if done is None:
                return desk.run.fencing_token
            await self._complete(desk, definition, done)
            return None

    async def _may_go_on(self, desk: _RunTransaction) -> bool:
        """Judge a run found at work: its worker died. Asked to stop, it is stopped now."""
        run = desk.run
        if run.state == RunState.QUEUED:
            return True
        if run.state == RunState.WAITING:
            return False
        if run.state == RunState.STOPPING:
            await desk.lifecycle.stop(run)
            return False
        run.losses += 1
        policy = WorkflowDefinition.model_validate(run.definition).on_worker_loss
        if policy is OnWorkerLoss.FAIL or run.losses >= self._deps.settings.max_attempts:
            await desk.lifecycle.crash(run, _worker_lost(run.losses, policy))
            return False
        if policy is OnWorkerLoss.RESTART:
            await desk.runs.reset_tasks(run.id)
        return True

    async def _plan(self, run_id: str, fencing_token: int) -> SpecifiedAttempt | None:
        """What the executor needs; a run that cannot be planned fails with the reason."""
        try:
            return await self._spec_builder.build(run_id, fencing_token)
        except AppError as error:
            failure = RunFailure(code=error.slug, message=error.detail)
            async with self._desk(run_id) as desk:
                if desk is not None and desk.run.fencing_token == fencing_token:
                    await desk.lifecycle.fail(desk.run, failure)
            return None

    async def _execute(self, planned: SpecifiedAttempt) -> Outcome:
        deps, spec = self._deps, planned.spec
        listener = ControlListener(deps, spec.run_id)
        control = listener.control
        sink = deps.event_writer.open_sink(spec.run_id, planned.fencing_token, control.stop, _called(spec))
        deps.active_runs.add(spec.run_id)
        listening = asyncio.create_task(listener.listen(), name=f"control-{spec.run_id}")
        try:
            outcome = await deps.loader.executor.execute(spec, sink, control)
        except Exception:
            # A defect of the engine: without an outcome the run would stay at work for ever.
            log.exception("run.engine_defect")
            outcome = _engine_defect()
        finally:
            listening.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await listening
            deps.active_runs.discard(spec.run_id)
            deps.event_writer.close_sink(spec.run_id, planned.fencing_token)
        return outcome

    async def _hand_back(self, planned: SpecifiedAttempt) -> None:
        await self._deps.event_writer.flush()
        async with self._desk(planned.spec.run_id) as desk:
            if (
                desk is not None
                and desk.run.fencing_token == planned.fencing_token
                and desk.run.state == RunState.RUNNING
            ):
                await desk.lifecycle.hand_back(desk.run)

    async def _conclude(self, planned: SpecifiedAttempt, outcome: Outcome) -> None:
        await self._deps.event_writer.flush()
        await _persistently(lambda: self._end(planned, outcome))

    async def _end(self, planned: SpecifiedAttempt, outcome: Outcome) -> None:
        run_id = planned.spec.run_id
        async with self._desk(run_id) as desk:
            if (
                desk is None
                or desk.run.fencing_token != planned.fencing_token
                or RunState(desk.run.state) in FINAL_STATES
            ):
                log.warning("run.outcome_refused", outcome=type(outcome).__name__)
                return
            await self._settle(desk, planned.spec, outcome)

    async def _settle(self, desk: _RunTransaction, spec: RunSpec, outcome: Outcome) -> None:
        run, lifecycle = desk.run, desk.lifecycle
        if run.state == RunState.STOPPING and not isinstance(outcome, Stopped):
            # Something ended in the very moment of the stop; the stop was asked for and wins.
            outcome = Stopped()
        match outcome:
            case Completed(result=result):
                await self._complete(desk, spec.definition, result)
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
                await desk.approvals.request(
                    run, outcome.task_key, outcome.agent, outcome.output, outcome.json_output, expires_in
                )
            case OutOfBudget():
                facts = BudgetData(
                    limit=outcome.limit, budget=spec.budget, usage=outcome.usage, seconds=outcome.seconds
                )
                await lifecycle.wait(run, WaitReason.BUDGET, BudgetExceeded(data=facts))

    async def _complete(
        self, desk: _RunTransaction, definition: WorkflowDefinition, result: RunResult
    ) -> None:
        for task in definition.tasks:
            if task.output_file and task.key in result.tasks:
                await self._save(desk, task.key, task.output_file, result.tasks[task.key])
        await desk.lifecycle.complete(desk.run, result)

    @staticmethod
    async def _save(desk: _RunTransaction, task_key: str, name: str, output: TaskResult) -> None:
        content = output.raw.encode()
        kind = media_type(name)
        artifact = ArtifactRow(
            run_id=desk.run.id,
            name=name,
            task_key=task_key,
            media_type=kind,
            size=len(content),
            content=content,
        )
        await desk.runs.save_artifact(artifact)
        saved = ArtifactSavedData(name=name, media_type=kind, size=len(content))
        await desk.lifecycle.emit(desk.run, ArtifactSaved(task_key=task_key, data=saved))

    @contextlib.asynccontextmanager
    async def _desk(self, run_id: str) -> AsyncIterator[_RunTransaction | None]:
        """One transaction on one locked run; readers are rung after its commit."""
        deps = self._deps
        async with unit_of_work(deps.sessions) as session:
            runs = RunService(session)
            run = await runs.lock_for_worker(run_id)
            if run is None:
                yield None
            else:
                yield _RunTransaction(
                    run,
                    runs,
                    LifecycleService(session, deps.queue, deps.mask),
                    ApprovalService(session, deps.queue, deps.mask),
                )
        deps.notifier.publish(pop_notifications(session))
        if run is None or RunState(run.state) in FINAL_STATES:
            deps.inline_providers.forget(run_id)


async def _persistently(write: Callable[[], Awaitable[Written]]) -> Written:
    """A run is worth waiting for: a database that is away for a while is asked again."""
    for wait in (0.2, 0.5, 1, 2, 5, 5, 5, 10, 10, 10, 30, 30):
        try:
            return await write()
        except (OperationalError, InterfaceError) as error:
            log.warning("run.database_retry", error=type(error).__name__, wait=wait)
            await asyncio.sleep(wait)
    return await write()


def _called(spec: RunSpec) -> dict[str, CalledModel]:
    """The models this attempt may call, by the names that its events give them; without credentials."""
    bindings = spec.models.values()
    return {one.name: CalledModel(one.provider_type, one.model, one.is_registered) for one in bindings}


def _engine_defect() -> Failed:
    return Failed(
        RunFailure(
            code="internal-error",
            message="The engine failed in a way it should not. The server's log says more.",
            hint="Resume the run to go on from its last finished task.",
        )
    )


def _worker_lost(losses: int, policy: OnWorkerLoss) -> RunFailure:
    times = "once" if losses == 1 else f"{losses} times"
    why = (
        "the workflow says so (on_worker_loss: fail)" if policy is OnWorkerLoss.FAIL else "that is the limit"
    )
    return RunFailure(
        code="worker-lost",
        message=f"The worker running this died {times}, and {why}.",
        hint="Resume the run to go on from its last finished task.",
    )

"""Every move of a run from state to state, each with its event, in the caller's transaction."""

from typing import Literal

from sqlalchemy.ext.asyncio import AsyncSession

from crewai_runner.core.clock import now
from crewai_runner.core.logging import SecretMask
from crewai_runner.db.tables.runs import RunRow
from crewai_runner.domain.run import (
    RunFailure,
    RunResult,
    RunState,
    StopMode,
    StopReceipt,
    TaskState,
    WaitReason,
    transition,
)
from crewai_runner.domain.run_event_payloads import (
    RunCompletedData,
    RunFailedData,
    RunQueuedData,
    RunStartedData,
    RunStoppedData,
    RunStoppingData,
    RunWaitingData,
    TaskFailedData,
)
from crewai_runner.domain.run_events import (
    RunCompleted,
    RunCrashed,
    RunEvent,
    RunFailed,
    RunQueued,
    RunResumed,
    RunStarted,
    RunStopped,
    RunStopping,
    RunWaiting,
    TaskFailed,
    TaskSkipped,
)
from crewai_runner.features.events.service import EventService
from crewai_runner.features.runs.schemas import to_usage
from crewai_runner.features.runs.service import RunService
from crewai_runner.queue.port import JobQueue

QueueReason = Literal["started", "retried", "resumed", "forked", "answered", "handed-back"]


class LifecycleService:
    """Moves runs that the caller holds locked; raises IllegalTransition when the judge says no."""

    def __init__(self, session: AsyncSession, queue: JobQueue, mask: SecretMask) -> None:
        self._session, self._queue, self._mask = session, queue, mask
        self._events = EventService(session, mask)
        self._runs = RunService(session)

    async def emit(self, run: RunRow, *events: RunEvent) -> None:
        await self._events.append(run, *events)

    async def submit_first(self, run: RunRow, reason: QueueReason) -> None:
        """Queue the first attempt of a new run."""
        await self._submit(run, reason)

    async def queue_again(self, run: RunRow, reason: QueueReason) -> None:
        """Queue the next attempt: after an answer, a raised budget, a failure or a stop."""
        run.state = transition(RunState(run.state), RunState.QUEUED)
        run.attempt += 1
        run.losses = 0
        run.wait_reason = run.error = run.receipt = run.finished_at = None
        run.stop_mode = run.stop_requested_at = None
        await self._submit(run, reason)

    async def hand_back(self, run: RunRow) -> None:
        """The worker ends politely: its queue takes the same attempt up again, and no loss is counted."""
        self._count_seconds(run)
        run.state = transition(RunState(run.state), RunState.QUEUED)
        back = RunQueuedData(workflow_id=run.workflow_id, attempt=run.attempt, reason="handed-back")
        await self.emit(run, RunQueued(data=back))

    async def _submit(self, run: RunRow, reason: QueueReason) -> None:
        attempt = RunQueuedData(workflow_id=run.workflow_id, attempt=run.attempt, reason=reason)
        await self.emit(run, RunQueued(data=attempt))
        await self._queue.submit(self._session, run.id, run.attempt, tenant=run.workspace_id)

    async def begin(self, run: RunRow, engine: str, *, native: bool) -> None:
        """An attempt begins; whoever held the run before is fenced off."""
        if run.state != RunState.RUNNING:
            run.state = transition(RunState(run.state), RunState.RUNNING)
        first = run.started_at is None
        run.fencing_token += 1
        run.attempt_started_at = now()
        run.started_at = run.started_at or run.attempt_started_at
        facts = RunStartedData(attempt=run.attempt, engine=engine, native=native)
        await self.emit(run, RunStarted(data=facts) if first else RunResumed(data=facts))

    async def wait(
        self, run: RunRow, reason: WaitReason, *before: RunEvent, approval_id: str | None = None
    ) -> None:
        self._count_seconds(run)
        run.state = transition(RunState(run.state), RunState.WAITING)
        run.wait_reason = reason
        waiting = RunWaitingData(reason=reason, approval_id=approval_id)
        await self.emit(run, *before, RunWaiting(data=waiting))

    async def ask_to_stop(self, run: RunRow, mode: StopMode, by: str) -> None:
        """A running run is asked to stop; a second call may sharpen the mode, never soften it."""
        if run.state == RunState.RUNNING:
            run.state = transition(RunState.RUNNING, RunState.STOPPING)
        mode = StopMode.NOW if run.stop_mode == StopMode.NOW else mode
        run.stop_mode = mode
        run.stop_requested_at = run.stop_requested_at or now()
        await self.emit(run, RunStopping(data=RunStoppingData(mode=mode, by=by)))

    async def complete(self, run: RunRow, result: RunResult) -> None:
        self._end(run, RunState.COMPLETED)
        run.result = self._mask.mask_json(result.model_dump(mode="json", by_alias=True))
        done = RunCompletedData(raw=result.raw, usage=to_usage(run))
        await self.emit(run, RunCompleted(data=done))

    async def fail(self, run: RunRow, failure: RunFailure) -> None:
        self._end(run, RunState.FAILED)
        await self._end_tasks(run, failure)
        await self._tell_failure(run, failure, crashed=False)

    async def crash(self, run: RunRow, failure: RunFailure) -> None:
        self._end(run, RunState.CRASHED)
        await self._end_tasks(run, failure)
        await self._tell_failure(run, failure, crashed=True)

    async def _end_tasks(self, run: RunRow, failure: RunFailure) -> None:
        """What was at work ends with the run: as failed, or as skipped when another task failed."""
        for task in await self._runs.list_task_rows(run.id):
            if task.state not in (TaskState.RUNNING, TaskState.WAITING):
                continue
            task.finished_at = run.finished_at
            if failure.task_key in (None, task.key):
                own = failure.model_copy(update={"task_key": task.key, "agent": task.agent})
                task.state = TaskState.FAILED
                task.error = self._mask.mask_json(own.model_dump(mode="json", by_alias=True))
                data = TaskFailedData(error=own)
                await self.emit(run, TaskFailed(task_key=task.key, agent=task.agent, data=data))
            else:
                task.state = TaskState.SKIPPED
                await self.emit(run, TaskSkipped(task_key=task.key, agent=task.agent))

    async def _tell_failure(self, run: RunRow, failure: RunFailure, *, crashed: bool) -> None:
        run.error = self._mask.mask_json(failure.model_dump(mode="json", by_alias=True))
        said = RunFailedData(error=failure, usage=to_usage(run))
        await self.emit(run, RunCrashed(data=said) if crashed else RunFailed(data=said))

    async def stop(
        self,
        run: RunRow,
        *,
        in_flight: int = 0,
        after_stop: int = 0,
        abandoned: tuple[str, ...] = (),
    ) -> StopReceipt:
        """The end of a stop, with its receipt; tasks that never ended are skipped."""
        tasks = await self._runs.list_task_rows(run.id)
        done = [t for t in tasks if t.state in (TaskState.COMPLETED, TaskState.REUSED)]
        for task in tasks:
            if task not in done and task.state != TaskState.FAILED:
                task.state = TaskState.SKIPPED
        self._end(run, RunState.STOPPED)
        stopped_at = run.finished_at or now()
        receipt = StopReceipt(
            requested_at=run.stop_requested_at or stopped_at,
            stopped_at=stopped_at,
            mode="killed" if abandoned else "graceful",
            llm_calls_in_flight=in_flight,
            llm_calls_after_stop=after_stop,
            tasks_completed=len(done),
            tasks_skipped=len(tasks) - len(done),
            abandoned=list(abandoned),
        )
        run.receipt = receipt.model_dump(mode="json", by_alias=True)
        await self.emit(run, RunStopped(data=RunStoppedData(receipt=receipt, usage=to_usage(run))))
        return receipt

    def _end(self, run: RunRow, state: RunState) -> None:
        self._count_seconds(run)
        run.state = transition(RunState(run.state), state)
        run.wait_reason = None
        run.finished_at = now()

    @staticmethod
    def _count_seconds(run: RunRow) -> None:
        if run.state in (RunState.RUNNING, RunState.STOPPING) and run.attempt_started_at is not None:
            run.active_seconds += (now() - run.attempt_started_at).total_seconds()
            run.attempt_started_at = None

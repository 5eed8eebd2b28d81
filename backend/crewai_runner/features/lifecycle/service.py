"""State transitions of runs, each with its event, in the caller's transaction."""

from datetime import datetime
from typing import Any, Literal

from sqlalchemy.ext.asyncio import AsyncSession

from crewai_runner.core.clock import now
from crewai_runner.core.outside_values import Model, clean_model
from crewai_runner.core.secret_mask import SecretMask
from crewai_runner.db.tables.runs import RunRow, RunTaskRow
from crewai_runner.domain.open_steps import end_open_steps
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
    LlmFailedData,
    QueueReason,
    RunCompletedData,
    RunFailedData,
    RunStoppedData,
    RunStoppingData,
    RunWaitingData,
    TaskFailedData,
    TaskInterruptedData,
)
from crewai_runner.domain.run_events import (
    LlmFailed,
    LlmStarted,
    RunCompleted,
    RunCrashed,
    RunEvent,
    RunFailed,
    RunStopped,
    RunStopping,
    RunWaiting,
    TaskFailed,
    TaskInterrupted,
    TaskSkipped,
    ToolFailed,
)
from crewai_runner.domain.stored_size import measure_json
from crewai_runner.features.events.service import EventService
from crewai_runner.features.lifecycle.rules import (
    begin_columns,
    begin_event,
    dump_result,
    finish_columns,
    queue_event,
)
from crewai_runner.features.messages.service import MessageService
from crewai_runner.features.runs.schemas import to_usage
from crewai_runner.features.runs.service import RunService
from crewai_runner.queue.port import JobQueue

InterruptionReason = Literal["run-ended", "run-waiting", "worker-lost", "worker-restarted"]


class LifecycleService:
    """Changes the state of runs that the caller has locked. Raises IllegalTransition if not allowed."""

    def __init__(self, session: AsyncSession, queue: JobQueue, mask: SecretMask) -> None:
        self._session, self._queue, self._mask = session, queue, mask
        self._events = EventService(session, mask)
        self._runs = RunService(session)
        self._messages = MessageService(session)

    async def emit(self, run: RunRow, *events: RunEvent) -> None:
        if events:
            await self._events.append(run, *events)

    async def attach_connections(self, run: RunRow, connections: dict[str, Any] | None) -> None:
        """Store connections with the run's last event."""
        if connections is not None:
            await self._events.attach_connections(run.id, run.last_seq, connections)

    async def end_lost_calls(self, run: RunRow) -> None:
        """End and count the model calls that were in progress when the run's worker was lost."""
        failed: list[RunEvent] = [_lost_call(call) for call in await self._events.find_open_calls(run.id)]
        if failed:
            numbered = await self._events.append(run, *failed)
            await self._runs.add_calls(run, [event for event in numbered if isinstance(event, LlmFailed)])

    async def queue_attempt(self, run: RunRow, reason: QueueReason) -> None:
        """Queue the run's current attempt."""
        await self.emit(run, queue_event(run.workflow_id, run.attempt, reason))
        await self._queue.submit(self._session, run.id, run.attempt, tenant=run.workspace_id)

    async def queue_next_attempt(self, run: RunRow, reason: QueueReason) -> None:
        """Queue another attempt: after an answer, a raised budget, a failure or a stop."""
        _reset(run)
        await self.queue_attempt(run, reason)
        await self._requeue_messages(run)

    async def continue_elsewhere(self, run: RunRow, engine: str) -> None:
        """Begin another attempt of a failed run that is executed elsewhere: it needs no worker, so no job."""
        _reset(run)
        await self.begin(run, engine, native=False)

    async def _requeue_messages(self, run: RunRow) -> None:
        """Queue the messages that an earlier attempt left without an answer."""
        finished_tasks = await self._runs.get_task_results(run.id)
        await self.emit(run, *await self._messages.requeue_unanswered(run.id, finished_tasks))

    async def end_steps(self, run: RunRow, reason: InterruptionReason) -> None:
        """End what an attempt left open: its model calls, tools, delegations and agents, then its tasks."""
        await self.end_lost_calls(run)
        steps = end_open_steps(await self._events.list_step_events(run.id))
        run.tool_calls += sum(isinstance(step, ToolFailed) for step in steps)
        await self.emit(run, *steps)
        for task in await self._runs.list_task_rows(run.id):
            if task.state == TaskState.RUNNING:
                await self._interrupt(run, task, reason)

    async def _interrupt(self, run: RunRow, task: RunTaskRow, reason: InterruptionReason) -> None:
        task.state, task.finished_at = TaskState.INTERRUPTED, now()
        interrupted = TaskInterruptedData(reason=reason)
        await self.emit(run, TaskInterrupted(task_key=task.key, agent=task.agent, data=interrupted))

    async def recover(self, run: RunRow) -> None:
        """Queue the run again under a new attempt: the job of its current attempt is lost."""
        await self.end_steps(run, "worker-lost")
        if run.state != RunState.QUEUED:
            run.state = transition(RunState(run.state), RunState.QUEUED)
        run.attempt += 1
        await self.queue_attempt(run, "recovered")

    async def requeue(self, run: RunRow) -> None:
        """The worker shuts down: its queue runs the same attempt again, and no loss is counted."""
        await self.end_steps(run, "worker-restarted")
        run.state = transition(RunState(run.state), RunState.QUEUED)
        await self.emit(run, queue_event(run.workflow_id, run.attempt, "handed-back"))

    async def begin(self, run: RunRow, engine: str, *, native: bool, claim: str | None = None) -> None:
        """Start an attempt with a new fencing token, so that late writes of earlier workers are rejected.

        `claim` names the call of the job that begins the attempt.
        """
        if run.state != RunState.RUNNING:
            transition(RunState(run.state), RunState.RUNNING)
        first, begun_at = run.started_at is None, now()
        _set_columns(run, begin_columns(run.fencing_token, claim, begun_at))
        run.started_at = run.started_at or begun_at
        await self.emit(run, begin_event(run.attempt, engine, begun_at, native=native, first=first))
        if not first:
            await self._requeue_messages(run)

    async def wait(
        self, run: RunRow, reason: WaitReason, *before: RunEvent, approval_id: str | None = None
    ) -> None:
        run.state = transition(RunState(run.state), RunState.WAITING)
        run.wait_reason = reason
        await self.end_steps(run, "run-waiting")
        waiting = RunWaitingData(reason=reason, approval_id=approval_id)
        await self.emit(run, *before, RunWaiting(data=waiting))

    async def request_stop(self, run: RunRow, mode: StopMode, by: str) -> None:
        """Ask the worker to stop the run; a second request may change the mode to `now`, never back."""
        if run.state == RunState.RUNNING:
            run.state = transition(RunState.RUNNING, RunState.STOPPING)
        mode = StopMode.NOW if run.stop_mode == StopMode.NOW else mode
        run.stop_mode = mode
        run.stop_requested_at = run.stop_requested_at or await self._runs.get_time()
        await self.emit(run, RunStopping(data=RunStoppingData(mode=mode, by=by)))

    async def complete(self, run: RunRow, result: RunResult) -> None:
        await self.end_steps(run, "run-ended")
        finished_at = await self._finish(run, RunState.COMPLETED)
        result = self._clean(run, result)
        run.result = dump_result(result)
        run.stored_bytes += measure_json(run.result)
        done = RunCompletedData(raw=result.raw, usage=to_usage(run))
        await self.emit(run, RunCompleted(at=finished_at, data=done))

    async def fail(self, run: RunRow, failure: RunFailure) -> None:
        finished_at = await self._finish(run, RunState.FAILED)
        failed = await self._store_failure(run, failure)
        await self.emit(run, RunFailed(at=finished_at, data=failed))

    async def crash(self, run: RunRow, failure: RunFailure) -> None:
        await self.end_lost_calls(run)
        finished_at = await self._finish(run, RunState.CRASHED)
        failed = await self._store_failure(run, failure)
        await self.emit(run, RunCrashed(at=finished_at, data=failed))

    async def _end_tasks(self, run: RunRow, failure: RunFailure) -> None:
        """End the running tasks of a failed run: as failed, also if another task ended the run."""
        for task in await self._runs.list_task_rows(run.id):
            if task.state not in (TaskState.RUNNING, TaskState.WAITING):
                continue
            task.finished_at = run.finished_at
            cause = failure if failure.task_key in (None, task.key) else _cut_short(failure)
            task_failure = cause.model_copy(update={"task_key": task.key, "agent": task.agent})
            task.state = TaskState.FAILED
            task.error = task_failure.model_dump(mode="json", by_alias=True)
            data = TaskFailedData(error=task_failure)
            await self.emit(run, TaskFailed(task_key=task.key, agent=task.agent, data=data))

    async def _store_failure(self, run: RunRow, failure: RunFailure) -> RunFailedData:
        failure = self._clean(run, failure)
        await self._end_tasks(run, failure)
        await self.end_steps(run, "run-ended")
        run.error = failure.model_dump(mode="json", by_alias=True)
        return RunFailedData(error=failure, usage=to_usage(run))

    async def stop(
        self,
        run: RunRow,
        *,
        in_flight: int = 0,
        after_stop: int = 0,
        abandoned: tuple[str, ...] = (),
    ) -> StopReceipt:
        """Finish a stop and return its receipt; unfinished tasks become interrupted or skipped."""
        await self.end_steps(run, "run-ended")
        tasks = await self._runs.list_task_rows(run.id)
        done = [t for t in tasks if t.state in (TaskState.COMPLETED, TaskState.REUSED)]
        for task in tasks:
            if task.state == TaskState.WAITING:
                await self._interrupt(run, task, "run-ended")
            elif task.state == TaskState.PENDING:
                task.state = TaskState.SKIPPED
                await self.emit(run, TaskSkipped(task_key=task.key, agent=task.agent))
        interrupted = [task for task in tasks if task.state == TaskState.INTERRUPTED]
        stopped_at = await self._finish(run, RunState.STOPPED)
        receipt = StopReceipt(
            requested_at=run.stop_requested_at or stopped_at,
            stopped_at=stopped_at,
            mode="killed" if abandoned else "graceful",
            llm_calls_in_flight=in_flight,
            llm_calls_after_stop=after_stop,
            tasks_completed=len(done),
            tasks_interrupted=len(interrupted),
            tasks_skipped=len(tasks) - len(done) - len(interrupted),
            abandoned=list(abandoned),
        )
        receipt = self._clean(run, receipt)
        run.receipt = receipt.model_dump(mode="json", by_alias=True)
        stopped = RunStoppedData(receipt=receipt, usage=to_usage(run))
        await self.emit(run, RunStopped(at=stopped_at, data=stopped))
        return receipt

    async def _finish(self, run: RunRow, state: RunState) -> datetime:
        """End the run; return the moment, which the final event carries as well."""
        await self.emit(run, *await self._messages.close_unanswered(run.id))
        finished_at = now()
        _set_columns(run, finish_columns(transition(RunState(run.state), state), finished_at))
        return finished_at

    def _clean(self, run: RunRow, value: Model) -> Model:
        return clean_model(value, self._mask.scoped(run.workspace_id, run.id))


def _reset(run: RunRow) -> None:
    """Clear how the last attempt ended, and count the next one."""
    run.state = transition(RunState(run.state), RunState.QUEUED)
    run.attempt += 1
    run.losses = 0
    run.wait_reason = run.error = run.receipt = run.finished_at = None
    run.stop_mode = run.stop_requested_at = None


def _set_columns(run: RunRow, columns: dict[str, Any]) -> None:
    for name, value in columns.items():
        setattr(run, name, value)


def _lost_call(call: LlmStarted) -> LlmFailed:
    failure = RunFailure(
        code="worker-lost",
        message="The worker died during this call; whether the model answered is unknown.",
        task_key=call.task_key,
        agent=call.agent,
    )
    data = LlmFailedData(
        call_id=call.data.call_id,
        call=call.data.call,
        model=call.data.model,
        error=failure,
        duration_ms=max(0, round((now() - call.at).total_seconds() * 1000)),
    )
    return LlmFailed(task_key=call.task_key, agent=call.agent, data=data)


def _cut_short(cause: RunFailure) -> RunFailure:
    return RunFailure(
        code="task-cut-short",
        message=f"The task was ended because task '{cause.task_key}' failed beside it.",
        hint="Resume the run to perform it again.",
    )

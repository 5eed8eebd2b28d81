"""Runs that are executed elsewhere: they appear here from the spans that CrewAI sends."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from crewai_runner.core.clock import now
from crewai_runner.core.outside_values import clean_json
from crewai_runner.core.principal import Principal
from crewai_runner.core.secret_mask import SecretMask
from crewai_runner.db.tables.runs import RunRow, RunTaskRow
from crewai_runner.domain.audit_entry import get_entry
from crewai_runner.domain.run import FINAL_STATES, RunFailure, RunResult, RunState, TaskResult, TaskState
from crewai_runner.domain.run_event_payloads import TaskStartedData
from crewai_runner.domain.run_events import (
    LlmCompleted,
    LlmFailed,
    RunEvent,
    TaskCompleted,
    TaskFailed,
    TaskStarted,
    ToolCompleted,
    ToolFailed,
)
from crewai_runner.domain.run_quota import RunQuota
from crewai_runner.domain.stored_size import measure_json
from crewai_runner.domain.workflow import WorkflowDefinition
from crewai_runner.features.crewai_plus.errors import GrantNotForExecution, TooManySpans
from crewai_runner.features.crewai_plus.grants import VALID_FOR, TraceGrants, get_run_id
from crewai_runner.features.crewai_plus.repository import ExternalRunRepository
from crewai_runner.features.crewai_plus.rules import (
    SILENCE,
    SpanReader,
    Step,
    describe_failure,
    find_root,
    order_events,
    read_inputs,
    read_name,
    read_result,
)
from crewai_runner.features.crewai_plus.schemas import Grant, GrantRequest
from crewai_runner.features.crewai_plus.spans import Span
from crewai_runner.features.events.service import EventService
from crewai_runner.features.lifecycle.service import LifecycleService
from crewai_runner.features.runs.service import NewRun, RunService
from crewai_runner.features.workspaces.service import WorkspaceQuota
from crewai_runner.queue.port import JobQueue

NEW_NAME = "Run elsewhere"
ENGINE = "CrewAI elsewhere"
EVENTS_PER_SPAN = 3
COLLECTOR_PATH = "/crewai_plus/api/v1/tracing/collector/v1/traces"


@dataclass(frozen=True, slots=True)
class ExternalRunDeps:
    """What the container provides for runs elsewhere."""

    grants: TraceGrants
    queue: JobQueue
    mask: SecretMask
    workspace_quota: WorkspaceQuota
    run_quota: RunQuota


class ExternalRunService:
    def __init__(self, session: AsyncSession, deps: ExternalRunDeps) -> None:
        self._session, self._deps = session, deps
        self._runs, self._external = RunService(session), ExternalRunRepository(session)
        self._lifecycle = LifecycleService(session, deps.queue, deps.mask)
        self._events = EventService(session, deps.mask)

    async def grant(self, principal: Principal, request: GrantRequest, base_url: str) -> Grant:
        """Let an execution send its spans; its first grant creates the run.

        Raises WorkspaceStorageFull, TooManyRuns.
        """
        run = await self._external.find(str(request.execution_uuid), principal.workspace_id)
        if run is None:
            run = await self._create(principal, request.execution_uuid)
        get_entry().set_target("run", run.id)
        expires_at = now() + VALID_FOR
        return Grant(
            token=self._deps.grants.issue(run.id, run.workspace_id, expires_at),
            collector_url=base_url + COLLECTOR_PATH,
            execution_uuid=request.execution_uuid,
            expires_at=expires_at,
            trace_url=f"{base_url}/runs/{run.id}" if request.include_trace_url else None,
        )

    async def _create(self, principal: Principal, execution_uuid: UUID) -> RunRow:
        await self._deps.workspace_quota.check_storage(principal)
        connection = await self._session.connection()
        quota, workspace_id = self._deps.workspace_quota, principal.workspace_id
        await connection.run_sync(lambda connection: quota.check_runs_elsewhere(connection, workspace_id))
        definition = WorkflowDefinition(name=NEW_NAME, agents=[], tasks=[])
        run = await self._runs.create(principal, NewRun(definition, {}))
        run.execution_uuid = str(execution_uuid)
        await self._lifecycle.begin(run, ENGINE, native=False)
        return run

    async def add_spans(self, principal: Principal, spans: list[Span]) -> None:
        """Add the events of spans to the run of their grant; spans that are known are skipped.

        Raises GrantNotForExecution, TooManySpans and RunNotFound.
        """
        run_id = get_run_id(principal)
        if run_id is None:
            raise GrantNotForExecution("Spans need the token of a grant, not the API key.")
        run = await self._runs.get(principal, run_id, lock=True)
        if any(span.text("crewai.execution_uuid") not in ("", run.execution_uuid) for span in spans):
            raise GrantNotForExecution("The spans belong to another execution than the grant.")
        self._check_quota(run, spans)
        run.attempt_started_at = now()
        if was_given_up(run):
            await self._lifecycle.continue_elsewhere(run, ENGINE)
        added = await self._external.add_spans(run.id, list({span.span_id for span in spans}))
        new = {span.span_id: span for span in spans if span.span_id in added}
        steps = SpanReader(run.llm_calls).read(list(new.values()))
        for step in steps:
            if step.task_key is not None:
                await self._start_task_if_new(run, step, step.task_key)
        for event, step in order_events(steps):
            await self._add_event(run, event, step)
        root = find_root(new.values())
        if root is not None:
            await self._finish(run, root)

    def _check_quota(self, run: RunRow, spans: list[Span]) -> None:
        quota = self._deps.run_quota
        if run.last_seq + EVENTS_PER_SPAN * len(spans) > quota.max_events:
            raise TooManySpans(f"The run has reached its limit of {quota.max_events:,} events.")
        if run.stored_bytes > quota.max_bytes:
            raise TooManySpans("The run has reached the limit of what it may store.")

    async def _add_event(self, run: RunRow, event: RunEvent, step: Step) -> None:
        [added] = await self._events.append(run, event)
        match added:
            case LlmCompleted() | LlmFailed():
                await self._runs.add_calls(run, [added])
            case ToolCompleted() | ToolFailed():
                run.tool_calls += 1
            case TaskCompleted() | TaskFailed():
                task = await self._external.get_task(run.id, step.task_key or "")
                if task is not None:
                    _end_task(run, task, step, added)

    async def _start_task_if_new(self, run: RunRow, step: Step, key: str) -> None:
        """Start the task of a step, also again if it was ended because the run was silent."""
        task = await self._external.get_task(run.id, key)
        if task is None:
            count = len(await self._runs.list_task_rows(run.id))
            task = RunTaskRow(run_id=run.id, key=key, position=count, state=TaskState.RUNNING)
            task.agent, task.started_at = step.ended.agent, step.span.started_at
            await self._external.add_task(task)
        elif _is_silence(task.error):
            task.state, task.error, task.finished_at = TaskState.RUNNING, None, None
        else:
            return
        name = step.span.text("crewai.task.name")
        description = ": ".join(filter(None, (name, step.span.text("crewai.task.description"))))
        started = TaskStartedData(description=description)
        await self._events.append(run, TaskStarted(at=step.span.started_at, task_key=key, data=started))

    async def _finish(self, run: RunRow, root: Span) -> None:
        """End the run with the span of the execution itself; a second such span changes nothing."""
        if RunState(run.state) in FINAL_STATES:
            return
        mask = self._deps.mask.scoped(run.workspace_id, run.id)
        run.workflow_name = mask(read_name(root)) or NEW_NAME
        run.inputs = clean_json(read_inputs(root), mask)
        run.active_seconds = root.seconds
        if root.is_error:
            await self._lifecycle.fail(run, describe_failure(root))
        else:
            tasks = await self._runs.get_task_results(run.id)
            await self._lifecycle.complete(run, RunResult(raw=read_result(root), tasks=tasks))


def was_given_up(run: RunRow) -> bool:
    """Return whether the run was ended because it sent no spans."""
    return run.state == RunState.FAILED and _is_silence(run.error)


def _is_silence(error: dict[str, object] | None) -> bool:
    return error is not None and RunFailure.model_validate(error).code == SILENCE


def _end_task(run: RunRow, task: RunTaskRow, step: Step, ended: TaskCompleted | TaskFailed) -> None:
    task.started_at, task.finished_at = step.span.started_at, step.span.ended_at
    if isinstance(ended, TaskFailed):
        task.state, task.error = TaskState.FAILED, ended.data.error.model_dump(mode="json", by_alias=True)
        return
    result = TaskResult(raw=ended.data.raw, agent=task.agent)
    task.state, task.result = TaskState.COMPLETED, result.model_dump(mode="json", by_alias=True)
    run.stored_bytes += measure_json(task.result)

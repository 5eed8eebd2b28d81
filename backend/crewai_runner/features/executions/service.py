"""Starting, stopping and steering runs: what the API's verbs do."""

import asyncio
import contextlib
from collections.abc import Mapping

from pydantic import JsonValue
from sqlalchemy.ext.asyncio import AsyncSession

from crewai_runner.core.principal import Principal
from crewai_runner.core.settings import Role
from crewai_runner.core.waiting import wait_event
from crewai_runner.db.session import pop_notifications, read_session, shielded, unit_of_work
from crewai_runner.db.tables.runs import RunRow
from crewai_runner.domain.budget import Budget
from crewai_runner.domain.run import FINAL_STATES, RunState, StopMode, StopReceipt, TaskResult
from crewai_runner.domain.workflow import WorkflowDefinition
from crewai_runner.executor.port import EngineState
from crewai_runner.features.approvals.service import ApprovalService
from crewai_runner.features.executions.errors import TaskUnknown
from crewai_runner.features.executions.execution_deps import ExecutionDeps
from crewai_runner.features.executions.rules import agent_states, progress, reused_before
from crewai_runner.features.executions.schemas import (
    AgentStatus,
    ForkBody,
    ResumeBody,
    RetryBody,
    RunStart,
    RunStartAnswer,
    StopAnswer,
    TaskStatus,
    WorkflowStatus,
)
from crewai_runner.features.executions.start_checks import StartChecks
from crewai_runner.features.lifecycle.service import LifecycleService, QueueReason
from crewai_runner.features.providers.schemas import ProviderCreate
from crewai_runner.features.runs.errors import RunAlreadyFinished, RunNotResumable
from crewai_runner.features.runs.schemas import RunRead, to_run_read, to_usage
from crewai_runner.features.runs.service import NewRun, RunService
from crewai_runner.stream.notifier import control_topic


class ExecutionService:
    """The commands on runs that happen in the request's own transaction."""

    def __init__(self, session: AsyncSession, deps: ExecutionDeps) -> None:
        self._session, self._deps = session, deps
        self._runs = RunService(session)
        self._lifecycle = LifecycleService(session, deps.queue, deps.mask)
        self._approvals = ApprovalService(session, deps.queue, deps.mask)
        self._checks = StartChecks(session, deps)

    async def start(self, principal: Principal, request: RunStart) -> RunStartAnswer:
        """Queue a run of an inline or a saved definition.

        Raises DefinitionInvalid, InputsInvalid, NoModel, ModelNotRegistered (422), WorkflowNotFound,
        VersionNotFound (404) and Unavailable (503).
        """
        await self._admit(request.provider_config)
        found = await self._checks.definition(principal, request)
        inputs = self._checks.inputs(found.definition, request.inputs)
        warnings = await self._checks.models(principal, found.definition, request.provider_config)
        await self._checks.embedder(principal, found.definition, request.provider_config)
        new = NewRun(
            definition=found.definition,
            inputs=inputs,
            workflow_id=found.workflow_id,
            workflow_version=found.version,
            budget=request.budget or Budget(),
            metadata=request.metadata,
            inline_provider=request.provider_config is not None,
        )
        run = await self._queue_new(principal, new, "started", request.provider_config)
        return RunStartAnswer(
            workflow_id=run.id,
            run_id=run.id,
            message=f"Run {run.id} is queued. Follow it at /api/v1/runs/{run.id}/stream.",
            warnings=[*found.warnings, *warnings],
        )

    async def retry(self, principal: Principal, run_id: str, body: RetryBody) -> RunRead:
        """A new run of the same definition. Raises RunNotFound, InputsInvalid and what `start` raises."""
        await self._admit(body.provider_config)
        old = await self._runs.get(principal, run_id)
        return await self._again(principal, old, body.inputs, body.provider_config, "retried", {})

    async def fork(self, principal: Principal, run_id: str, body: ForkBody) -> RunRead:
        """A new run that takes over finished outputs before a task. Raises TaskUnknown (422)."""
        await self._admit(body.provider_config)
        old = await self._runs.get(principal, run_id)
        definition = WorkflowDefinition.model_validate(old.definition)
        keys = [task.key for task in definition.tasks]
        if body.from_task not in keys:
            raise TaskUnknown(f"The run has no task {body.from_task!r}; it has {', '.join(keys)}.")
        reused = reused_before(definition, await self._runs.get_task_results(run_id), body.from_task)
        return await self._again(principal, old, body.inputs, body.provider_config, "forked", reused)

    async def _again(
        self,
        principal: Principal,
        old: RunRow,
        inputs: dict[str, JsonValue] | None,
        provider: ProviderCreate | None,
        reason: QueueReason,
        reused: Mapping[str, TaskResult],
    ) -> RunRead:
        definition = WorkflowDefinition.model_validate(old.definition)
        if provider is None and old.inline_provider:
            provider = self._checks.provider_of(old.id)
        values = old.inputs if inputs is None else self._checks.inputs(definition, inputs)
        await self._checks.models(principal, definition, provider)
        await self._checks.embedder(principal, definition, provider)
        new = NewRun(
            definition=definition,
            inputs=values,
            workflow_id=old.workflow_id,
            workflow_version=old.workflow_version,
            budget=Budget.model_validate(old.budget),
            metadata=old.extra,
            inline_provider=provider is not None,
            forked_from=old.id,
            reused=reused,
        )
        return to_run_read(await self._queue_new(principal, new, reason, provider))

    async def resume(self, principal: Principal, run_id: str, body: ResumeBody) -> RunRead:
        """Go on from the last finished task, with the time limit anew.

        Raises RunNotFound, RunNotResumable (409).
        """
        await self._admit(body.provider_config)
        run = await self._runs.get(principal, run_id, lock=True)
        _check_resumable(run)
        if body.budget is not None:
            given = Budget.model_validate(run.budget).model_dump(exclude_none=True)
            raised = given | body.budget.model_dump(exclude_none=True)
            run.budget = Budget.model_validate(raised).model_dump(mode="json", exclude_none=True)
            run.budget_raised = True
        if run.inline_provider:
            provider = body.provider_config or self._checks.provider_of(run.id)
            self._deps.inline_providers.keep(run.id, provider)
        run.seconds_before = run.active_seconds
        await self._lifecycle.queue_again(run, "resumed")
        return to_run_read(run)

    async def _queue_new(
        self, principal: Principal, new: NewRun, reason: QueueReason, provider: ProviderCreate | None
    ) -> RunRow:
        run = await self._runs.create(principal, new)
        if provider is not None:
            self._deps.inline_providers.keep(run.id, provider)
        await self._lifecycle.submit_first(run, reason)
        return run

    async def _admit(self, provider: ProviderCreate | None) -> None:
        """What takes time is done before the transaction's first statement, so that no lock waits."""
        self._checks.check_provider(provider)
        await self._deps.queue.wait_until_open()
        if provider is not None:
            await self._deps.models(self._session).validate_inline_provider(provider)

    async def get(self, principal: Principal, run_id: str) -> RunRead:
        """One run, whole. Raises RunNotFound."""
        run = await self._runs.get(principal, run_id)
        return to_run_read(run, queue_reason(self._deps, run))

    async def status(self, principal: Principal, identifier: str) -> WorkflowStatus:
        """The first version's view of a run, or of a workflow's newest."""
        run = await self._runs.get(principal, await self._runs.resolve(principal, identifier))
        tasks = await self._runs.list_tasks(run.id)
        definition = WorkflowDefinition.model_validate(run.definition)
        current = next((t.key for t in tasks if t.status in ("running", "waiting")), None)
        whole = to_run_read(run, queue_reason(self._deps, run))
        return WorkflowStatus(
            workflow_id=run.id,
            run_id=run.id,
            status=whole.status,
            agents=[
                AgentStatus(name=name, status=word, task=task)
                for name, word, task in agent_states(definition, tasks)
            ],
            tasks=[
                TaskStatus(
                    name=t.key,
                    status=t.status,
                    agent=t.agent,
                    started_at=t.started_at,
                    finished_at=t.finished_at,
                )
                for t in tasks
            ],
            current_task=current,
            progress=100 if whole.status is RunState.COMPLETED else progress(tasks),
            usage=to_usage(run),
            result=whole.result.raw if whole.result else None,
            error=whole.error,
            queued_because=whole.queued_because,
        )


class StopService:
    """Stops runs. It needs its own transactions: the order must be seen before its end is awaited."""

    def __init__(self, deps: ExecutionDeps) -> None:
        self._deps = deps

    async def stop(self, principal: Principal, identifier: str, mode: StopMode) -> StopAnswer:
        """Ask for a stop and wait for its end, up to STOP_WAIT_SECONDS.

        Raises RunNotFound (404) and RunAlreadyFinished (409).
        """
        run_id = await self._ask(principal, identifier, mode)
        wait = self._deps.settings.stop_wait_seconds
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(wait):
                await self._ended(run_id)
        return await self._answer(principal, run_id)

    async def _ask(self, principal: Principal, identifier: str, mode: StopMode) -> str:
        deps = self._deps
        async with unit_of_work(deps.sessions) as session:
            runs = RunService(session)
            run = await runs.get(principal, await runs.resolve(principal, identifier), lock=True)
            if RunState(run.state) in FINAL_STATES:
                raise RunAlreadyFinished(f"The run is already {run.state}.", run_id=run.id, state=run.state)
            lifecycle = LifecycleService(session, deps.queue, deps.mask)
            if run.state in (RunState.QUEUED, RunState.WAITING):
                await ApprovalService(session, deps.queue, deps.mask).cancel(run.id)
                await lifecycle.stop(run)
            else:
                await lifecycle.ask_to_stop(run, mode, principal.subject)
        deps.notifier.publish({*pop_notifications(session), control_topic(run.id)})
        if RunState(run.state) in FINAL_STATES:
            deps.inline_providers.forget(run.id)
        return run.id

    async def _ended(self, run_id: str) -> None:
        with self._deps.notifier.subscribe(run_id) as subscription:
            while True:
                subscription.changed.clear()
                if await shielded(self._is_over(run_id)):
                    return
                await wait_event(subscription.changed, 1.0)

    async def _is_over(self, run_id: str) -> bool:
        async with read_session(self._deps.sessions) as session:
            return await RunService(session).is_finished(run_id)

    async def _answer(self, principal: Principal, run_id: str) -> StopAnswer:
        async with read_session(self._deps.sessions) as session:
            run = await RunService(session).get(principal, run_id)
        receipt = None if run.receipt is None else StopReceipt.model_validate(run.receipt)
        words = "The run is stopped." if receipt else "The run is stopping; its receipt follows as an event."
        return StopAnswer(
            workflow_id=run_id, run_id=run_id, status=RunState(run.state), message=words, receipt=receipt
        )


def queue_reason(deps: ExecutionDeps, run: RunRow) -> str | None:
    """Why a queued run has not begun, in words for people."""
    if run.state != RunState.QUEUED:
        return None
    if deps.settings.role is Role.API:
        return "A worker takes it as soon as one has room."
    engine = deps.loader.executor.status()
    if engine.state is EngineState.LOADING:
        return "The engine is still loading; the run begins by itself."
    if len(deps.active_runs) >= deps.settings.worker_concurrency:
        return f"All {deps.settings.worker_concurrency} places (WORKER_CONCURRENCY) are taken."
    return "A worker is about to take it."


def _check_resumable(run: RunRow) -> None:
    state = RunState(run.state)
    if state in (RunState.FAILED, RunState.STOPPED, RunState.CRASHED):
        return
    if state is RunState.WAITING and run.wait_reason == "budget":
        return
    if state is RunState.WAITING:
        raise RunNotResumable(
            "The run waits for a person's answer; resolve its approval instead.", state=state
        )
    raise RunNotResumable(
        f"A {state} run cannot be resumed; only failed, stopped, crashed or out-of-budget ones.", state=state
    )

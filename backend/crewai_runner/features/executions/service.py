"""Starts, retries, forks and resumes runs, and reports their status."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial

from pydantic import BaseModel, JsonValue
from sqlalchemy.ext.asyncio import AsyncSession

from crewai_runner.core.principal import Principal
from crewai_runner.core.setting_choices import Role
from crewai_runner.db.session import read_phase
from crewai_runner.db.snapshot_reader import SnapshotReader
from crewai_runner.db.subject_name_repository import load_subject_names
from crewai_runner.db.tables.runs import RunRow
from crewai_runner.domain.budget import Budget
from crewai_runner.domain.run import RunState, TaskResult
from crewai_runner.domain.run_event_payloads import QueueReason
from crewai_runner.executor.port import EngineState
from crewai_runner.features.executions.author_rights import check_author, check_inline_provider
from crewai_runner.features.executions.errors import TaskUnknown
from crewai_runner.features.executions.execution_deps import ExecutionDeps
from crewai_runner.features.executions.rules import agent_states, check_resumable, progress, reused_before
from crewai_runner.features.executions.run_creation import PreparedRun, RunCreation
from crewai_runner.features.executions.schemas import (
    AgentStatus,
    ForkBody,
    ResumeBody,
    RetryBody,
    RunAnswer,
    RunStart,
    RunStartAnswer,
    TaskStatus,
    WorkflowStatus,
)
from crewai_runner.features.executions.start_checks import StartChecks
from crewai_runner.features.idempotency.service import IdempotencyService
from crewai_runner.features.lifecycle.service import LifecycleService
from crewai_runner.features.providers.schemas import ProviderCreate
from crewai_runner.features.runs.schemas import RunRead, to_run_read, to_usage
from crewai_runner.features.runs.service import NewRun, RunService, load_run


@dataclass(frozen=True, slots=True)
class StartExtension:
    """What another feature stores with a run that it starts, in the same transaction.

    `route` and `body` identify the request for its idempotency key; `store` gets the id of the new run.
    """

    route: str
    body: BaseModel
    store: Callable[[str], Awaitable[None]]


class ExecutionService:
    """The commands on runs that need only the request's own transaction."""

    def __init__(self, session: AsyncSession, deps: ExecutionDeps) -> None:
        self._session, self._deps = session, deps
        self._runs = RunService(session)
        self._lifecycle = LifecycleService(session, deps.queue, deps.mask)
        self._checks = StartChecks(session, deps)
        self._creation = RunCreation(session, deps)

    async def start(
        self,
        principal: Principal,
        request: RunStart,
        key: str | None = None,
        extension: StartExtension | None = None,
    ) -> RunStartAnswer:
        """Queue a run of an inline or a saved definition or of a project, once per idempotency key.

        Raises DefinitionInvalid, InputsInvalid, NoModel, ModelNotRegistered (422), WorkflowNotFound,
        VersionNotFound, ProjectNotFound (404), ProjectNotReady, IdempotencyKeyReused (409), Unavailable,
        ScopeMissing (403).
        """
        check_author(principal, request)

        async def create(prepared: PreparedRun) -> RunStartAnswer:
            if extension is None:
                run_id = await self._creation.create(principal, prepared)
            else:
                run_id = (await self._creation.create_in_session(principal, prepared)).id
                await extension.store(run_id)
            return RunStartAnswer(
                workflow_id=run_id,
                run_id=run_id,
                message=f"Run {run_id} is queued. Follow it at /api/v1/runs/{run_id}/stream.",
                warnings=prepared.warnings,
            )

        route, body = ("runs", request) if extension is None else (extension.route, extension.body)
        idempotent = IdempotencyService(self._session, principal.workspace_id, route, key)
        return await idempotent.create_prepared(
            RunStartAnswer, body, lambda: self._prepare_start(principal, request), create
        )

    async def _prepare_start(self, principal: Principal, request: RunStart) -> PreparedRun:
        provider = request.provider_config
        await self._deps.workspace_quota.check_storage(principal)
        await self._prepare(provider)
        async with read_phase(self._session):
            resolved = await self._checks.resolve_definition(principal, request)
            inputs = self._checks.fill_inputs(resolved.definition, request.inputs, resolved.project_id)
            warnings = await self._checks.check_resources(principal, resolved.definition, provider)
        new = NewRun(
            definition=resolved.definition,
            inputs=inputs,
            workflow_id=resolved.workflow_id,
            workflow_version=None if resolved.project_id else resolved.version,
            project_id=resolved.project_id,
            project_version=resolved.version if resolved.project_id else None,
            budget=request.budget or Budget(),
            metadata=request.metadata,
            inline_provider=provider is not None,
        )
        return PreparedRun(new, "started", provider, [*resolved.warnings, *warnings])

    async def retry(
        self, principal: Principal, run_id: str, body: RetryBody, key: str | None = None
    ) -> RunAnswer:
        """Queue a new run of the same definition. Raises RunNotFound and what `start` raises."""

        async def prepare() -> PreparedRun:
            await self._prepare(body.provider_config)
            async with read_phase(self._session):
                old = await self._runs.get_own(principal, run_id)
                return await self._prepare_rerun(
                    principal, old, body.inputs, body.provider_config, "retried", {}
                )

        return await self._rerun(principal, f"runs/{run_id}/retry", key, body, prepare)

    async def fork(
        self, principal: Principal, run_id: str, body: ForkBody, key: str | None = None
    ) -> RunAnswer:
        """Queue a new run that reuses the outputs of the tasks before a task. Raises TaskUnknown (422)."""

        async def prepare() -> PreparedRun:
            await self._prepare(body.provider_config)
            async with read_phase(self._session):
                old = await self._runs.get_own(principal, run_id)
                if old.project_id is not None:
                    raise TaskUnknown("A run of a project cannot be forked; retry or resume it.")
                definition = old.parsed_definition
                keys = [task.key for task in definition.tasks]
                if body.from_task not in keys:
                    raise TaskUnknown(f"The run has no task {body.from_task!r}; it has {', '.join(keys)}.")
                results = await self._runs.get_task_results(run_id)
                reused = reused_before(definition, results, body.from_task)
                return await self._prepare_rerun(
                    principal, old, body.inputs, body.provider_config, "forked", reused
                )

        return await self._rerun(principal, f"runs/{run_id}/fork", key, body, prepare)

    async def _rerun(
        self,
        principal: Principal,
        route: str,
        key: str | None,
        body: RetryBody | ForkBody,
        prepare: Callable[[], Awaitable[PreparedRun]],
    ) -> RunAnswer:
        check_inline_provider(principal, body.provider_config)

        async def prepare_within_quota() -> PreparedRun:
            await self._deps.workspace_quota.check_storage(principal)
            return await prepare()

        async def create(prepared: PreparedRun) -> RunAnswer:
            run = await self._creation.create_in_session(principal, prepared)
            await load_subject_names(self._session, [run])
            return RunAnswer(run=to_run_read(run))

        idempotent = IdempotencyService(self._session, principal.workspace_id, route, key)
        return await idempotent.create_prepared(RunAnswer, body, prepare_within_quota, create)

    async def _prepare_rerun(
        self,
        principal: Principal,
        old: RunRow,
        inputs: dict[str, JsonValue] | None,
        provider: ProviderCreate | None,
        reason: QueueReason,
        reused: Mapping[str, TaskResult],
    ) -> PreparedRun:
        checks, definition = self._checks, old.parsed_definition
        checks.check_schemas(definition)
        if provider is None and old.inline_provider:
            provider = checks.get_inline_provider(old.id)
        values = old.inputs if inputs is None else checks.fill_inputs(definition, inputs, old.project_id)
        await checks.check_resources(principal, definition, provider)
        new = NewRun(
            definition=definition,
            inputs=values,
            workflow_id=old.workflow_id,
            workflow_version=old.workflow_version,
            project_id=old.project_id,
            project_version=old.project_version,
            budget=Budget.model_validate(old.budget),
            metadata=old.extra,
            inline_provider=provider is not None,
            forked_from=old.id,
            reused=reused,
        )
        return PreparedRun(new, reason, provider)

    async def resume(self, principal: Principal, run_id: str, body: ResumeBody) -> RunRead:
        """Continue after the last finished task; the time limit starts again.

        Raises RunNotFound, RunNotResumable (409), ScopeMissing (403), QuotaReached (429).
        """
        check_inline_provider(principal, body.provider_config)
        await (quota := self._deps.workspace_quota).load()
        await self._prepare(body.provider_config)
        run = await self._runs.get_own(principal, run_id, lock=True)
        check_resumable(RunState(run.state), run.wait_reason)
        if run.finished_at is not None:
            admit = partial(quota.admit_finished_run, workspace_id=principal.workspace_id)
            await (await self._session.connection()).run_sync(admit)
        if body.budget is not None:
            current = Budget.model_validate(run.budget).model_dump(exclude_none=True)
            raised = current | body.budget.model_dump(exclude_none=True)
            run.budget = Budget.model_validate(raised).model_dump(mode="json", exclude_none=True)
            run.budget_raised = True
        if run.inline_provider:
            provider = body.provider_config or self._checks.get_inline_provider(run.id)
            self._deps.inline_providers.keep(run.id, provider)
        run.seconds_before = run.active_seconds
        await self._lifecycle.queue_next_attempt(run, "resumed")
        await load_subject_names(self._session, [run])
        return to_run_read(run)

    async def _prepare(self, provider: ProviderCreate | None) -> None:
        """Do what may take time before the transaction's first statement, while no lock is held."""
        self._checks.check_provider_reachable(provider)
        await self._deps.queue.wait_until_open()
        if provider is not None:
            await self._deps.models(self._session).validate_inline_provider(provider)

    async def status(self, principal: Principal, identifier: str) -> WorkflowStatus:
        """A run, or a workflow's newest run, in the format of API version 1."""
        run = await self._runs.get(principal, await self._runs.resolve(principal, identifier))
        tasks = await self._runs.list_tasks(run.id)
        current = next((t.key for t in tasks if t.status in ("running", "waiting")), None)
        read = to_run_read(run, queue_reason(self._deps, run))
        return WorkflowStatus(
            workflow_id=run.id,
            run_id=run.id,
            status=read.status,
            agents=[
                AgentStatus(name=name, status=word, task=task)
                for name, word, task in agent_states(run.parsed_definition, tasks)
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
            progress=100 if read.status is RunState.COMPLETED else progress(tasks),
            usage=to_usage(run),
            result=read.result.raw if read.result else None,
            error=read.error,
            queued_because=read.queued_because,
        )


class RunReader:
    """Reads one run through the snapshot reader."""

    def __init__(self, reader: SnapshotReader, deps: ExecutionDeps) -> None:
        self._reader, self._deps = reader, deps

    async def get(self, principal: Principal, run_id: str) -> RunRead:
        """One run with all its fields. Raises RunNotFound."""
        run = await self._reader.run_in_session(lambda session: load_run(session, principal, run_id))
        return to_run_read(run, queue_reason(self._deps, run))


def queue_reason(deps: ExecutionDeps, run: RunRow) -> str | None:
    """Why a queued run has not started, as a sentence for users; None if it is not queued."""
    if run.state != RunState.QUEUED:
        return None
    if deps.settings.role is Role.API:
        return "A worker starts it as soon as it has a free slot."
    engine = deps.loader.executor.status()
    if engine.state is EngineState.LOADING:
        return "The engine is still loading; the run starts automatically."
    if len(deps.active_runs) >= deps.settings.worker_concurrency:
        return f"All {deps.settings.worker_concurrency} slots (WORKER_CONCURRENCY) are in use."
    return "A worker is about to start it."

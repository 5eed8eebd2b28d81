"""Creates and queues checked runs, unless their workspace has too many."""

from dataclasses import dataclass, field

from sqlalchemy.ext.asyncio import AsyncSession

from crewai_runner.core.errors import TooManyRequests
from crewai_runner.core.principal import Principal
from crewai_runner.db.audit_log import store_in
from crewai_runner.db.tables.runs import RunRow
from crewai_runner.db.transaction_writer import WriteTransaction
from crewai_runner.domain.artifact_events import make_artifact_event, make_file_event
from crewai_runner.domain.audit_entry import AuditEntry, get_entry
from crewai_runner.domain.run_event_payloads import QueueReason
from crewai_runner.features.executions.execution_deps import ExecutionDeps
from crewai_runner.features.lifecycle.service import LifecycleService
from crewai_runner.features.lifecycle.writes import LifecycleWrites
from crewai_runner.features.providers.schemas import ProviderCreate
from crewai_runner.features.runs.service import (
    NewRun,
    RunService,
    build_new_task_columns,
    build_run_columns,
)


@dataclass(frozen=True, slots=True)
class PreparedRun:
    """A checked request for a new run; creating it takes only a few statements."""

    new: NewRun
    reason: QueueReason
    provider: ProviderCreate | None
    warnings: list[str] = field(default_factory=list)


class RunCreation:
    """The run, its tasks, its first event and its job are one transaction.

    Raises TooManyRuns, QuotaReached (429).
    """

    def __init__(self, session: AsyncSession, deps: ExecutionDeps) -> None:
        self._session, self._deps = session, deps
        self._runs = RunService(session)
        self._lifecycle = LifecycleService(session, deps.queue, deps.mask)

    async def create(self, principal: Principal, prepared: PreparedRun) -> str:
        """Create and queue a run that reuses nothing; return its id.

        In a transaction of the session, if one has begun: with the claim of an idempotency key.
        """
        if self._session.in_transaction():
            return (await self.create_in_session(principal, prepared)).id
        return await self._create_with_writer(principal, prepared)

    async def create_in_session(self, principal: Principal, prepared: PreparedRun) -> RunRow:
        """Create and queue a run in the session's transaction, with the files of the results it reuses."""
        quota, connection = self._deps.workspace_quota, await self._session.connection()
        await connection.run_sync(lambda connection: quota.admit_run(connection, principal.workspace_id))
        run = await self._runs.create(principal, prepared.new)
        _describe(get_entry(), run.id, prepared.new)
        if prepared.provider is not None:
            self._deps.inline_providers.keep(run.id, prepared.provider)
        await self._lifecycle.queue_attempt(run, prepared.reason)
        if (source := prepared.new.forked_from) is not None and prepared.new.project_id is None:
            for path, size in await self._runs.copy_attached_files(source, run.id):
                await self._lifecycle.emit(run, make_file_event("", path, size))
        for key, path in prepared.new.definition.output_files().items():
            if key in prepared.new.reused:
                output = prepared.new.reused[key].raw
                await self._runs.save_artifact(run, key, path, output)
                await self._lifecycle.emit(run, make_artifact_event(key, path, output))
        return run

    async def _create_with_writer(self, principal: Principal, prepared: PreparedRun) -> str:
        deps, run = self._deps, build_run_columns(principal, prepared.new)
        run_id, tasks = str(run["id"]), build_new_task_columns(run["id"], prepared.new)
        if prepared.provider is not None:
            deps.inline_providers.keep(run_id, prepared.provider)

        entry = get_entry()
        _describe(entry, run_id, prepared.new)

        def create(transaction: WriteTransaction) -> None:
            deps.workspace_quota.admit_run(transaction.connection, principal.workspace_id)
            writes = LifecycleWrites(transaction, deps.mask)
            writes.create_and_queue(deps.queue, run, tasks, prepared.reason)
            store_in(transaction, entry)

        try:
            # Locks of several workspaces in one transaction could block another process that takes them in
            # another order.
            has_quota = deps.workspace_quota.has_quota(principal.workspace_id)
            await deps.writer.run(create, confirm=True, alone=has_quota)
        except TooManyRequests:
            deps.inline_providers.forget(run_id)
            raise
        return run_id


def _describe(entry: AuditEntry, run_id: str, new: NewRun) -> None:
    entry.set_target("run", run_id)
    for name, value in (
        ("workflowId", new.workflow_id),
        ("workflowVersion", new.workflow_version),
        ("projectId", new.project_id),
        ("projectVersion", new.project_version),
        ("forkedFrom", new.forked_from),
    ):
        entry.add_change(f"run.{name}", None, value)

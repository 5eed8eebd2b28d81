"""Creates and queues checked runs, unless their workspace has too many."""

from dataclasses import dataclass, field

from sqlalchemy.ext.asyncio import AsyncSession

from crewai_runner.core.principal import Principal
from crewai_runner.db.tables.runs import RunRow
from crewai_runner.db.transaction_writer import WriteTransaction
from crewai_runner.domain.artifact_events import make_artifact_event
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
from crewai_runner.features.workspaces.errors import TooManyRuns


@dataclass(frozen=True, slots=True)
class PreparedRun:
    """A checked request for a new run; creating it takes only a few statements."""

    new: NewRun
    reason: QueueReason
    provider: ProviderCreate | None
    warnings: list[str] = field(default_factory=list)


class RunCreation:
    """The run, its tasks, its first event and its job are one transaction. Raises TooManyRuns (429)."""

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
        await connection.run_sync(lambda connection: quota.check_runs(connection, principal.workspace_id))
        run = await self._runs.create(principal, prepared.new)
        if prepared.provider is not None:
            self._deps.inline_providers.keep(run.id, prepared.provider)
        await self._lifecycle.queue_attempt(run, prepared.reason)
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

        def create(transaction: WriteTransaction) -> None:
            deps.workspace_quota.check_runs(transaction.connection, principal.workspace_id)
            writes = LifecycleWrites(transaction, deps.mask)
            writes.create_and_queue(deps.queue, run, tasks, prepared.reason)

        try:
            await deps.writer.run(create, confirm=True)
        except TooManyRuns:
            deps.inline_providers.forget(run_id)
            raise
        return run_id

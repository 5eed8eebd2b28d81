"""Work that processes repeat: expiring approvals, recovering lost runs, deleting old records."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

from crewai_runner.core.clock import now
from crewai_runner.core.logging import get_logger
from crewai_runner.db.session import pop_notifications, read_session, unit_of_work
from crewai_runner.db.sqlite_space import release_free_pages
from crewai_runner.features.approvals.service import ApprovalService
from crewai_runner.features.auth.repository import BrowserSessionRepository, SignInLimitRepository
from crewai_runner.features.connections.service import ConnectionService
from crewai_runner.features.executions.execution_deps import ExecutionDeps
from crewai_runner.features.executions.lost_runs import LostRuns
from crewai_runner.features.idempotency.repository import IdempotencyRepository
from crewai_runner.features.idempotency.service import RETENTION as IDEMPOTENCY_RETENTION
from crewai_runner.features.insights.outcome_repository import has_entries
from crewai_runner.features.insights.service import OutcomeTotals
from crewai_runner.features.mcp.oauth.authorizations import McpAuthorizations
from crewai_runner.features.mcp.service import McpCredentials, McpDeps
from crewai_runner.features.public_links.service import PublicLinkService
from crewai_runner.features.runs.service import RunService
from crewai_runner.http.ratelimit.repository import RateBucketRepository
from crewai_runner.wiring.container import Container

log = get_logger(__name__)
SWEEP_SECONDS = 15.0
ORPHAN_SECONDS = 2.0
ACTIVE_TIME_SECONDS = 5.0
SEAL_SECONDS = 5.0
SECRET_SWEEP_SECONDS = 60.0
DELETION_SECONDS = 3600.0
STORAGE_SECONDS = 15.0
JOB_SECONDS = 5.0
JOB_RETENTION = timedelta(seconds=10)
"""A run's own row says that it has started or ended: the record of an ended job has no other reader."""
JOB_BATCH = 100
"""Jobs deleted in one transaction: it must not delay batches of events."""
BUCKET_RETENTION = timedelta(days=1)
FAILURE_RETENTION = timedelta(hours=1)
KNOWN_ADDRESS_RETENTION = timedelta(days=30)


class PeriodicTasks:
    """The periodic tasks of one worker process, each in an asyncio task of its own."""

    def __init__(self, container: Container) -> None:
        self._container = container

    def start(self) -> list[asyncio.Task[None]]:
        """Start the tasks that this installation needs."""
        tasks = [
            (self.expire_approvals, SWEEP_SECONDS),
            (self.settle_lost_runs, SWEEP_SECONDS),
            (self.end_silent_runs, SWEEP_SECONDS),
            (self.store_active_seconds, ACTIVE_TIME_SECONDS),
            (self.delete_old_jobs, JOB_SECONDS),
            (self.fold_outcomes, SWEEP_SECONDS),
            (self.forget_secrets, SECRET_SWEEP_SECONDS),
            (self.refresh_mcp_tokens, SECRET_SWEEP_SECONDS),
            (self.delete_expired_runs, DELETION_SECONDS),
            (self.delete_expired_keys, DELETION_SECONDS),
            (self.delete_old_audit_entries, DELETION_SECONDS),
            (self.clean_project_disk, DELETION_SECONDS),
        ]
        if self._container.settings.is_embedded:
            tasks.append((self.shrink_database, DELETION_SECONDS))
        else:
            tasks.append((self.requeue_orphans, ORPHAN_SECONDS))
            tasks.append((self.delete_old_rate_buckets, DELETION_SECONDS))
            tasks.append((self.delete_old_sign_in_limits, DELETION_SECONDS))
        return [asyncio.create_task(_repeat(task, pause), name=task.__name__) for task, pause in tasks]

    async def expire_approvals(self) -> None:
        container = self._container
        async with unit_of_work(container.sessions) as session:
            await ApprovalService(session, container.queue, container.mask).expire_overdue()
        container.notifier.publish(pop_notifications(session))

    async def forget_secrets(self) -> None:
        """Forget what another process deleted or ended: keys of providers, and providers of single runs."""
        container = self._container
        async with read_session(container.sessions) as session:
            await container.providers(session).mask_stored_keys()
            await ConnectionService(session, container.tools.connections).mask_stored_secrets()
            await McpCredentials(session, container.cipher, container.mask).mask_stored()
            runs = RunService(session)
            for run_id in container.inline_providers.list_run_ids(kept_for_seconds=SECRET_SWEEP_SECONDS):
                if await runs.is_finished(run_id):
                    container.inline_providers.forget(run_id)

    async def refresh_mcp_tokens(self) -> None:
        """Refresh the tokens of MCP servers before they expire."""
        await McpAuthorizations(self._container.provide(McpDeps)).refresh_due()

    async def store_active_seconds(self) -> None:
        """Store how long this process has executed its runs, so that the time counts after a crash."""
        await self._container.event_writer.store_active_seconds()

    async def settle_lost_runs(self) -> None:
        """End or requeue the runs whose job is gone."""
        await LostRuns(self._container.provide(ExecutionDeps)).settle_all()

    async def end_silent_runs(self) -> None:
        """End the runs elsewhere that have sent nothing for too long."""
        await self._container.silent_runs().end_all()

    async def requeue_orphans(self) -> None:
        """Requeue the runs whose worker lost its lease (several workers on PostgreSQL)."""
        orphans = await self._container.queue.orphans()
        if orphans:
            log.warning("periodic_task.orphans_reclaimed", runs=[run_id for run_id, _ in orphans])
            await self._container.queue.requeue(orphans)
            self._container.telemetry.upkeep.orphans_reclaimed(len(orphans))

    async def delete_old_jobs(self) -> None:
        """Delete the queue's records of jobs that have ended."""
        queue, before = self._container.queue, now() - JOB_RETENTION
        deleted = JOB_BATCH
        while deleted == JOB_BATCH:
            deleted = await self._container.writer.run(
                lambda transaction: queue.forget_in(transaction, before, JOB_BATCH)
            )

    async def fold_outcomes(self) -> None:
        """Fold what ended runs have added to the statistics into their totals."""
        if await self._container.reader.run(has_entries):
            await OutcomeTotals(self._container.sessions).fold()

    async def delete_expired_runs(self) -> None:
        """Delete the runs and events that the settings no longer keep."""
        counts = await self._container.retention.delete_expired()
        self._container.telemetry.upkeep.retention_deleted(runs=counts.runs, events=counts.events)

    async def delete_expired_keys(self) -> None:
        """Delete the stored responses, browser sessions and public links that have expired."""
        async with unit_of_work(self._container.sessions) as session:
            await IdempotencyRepository(session).delete_before(now() - IDEMPOTENCY_RETENTION)
        async with unit_of_work(self._container.sessions) as session:
            await BrowserSessionRepository(session).delete_expired(now())
        async with unit_of_work(self._container.sessions) as session:
            await PublicLinkService(session).delete_expired()

    async def delete_old_audit_entries(self) -> None:
        """Delete the entries of the audit log that the settings no longer keep."""
        deleted = await self._container.audit.retention.delete_expired()
        if deleted:
            log.info("periodic_task.audit_entries_deleted", entries=deleted)

    async def clean_project_disk(self) -> None:
        """Remove what projects have left on this machine and neither a run nor a build uses."""
        disk = self._container.project_disk
        removed = await asyncio.to_thread(disk.remove_unused)
        if removed:
            log.info("periodic_task.environments_removed", environments=removed)

    async def shrink_database(self) -> None:
        """Return the space of deleted rows to the file system (SQLite)."""
        pages = await release_free_pages(self._container.settings.database)
        if pages:
            log.info("periodic_task.database_shrunk", pages=pages)

    async def delete_old_rate_buckets(self) -> None:
        async with unit_of_work(self._container.sessions) as session:
            await RateBucketRepository(session).delete_unused(now() - BUCKET_RETENTION)

    async def delete_old_sign_in_limits(self) -> None:
        async with unit_of_work(self._container.sessions) as session:
            await SignInLimitRepository(session).delete_old(
                now() - FAILURE_RETENTION, now() - KNOWN_ADDRESS_RETENTION
            )


def start_counting_storage(container: Container) -> asyncio.Task[None]:
    """Count repeatedly what each workspace stores: in every process, because each one refuses starts."""
    counting = _repeat(container.workspace_quota.refresh, STORAGE_SECONDS)
    return asyncio.create_task(counting, name="count-storage")


def start_audit(container: Container) -> list[asyncio.Task[None]]:
    """Store refused attempts, and seal the audit log: in every process, because some have no worker."""
    return [
        asyncio.create_task(container.audit.refusals.run(), name="store-refused-attempts"),
        asyncio.create_task(_repeat(container.audit.seal_and_send, SEAL_SECONDS), name="seal-audit-log"),
    ]


async def _repeat(task: Callable[[], Awaitable[None]], pause_seconds: float) -> None:
    while True:
        try:
            await task()
        except Exception:
            log.exception("periodic_task.failed", task=task.__name__)
        await asyncio.sleep(pause_seconds)

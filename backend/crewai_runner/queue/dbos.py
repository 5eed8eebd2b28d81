"""The durable queue: DBOS on the product's database, SQLite or PostgreSQL.

Only this file imports `dbos`. DBOS is a singleton, so at most one started queue per process may consume.
"""

import asyncio
import math
import socket
import uuid
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import ClassVar

import dbos._dbos as dbos_main
import dbos._queue as dbos_queue
import dbos._workflow_commands as dbos_commands
from dbos import DBOS, DBOSClient, DBOSConfig, DBOSPortableJSONSerializer, EnqueueOptions
from sqlalchemy import Engine
from sqlalchemy.ext.asyncio import AsyncSession

from crewai_runner.core import clock
from crewai_runner.core.waiting import run_in_daemon_thread
from crewai_runner.db.transaction_writer import WriteTransaction
from crewai_runner.queue.after_commit import AfterCommit
from crewai_runner.queue.data_dir_lock import DataDirLock
from crewai_runner.queue.database_engine import SCHEMA, close_queue_engine, make_queue_engine, queue_url
from crewai_runner.queue.job_runner import JobRunner
from crewai_runner.queue.job_table import JobTable, Key, workflow_id
from crewai_runner.queue.leases import WorkerLease, create_lease_table, do_nothing, exit_for_restart
from crewai_runner.queue.mute_logging import mute_dbos_logging
from crewai_runner.queue.port import DEFAULT_PRIORITY, JobState, QueueStats, RunJob
from crewai_runner.queue.queue_worker import QueueWorker
from crewai_runner.queue.worker_limits import QueueLimits

APPLICATION, QUEUE, WORKFLOW = "crewai-runner", "runs", "runs.execute"
JOB_VERSION = "1"
"""Change it only when waiting jobs of the old version can no longer run: they are never started then."""

EMBEDDED = "embedded"
"""Executor id of the only worker of an SQLite folder: stable, so that it recovers its jobs after a crash."""
_MAX_THREADS = 32
_POLL_SECONDS = {"sqlite": 2.0, "postgresql": 5.0}
"""Polls only find what no wake-up announced, such as delayed jobs and lost notifications."""


def make_tables(database_url: str) -> None:
    """Create or migrate the queue's tables; safe when several processes start at the same time."""
    DBOS.migrate(queue_url(database_url).render_as_string(hide_password=False), schema=SCHEMA)
    if queue_url(database_url).get_backend_name() != "sqlite":
        create_lease_table(database_url)


class DbosQueue:
    """A `JobQueue` whose jobs survive the process.

    `concurrency` is the number of jobs one worker runs at a time; `tenant_concurrency` how many of them
    may belong to one tenant (by default all). Each worker has its own limits. A worker polls when a job is
    submitted in its process, when a slot becomes free, when `wake` is called, and every `poll_seconds`. Each
    poll starts with a random tenant that has waiting jobs; within a tenant the lowest `priority` is first,
    then the oldest (jobs of one transaction have the same age). `on_submitted` is called on the event loop
    after the commit of a job, to wake other processes. `lease_seconds`, `on_lease_lost` (default: exit with
    status 75) and `on_worker_retired` apply to PostgreSQL only; the lease's thread calls both.
    """

    _consumer: ClassVar["DbosQueue | None"] = None

    def __init__(
        self,
        database_url: str,
        *,
        concurrency: int = 50,
        tenant_concurrency: int | None = None,
        poll_seconds: float | None = None,
        lease_seconds: float = 15.0,
        on_lease_lost: Callable[[], None] = exit_for_restart,
        on_worker_retired: Callable[[], None] = do_nothing,
        on_submitted: Callable[[], None] = do_nothing,
        folder_lock: DataDirLock | None = None,
    ) -> None:
        """`folder_lock` is the SQLite folder's lock, if the caller has already acquired it."""
        self._url = database_url
        self._embedded = queue_url(database_url).get_backend_name() == "sqlite"
        poll_seconds = poll_seconds or _POLL_SECONDS["sqlite" if self._embedded else "postgresql"]
        of_tenant = min(tenant_concurrency or concurrency, concurrency)
        self._limits = QueueLimits(concurrency, of_tenant, poll_seconds)
        self._lease_seconds = lease_seconds
        self._on_lease_lost, self._on_worker_retired = on_lease_lost, on_worker_retired
        self._on_submitted, self._submitted = on_submitted, AfterCommit[None](self._announce_jobs)
        self._folder_lock = folder_lock
        self._engine: Engine | None = None
        self._client: DBOSClient | None = None
        self._runner: JobRunner | None = None
        self._claim: DataDirLock | WorkerLease | None = None
        self._executor_id: str | None = None
        self._worker: QueueWorker | None = None

    async def start(self, job: RunJob, *, consume: bool = True) -> None:
        """Create or migrate the queue's tables; with `consume`, run jobs and recover those of this worker.

        Raises DataDirInUse when another process consumes from the same SQLite folder, RuntimeError
        when this queue is already started or another one consumes in this process, and
        SQLAlchemyError when the database is unavailable.
        """
        if self._engine is not None:
            raise RuntimeError("the queue is already started")
        mute_dbos_logging()
        self._engine = make_queue_engine(self._url)
        try:
            await asyncio.to_thread(self._open, job, asyncio.get_running_loop(), consume)
        except BaseException:
            await asyncio.to_thread(self._close, 0)
            raise

    async def drain(self, timeout_seconds: float) -> None:
        """Start no more jobs, wait for the running ones, then close; the queue can be started again.

        Jobs that exceed the timeout are cancelled and run again elsewhere or after the next start.
        Returns up to a second after the last job, immediately when idle.
        """
        busy = self._runner is not None and self._runner.running > 0
        await run_in_daemon_thread(partial(self._close, math.ceil(timeout_seconds) if busy else 0))

    async def submit(
        self,
        session: AsyncSession,
        run_id: str,
        attempt: int,
        *,
        tenant: str,
        priority: int = DEFAULT_PRIORITY,
        not_before: datetime | None = None,
    ) -> None:
        """Submit one attempt in the caller's transaction, on the caller's connection.

        `priority` is 1 (first) to 2**31 - 1. A job may start 10 s after `not_before`, or 30 s on PostgreSQL.
        """
        client, options = self._require_client(), self._enqueue_options(run_id, attempt, tenant, priority)
        if not_before is not None and (delay := (not_before - clock.now()).total_seconds()) > 0:
            options["delay_seconds"] = delay
        connection = await session.connection()
        await connection.run_sync(client.enqueue_in_transaction, options, run_id, attempt)
        self._submitted.add(session.sync_session, None)

    def submit_in(self, transaction: WriteTransaction, run_id: str, attempt: int, *, tenant: str) -> None:
        """`submit` in a transaction of the transaction writer, on its connection and in its thread."""
        options = self._enqueue_options(run_id, attempt, tenant, DEFAULT_PRIORITY)
        self._require_client().enqueue_in_transaction(transaction.connection, options, run_id, attempt)
        transaction.after_commit.append(self._announce_jobs)

    def wake(self) -> None:
        """Look for jobs now: another process has submitted one."""
        if self._worker is not None:
            self._worker.polls.wake()

    def _announce_jobs(self, _submitted: None = None) -> None:
        self.wake()
        self._on_submitted()

    async def states(self, jobs: Sequence[Key]) -> dict[Key, JobState]:
        """Return the states of the unfinished jobs."""
        runner, me = self._runner, self._executor_id
        return await asyncio.to_thread(
            self._job_table().read_states, jobs, me, lambda key: runner is not None and runner.is_running(key)
        )

    async def orphans(self) -> list[tuple[str, int]]:
        """Return attempts started by a worker that no longer holds a lease; always empty on SQLite."""
        return await asyncio.to_thread(self._job_table().list_orphans)

    async def requeue(self, jobs: list[tuple[str, int]]) -> None:
        """Requeue those attempts that are still orphaned. Call it after the commit."""
        await asyncio.to_thread(self._job_table().requeue, jobs)
        self._announce_jobs()

    def forget_in(self, transaction: WriteTransaction, finished_before: datetime, limit: int) -> int:
        """Delete the records of jobs that ended before a time, in a transaction of the transaction writer."""
        return self._job_table().delete_ended_before(transaction.connection, finished_before, limit)

    async def delete_ended(self, jobs: Sequence[Key]) -> None:
        """Delete the records of those jobs that have ended. Call it after the commit, like `cancel`."""
        ids = await asyncio.to_thread(self._job_table().list_ended, jobs)
        await self._require_client().delete_workflows_async(ids)

    async def stats(self) -> QueueStats:
        """Return the current counts, from an index of the unfinished jobs."""
        return await asyncio.to_thread(self._job_table().stats, clock.now())

    def _require_client(self) -> DBOSClient:
        if self._client is None:
            raise RuntimeError("the queue is not started")
        return self._client

    def _job_table(self) -> JobTable:
        if self._engine is None:
            raise RuntimeError("the queue is not started")
        return JobTable(self._engine, QUEUE)

    @staticmethod
    def _enqueue_options(run_id: str, attempt: int, tenant: str, priority: int) -> EnqueueOptions:
        return EnqueueOptions(
            workflow_name=WORKFLOW,
            queue_name=QUEUE,
            workflow_id=workflow_id(run_id, attempt),
            app_version=JOB_VERSION,
            queue_partition_key=tenant,
            priority=priority,
        )

    # The methods below run in a thread without an event loop, so that DBOS creates a loop of its own.

    def _open(self, job: RunJob, loop: asyncio.AbstractEventLoop, consume: bool) -> None:
        make_tables(self._url)
        self._client = DBOSClient(
            system_database_engine=self._engine,
            dbos_system_schema=SCHEMA,
            serializer=DBOSPortableJSONSerializer(),
            application_name=APPLICATION,
            lazy=True,
        )
        if consume:
            self._register_queue(self._client)
            self._start_consumer(JobRunner(job, loop))

    def _register_queue(self, client: DBOSClient) -> None:
        # Before the launch: afterwards DBOS checks for new queues only once a second.
        client.register_queue(
            QUEUE,
            worker_concurrency=self._limits.concurrency,
            partition_worker_concurrency=self._limits.tenant_concurrency,
            polling_interval_sec=self._limits.poll_seconds,
            on_conflict="always_update",
        )

    def _start_consumer(self, runner: JobRunner) -> None:
        if DbosQueue._consumer is not None:
            raise RuntimeError("another queue of this process already consumes")
        executor_id = EMBEDDED if self._embedded else f"{socket.gethostname()}-{uuid.uuid4().hex[:12]}"
        self._executor_id = executor_id
        claim = self._make_claim(executor_id)
        claim.acquire()
        self._claim, self._runner, DbosQueue._consumer = claim, runner, self
        self._worker = QueueWorker(self._job_table(), QUEUE, self._limits)
        self._worker.replace_threads(dbos_main, dbos_queue)
        # DBOS looks for delayed jobs and, without need, for jobs with a deadline.
        dbos_commands._BACKGROUND_JOBS_INTERVAL_SEC = max(1.0, 5 * self._limits.poll_seconds)  # noqa: SLF001
        DBOS(config=self._make_config(executor_id))
        _register(runner)
        DBOS.launch()

    def _make_claim(self, executor_id: str) -> DataDirLock | WorkerLease:
        if self._embedded:
            return self._folder_lock or DataDirLock(Path(str(queue_url(self._url).database)).parent)
        return WorkerLease(
            self._url,
            executor_id,
            seconds=self._lease_seconds,
            on_lost=self._on_lease_lost,
            on_retired=self._on_worker_retired,
        )

    def _make_config(self, executor_id: str) -> DBOSConfig:
        return DBOSConfig(
            name=APPLICATION,
            system_database_engine=self._engine,
            dbos_system_schema=SCHEMA,
            serializer=DBOSPortableJSONSerializer(),
            application_version=JOB_VERSION,
            executor_id=executor_id,
            max_executor_threads=_MAX_THREADS,
            run_migrations=False,
            # DBOS messages are not used.
            use_listen_notify=False,
            enable_otlp=False,
            log_level="WARNING",
        )

    def _close(self, wait_seconds: int) -> None:
        if DbosQueue._consumer is self:
            DBOS.destroy(destroy_registry=True, workflow_completion_timeout_sec=wait_seconds)
            DbosQueue._consumer = None
        if self._client is not None:
            self._client.destroy()
        if self._engine is not None:
            close_queue_engine(self._engine)
        if self._claim is not None:
            self._claim.release()
        self._runner = self._client = self._engine = self._claim = self._executor_id = self._worker = None


def _register(runner: JobRunner) -> None:
    # No limit: DBOS also counts polite restarts. The product counts the losses of a run's worker itself.
    @DBOS.workflow(name=WORKFLOW, max_recovery_attempts=None)
    async def execute(run_id: str, attempt: int) -> None:
        await runner.run(run_id, attempt)

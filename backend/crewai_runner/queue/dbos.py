"""The durable queue: DBOS on the product's own database, SQLite or PostgreSQL, one code path.

Only this file imports `dbos`. DBOS is one per process, so at most one started queue may consume.
"""

import asyncio
import math
import socket
import uuid
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import ClassVar

from dbos import DBOS, DBOSClient, DBOSConfig, DBOSPortableJSONSerializer, EnqueueOptions, StepOptions
from sqlalchemy import Engine
from sqlalchemy.ext.asyncio import AsyncSession

from crewai_runner.core import clock
from crewai_runner.queue.backlog import Backlog, workflow_id
from crewai_runner.queue.bridge import JobBridge
from crewai_runner.queue.data_dir_lock import DataDirLock
from crewai_runner.queue.engine import SCHEMA, close_queue_engine, make_queue_engine, queue_url
from crewai_runner.queue.leases import WorkerLease, create_lease_table, exit_for_restart, nothing_more
from crewai_runner.queue.port import QueueStats, RunJob
from crewai_runner.queue.quiet import quieten

APPLICATION = "crewai-runner"
QUEUE = "runs"
WORKFLOW = "runs.execute"
JOB_VERSION = "1"
"""Raise only when a waiting job of the old kind cannot run any more: such jobs then stay behind."""

EMBEDDED = "embedded"  # an SQLite folder's one worker: it finds its own jobs after a crash
_MAX_RECOVERIES = 100  # The product counts attempts by its own rows and gives up much earlier.
_MAX_THREADS = 32
_FORGET_AT_ONCE = 1000
_POLL_SECONDS = {"sqlite": 0.1, "postgresql": 0.2}
_STEP = StepOptions(name="run", preemptible=True)


def make_tables(database_url: str) -> None:
    """Create or migrate the queue's own tables; safe when several start at once."""
    url = queue_url(database_url)
    DBOS.migrate(url.render_as_string(hide_password=False), schema=SCHEMA)
    if url.get_backend_name() != "sqlite":
        create_lease_table(database_url)


class DbosQueue:
    """A `JobQueue` whose jobs survive the process.

    `concurrency` is how many jobs one worker runs at a time; `tenant_concurrency` how many of them
    may belong to one tenant (all of them by default). The newest worker's figures hold for all.
    Among tenants with waiting jobs each poll begins with one at random; within a tenant the lowest
    `priority` is first, then the oldest (jobs of one transaction are of one age). `lease_seconds`
    matters on PostgreSQL only; `on_lease_lost` runs in the lease's thread and by default ends the
    process with status 75. `on_worker_retired` runs there too, once for each dead worker that this one
    finds: who has lost a lease cannot tell it any more.
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
        on_worker_retired: Callable[[], None] = nothing_more,
        folder_lock: DataDirLock | None = None,
    ) -> None:
        """`folder_lock`: the lock of the SQLite folder, when the caller has taken it already."""
        self._url = database_url
        self._embedded = queue_url(database_url).get_backend_name() == "sqlite"
        self._concurrency = concurrency
        self._tenant_concurrency = min(tenant_concurrency or concurrency, concurrency)
        self._poll_seconds = poll_seconds or _POLL_SECONDS["sqlite" if self._embedded else "postgresql"]
        self._lease_seconds = lease_seconds
        self._on_lease_lost, self._on_worker_retired = on_lease_lost, on_worker_retired
        self._folder_lock = folder_lock
        self._engine: Engine | None = None
        self._client: DBOSClient | None = None
        self._bridge: JobBridge | None = None
        self._claim: DataDirLock | WorkerLease | None = None

    async def start(self, job: RunJob, *, consume: bool = True) -> None:
        """Create or migrate the queue's tables; with `consume`, take jobs and recover one's own.

        Raises DataDirInUse when another process consumes from the same SQLite folder, RuntimeError
        when this queue is started already or another one consumes in this process, and
        SQLAlchemyError when the database is away.
        """
        if self._engine is not None:
            raise RuntimeError("the queue is already started")
        quieten()
        self._engine = make_queue_engine(self._url)
        try:
            await asyncio.to_thread(self._open, job, asyncio.get_running_loop(), consume)
        except BaseException:
            await asyncio.to_thread(self._close, 0)
            raise

    async def drain(self, timeout_seconds: float) -> None:
        """Take no more jobs, wait for the running ones, then close; the queue may be started again.

        Jobs that outlast the time-out are cancelled and begin again elsewhere or at the next start.
        Takes up to a second longer than the jobs need, no time when idle.
        """
        busy = self._bridge is not None and self._bridge.running > 0
        await asyncio.to_thread(self._close, math.ceil(timeout_seconds) if busy else 0)

    async def submit(
        self,
        session: AsyncSession,
        run_id: str,
        attempt: int,
        *,
        tenant: str,
        priority: int = 10,
        not_before: datetime | None = None,
    ) -> None:
        """Queue one attempt in the caller's transaction, on the caller's connection.

        `priority` is 1 (first) to 2**31 - 1. `not_before` holds the job back, to the second.
        """
        client, options = self._started(), self._options(run_id, attempt, tenant, priority)
        if not_before is not None and (delay := (not_before - clock.now()).total_seconds()) > 0:
            options["delay_seconds"] = delay
        connection = await session.connection()
        await connection.run_sync(client.enqueue_in_transaction, options, run_id, attempt)

    async def cancel(self, run_id: str, attempt: int) -> None:
        """Forget a job that has not begun; cancel one that has, here at once, elsewhere within 1 s.

        Call it after the commit: inside a unit of work it would wait, on SQLite, for its caller's lock.
        """
        await self._started().cancel_workflow_async(workflow_id(run_id, attempt))
        if self._bridge is not None:
            self._bridge.stop(run_id, attempt)

    async def orphans(self) -> list[tuple[str, int]]:
        """Attempts begun by a worker without a lease; always none on SQLite."""
        return await asyncio.to_thread(self._backlog().orphans)

    async def requeue(self, jobs: list[tuple[str, int]]) -> None:
        """Queue again, under the same attempt, what is still orphaned. After the commit, as `cancel`."""
        await asyncio.to_thread(self._backlog().put_back, jobs)

    async def forget(self, finished_before: datetime) -> int:
        """Drop the records of jobs that ended before then, at most 1000 a call; returns how many.

        After the commit, as `cancel`. A forgotten attempt could be submitted again.
        """
        names = await asyncio.to_thread(self._backlog().finished, finished_before, _FORGET_AT_ONCE)
        await self._started().delete_workflows_async(names)
        return len(names)

    async def stats(self) -> QueueStats:
        """Two counts and a minimum over an index of the jobs that are not finished."""
        return await asyncio.to_thread(self._backlog().figures, clock.now())

    def _started(self) -> DBOSClient:
        if self._client is None:
            raise RuntimeError("the queue is not started")
        return self._client

    def _backlog(self) -> Backlog:
        if self._engine is None:
            raise RuntimeError("the queue is not started")
        return Backlog(self._engine, QUEUE)

    @staticmethod
    def _options(run_id: str, attempt: int, tenant: str, priority: int) -> EnqueueOptions:
        return EnqueueOptions(
            workflow_name=WORKFLOW,
            queue_name=QUEUE,
            workflow_id=workflow_id(run_id, attempt),
            app_version=JOB_VERSION,
            queue_partition_key=tenant,
            priority=priority,
        )

    # What follows runs in a thread without an event loop, which makes DBOS use a loop of its own.

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
            self._declare(self._client)
            self._consume(JobBridge(job, loop))

    def _declare(self, client: DBOSClient) -> None:
        # Before the launch: afterwards DBOS looks for new queues only once a second.
        client.register_queue(
            QUEUE,
            worker_concurrency=self._concurrency,
            partition_worker_concurrency=self._tenant_concurrency,
            polling_interval_sec=self._poll_seconds,
            on_conflict="always_update",
        )

    def _consume(self, bridge: JobBridge) -> None:
        if DbosQueue._consumer is not None:
            raise RuntimeError("another queue of this process already consumes")
        executor_id = EMBEDDED if self._embedded else f"{socket.gethostname()}-{uuid.uuid4().hex[:12]}"
        claim = self._make_claim(executor_id)
        claim.acquire()
        self._claim, self._bridge, DbosQueue._consumer = claim, bridge, self
        DBOS(config=self._config(executor_id))
        _register(bridge)
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

    def _config(self, executor_id: str) -> DBOSConfig:
        return DBOSConfig(
            name=APPLICATION,
            system_database_engine=self._engine,
            dbos_system_schema=SCHEMA,
            serializer=DBOSPortableJSONSerializer(),
            application_version=JOB_VERSION,
            executor_id=executor_id,
            max_executor_threads=_MAX_THREADS,
            run_migrations=False,
            # Nothing here waits for DBOS messages, so the listener needs no connection and no time.
            use_listen_notify=False,
            notification_listener_polling_interval_sec=0.1,
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
        self._bridge = self._client = self._engine = self._claim = None


def _register(bridge: JobBridge) -> None:
    async def execute(run_id: str, attempt: int) -> None:
        await DBOS.run_step_async(_STEP, bridge.perform, run_id, attempt)

    DBOS.workflow(name=WORKFLOW, max_recovery_attempts=_MAX_RECOVERIES)(execute)

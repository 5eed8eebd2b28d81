"""Which adapter stands behind each port in this process, and how its parts come up and go down."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from crewai_runner.core.api_key import load_api_key
from crewai_runner.core.clock import now
from crewai_runner.core.egress import EgressPolicy
from crewai_runner.core.errors import Unavailable
from crewai_runner.core.logging import SecretMask, get_logger
from crewai_runner.core.principal import BUILTIN_WORKSPACE
from crewai_runner.core.secret_key import create_cipher
from crewai_runner.core.settings import Role, Settings
from crewai_runner.db.migrate import upgrade
from crewai_runner.db.session import Sessions, make_engine, make_sessions, pop_notifications, unit_of_work
from crewai_runner.executor.port import EngineState, Executor
from crewai_runner.features.approvals.service import ApprovalService
from crewai_runner.features.auth.rules import SignInFailureLimiter
from crewai_runner.features.auth.service import AuthService
from crewai_runner.features.executions.inline_providers import InlineProviders
from crewai_runner.features.executions.jobs import RunExecutions
from crewai_runner.features.executions.journal import Journal
from crewai_runner.features.metrics.service import Telemetry
from crewai_runner.features.models.service import ModelService
from crewai_runner.features.providers.service import ProviderService
from crewai_runner.features.workspaces.service import WorkspaceService
from crewai_runner.http.ratelimit.memory import MemoryRateLimiter
from crewai_runner.http.ratelimit.port import Rate, RateLimiter
from crewai_runner.http.ratelimit.repository import RateBucketRepository
from crewai_runner.http.ratelimit.shared import SharedRateLimiter
from crewai_runner.localmodel.supervisor import LocalModelSupervisor
from crewai_runner.queue.data_dir_lock import DataDirLock
from crewai_runner.queue.port import JobQueue, QueueStats, RunJob
from crewai_runner.stream.notifier import MemoryNotifier, Notifier

log = get_logger(__name__)
SWEEP_SECONDS = 15.0
ORPHAN_SECONDS = 2.0
"""How long the runs of a worker that was given up lie about: one cheap look each time."""
QUEUE_PATIENCE_SECONDS = 20.0
JOBS_KEPT = timedelta(days=7)
BUCKETS_KEPT = timedelta(days=1)
BUCKET_SWEEP_SECONDS = 3600.0


class Container:
    """The parts of one process. Endpoints and jobs find everything here."""

    def __init__(
        self,
        settings: Settings,
        *,
        mask: SecretMask | None = None,
        executor: Executor | None = None,
        queue: JobQueue | None = None,
        folder_lock: DataDirLock | None = None,
    ) -> None:
        self.settings = settings
        self.mask = mask or SecretMask()
        self.cipher = create_cipher(settings, self.mask.add)
        self.api_key, _ = load_api_key(settings)
        self.mask.add(self.api_key)
        self.auth = AuthService(self.api_key, SignInFailureLimiter(settings.auth_failures_per_minute))
        self.egress = EgressPolicy(allow_private=settings.can_use_private_urls)
        self.engine: AsyncEngine = make_engine(settings.database)
        self.telemetry = Telemetry(self)
        self.sessions = make_sessions(self.engine, self.telemetry.heard)
        self.rate_limiter = _rate_limiter(settings, self.sessions)
        self.notifier = _notifier(settings)
        self.at_work: set[str] = set()
        """The runs whose crews this process drives now."""
        self.inline_providers = InlineProviders()
        self.journal = Journal(self.sessions, self.notifier, self.mask, self.telemetry.upkeep)
        self.local_model = LocalModelSupervisor(settings.local_model)
        self.queue = LateQueue()
        self.queue_ready = asyncio.Event()
        self._queue_failed = asyncio.Event()
        self.queue_message = "starting"
        self.executor: Executor = executor or _crew_executor(settings, self.egress)
        self._given_queue, self._folder_lock = queue, folder_lock
        self._loaded = asyncio.Event()
        self._loading: asyncio.Task[None] | None = None
        self._tasks: list[asyncio.Task[None]] = []

    def models(self, session: AsyncSession) -> ModelService:
        return ModelService(
            session, cipher=self.cipher, mask=self.mask, egress=self.egress, local=self.local_model
        )

    def providers(self, session: AsyncSession) -> ProviderService:
        return ProviderService(
            session, cipher=self.cipher, mask=self.mask, egress=self.egress, local=self.local_model
        )

    async def queue_open(self) -> None:
        """Wait until work can be queued. Raises Unavailable (503) when that takes too long, or has failed.

        Call it before a transaction's first statement: the queue makes its tables while it starts.
        """
        if self.queue_ready.is_set():
            return
        ways = [asyncio.create_task(event.wait()) for event in (self.queue_ready, self._queue_failed)]
        try:
            await asyncio.wait(ways, timeout=QUEUE_PATIENCE_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
        if not self.queue_ready.is_set():
            raise Unavailable(
                f"The queue is not open: {self.queue_message}. Try again in a moment.",
                headers={"Retry-After": "5"},
            )

    async def executor_ready(self) -> None:
        """Wait until the engine is loaded, or has failed to load."""
        await self._loaded.wait()

    async def load_engine(self) -> None:
        """As `executor_ready`; a process that runs no crews loads the engine when it is first needed."""
        if self._loading is None:
            self._loading = asyncio.create_task(self._load())
        await asyncio.shield(self._loading)

    async def _load(self) -> None:
        try:
            await self.executor.load()
        finally:
            self._loaded.set()
        if self.executor.status().state is EngineState.FAILED:
            log.error("engine.failed", reason=self.executor.status().message)

    async def start(self) -> None:
        """Migrate and seed; the slow parts (queue, engine, built-in model) come up in the background."""
        self.settings.data_dir.mkdir(parents=True, exist_ok=True)
        await asyncio.to_thread(upgrade, self.settings.database)
        async with unit_of_work(self.sessions) as session:
            await WorkspaceService(session).ensure_builtin()
        async with unit_of_work(self.sessions) as session:
            await self.providers(session).mask_stored_keys()
        await self.notifier.start()
        self.journal.start()
        self.telemetry.start()
        await self.local_model.start()
        await self._seed_local_model()
        self._tasks = [asyncio.create_task(self._come_up(), name="come-up")]

    async def _seed_local_model(self) -> None:
        if self.local_model.unavailable_reason() is None:
            self.mask.add(self.local_model.token.get_secret_value())
            async with unit_of_work(self.sessions) as session:
                await self.models(session).ensure_local(BUILTIN_WORKSPACE)

    async def _come_up(self) -> None:
        """The queue first, so that work is accepted; then the engine, which takes seconds to import."""
        consume = self.settings.role is not Role.API
        try:
            queue = self._given_queue
            if queue is None:
                retired = self.telemetry.upkeep.worker_retired
                queue = await asyncio.to_thread(_durable_queue, self.settings, self._folder_lock, retired)
            await queue.start(RunExecutions(self), consume=consume)
        except Exception as error:
            self.queue_message = str(error)
            self._queue_failed.set()
            log.exception("queue.failed")
            raise
        self.queue.opened(queue)
        self.queue_ready.set()
        if consume:
            await self.load_engine()
            chores = [(self.expire_approvals, SWEEP_SECONDS), (self.forget_old_jobs, SWEEP_SECONDS)]
            if not self.settings.is_embedded:
                chores.append((self.take_up_orphans, ORPHAN_SECONDS))
                chores.append((self.forget_rate_buckets, BUCKET_SWEEP_SECONDS))
            self._tasks += [asyncio.create_task(_for_ever(chore, pause)) for chore, pause in chores]

    async def expire_approvals(self) -> None:
        async with unit_of_work(self.sessions) as session:
            await ApprovalService(session, self.queue, self.mask).expire_overdue()
        self.notifier.publish(pop_notifications(session))

    async def take_up_orphans(self) -> None:
        """Give runs whose worker is no more back to the queue (several workers on PostgreSQL)."""
        orphans = await self.queue.orphans()
        if orphans:
            log.warning("sweep.orphans", runs=[run_id for run_id, _ in orphans])
            await self.queue.requeue(orphans)
            self.telemetry.upkeep.orphans_taken_up(len(orphans))

    async def forget_old_jobs(self) -> None:
        await self.queue.forget(now() - JOBS_KEPT)

    async def forget_rate_buckets(self) -> None:
        async with unit_of_work(self.sessions) as session:
            await RateBucketRepository(session).delete_unused(now() - BUCKETS_KEPT)

    async def stop(self) -> None:
        """Give running crews a moment, hand them back to the queue, close everything."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self.queue_ready.is_set():
            await self.queue.drain(self.settings.drain_seconds)
        await self.journal.close()
        await self.telemetry.close()
        await self.notifier.stop()
        await self.local_model.stop()
        await self.engine.dispose()


async def _for_ever(chore: Callable[[], Awaitable[None]], pause_seconds: float) -> None:
    while True:
        try:
            await chore()
        except Exception:
            log.exception("sweep.failed", chore=chore.__name__)
        await asyncio.sleep(pause_seconds)


class LateQueue:
    """The queue's place from the first moment on; until the queue is open, callers are told to come again."""

    def __init__(self) -> None:
        self._queue: JobQueue | None = None

    def opened(self, queue: JobQueue) -> None:
        self._queue = queue

    @property
    def _open(self) -> JobQueue:
        if self._queue is None:
            raise Unavailable("The queue is still starting; try again.", headers={"Retry-After": "2"})
        return self._queue

    async def start(self, job: RunJob, *, consume: bool = True) -> None:
        await self._open.start(job, consume=consume)

    async def drain(self, timeout_seconds: float) -> None:
        await self._open.drain(timeout_seconds)

    async def submit(self, session: AsyncSession, run_id: str, attempt: int, **options: Any) -> None:
        await self._open.submit(session, run_id, attempt, **options)

    async def cancel(self, run_id: str, attempt: int) -> None:
        await self._open.cancel(run_id, attempt)

    async def orphans(self) -> list[tuple[str, int]]:
        return await self._open.orphans()

    async def requeue(self, jobs: list[tuple[str, int]]) -> None:
        await self._open.requeue(jobs)

    async def forget(self, finished_before: datetime) -> int:
        return await self._open.forget(finished_before)

    async def stats(self) -> QueueStats:
        return await self._open.stats()


def rate_of(settings: Settings) -> Rate | None:
    """How many requests a caller may make; None: as many as they like."""
    per_minute = settings.rate_limit_per_minute
    return Rate(per_minute, settings.rate_limit_burst) if per_minute else None


def _rate_limiter(settings: Settings, sessions: Sessions) -> RateLimiter | None:
    """On SQLite there is one process, and what it counts itself is exact."""
    rate = rate_of(settings)
    if rate is None:
        return None
    return MemoryRateLimiter(rate) if settings.is_embedded else SharedRateLimiter(sessions, rate)


def _notifier(settings: Settings) -> Notifier:
    """On SQLite there is one process, and its own bell is enough."""
    if settings.is_embedded:
        return MemoryNotifier()
    from crewai_runner.stream.postgres import PostgresNotifier  # noqa: PLC0415

    return PostgresNotifier(settings.database)


def _durable_queue(
    settings: Settings, folder_lock: DataDirLock | None, on_worker_retired: Callable[[], None]
) -> JobQueue:
    # Imported here, in a thread: it costs a second that the first answer need not wait for.
    from crewai_runner.queue.dbos import DbosQueue  # noqa: PLC0415

    return DbosQueue(
        settings.database,
        concurrency=settings.worker_concurrency,
        lease_seconds=settings.lease_seconds,
        on_worker_retired=on_worker_retired,
        folder_lock=folder_lock,
    )


def _crew_executor(settings: Settings, egress: EgressPolicy) -> Executor:
    from crewai_runner.executor.crew.executor import CrewExecutor  # noqa: PLC0415

    folder = Path(settings.data_dir).absolute() / "engine"
    return CrewExecutor(folder, settings.worker_concurrency, egress=egress)

"""Starts and stops the objects of a container."""

import asyncio
from collections.abc import Coroutine
from typing import Any

from crewai_runner.core.logging import get_logger
from crewai_runner.core.setting_choices import Role
from crewai_runner.db.migrate import upgrade
from crewai_runner.db.session import unit_of_work
from crewai_runner.features.connections.service import ConnectionService
from crewai_runner.features.executions.execution_deps import ExecutionDeps
from crewai_runner.features.executions.jobs import RunWorker
from crewai_runner.features.knowledge.jobs import KnowledgeEmbeddings
from crewai_runner.features.knowledge.rules import is_embedding_job
from crewai_runner.features.knowledge.service import KnowledgeDeps
from crewai_runner.features.mcp.service import McpCredentials
from crewai_runner.features.projects.jobs import ProjectBuildDeps, ProjectBuilds
from crewai_runner.features.projects.rules import is_build_job
from crewai_runner.queue.data_dir_lock import DataDirLock
from crewai_runner.queue.port import JobQueue, RunJob
from crewai_runner.stream.notifier import JOBS_TOPIC
from crewai_runner.wiring.adapters import make_durable_queue
from crewai_runner.wiring.container import Container
from crewai_runner.wiring.periodic_tasks import PeriodicTasks, start_audit, start_counting_storage

log = get_logger(__name__)
CLOSING_SECONDS = 5.0
"""How long the whole stop may take in addition to DRAIN_SECONDS."""
PARTS_SECONDS = 2.0
"""The part of it that is left when the queue is closed. Before, cancelled runs return to the queue."""
MIN_PART_SECONDS = 0.1
"""What each part gets when no time is left."""


class ProcessLifecycle:
    """The start and stop of one process."""

    def __init__(
        self,
        container: Container,
        *,
        queue: JobQueue | None = None,
        folder_lock: DataDirLock | None = None,
    ) -> None:
        """`queue` replaces the durable one; `folder_lock` is the SQLite folder's, if already acquired."""
        self._container = container
        self._given_queue, self._folder_lock = queue, folder_lock
        self._tasks: list[asyncio.Task[None]] = []
        self._queue_tried = asyncio.Event()

    async def start(self) -> None:
        """Migrate and seed; the queue, the engine and the periodic tasks start in the background."""
        container = self._container
        for old, new in container.settings.deprecated_names:
            log.warning("setting.deprecated", name=old, use=new)
        container.settings.data_dir.mkdir(parents=True, exist_ok=True)
        await asyncio.to_thread(upgrade, container.settings.database)
        async with unit_of_work(container.sessions) as session:
            await container.workspaces(session).ensure_builtin()
        async with unit_of_work(container.sessions) as session:
            await container.providers(session).mask_stored_keys()
            await ConnectionService(session, container.tools.connections).mask_stored_secrets()
            await McpCredentials(session, container.cipher, container.mask).mask_stored()
        await container.notifier.start()
        container.event_writer.start()
        container.telemetry.start()
        await container.local_model.start()
        await self._register_local_model()
        self._tasks = [
            asyncio.create_task(self._start_slow_parts(), name="start-slow-parts"),
            start_counting_storage(container),
            *start_audit(container),
        ]

    async def _register_local_model(self) -> None:
        container = self._container
        if container.local_model.unavailable_reason() is None:
            container.mask.add(container.local_model.token.get_secret_value())
            async with unit_of_work(container.sessions) as session:
                await container.workspaces(session).furnish_all()

    async def _start_slow_parts(self) -> None:
        """The queue first, so that runs are accepted; then the engine, which takes seconds to import."""
        consumes = self._container.settings.role is not Role.API
        if consumes:
            # Also when the queue cannot open: the engine answers chats, and the health page names the queue.
            loading = asyncio.create_task(self._load_engine_after_queue(), name="load-engine-after-queue")
            self._tasks.append(loading)
        try:
            await self._open_queue(consume=consumes)
        finally:
            self._queue_tried.set()

    async def _load_engine_after_queue(self) -> None:
        await self._queue_tried.wait()
        await self._container.loader.load()
        if self._container.queue.is_open:
            self._tasks += PeriodicTasks(self._container).start()
            self._tasks.append(asyncio.create_task(self._container.webhooks.run(), name="webhooks"))

    async def _open_queue(self, *, consume: bool) -> None:
        container = self._container
        try:
            queue = self._given_queue
            if queue is None:
                queue = await asyncio.to_thread(
                    make_durable_queue,
                    container.settings,
                    self._folder_lock,
                    on_worker_retired=container.telemetry.upkeep.worker_retired,
                    on_submitted=lambda: container.notifier.publish({JOBS_TOPIC}),
                )
            await queue.start(make_job_body(container), consume=consume)
        except Exception as error:
            container.queue.fail(str(error))
            log.exception("queue.failed")
            raise
        container.queue.open(queue)
        if consume and not container.settings.is_embedded:
            container.notifier.listen(JOBS_TOPIC, queue.wake)
            queue.wake()

    async def stop(self) -> None:
        """Wait for active runs up to DRAIN_SECONDS, requeue the rest, close everything.

        Ends within DRAIN_SECONDS and `CLOSING_SECONDS`, also while the database does not answer.
        """
        container, loop = self._container, asyncio.get_running_loop()
        drained_at = loop.time() + container.settings.drain_seconds
        deadline = drained_at + CLOSING_SECONDS
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=MIN_PART_SECONDS)
        if container.queue.is_open:
            drain = container.queue.drain(max(0.0, drained_at - loop.time()))
            await _close_until(deadline - PARTS_SECONDS, "queue", drain)
        await _close_until(deadline, "executor", container.loader.executor.close())
        await container.event_writer.close(_seconds_until(deadline))
        await _close_until(deadline, "telemetry", container.telemetry.close())
        await _close_until(deadline, "groups", container.identities.groups.close())
        await _close_until(deadline, "notifier", container.notifier.stop())
        await container.local_model.stop()
        await _close_until(deadline, "audit", container.audit.refusals.store_due(is_last=True))
        await _close_until(deadline, "writer", container.writer.close())
        await _close_until(deadline, "reader", container.reader.close())
        await _close_until(deadline, "engine", container.engine.dispose())


def make_job_body(container: Container) -> RunJob:
    """Return the body of all jobs: attempts of runs, builds of projects, embedding of knowledge files."""
    runs = RunWorker(container.provide(ExecutionDeps))
    builds = ProjectBuilds(container.provide(ProjectBuildDeps))
    embeddings = KnowledgeEmbeddings(container.provide(KnowledgeDeps))

    async def run_job(job: str, number: int) -> None:
        if is_embedding_job(job):
            await embeddings(job, number)
        else:
            await (builds if is_build_job(job) else runs)(job, number)

    return run_job


async def _close_until(deadline: float, part: str, closing: Coroutine[Any, Any, None]) -> None:
    """Close a part of the process; abandon and log it at the deadline, and log it when it raises."""
    task = asyncio.create_task(closing)
    await asyncio.wait([task], timeout=_seconds_until(deadline))
    if not task.done():
        task.cancel()
        log.warning("stop.abandoned", part=part)
    elif not task.cancelled() and (error := task.exception()) is not None:
        log.error("stop.failed", part=part, exc_info=error)


def _seconds_until(deadline: float) -> float:
    return max(MIN_PART_SECONDS, deadline - asyncio.get_running_loop().time())

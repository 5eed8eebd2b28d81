"""Starts and stops the objects of a container."""

import asyncio
from collections.abc import Coroutine
from typing import Any

from crewai_runner.core.logging import get_logger
from crewai_runner.core.principal import BUILTIN_WORKSPACE
from crewai_runner.core.settings import Role
from crewai_runner.db.migrate import upgrade
from crewai_runner.db.session import unit_of_work
from crewai_runner.features.executions.execution_deps import ExecutionDeps
from crewai_runner.features.executions.jobs import RunWorker
from crewai_runner.features.workspaces.service import WorkspaceService
from crewai_runner.queue.data_dir_lock import DataDirLock
from crewai_runner.queue.port import JobQueue
from crewai_runner.wiring.adapters import make_durable_queue
from crewai_runner.wiring.container import Container
from crewai_runner.wiring.periodic_tasks import PeriodicTasks

log = get_logger(__name__)
CLOSE_SECONDS = 2.0
"""How long each part may take to close."""
DRAIN_MARGIN_SECONDS = 6.0
"""How long the queue may take after the drain: cancelled runs return to it, and it closes its connections."""


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
        container.settings.data_dir.mkdir(parents=True, exist_ok=True)
        await asyncio.to_thread(upgrade, container.settings.database)
        async with unit_of_work(container.sessions) as session:
            await WorkspaceService(session).ensure_builtin()
        async with unit_of_work(container.sessions) as session:
            await container.providers(session).mask_stored_keys()
        await container.notifier.start()
        container.event_writer.start()
        container.telemetry.start()
        await container.local_model.start()
        await self._register_local_model()
        self._tasks = [asyncio.create_task(self._start_slow_parts(), name="start-slow-parts")]

    async def _register_local_model(self) -> None:
        container = self._container
        if container.local_model.unavailable_reason() is None:
            container.mask.add(container.local_model.token.get_secret_value())
            async with unit_of_work(container.sessions) as session:
                await container.models(session).ensure_local(BUILTIN_WORKSPACE)

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

    async def _open_queue(self, *, consume: bool) -> None:
        container = self._container
        try:
            queue = self._given_queue
            if queue is None:
                on_worker_retired = container.telemetry.upkeep.worker_retired
                queue = await asyncio.to_thread(
                    make_durable_queue, container.settings, self._folder_lock, on_worker_retired
                )
            await queue.start(RunWorker(container.provide(ExecutionDeps)), consume=consume)
        except Exception as error:
            container.queue.fail(str(error))
            log.exception("queue.failed")
            raise
        container.queue.open(queue)

    async def stop(self) -> None:
        """Wait for active runs up to DRAIN_SECONDS, requeue the rest, close everything.

        No step waits for a database that does not answer.
        """
        container = self._container
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=CLOSE_SECONDS)
        if container.queue.is_open:
            drain_seconds = container.settings.drain_seconds
            await _within(drain_seconds + DRAIN_MARGIN_SECONDS, "queue", container.queue.drain(drain_seconds))
        await container.event_writer.close(CLOSE_SECONDS)
        await _within(CLOSE_SECONDS, "telemetry", container.telemetry.close())
        await _within(CLOSE_SECONDS, "notifier", container.notifier.stop())
        await container.local_model.stop()
        await _within(CLOSE_SECONDS, "engine", container.engine.dispose())


async def _within(seconds: float, part: str, closing: Coroutine[Any, Any, None]) -> None:
    """Close a part of the process; abandon and log it when it takes too long or raises."""
    task = asyncio.create_task(closing)
    await asyncio.wait([task], timeout=seconds)
    if not task.done():
        task.cancel()
        log.warning("stop.abandoned", part=part, seconds=seconds)
    elif not task.cancelled() and (error := task.exception()) is not None:
        log.error("stop.failed", part=part, exc_info=error)

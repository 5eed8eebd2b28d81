"""Readiness checks and facts about this process."""

import asyncio
import os
import shutil
import sys
from collections.abc import Awaitable, Callable, Sized
from dataclasses import dataclass, replace

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from crewai_runner import __version__
from crewai_runner.core.setting_choices import ProjectsMode, Role
from crewai_runner.core.settings import Settings
from crewai_runner.db.session import Sessions, read_session
from crewai_runner.executor.loader import ExecutorLoader
from crewai_runner.executor.port import EngineState, EngineStatus
from crewai_runner.executor.projects.sandbox.selection import SandboxChoice
from crewai_runner.features.health.schemas import (
    About,
    EngineRead,
    LocalModelRead,
    Part,
    ProjectsRead,
    ProjectsState,
    Readiness,
)
from crewai_runner.localmodel.supervisor import LocalModelSupervisor
from crewai_runner.queue.deferred import DeferredQueue

LEAST_FREE_BYTES = 50 * 1024 * 1024
TIMEOUT_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class HealthDeps:
    """What the container provides for health checks."""

    settings: Settings
    sessions: Sessions
    count_readers: Callable[[], int]
    queue: DeferredQueue
    loader: ExecutorLoader
    local_model: LocalModelSupervisor
    active_runs: Sized
    """The ids of the runs that this process runs now."""
    choose_sandbox: Callable[[], Awaitable[SandboxChoice]]


class HealthService:
    """Checks the parts of this process."""

    def __init__(self, deps: HealthDeps) -> None:
        self._deps = deps

    async def readiness(self) -> Readiness:
        parts = {
            "database": await self._database(),
            "queue": self._queue(),
            "disk": await asyncio.to_thread(self._disk),
            "engine": self._engine(),
        }
        # A loading engine does not make the process unready: queued runs wait for it.
        ready = all(part.ok for part in parts.values())
        return Readiness(status="ready" if ready else "not-ready", parts=parts)

    async def _database(self) -> Part:
        try:
            async with asyncio.timeout(TIMEOUT_SECONDS), read_session(self._deps.sessions) as session:
                await session.execute(text("SELECT 1"))
        except (TimeoutError, SQLAlchemyError, OSError) as error:
            return Part(ok=False, message=f"The database does not answer ({type(error).__name__}).")
        return Part(ok=True, message="answers")

    def _queue(self) -> Part:
        queue = self._deps.queue
        return Part(ok=queue.is_open, message="runs" if queue.is_open else queue.message)

    def _disk(self) -> Part:
        folder = self._deps.settings.data_dir
        try:
            free = shutil.disk_usage(folder).free
            writable = os.access(folder, os.W_OK)
        except OSError as error:
            return Part(ok=False, message=f"The data folder cannot be looked at ({error.strerror}).")
        if not writable:
            return Part(ok=False, message="The data folder cannot be written to.")
        return Part(ok=free >= LEAST_FREE_BYTES, message=f"{free // 1024**2} MiB free")

    def _engine(self) -> Part:
        status = self._engine_status()
        return Part(ok=status.state is not EngineState.FAILED, message=status.message or str(status.state))

    def _engine_status(self) -> EngineStatus:
        status = self._deps.loader.executor.status()
        if self._deps.settings.role is Role.API and status.state is EngineState.LOADING:
            return replace(status, state=EngineState.REMOTE, message="Crews run in the workers.")
        return status

    async def about(self) -> About:
        deps = self._deps
        engine, local = self._engine_status(), deps.local_model.status()
        stats = await deps.queue.stats() if deps.queue.is_open else None
        return About(
            version=__version__,
            role=deps.settings.role,
            database="sqlite" if deps.settings.is_embedded else "postgresql",
            engine=EngineRead.model_validate(engine),
            local_model=LocalModelRead(state=local.state, message=local.message),
            projects=await self._projects(),
            runs_at_work=len(deps.active_runs),
            worker_concurrency=deps.settings.worker_concurrency,
            stream_readers=deps.count_readers(),
            waiting_in_queue=stats and stats.waiting,
            workers=stats and stats.workers,
            python=sys.version.split()[0],
        )

    async def _projects(self) -> ProjectsRead:
        settings = self._deps.settings
        if settings.projects is ProjectsMode.AUTO and settings.role is Role.API:
            return ProjectsRead(state=ProjectsState.REMOTE, message="Projects run in the workers.", hint="")
        probe = (await self._deps.choose_sandbox()).probe
        state = {
            ProjectsMode.OFF: ProjectsState.OFF,
            ProjectsMode.UNSANDBOXED: ProjectsState.UNSANDBOXED,
            ProjectsMode.AUTO: ProjectsState.SANDBOXED if probe.is_holding else ProjectsState.UNAVAILABLE,
        }[settings.projects]
        return ProjectsRead(state=state, message=probe.message, hint=probe.hint)

"""Whether the parts of this process are well."""

import asyncio
import os
import shutil
import sys
from dataclasses import replace
from typing import Any

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from crewai_runner import __version__
from crewai_runner.core.settings import Role
from crewai_runner.db.session import read_session
from crewai_runner.executor.port import EngineState, EngineStatus
from crewai_runner.features.health.schemas import About, EngineRead, LocalModelRead, Part, Readiness

LEAST_FREE_BYTES = 50 * 1024 * 1024
PATIENCE_SECONDS = 2.0


class HealthService:
    def __init__(self, process: Any) -> None:
        self._process = process

    async def readiness(self) -> Readiness:
        parts = {
            "database": await self._database(),
            "queue": self._queue(),
            "disk": await asyncio.to_thread(self._disk),
            "engine": self._engine(),
        }
        # A loading engine is no reason to send nobody here: runs wait for it by themselves.
        ready = all(part.ok for part in parts.values())
        return Readiness(status="ready" if ready else "not-ready", parts=parts)

    async def _database(self) -> Part:
        try:
            async with asyncio.timeout(PATIENCE_SECONDS), read_session(self._process.sessions) as session:
                await session.execute(text("SELECT 1"))
        except (TimeoutError, SQLAlchemyError, OSError) as error:
            return Part(ok=False, message=f"The database does not answer ({type(error).__name__}).")
        return Part(ok=True, message="answers")

    def _queue(self) -> Part:
        ready = self._process.queue_ready.is_set()
        return Part(ok=ready, message="runs" if ready else self._process.queue_message)

    def _disk(self) -> Part:
        folder = self._process.settings.data_dir
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
        status: EngineStatus = self._process.executor.status()
        if self._process.settings.role is Role.API and status.state is EngineState.LOADING:
            return replace(status, state=EngineState.REMOTE, message="Crews run in the workers.")
        return status

    async def about(self) -> About:
        process = self._process
        engine, local = self._engine_status(), process.local_model.status()
        stats = await process.queue.stats() if process.queue_ready.is_set() else None
        return About(
            version=__version__,
            role=process.settings.role,
            database="sqlite" if process.settings.is_embedded else "postgresql",
            engine=EngineRead.model_validate(engine),
            local_model=LocalModelRead(state=local.state, message=local.message),
            runs_at_work=len(process.at_work),
            worker_concurrency=process.settings.worker_concurrency,
            stream_readers=process.notifier.subscriber_count(),
            waiting_in_queue=stats and stats.waiting,
            workers=stats and stats.workers,
            python=sys.version.split()[0],
        )

"""Loads an executor's engine once per process, in the background or when it is first needed."""

import asyncio

from crewai_runner.core.logging import get_logger
from crewai_runner.executor.port import EngineState, Executor

log = get_logger(__name__)


class ExecutorLoader:
    """Holds the process's executor and loads its engine at most once."""

    def __init__(self, executor: Executor) -> None:
        self.executor = executor
        self._loaded = asyncio.Event()
        self._loading: asyncio.Task[None] | None = None

    async def load(self) -> None:
        """Load the engine, or wait for a load in progress. A failure is in the executor's `status()`."""
        if self._loading is None:
            self._loading = asyncio.create_task(self._load(), name="load-engine")
        await asyncio.shield(self._loading)

    async def wait_until_loaded(self) -> None:
        """Wait until the engine is loaded or has failed to load, without starting to load it."""
        await self._loaded.wait()

    async def _load(self) -> None:
        try:
            await self.executor.load()
        finally:
            self._loaded.set()
        status = self.executor.status()
        if status.state is EngineState.FAILED:
            log.error("engine.failed", reason=status.message)

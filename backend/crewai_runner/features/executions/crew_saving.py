"""Stores what a running crew hands over: memories, and files that its tools write."""

import asyncio

from crewai_runner.executor.memory_records import StoreMemories
from crewai_runner.executor.port import EventSink
from crewai_runner.executor.run_files import StoreFile
from crewai_runner.features.executions.execution_deps import ExecutionDeps
from crewai_runner.features.executions.file_saving import FileSaving
from crewai_runner.features.executions.memory_saving import MemorySaving
from crewai_runner.features.executions.spec_builder import SpecifiedAttempt


class CrewSaving:
    """What one attempt hands over. Create it in the event loop of the worker."""

    def __init__(self, deps: ExecutionDeps, attempt: SpecifiedAttempt) -> None:
        self._memories, self._files = MemorySaving(deps, attempt), FileSaving(deps, attempt)
        self.store_memories: StoreMemories = self._memories.store
        self.store_file: StoreFile = self._files.store

    def begin(self, emit: EventSink) -> None:
        """Emit an event for each file that is stored."""
        self._files.emit = emit

    async def close(self) -> None:
        """Wait until everything is stored, but not for long."""
        await asyncio.gather(self._memories.close(), self._files.close())

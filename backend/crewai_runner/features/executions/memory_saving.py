"""Stores what a running crew remembers, in the order of its changes."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from crewai_runner.core.logging import get_logger
from crewai_runner.core.secret_mask import TextMask
from crewai_runner.db.transaction_writer import WriteTransaction
from crewai_runner.executor.memory_records import MemoryChange
from crewai_runner.executor.port import RunSpec
from crewai_runner.features.executions.event_batch import owns_run
from crewai_runner.features.executions.execution_deps import ExecutionDeps
from crewai_runner.features.executions.spec_builder import SpecifiedAttempt
from crewai_runner.features.knowledge.service import identify_embedder
from crewai_runner.features.memories.writes import MemoryWrites
from crewai_runner.features.runs.writes import RunWrites

log = get_logger(__name__)
CLOSING_SECONDS = 10.0


class MemorySaving:
    """The changes of one attempt. Create it in the event loop of the worker."""

    def __init__(self, deps: ExecutionDeps, attempt: SpecifiedAttempt) -> None:
        self._deps, self._attempt = deps, attempt
        self._loop = asyncio.get_running_loop()
        self._changes: list[MemoryChange] = []
        self._storing: asyncio.Task[None] | None = None

    def store(self, changes: Sequence[MemoryChange]) -> None:
        """Store changes soon. May be called from any thread."""
        if changes and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._add, list(changes))

    async def close(self) -> None:
        """Wait until everything is stored, but not for long."""
        await asyncio.sleep(0)  # what another thread has handed over is added first
        if self._storing is not None:
            await asyncio.wait([self._storing], timeout=CLOSING_SECONDS)

    def _add(self, changes: list[MemoryChange]) -> None:
        self._changes += changes
        if self._storing is None or self._storing.done():
            self._storing = asyncio.create_task(self._store_all(), name="store-memories")

    async def _store_all(self) -> None:
        while self._changes:
            changes, self._changes = self._changes, []
            try:
                await self._deps.writer.run(partial(self._write, changes))
            except Exception:
                log.exception("memories.not_stored", run=self._attempt.spec.run_id, count=len(changes))

    def _write(self, changes: Sequence[MemoryChange], transaction: WriteTransaction) -> None:
        spec, workspace_id = self._attempt.spec, self._attempt.workspace_id
        run = RunWrites(transaction.connection).lock_to_end(spec.run_id)
        workflow_id = _workflow_of(spec)
        if workflow_id is None or not owns_run(run, self._attempt.fencing_token):
            return
        mask = self._deps.mask.scoped(workspace_id, spec.run_id)
        identity = identify_embedder(spec.models[spec.embedder]) if spec.embedder else ""
        masked = [_mask_change(change, mask) for change in changes]
        MemoryWrites(transaction.connection).apply(workspace_id, workflow_id, spec.run_id, identity, masked)


def _workflow_of(spec: RunSpec) -> str | None:
    return None if spec.memory_scope is None else spec.memory_scope.partition("/")[2]


def _mask_change(change: MemoryChange, mask: TextMask) -> MemoryChange:
    if change.saved is None:
        return change
    return replace(change, saved=replace(change.saved, content=mask(change.saved.content)))

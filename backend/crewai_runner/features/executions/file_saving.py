"""Stores the files that the tools of a running crew write, as artifacts of the run."""

import asyncio
from functools import partial

from crewai_runner.core.logging import get_logger
from crewai_runner.core.secret_mask import TextMask
from crewai_runner.db.transaction_writer import WriteTransaction
from crewai_runner.domain.artifact_events import make_file_event
from crewai_runner.executor.port import EventSink
from crewai_runner.executor.run_files import StoredFile
from crewai_runner.features.executions.event_batch import owns_run
from crewai_runner.features.executions.execution_deps import ExecutionDeps
from crewai_runner.features.executions.spec_builder import SpecifiedAttempt
from crewai_runner.features.runs.writes import RunWrites

log = get_logger(__name__)
CLOSING_SECONDS = 10.0


class FileSaving:
    """The files of one attempt. Create it in the event loop of the worker; set `emit` before it begins."""

    def __init__(self, deps: ExecutionDeps, attempt: SpecifiedAttempt) -> None:
        self._deps, self._attempt = deps, attempt
        self._loop = asyncio.get_running_loop()
        self._waiting: dict[str, StoredFile] = {}
        self._storing: asyncio.Task[None] | None = None
        self.emit: EventSink | None = None

    def store(self, file: StoredFile) -> None:
        """Store a file soon, in place of the one with its path. May be called from any thread."""
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._add, file)

    async def close(self) -> None:
        """Wait until everything is stored, but not for long."""
        await asyncio.sleep(0)  # what another thread has handed over is added first
        if self._storing is not None:
            await asyncio.wait([self._storing], timeout=CLOSING_SECONDS)

    def _add(self, file: StoredFile) -> None:
        self._waiting[file.path] = file
        if self._storing is None or self._storing.done():
            self._storing = asyncio.create_task(self._store_all(), name="store-files")

    async def _store_all(self) -> None:
        mask = self._deps.mask.scoped(self._attempt.workspace_id, self._attempt.spec.run_id)
        while self._waiting:
            file = _mask_text(self._waiting.pop(next(iter(self._waiting))), mask)
            try:
                is_stored = await self._deps.writer.run(partial(self._write, file))
            except Exception:
                log.exception("files.not_stored", run=self._attempt.spec.run_id)
                continue
            if is_stored and self.emit is not None:
                self.emit(make_file_event(file.task_key, file.path, len(file.content)))

    def _write(self, file: StoredFile, transaction: WriteTransaction) -> bool:
        runs, run_id = RunWrites(transaction.connection), self._attempt.spec.run_id
        if not owns_run(runs.lock_to_end(run_id), self._attempt.fencing_token):
            return False
        runs.save_file(run_id, file.path, file.content, file.task_key)
        return True


def _mask_text(file: StoredFile, mask: TextMask) -> StoredFile:
    masked = mask(text := file.content.decode("utf-8", "replace"))
    return file if masked is text else StoredFile(file.path, masked.encode(), file.task_key)

"""Which tasks of a project run have finished, so that a later attempt does not execute them again."""

import asyncio
import contextlib
import json
import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from pydantic import ValidationError

from crewai_runner.core.logging import get_logger
from crewai_runner.core.secret_mask import TextMask
from crewai_runner.domain.run import TaskResult
from crewai_runner.domain.run_events import RunEvent
from crewai_runner.executor.crew.context.run_context import TaskScope
from crewai_runner.executor.projects.bridge.messages import (
    FinishedTask,
    GuestMessage,
    TaskCompletedMessage,
    TaskFailedMessage,
    TaskMessage,
    TaskStartedMessage,
)
from crewai_runner.executor.projects.bridge.translator import BridgeTranslator

log = get_logger(__name__)


class TaskHashes:
    """The hashes of a run's task descriptions, in a file of this machine.

    The outputs are in the database. Where the file is missing, tasks are executed again.
    """

    def __init__(self, folder: Path, run_id: str) -> None:
        self._file = folder / f"{run_id}.json"

    def load(self) -> dict[str, str]:
        """Return the hashes by task key. Blocks."""
        try:
            values = json.loads(self._file.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return values if isinstance(values, dict) else {}

    def save(self, hashes: Mapping[str, str]) -> None:
        """Replace the file. Blocks; raises OSError."""
        self._file.parent.mkdir(parents=True, exist_ok=True)
        complete = self._file.with_suffix(".new")
        complete.write_text(json.dumps(dict(hashes)), encoding="utf-8")
        os.replace(complete, self._file)  # noqa: PTH105 - a killed process leaves the old file or the new one

    def remove(self) -> None:
        self._file.unlink(missing_ok=True)


def list_old_records(folder: Path, min_age_seconds: float) -> list[str]:
    """Return the runs whose file of hashes has not changed for a time. Blocks."""
    found = []
    for file in folder.glob("*.json"):
        with contextlib.suppress(FileNotFoundError):
            if time.time() - file.stat().st_mtime > min_age_seconds:
                found.append(file.stem)
    return found


class TaskRecord:
    """The hashes of one attempt. They are stored after each finished task: the process may be killed."""

    def __init__(self, file: TaskHashes, hashes: dict[str, str]) -> None:
        self.hashes = hashes
        self._file = file
        self._saving: asyncio.Task[None] | None = None
        self._is_changed = False

    def save_soon(self) -> None:
        """Store the hashes without waiting."""
        self._is_changed = True
        if self._saving is None or self._saving.done():
            self._saving = asyncio.create_task(self._save(), name="save-task-hashes")

    async def _save(self) -> None:
        while self._is_changed:
            self._is_changed = False
            try:
                await asyncio.to_thread(self._file.save, dict(self.hashes))
            except OSError as error:
                log.warning("projects.task_hashes_not_saved", message=str(error))

    async def close(self, *, is_complete: bool) -> None:
        """Store the hashes, or remove those of a run that is complete."""
        self.save_soon()
        if self._saving is not None:
            await self._saving
        if is_complete:
            await asyncio.to_thread(self._file.remove)


class RecordingTranslator(BridgeTranslator):
    """A translator that also knows the hash of each task, and which task runs now."""

    def __init__(
        self,
        run_id: str,
        finished: dict[str, FinishedTask],
        mask: TextMask,
        hashes: dict[str, str],
        on_finished: Callable[[], None],
    ) -> None:
        super().__init__(run_id, finished, mask)
        self.hashes = hashes
        self._on_finished = on_finished
        self._running: dict[str, TaskScope] = {}

    def translate(self, message: GuestMessage) -> RunEvent | None:
        event = super().translate(message)
        if isinstance(message, TaskMessage) and event is not None:
            self.hashes[message.task_key] = message.description_hash
        if isinstance(message, TaskStartedMessage) and event is not None:
            self._running[message.task_key] = TaskScope(event.task_key, event.agent)
        if isinstance(message, TaskCompletedMessage) and event is not None:
            self._on_finished()
        if isinstance(message, TaskCompletedMessage | TaskFailedMessage):
            self._running.pop(message.task_key, None)
        return event

    def find_scope(self) -> TaskScope:
        """Return the only task that runs now; of several it is not known which one calls."""
        return next(iter(self._running.values())) if len(self._running) == 1 else TaskScope()


def restore_tasks(results: Mapping[str, TaskResult], hashes: Mapping[str, str]) -> dict[str, FinishedTask]:
    """Return the finished tasks whose hash is known, by key."""
    restored: dict[str, FinishedTask] = {}
    for key, result in results.items():
        try:
            restored[key] = FinishedTask(
                task_key=key,
                description_hash=hashes.get(key, ""),
                agent=result.agent or "",
                raw=result.raw,
                json_output=result.json_output,
            )
        except ValidationError:
            continue
    return restored

"""Which tasks of a project run have finished, so that a later attempt does not execute them again."""

import contextlib
import json
import time
from collections.abc import Mapping
from pathlib import Path

from pydantic import ValidationError

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
        self._file.write_text(json.dumps(dict(hashes)), encoding="utf-8")

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


class RecordingTranslator(BridgeTranslator):
    """A translator that also knows the hash of each task, and which task runs now."""

    def __init__(
        self, run_id: str, finished: dict[str, FinishedTask], mask: TextMask, hashes: dict[str, str]
    ) -> None:
        super().__init__(run_id, finished, mask)
        self.hashes = hashes
        self._running: dict[str, TaskScope] = {}

    def translate(self, message: GuestMessage) -> RunEvent | None:
        event = super().translate(message)
        if isinstance(message, TaskMessage) and event is not None:
            self.hashes[message.task_key] = message.description_hash
        if isinstance(message, TaskStartedMessage) and event is not None:
            self._running[message.task_key] = TaskScope(event.task_key, event.agent)
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

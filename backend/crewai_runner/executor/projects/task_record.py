"""What a project's run has finished, so that a later attempt does not execute it again, on any worker."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from pydantic import ValidationError

from crewai_runner.core.logging import get_logger
from crewai_runner.core.outside_values import clean_json
from crewai_runner.core.secret_mask import TextMask
from crewai_runner.domain.run import TaskResult
from crewai_runner.domain.run_events import RunEvent
from crewai_runner.executor.crew.context.run_context import TaskScope
from crewai_runner.executor.port import RunSpec
from crewai_runner.executor.projects.bridge.messages import (
    FinishedTask,
    FlowSavedMessage,
    FlowState,
    GuestMessage,
    TaskCompletedMessage,
    TaskFailedMessage,
    TaskMessage,
    TaskStartedMessage,
)
from crewai_runner.executor.projects.bridge.translator import BridgeTranslator

log = get_logger(__name__)
TASKS, FLOW_PREFIX = "tasks", "flow/"
"""Names of checkpoints: the hash of each task's description by key, and the state of one flow."""
MAX_FLOWS = 20
MAX_STATE_CHARACTERS = 1_000_000
SaveCheckpoint = Callable[[str, Mapping[str, Any]], Awaitable[None]]


class TaskRecord:
    """The checkpoints of one run. They are stored as soon as they change: the process may be killed."""

    def __init__(
        self, checkpoints: Mapping[str, Mapping[str, Any]], save: SaveCheckpoint, mask: TextMask
    ) -> None:
        self._save_checkpoint, self._mask = save, mask
        self.hashes: dict[str, str] = dict(checkpoints.get(TASKS, {}))
        self.flow_states = read_flow_states(checkpoints)
        self._flows = set(self.flow_states)
        self._changed: dict[str, Mapping[str, Any]] = {}
        self._saving: asyncio.Task[None] | None = None

    def save_tasks(self) -> None:
        """Store the hashes without waiting."""
        self._save_soon(TASKS, {key: value for key, value in self.hashes.items() if self._mask(key) == key})

    def save_flow(self, message: FlowSavedMessage) -> None:
        """Store a flow's state without waiting, unless it is too large or has a secret in it.

        A flow must not continue with a state that is not the one it has saved.
        """
        is_full = message.flow not in self._flows and len(self._flows) >= MAX_FLOWS
        is_large = len(json.dumps(message.state)) > MAX_STATE_CHARACTERS
        if is_full or is_large or clean_json(message.state, self._mask) != message.state:
            return
        self._flows.add(message.flow)
        self._save_soon(FLOW_PREFIX + message.flow, {"id": message.flow_id, "state": message.state})

    def _save_soon(self, name: str, value: Mapping[str, Any]) -> None:
        self._changed[name] = value
        if self._saving is None or self._saving.done():
            self._saving = asyncio.create_task(self._save(), name="save-checkpoints")

    async def _save(self) -> None:
        while self._changed:
            name, value = self._changed.popitem()
            try:
                await self._save_checkpoint(name, dict(value))
            except Exception as error:  # noqa: BLE001 - the run goes on; what is not stored is executed again
                log.warning("projects.checkpoint_not_saved", message=str(error))

    async def close(self) -> None:
        """Wait until everything is stored."""
        if self._saving is not None:
            await self._saving


class RecordingTranslator(BridgeTranslator):
    """A translator that records finished tasks and saved flow states, and knows which task runs now."""

    def __init__(
        self, run_id: str, finished: dict[str, FinishedTask], mask: TextMask, record: TaskRecord
    ) -> None:
        super().__init__(run_id, finished, mask, flows=frozenset(record.flow_states))
        self._record = record
        self._running: dict[str, TaskScope] = {}

    def translate(self, message: GuestMessage) -> RunEvent | None:
        if isinstance(message, FlowSavedMessage):
            self._record.save_flow(message)
            return None
        event = super().translate(message)
        if isinstance(message, TaskMessage) and event is not None:
            self._record.hashes[message.task_key] = message.description_hash
        if isinstance(message, TaskStartedMessage) and event is not None:
            self._running[message.task_key] = TaskScope(event.task_key, event.agent)
        if isinstance(message, TaskCompletedMessage | TaskStartedMessage) and event is not None:
            self._record.save_tasks()
        if isinstance(message, TaskCompletedMessage | TaskFailedMessage):
            self._running.pop(message.task_key, None)
        return event

    def find_scope(self) -> TaskScope:
        """Return the only task that runs now; of several it is not known which one calls."""
        return next(iter(self._running.values())) if len(self._running) == 1 else TaskScope()


def is_restart(spec: RunSpec) -> bool:
    """Return whether the run has been executed before."""
    return spec.attempt > 1 or spec.budget_seconds_used > 0


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


def read_flow_states(checkpoints: Mapping[str, Mapping[str, Any]]) -> dict[str, FlowState]:
    """Return the stored states of flows, by the flow's key."""
    found: dict[str, FlowState] = {}
    for name, value in checkpoints.items():
        if name.startswith(FLOW_PREFIX):
            found[name.removeprefix(FLOW_PREFIX)] = FlowState.model_validate(value)
    return found

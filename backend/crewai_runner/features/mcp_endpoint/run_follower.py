"""Follows a run until it has finished or waits for someone, as the readers of its stream do."""

import json
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any, Protocol

from crewai_runner.core.principal import Principal
from crewai_runner.domain.run import FINAL_STATES, RunState
from crewai_runner.features.mcp_endpoint.reports import DONE

RECHECK_SECONDS = 4.0
"""The least time between two checks of the caller's rights, as in streams."""


class StreamFrame(Protocol):
    """A stored event, or live text, of the stream of a run."""

    @property
    def seq(self) -> int | None: ...

    @property
    def type(self) -> str: ...

    @property
    def text(self) -> str:
        """The event as JSON."""

    @property
    def is_final(self) -> bool: ...


OpenStream = Callable[[Principal, str, int], AsyncGenerator[Sequence[StreamFrame], None]]
"""Yields the frames of a run after an event's number; the first is a snapshot, none are a heartbeat."""
HasSameRights = Callable[[], Awaitable[bool]]


class CallerLostRights(Exception):
    """The caller's key was revoked, or its rights were changed, while a call waited."""


@dataclass(frozen=True, slots=True)
class TasksDone:
    """How many tasks of a run are completed."""

    count: int
    total: int
    newest: str


@dataclass(slots=True)
class _Progress:
    """What is known of a run: its state at the snapshot, and the tasks completed since."""

    seq: int = 0
    is_waiting: bool = False
    is_finished: bool = False
    total: int = 0
    done: set[str] = field(default_factory=set)

    def begin(self, snapshot: Mapping[str, Any]) -> TasksDone | None:
        data = snapshot["data"]
        self.seq, self.total = snapshot["seq"], len(data["tasks"])
        self.is_waiting = data["status"] == RunState.WAITING
        self.is_finished = data["status"] in FINAL_STATES
        completed = [task["key"] for task in data["tasks"] if task["status"] in DONE]
        self.done.update(completed)
        return self._describe(completed[-1]) if completed else None

    def complete(self, task: str) -> TasksDone | None:
        if task in self.done:
            return None
        self.done.add(task)
        return self._describe(task)

    def ends_with(self, frame: StreamFrame) -> bool:
        """Whether the run has finished or waits with this event, and did not continue before the snapshot."""
        is_past = frame.seq is not None and frame.seq <= self.seq
        if frame.type == "run.waiting":
            return not is_past
        return frame.is_final and (self.is_finished or not is_past)

    def _describe(self, newest: str) -> TasksDone:
        return TasksDone(len(self.done), max(self.total, len(self.done)), newest)


class RunFollower:
    """Costs no thread and no query of its own: events come from the feed of the run."""

    def __init__(self, open_stream: OpenStream, has_same_rights: HasSameRights) -> None:
        self._open_stream, self._has_same_rights = open_stream, has_same_rights
        self._checked_at = time.monotonic()

    async def follow(self, principal: Principal, run_id: str) -> AsyncGenerator[TasksDone | None, None]:
        """Yield the tasks that are completed, None for a heartbeat. Raises CallerLostRights, RunNotFound."""
        progress = _Progress()
        async with aclosing(self._open_stream(principal, run_id, 0)) as batches:
            async for frames in batches:
                await self._check_rights()
                if not frames:
                    yield None
                for frame in frames:
                    if (change := _read_change(progress, frame)) is not None:
                        yield change
                    if progress.is_waiting or progress.ends_with(frame):
                        return

    async def _check_rights(self) -> None:
        if time.monotonic() - self._checked_at < RECHECK_SECONDS:
            return
        self._checked_at = time.monotonic()
        if not await self._has_same_rights():
            raise CallerLostRights


def _read_change(progress: _Progress, frame: StreamFrame) -> TasksDone | None:
    if frame.type == "run.snapshot":
        return progress.begin(json.loads(frame.text))
    if frame.type in ("task.completed", "task.reused"):
        return progress.complete(str(json.loads(frame.text)["taskKey"]))
    return None

"""Finds tasks that take a second database connection while they hold one: in a full pool both would wait."""

import asyncio
import traceback
from collections import Counter
from types import FrameType

from greenlet import getcurrent
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine


class HeldConnections:
    """Watches the pool of an engine; ``nested`` are the stacks of second checkouts."""

    def __init__(self, engine: AsyncEngine) -> None:
        self.nested: list[str] = []
        self._held: Counter[int] = Counter()
        self._task_of: dict[int, int] = {}
        pool = engine.sync_engine.pool
        event.listen(pool, "checkout", self._on_checkout)
        event.listen(pool, "checkin", self._on_checkin)

    def _on_checkout(self, _connection: object, record: object, _proxy: object) -> None:
        task = id(asyncio.current_task())
        if self._held[task]:
            self.nested.append("".join(traceback.format_stack(_frame_of_caller())[-12:]))
        self._held[task] += 1
        self._task_of[id(record)] = task

    def _on_checkin(self, _connection: object, record: object) -> None:
        task = self._task_of.pop(id(record), None)
        if task is not None:
            self._held[task] -= 1


def _frame_of_caller() -> FrameType | None:
    """Return the frame that awaits the statement, which SQLAlchemy executes in a greenlet."""
    parent = getcurrent().parent
    return parent.gr_frame if parent else None

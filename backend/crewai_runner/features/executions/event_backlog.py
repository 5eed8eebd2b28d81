"""Counts the events of an attempt that are not stored yet, and says when they are too many."""

import threading
from collections.abc import Callable
from typing import Protocol

from pydantic import BaseModel

from crewai_runner.core.logging import get_logger
from crewai_runner.domain.run_events import RunEvent

log = get_logger(__name__)
MAX_EVENTS = 1000
MAX_BYTES = 16_000_000
_BYTES_PER_EVENT = 1000
"""What an event takes besides its texts."""


class EventWriterMetrics(Protocol):
    """What the writer reports to; must return quickly. Called on the event loop, except as noted."""

    def batch_stored(self, events: int, seconds: float) -> None: ...

    def events_refused(self, events: int) -> None:
        """Events were rejected: their attempt is outdated or its run has finished."""

    def backlog_full(self) -> None:
        """The unstored events of an attempt reached the limit. Called from any thread."""


class EventBacklog:
    """The number and size of one attempt's unstored events. Thread-safe.

    `on_change` receives True when a limit is reached and False when half of it is free again. Events are
    accepted in any case: the attempt makes no further model call until they are stored.
    """

    def __init__(
        self,
        run_id: str,
        on_change: Callable[[bool], None] = lambda _is_full: None,
        metrics: EventWriterMetrics | None = None,
    ) -> None:
        self._run_id, self._on_change, self._metrics = run_id, on_change, metrics
        self._lock = threading.Lock()
        self._events = self._bytes = 0
        self._is_full = False

    @property
    def is_empty(self) -> bool:
        """Whether everything that was emitted is stored."""
        return not self._events

    def add(self, size: int) -> None:
        """Count an emitted event of `size` bytes."""
        with self._lock:
            self._events, self._bytes = self._events + 1, self._bytes + size
            if self._is_full or not self._exceeds(1):
                return
            self._is_full = True
            self._on_change(True)
        log.warning("event_writer.backlog_full", run_id=self._run_id, events=self._events, bytes=self._bytes)
        if self._metrics is not None:
            self._metrics.backlog_full()

    def remove(self, size: int) -> None:
        """Count an event that was stored or refused."""
        with self._lock:
            self._events, self._bytes = self._events - 1, self._bytes - size
            if not self._is_full or self._exceeds(0.5):
                return
            self._is_full = False
            self._on_change(False)
        log.info("event_writer.backlog_stored", run_id=self._run_id)

    def _exceeds(self, share: float) -> bool:
        return self._events >= share * MAX_EVENTS or self._bytes >= share * MAX_BYTES


def estimate_size(event: RunEvent) -> int:
    """Return about how many bytes of memory an event takes."""
    return _BYTES_PER_EVENT + _length_of_texts(event.data)


def _length_of_texts(value: object) -> int:
    """Return the length of all texts in a value, which may be nested deeper than Python's stack."""
    length, pending = 0, [value]
    while pending:
        match pending.pop():
            case str() as text:
                length += len(text)
            case BaseModel() as model:
                pending += model.__dict__.values()
            case dict() as members:
                pending += members.values()
            case list() | tuple() as items:
                pending += items
    return length

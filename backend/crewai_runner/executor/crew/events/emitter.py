"""Emits the events of one attempt."""

import threading
from collections.abc import Callable, Mapping
from typing import Any

from crewai_runner.core.outside_values import make_storable
from crewai_runner.domain.run_events import RunEvent
from crewai_runner.executor.crew.context.redaction import MAX_TEXT_LENGTH, Redactor
from crewai_runner.executor.port import EventSink

EventClass = Callable[..., RunEvent]
"""A class of `domain.run_events`."""


class EventEmitter:
    """Sends events to the sink in order, with secrets redacted, until it is closed. Thread-safe."""

    def __init__(self, run_id: str, sink: EventSink, redactor: Redactor) -> None:
        self._run_id = run_id
        self._sink = sink
        self._lock = threading.RLock()
        self._is_open = True
        self.redactor = redactor

    def emit(
        self,
        event_class: EventClass,
        data: Mapping[str, Any] | None = None,
        *,
        task_key: str | None = None,
        agent: str | None = None,
        max_length: int | None = MAX_TEXT_LENGTH,
    ) -> None:
        """Emit an event; `data` holds the fields of its `data`.

        Strings are truncated to `max_length`, unless it is None.
        """
        fields: dict[str, Any] = {"run_id": self._run_id, "task_key": task_key, "agent": agent}
        if data is not None:
            fields["data"] = make_storable(data)
        event = self.redactor.redact(event_class(**fields), max_length)
        with self._lock:
            if self._is_open:
                self._sink(event)

    def close(self) -> None:
        """Discard all further events, such as those of threads that are still running."""
        with self._lock:
            self._is_open = False

"""The one door through which an attempt's events leave."""

import threading
from collections.abc import Mapping
from typing import Any

from crewai_runner.domain.run_events import RunEvent
from crewai_runner.executor.crew.texts import LONGEST, Cleaner
from crewai_runner.executor.port import EventSink


class Story:
    """Tells events in order, cleaned of secrets, until it is closed. May be used from any thread."""

    def __init__(self, run_id: str, sink: EventSink, cleaner: Cleaner) -> None:
        self._run_id = run_id
        self._sink = sink
        self._lock = threading.RLock()
        self._open = True
        self.cleaner = cleaner

    def tell(
        self,
        kind: Any,
        data: Mapping[str, Any] | None = None,
        *,
        task_key: str | None = None,
        agent: str | None = None,
        longest: int | None = LONGEST,
    ) -> None:
        """Tell one event. `kind` is a class of `domain.run_events`, `data` the fields of its data."""
        fields: dict[str, Any] = {"run_id": self._run_id, "task_key": task_key, "agent": agent}
        if data is not None:
            fields["data"] = self.cleaner.clean(data, longest)
        event: RunEvent = kind(**fields)
        with self._lock:
            if self._open:
                self._sink(event)

    def close(self) -> None:
        """Let nothing more be told: whatever still runs in a thread has no voice."""
        with self._lock:
            self._open = False

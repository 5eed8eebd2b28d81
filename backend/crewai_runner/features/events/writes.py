"""Stores numbered events on a synchronous connection: for the transaction writer, and inside sessions."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, insert

from crewai_runner.db.base import table_of
from crewai_runner.db.tables.runs import RunEventRow
from crewai_runner.domain.run_events import RunEvent
from crewai_runner.domain.stored_size import measure_event

_ADD = insert(table_of(RunEventRow))
"""Built once: to build a statement costs as much as to execute it."""


class EventWrites:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add_batch(
        self, batch: Sequence[tuple[int, Sequence[RunEvent], dict[str, Any] | None]]
    ) -> "list[SerializedEvents]":
        """Store numbered events of many runs in one statement.

        Each entry is (attempt, cleaned events, connections to store with the last of them).
        """
        serialized = [SerializedEvents.of(attempt, events, made) for attempt, events, made in batch]
        self.add_all([row for of_run in serialized for row in of_run.rows])
        return serialized

    def add_all(self, rows: list[dict[str, Any]]) -> None:
        if rows:
            self._connection.execute(_ADD, rows)


@dataclass(frozen=True, slots=True)
class SerializedEvents:
    """The rows of numbered events, and the bytes that they store with their files and texts."""

    rows: list[dict[str, Any]]
    stored_bytes: int

    @property
    def frames(self) -> list[str]:
        """The JSON text of each event."""
        return [row["frame"] for row in self.rows]

    @classmethod
    def of(
        cls, attempt: int, events: Sequence[RunEvent], connections: dict[str, Any] | None = None
    ) -> "SerializedEvents":
        rows = [_to_row(attempt, event) for event in events]
        if rows:
            rows[-1]["connections"] = connections
        sizes = (measure_event(event, row["frame"]) for event, row in zip(events, rows, strict=True))
        return cls(rows, sum(sizes))


def _to_row(attempt: int, event: RunEvent) -> dict[str, Any]:
    return {
        "run_id": event.run_id,
        "seq": event.seq,
        "attempt": attempt,
        "type": event.type,
        "at": event.at,
        "frame": event.model_dump_json(exclude_none=False),
        "connections": None,
    }

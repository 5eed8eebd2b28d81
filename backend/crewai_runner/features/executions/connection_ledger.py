"""The connections of one attempt on their way to the database: bounded, and numbered for repeated writes."""

import threading
from collections.abc import Hashable
from dataclasses import dataclass, field, replace

from crewai_runner.domain.run_connection import NumberedConnection, RunConnection

MAX_ENTRIES = 500
"""Of single requests; later ones are added up by host, purpose, name and result."""
MAX_SUMS = 100
OTHER_HOSTS = "other hosts"
"""Stands for the hosts after the first MAX_SUMS."""


@dataclass(slots=True)
class ConnectionLedger:
    """Thread-safe."""

    _entries: int = 0
    _sums: dict[Hashable, NumberedConnection] = field(default_factory=dict)
    _changed: dict[int, NumberedConnection] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, connection: RunConnection) -> None:
        """Add an entry, or add it to the sum of those like it."""
        with self._lock:
            if self._entries < MAX_ENTRIES:
                self._entries += 1
                self._changed[self._entries] = NumberedConnection(self._entries, connection)
            else:
                self._add_to_sum(connection)

    def take(self) -> list[NumberedConnection]:
        """Return the entries that are new or have changed since the last call."""
        with self._lock:
            changed, self._changed = self._changed, {}
        return list(changed.values())

    def _add_to_sum(self, connection: RunConnection) -> None:
        if _group_of(connection) not in self._sums and len(self._sums) >= MAX_SUMS:
            connection = replace(connection, host=OTHER_HOSTS, port=0, name="", reason=None)
        group = _group_of(connection)
        before = self._sums.get(group)
        if before is None:
            number = MAX_ENTRIES + len(self._sums) + 1
            entry = NumberedConnection(number, replace(connection, agent=None, task_key=None))
        else:
            entry = NumberedConnection(before.number, _add(before.connection, connection))
        self._sums[group] = self._changed[entry.number] = entry


def _group_of(connection: RunConnection) -> Hashable:
    return connection.host, connection.port, connection.purpose, connection.name, connection.result


def _add(total: RunConnection, connection: RunConnection) -> RunConnection:
    return replace(
        total,
        sent_bytes=total.sent_bytes + connection.sent_bytes,
        received_bytes=total.received_bytes + connection.received_bytes,
        milliseconds=total.milliseconds + connection.milliseconds,
        requests=total.requests + connection.requests,
        reason=connection.reason or total.reason,
    )

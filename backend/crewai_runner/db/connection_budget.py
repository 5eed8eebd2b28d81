"""How many database connections one process opens."""

from dataclasses import dataclass
from typing import Self

MIN_CONNECTIONS = 9
QUEUE_CONNECTIONS = 2
FIXED_CONNECTIONS = QUEUE_CONNECTIONS + 4
"""Outside of a budget: the queue's, the transaction writer's, two of the notifier, a worker's lease."""


@dataclass(frozen=True, slots=True)
class ConnectionBudget:
    """The connections of each part of a process.

    `sessions` serve requests and running crews; no request holds two of them, since it might wait for itself.
    `reads` serve the snapshot reader.
    """

    sessions: int
    reads: int

    @classmethod
    def split(cls, total: int) -> Self:
        """Distribute a process's connections to PostgreSQL. Raises ValueError below `MIN_CONNECTIONS`."""
        if total < MIN_CONNECTIONS:
            raise ValueError(f"a process needs at least {MIN_CONNECTIONS} database connections, not {total}")
        reads = max(1, total // 6)
        return cls(sessions=total - FIXED_CONNECTIONS - reads, reads=reads)


SQLITE_BUDGET = ConnectionBudget(sessions=20, reads=4)
"""Connections to a file cost little, and no other process opens the file."""

KEPT_SQLITE_CONNECTIONS = 8
"""Of the connections that a peak opens, those that stay open: each has a thread and a page cache."""

"""Limits of one worker: DBOS stores a queue's limits once for all workers."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class QueueLimits:
    """How many jobs one worker runs at a time, how many of one tenant, and the seconds between its polls."""

    concurrency: int
    tenant_concurrency: int
    poll_seconds: float


def override_queue_limits(system_database: Any, queue_name: str, limits: QueueLimits) -> None:
    """Replace the limits of DBOS's queue in this process, and read it once: DBOS asks for it at each poll."""
    read_queue = system_database.get_queue
    known: dict[str, Any] = {}

    def get_queue(name: str, **options: Any) -> Any:
        if name in known:
            return known[name]
        queue = read_queue(name, **options)
        if queue is not None and name == queue_name:
            queue._worker_concurrency = limits.concurrency  # noqa: SLF001 - the setters write to the database
            queue._partition_worker_concurrency = limits.tenant_concurrency  # noqa: SLF001
            queue._polling_interval_sec = limits.poll_seconds  # noqa: SLF001
            known[name] = queue
        return queue

    system_database.get_queue = get_queue

"""Limits of one worker: DBOS stores a queue's limits once for all workers."""

from collections.abc import Mapping
from typing import Any


def override_queue_limits(system_database: Any, queue_name: str, limits: Mapping[str, float]) -> None:
    """Replace fields of the queue whenever DBOS reads it in this process, which it does before each claim.

    `system_database` is DBOS's, and `limits` maps private fields of its `Queue` to values.
    """
    read_queue = system_database.get_queue

    def get_queue(name: str, **options: Any) -> Any:
        queue = read_queue(name, **options)
        if queue is not None and name == queue_name:
            for field, value in limits.items():
                setattr(queue, field, value)
        return queue

    system_database.get_queue = get_queue

"""Errors of memories."""

from crewai_runner.core.errors import NotFound


class MemoryNotFound(NotFound):
    slug = "memory-not-found"
    title = "Memory not found"

    def __init__(self, memory_id: str) -> None:
        super().__init__(f"The workflow has no memory {memory_id!r}. It may have been deleted.")

"""What a crew remembers, as it is stored between runs."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

MAX_MEMORIES = 2_000
"""Of one workflow. With more, those that were not used for the longest time are forgotten."""


@dataclass(frozen=True, slots=True)
class StoredMemory:
    """One memory of a crew. `vector` is None if another model than the run's embedder has computed it."""

    id: str
    content: str
    scope: str
    categories: list[str]
    extra: dict[str, Any]
    importance: float
    created_at: datetime
    accessed_at: datetime
    source: str | None = None
    private: bool = False
    vector: list[float] | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class MemoryChange:
    """A memory that was saved or changed, or the id of one that was deleted."""

    saved: StoredMemory | None = None
    deleted_id: str | None = None


StoreMemories = Callable[[Sequence[MemoryChange]], None]


def discard_memories(_changes: Sequence[MemoryChange]) -> None:
    """Store nothing: the memories are those of one run."""

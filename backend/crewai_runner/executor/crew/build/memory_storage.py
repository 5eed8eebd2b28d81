"""The memories of one scope, in this process. Each change is handed over to be stored."""

import threading
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, ClassVar

import numpy as np
from crewai.memory.types import MemoryRecord, ScopeInfo

from crewai_runner.core.clock import now
from crewai_runner.executor.memory_records import MAX_MEMORIES, MemoryChange, StoredMemory, StoreMemories


class RunMemoryStorage:
    """A storage of CrewAI's memory (`StorageBackend`). Thread-safe."""

    MAX_RECORDS: ClassVar[int] = MAX_MEMORIES

    def __init__(self, store: StoreMemories) -> None:
        self._store = store
        self._lock = threading.RLock()
        self._records: dict[str, MemoryRecord] = {}

    def load(self, records: Iterable[MemoryRecord]) -> None:
        """Add records that are stored already."""
        with self._lock:
            self._records.update({record.id: record for record in records})

    def save(self, records: list[MemoryRecord]) -> None:
        with self._lock:
            self._records.update({record.id: record for record in records})
            excess = len(self._records) - self.MAX_RECORDS
            unused = sorted(self._records.values(), key=lambda one: _in_utc(one.last_accessed))[
                : max(0, excess)
            ]
            for record in unused:
                del self._records[record.id]
            dropped = {record.id for record in unused}
            changes = [
                MemoryChange(saved=to_stored(record)) for record in records if record.id not in dropped
            ]
            self._store([*changes, *(MemoryChange(deleted_id=one) for one in sorted(dropped))])

    def update(self, record: MemoryRecord) -> None:
        with self._lock:
            old = self._records.get(record.id)
            if record.embedding is None and old is not None:
                record = record.model_copy(update={"embedding": old.embedding})
            self.save([record])

    def touch_records(self, record_ids: list[str]) -> None:
        """Note that records were recalled; this is stored with their next change only."""
        with self._lock:
            for record_id in record_ids:
                if (record := self._records.get(record_id)) is not None:
                    record.last_accessed = now().replace(tzinfo=None)

    def get_record(self, record_id: str) -> MemoryRecord | None:
        with self._lock:
            return self._records.get(record_id)

    def search(
        self,
        query_embedding: list[float],
        scope_prefix: str | None = None,
        categories: list[str] | None = None,
        metadata_filter: dict[str, Any] | None = None,
        limit: int = 10,
        min_score: float = 0.0,
    ) -> list[tuple[MemoryRecord, float]]:
        """Return the most similar records, best first. CrewAI's limits are for the scores of LanceDB."""
        query = np.asarray(query_embedding, dtype=np.float32)
        with self._lock:
            found = [
                record
                for record in self._select(scope_prefix, categories, metadata_filter)
                if record.embedding is not None and len(record.embedding) == len(query)
            ]
        if not found:
            return []
        vectors = np.asarray([record.embedding for record in found], dtype=np.float32)
        scores = 1.0 / (1.0 + ((vectors - query) ** 2).sum(axis=1))
        best = [int(index) for index in np.argsort(-scores)[:limit]]
        return [(found[index], float(scores[index])) for index in best if scores[index] >= min_score]

    def delete(
        self,
        scope_prefix: str | None = None,
        categories: list[str] | None = None,
        record_ids: list[str] | None = None,
        older_than: datetime | None = None,
        metadata_filter: dict[str, Any] | None = None,
    ) -> int:
        with self._lock:
            removed = [
                record.id
                for record in self._select(scope_prefix, categories, metadata_filter)
                if (record_ids is None or record.id in record_ids)
                and (older_than is None or _in_utc(record.created_at) < _in_utc(older_than))
            ]
            for record_id in removed:
                del self._records[record_id]
            self._store([MemoryChange(deleted_id=record_id) for record_id in removed])
        return len(removed)

    def reset(self, scope_prefix: str | None = None) -> None:
        self.delete(scope_prefix)

    def list_records(
        self, scope_prefix: str | None = None, limit: int = 200, offset: int = 0
    ) -> list[MemoryRecord]:
        """Return records, newest first."""
        with self._lock:
            found = self._select(scope_prefix)
        found.sort(key=lambda record: _in_utc(record.created_at), reverse=True)
        return found[offset : offset + limit]

    def get_scope_info(self, scope: str) -> ScopeInfo:
        with self._lock:
            found = self._select(scope)
        moments = sorted((record.created_at for record in found), key=_in_utc)
        return ScopeInfo(
            path=scope,
            record_count=len(found),
            categories=sorted({category for record in found for category in record.categories}),
            oldest_record=moments[0] if moments else None,
            newest_record=moments[-1] if moments else None,
            child_scopes=self.list_scopes(scope),
        )

    def list_scopes(self, parent: str = "/") -> list[str]:
        start = parent.rstrip("/") + "/"
        with self._lock:
            below = [one.scope for one in self._records.values() if one.scope.startswith(start)]
        return sorted({start + scope[len(start) :].partition("/")[0] for scope in below if scope != start})

    def list_categories(self, scope_prefix: str | None = None) -> dict[str, int]:
        counts: dict[str, int] = {}
        with self._lock:
            for record in self._select(scope_prefix):
                for category in record.categories:
                    counts[category] = counts.get(category, 0) + 1
        return counts

    def count(self, scope_prefix: str | None = None) -> int:
        with self._lock:
            return len(self._select(scope_prefix))

    async def asave(self, records: list[MemoryRecord]) -> None:
        self.save(records)

    async def asearch(
        self,
        query_embedding: list[float],
        scope_prefix: str | None = None,
        categories: list[str] | None = None,
        metadata_filter: dict[str, Any] | None = None,
        limit: int = 10,
        min_score: float = 0.0,
    ) -> list[tuple[MemoryRecord, float]]:
        return self.search(query_embedding, scope_prefix, categories, metadata_filter, limit, min_score)

    async def adelete(
        self,
        scope_prefix: str | None = None,
        categories: list[str] | None = None,
        record_ids: list[str] | None = None,
        older_than: datetime | None = None,
        metadata_filter: dict[str, Any] | None = None,
    ) -> int:
        return self.delete(scope_prefix, categories, record_ids, older_than, metadata_filter)

    def _select(
        self,
        scope_prefix: str | None = None,
        categories: list[str] | None = None,
        metadata_filter: dict[str, Any] | None = None,
    ) -> list[MemoryRecord]:
        scope = (scope_prefix or "").rstrip("/")
        return [
            record
            for record in self._records.values()
            if (not scope or record.scope == scope or record.scope.startswith(scope + "/"))
            and (not categories or not set(categories).isdisjoint(record.categories))
            and all(record.metadata.get(key) == value for key, value in (metadata_filter or {}).items())
        ]


def to_record(memory: StoredMemory) -> MemoryRecord:
    """Return a memory as CrewAI's record, whose times are in UTC without a time zone."""
    return MemoryRecord(
        id=memory.id,
        content=memory.content,
        scope=memory.scope,
        categories=list(memory.categories),
        metadata=dict(memory.extra),
        importance=memory.importance,
        created_at=memory.created_at.astimezone(UTC).replace(tzinfo=None),
        last_accessed=memory.accessed_at.astimezone(UTC).replace(tzinfo=None),
        embedding=None if memory.vector is None else list(memory.vector),
        source=memory.source,
        private=memory.private,
    )


def to_stored(record: MemoryRecord) -> StoredMemory:
    return StoredMemory(
        id=record.id,
        content=record.content,
        scope=record.scope,
        categories=list(record.categories),
        extra=dict(record.metadata),
        importance=record.importance,
        created_at=_in_utc(record.created_at),
        accessed_at=_in_utc(record.last_accessed),
        source=record.source,
        private=record.private,
        vector=None if record.embedding is None else [float(number) for number in record.embedding],
    )


def _in_utc(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)

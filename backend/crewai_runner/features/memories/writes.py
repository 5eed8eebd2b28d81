"""Stores what crews remember, on a connection of the transaction writer."""

import json
import struct
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, delete

from crewai_runner.core.text import check_storable, replace_unstorable
from crewai_runner.db.insert import insert_or_update
from crewai_runner.db.tables.knowledge import MemoryRow
from crewai_runner.executor.memory_records import MemoryChange, StoredMemory

MAX_CONTENT_CHARACTERS = 20_000
MAX_ID_LENGTH = 64
MAX_SCOPE_LENGTH = 500


class MemoryWrites:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def apply(
        self, workspace_id: str, workflow_id: str, run_id: str, identity: str, changes: Sequence[MemoryChange]
    ) -> None:
        """Apply the changes of a run's crew in order. `identity` is of the embedder of the vectors."""
        for change in changes:
            if change.deleted_id is not None:
                self._connection.execute(
                    delete(MemoryRow).where(
                        MemoryRow.workflow_id == workflow_id, MemoryRow.id == change.deleted_id
                    )
                )
            if (memory := change.saved) is not None and len(memory.id) <= MAX_ID_LENGTH:
                owner = {"workspace_id": workspace_id, "workflow_id": workflow_id, "run_id": run_id}
                row = owner | _to_columns(memory) | {"embedder": identity}
                self._connection.execute(insert_or_update(self._connection, MemoryRow, row))


def _to_columns(memory: StoredMemory) -> dict[str, Any]:
    """Return the columns by their names in the table."""
    return {
        "id": memory.id,
        "content": replace_unstorable(memory.content)[:MAX_CONTENT_CHARACTERS],
        "scope": replace_unstorable(memory.scope)[:MAX_SCOPE_LENGTH],
        "categories": [replace_unstorable(str(one)) for one in memory.categories],
        "metadata": _clean(memory.extra),
        "importance": memory.importance,
        "source": None if memory.source is None else replace_unstorable(memory.source),
        "private": memory.private,
        "created_at": memory.created_at,
        "accessed_at": memory.accessed_at,
        "vector": None if memory.vector is None else struct.pack(f"<{len(memory.vector)}f", *memory.vector),
    }


def _clean(metadata: Mapping[str, object]) -> dict[str, object]:
    """Return metadata that both databases can store: CrewAI accepts any object in it."""
    cleaned: dict[str, object] = json.loads(replace_unstorable(json.dumps(metadata, default=str)))
    try:
        return dict(check_storable(cleaned))
    except ValueError:
        return {}


def unpack_vector(packed: bytes) -> list[float]:
    return list(struct.unpack(f"<{len(packed) // 4}f", packed))

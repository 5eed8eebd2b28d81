"""The memory of a crew, held in this process while it runs."""

import hashlib
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from crewai.memory.types import MemoryRecord
from crewai.rag.embeddings.factory import build_embedder

from crewai_runner.executor.crew.build.memory_storage import RunMemoryStorage, to_record
from crewai_runner.executor.crew.compat.memory import InstrumentedMemory
from crewai_runner.executor.memory_records import StoreMemories, discard_memories
from crewai_runner.executor.port import RunSpec

EMBEDDED_AT_ONCE = 64


def open_memory(
    root: Path, spec: RunSpec, embedder: dict[str, Any], llm: Any, store: StoreMemories
) -> InstrumentedMemory:
    """Open the memory of the run's scope; `store` receives every change. Blocks.

    Memories of another embedder are embedded first, and so are those that older versions kept in the folder
    `root`, which is deleted then.
    """
    # Memories of one run are not kept.
    storage = RunMemoryStorage(store if spec.memory_scope is not None else discard_memories)
    embed = build_embedder(embedder)
    complete = [to_record(one) for one in spec.memories if one.vector is not None]
    storage.load(complete)
    outdated = [to_record(one) for one in spec.memories if one.vector is None]
    older = _take_older_memories(root, spec)
    for at in range(0, len(outdated), EMBEDDED_AT_ONCE):
        storage.save(_embed(outdated[at : at + EMBEDDED_AT_ONCE], embed))
    if older:
        for at in range(0, len(older), EMBEDDED_AT_ONCE):
            storage.save(_embed(older[at : at + EMBEDDED_AT_ONCE], embed))
        shutil.rmtree(_older_folder(root, spec), ignore_errors=True)
    return InstrumentedMemory(storage=storage, embedder=embedder, llm=llm, root_scope="/crew")


def close_memory(memory: InstrumentedMemory) -> None:
    """Finish what is being saved. Blocks."""
    memory.close()


def _embed(records: Sequence[MemoryRecord], embed: Any) -> list[MemoryRecord]:
    vectors = embed([record.content for record in records])
    return [
        record.model_copy(update={"embedding": [float(number) for number in vector]})
        for record, vector in zip(records, vectors, strict=True)
    ]


def _take_older_memories(root: Path, spec: RunSpec) -> list[MemoryRecord]:
    """Return the memories in the folder in which earlier versions kept them with LanceDB."""
    folder = _older_folder(root, spec)
    if spec.memory_scope is None or not folder.is_dir():
        return []
    # LanceDB is slow to load, and needed only once.
    from crewai.memory.storage.lancedb_storage import LanceDBStorage  # noqa: PLC0415

    storage = LanceDBStorage(path=str(folder))
    return list(storage.list_records(limit=RunMemoryStorage.MAX_RECORDS))


def _older_folder(root: Path, spec: RunSpec) -> Path:
    scope = spec.memory_scope or f"run:{spec.run_id}"
    return root / hashlib.sha256(scope.encode()).hexdigest()[:32]

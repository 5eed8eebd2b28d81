"""The memory of a crew: one folder per scope."""

import hashlib
import shutil
from pathlib import Path
from typing import Any

from crewai_runner.executor.crew.compat.memory import InstrumentedMemory
from crewai_runner.executor.port import RunSpec


def open_memory(root: Path, spec: RunSpec, embedder: dict[str, Any], llm: Any) -> InstrumentedMemory:
    """Open the memory of the run's scope. Blocks."""
    folder = _memory_folder(root, spec)
    return InstrumentedMemory(storage=str(folder), embedder=embedder, llm=llm, root_scope="/crew")


def close_memory(memory: InstrumentedMemory, root: Path, spec: RunSpec) -> None:
    """Close a memory and delete it if it belongs to this run only. Blocks."""
    memory.close()
    if spec.memory_scope is None:
        shutil.rmtree(_memory_folder(root, spec), ignore_errors=True)


def _memory_folder(root: Path, spec: RunSpec) -> Path:
    scope = spec.memory_scope or f"run:{spec.run_id}"
    return root / hashlib.sha256(scope.encode()).hexdigest()[:32]

"""The memory of a crew, kept in a folder of its own."""

import contextlib
from concurrent.futures import Future
from pathlib import Path
from typing import Any

from crewai.memory.unified_memory import Memory

from crewai_runner.domain.run_events import WarningRaised
from crewai_runner.executor.crew import scene


class ToldMemory(Memory):  # type: ignore[misc]
    """Memories whose loss is told. The engine reports a failed save where no run hears it."""

    def extract_memories(self, content: str) -> list[str]:
        try:
            return list(super().extract_memories(content))
        except Exception as error:
            _warn(error)
            raise

    def _background_encode_batch(self, *args: Any, **kwargs: Any) -> Any:
        try:
            return super()._background_encode_batch(*args, **kwargs)
        except Exception as error:
            _warn(error)
            raise

    def _on_save_done(self, future: Future[Any]) -> None:
        # Without the engine's event: it would be emitted outside every run, and printed.
        with self._pending_lock, contextlib.suppress(ValueError):
            self._pending_saves.remove(future)


def memory_in(folder: Path, embedder: dict[str, Any], llm: Any) -> ToldMemory:
    """The memory in this folder, empty when the folder is new."""
    return ToldMemory(storage=str(folder), embedder=embedder, llm=llm, root_scope="/crew")


def _warn(error: Exception) -> None:
    at_work = scene.attempt.get()
    if at_work is None:
        return
    now = scene.scene.get()
    data = {"code": "memory-save-failed", "message": f"A memory could not be saved: {error}"}
    at_work.story.tell(WarningRaised, data, task_key=now.task_key, agent=now.agent)

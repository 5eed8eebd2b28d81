"""CrewAI's memory, reporting failed saves to the run."""

import contextlib
from concurrent.futures import Future
from typing import Any

from crewai.memory.unified_memory import Memory

from crewai_runner.executor.crew.compat.bounded_parsing import limit_json
from crewai_runner.executor.crew.context.exceptions import AttemptEnded
from crewai_runner.executor.crew.context.run_context import current_run
from crewai_runner.executor.port import Failed, OutOfBudget

limit_json("crewai.memory.analyze")
MAX_MEMORIES_PER_ANSWER = 50
"""CrewAI compares all memories of an answer with each other."""


class InstrumentedMemory(Memory):
    """Emits a warning when a save fails; CrewAI reports it outside of any run's context."""

    def extract_memories(self, content: str) -> list[str]:
        try:
            return list(super().extract_memories(content))[:MAX_MEMORIES_PER_ANSWER]
        except Exception as error:
            _emit_save_failed(error)
            raise

    def _background_encode_batch(self, *args: Any, **kwargs: Any) -> Any:
        try:
            return super()._background_encode_batch(*args, **kwargs)
        except Exception as error:
            _emit_save_failed(error)
            raise
        except AttemptEnded as ended:
            if isinstance(ended.outcome, OutOfBudget | Failed):
                _emit_save_failed(ValueError("the budget of the run is used up"))
            raise

    def _on_save_done(self, future: Future[Any]) -> None:
        # Without emitting CrewAI's event: no run context is set here, so CrewAI would print it.
        with self._pending_lock, contextlib.suppress(ValueError):
            self._pending_saves.remove(future)


def _emit_save_failed(error: Exception) -> None:
    run = current_run.get()
    if run is not None:
        run.emit_warning("memory-save-failed", f"A memory could not be saved: {error}")

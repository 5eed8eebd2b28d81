"""An LLM for the self-test."""

import asyncio
from typing import Any

from crewai import BaseLLM


class ProbeLLM(BaseLLM):
    """Answers at once, or hangs until it is cancelled; records how it was called."""

    hang: bool = False
    async_calls: int = 0
    was_cancelled: bool = False

    def call(self, *_args: Any, **_kwargs: Any) -> str:
        return "called in a thread"

    async def acall(self, *_args: Any, **kwargs: Any) -> str:
        self.async_calls += 1
        self._emit_call_started_event(messages="self-test", from_agent=kwargs.get("from_agent"))
        if not self.hang:
            return "done"
        try:
            await asyncio.Event().wait()
        finally:
            self.was_cancelled = True
        return "never"

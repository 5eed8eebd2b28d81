"""Context variables of a running attempt. CrewAI copies the context into every thread it starts."""

import asyncio
from collections.abc import Awaitable, Coroutine
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class TaskScope:
    """Keys of the running task and of the agent it is assigned to."""

    task_key: str | None = None
    agent: str | None = None


class RunContext(Protocol):
    """Interface of the running attempt for its models, tools and tasks. Thread-safe, except `run_task`."""

    def reserve_call(self) -> int:
        """Return the number of the next model call. Raises AttemptEnded when no call may start."""

    def run_blocking(
        self, work: Coroutine[Any, Any, Any], loop: asyncio.AbstractEventLoop | None = None
    ) -> Any:
        """Run `work` in `loop` (default: the attempt's own) and block until it is done.

        Raises AttemptEnded when the attempt ends first.
        """

    def agent_key(self, agent_id: str) -> str | None:
        """Return the workflow's key of a CrewAI agent."""

    async def run_task(self, scope: TaskScope, description: str, work: Awaitable[Any]) -> Any:
        """Await a task's `work` and emit its events; returns the CrewAI task output."""

    def emit_warning(self, code: str, message: str) -> None:
        """Emit a warning for the current task."""

    def emit_retry_warning(self, seconds: float) -> None:
        """Emit a warning that the provider's client retries the current call after `seconds`."""


current_run: ContextVar[RunContext | None] = ContextVar("current_run", default=None)
current_task: ContextVar[TaskScope] = ContextVar("current_task", default=TaskScope())  # noqa: B039 - frozen
reserved_call: ContextVar[int | None] = ContextVar("reserved_call", default=None)
"""The number of a model call that was reserved and has not started yet."""

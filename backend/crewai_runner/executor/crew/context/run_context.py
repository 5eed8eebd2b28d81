"""Context variables of a running attempt. CrewAI copies the context into every thread it starts."""

import asyncio
from collections.abc import Awaitable, Coroutine
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Protocol

from crewai_runner.executor.port import ModelBinding
from crewai_runner.executor.tools.progress import ToolProgress


@dataclass(frozen=True, slots=True)
class TaskScope:
    """Keys of the running task and of the agent it is assigned to."""

    task_key: str | None = None
    agent: str | None = None


@dataclass(slots=True)
class CallScope:
    """One call of a model and the requests that its client sends for it.

    A client may send a request again within a call: after an error, or without an option that the provider
    rejected. `is_observed` says that the transport reports each request. `usage` holds the figures in the
    provider's last answer, also when nothing else of it could be read; `status` is its HTTP status.
    """

    is_observed: bool = False
    number: int | None = None
    requests: int = 0
    engine_call_id: str | None = None
    status: int | None = None
    usage: dict[str, Any] | None = None


class RunContext(Protocol):
    """Interface of the running attempt for its models, tools and tasks. Thread-safe, except `run_task`."""

    run_id: str

    def reserve_call(self) -> int:
        """Return the number of the next model call. Raises AttemptEnded when no call may start."""

    def count_request(self, scope: CallScope) -> None:
        """Count a request that is about to be sent to a model. Raises AttemptEnded when none may be sent."""

    async def wait_until_admitted(self) -> None:
        """Wait until earlier calls are stored, if the workspace limits what it spends.

        Raises AttemptEnded when that is used up.
        """

    async def wait_until_counted(self) -> None:
        """Wait until the counted requests are stored, if a budget depends on them or too many events wait.

        So a crash loses no request that counts, and memory holds a limited number of events.
        """

    def open_call(self, scope: CallScope, binding: ModelBinding, count: int, prompt: str) -> None:
        """Begin a call for which CrewAI emits no events."""

    def complete_call(self, scope: CallScope, usage: dict[str, Any]) -> None:
        """Complete a call that was begun with `open_call`; `usage` is the provider's."""

    def end_call(self, scope: CallScope, error: BaseException | None) -> None:
        """End the call's events if its client has not done so, such as when it was cut short."""

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

    def fail_delegation(self, message: str) -> None:
        """Mark the delegation that the current context executes as failed."""

    def emit_warning(self, code: str, message: str) -> None:
        """Emit a warning for the current task."""

    def emit_tool_progress(self, call_id: str | None, progress: ToolProgress) -> None:
        """Emit what a running tool reports; nothing if its call has ended."""

    def emit_retry_warning(self, seconds: float) -> None:
        """Emit a warning that the provider's client retries the current call after `seconds`."""


current_run: ContextVar[RunContext | None] = ContextVar("current_run", default=None)
current_task: ContextVar[TaskScope] = ContextVar("current_task", default=TaskScope())  # noqa: B039 - frozen
current_call: ContextVar[CallScope | None] = ContextVar("current_call", default=None)
reserved_call: ContextVar[int | None] = ContextVar("reserved_call", default=None)
"""The number of a model call that was reserved and has not started yet."""
current_tool_call: ContextVar[str | None] = ContextVar("current_tool_call", default=None)
"""The id of the tool call that this context executes."""

"""The tasks of one attempt that run now."""

import asyncio
import contextlib
from typing import Any


class RunningTasks:
    """Each is the coroutine that performs it. For the attempt's event loop, except `are_more_than`."""

    def __init__(self) -> None:
        self._coroutines: set[asyncio.Task[Any]] = set()

    def add_current(self) -> None:
        """Add the coroutine that calls: it begins a task."""
        if (coroutine := asyncio.current_task()) is not None:
            self._coroutines.add(coroutine)

    def remove_current(self) -> None:
        """Remove the coroutine that calls: its task has ended."""
        if (coroutine := asyncio.current_task()) is not None:
            self._coroutines.discard(coroutine)

    def are_more_than(self, number: int) -> bool:
        """Whether more tasks run than this. Callable from any thread."""
        return sum(not coroutine.done() for coroutine in list(self._coroutines)) > number

    async def wait_for_others(self) -> None:
        """Wait until tasks that run beside the caller have finished their current step."""
        others = {task for task in self._coroutines if not task.done()} - {asyncio.current_task()}
        if others:
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.wait(others)

"""Lets few attempts start at the same time.

Until its first model call an attempt only uses the processor: it builds its crew. Many that start together
take the interpreter from those that stream a model's answer, and the last of them starts no sooner.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from weakref import WeakKeyDictionary

from crewai_runner.domain.run_events import LlmStarted, RunEvent
from crewai_runner.executor.port import EventSink

MAX_START_SECONDS = 0.25
"""After this an attempt no longer counts: it may wait for something else than the processor."""


class StartQueue:
    """Gives out places in the order of the requests. Each event loop has its own places."""

    def __init__(self, places: int) -> None:
        self._places = places
        self._semaphores: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Semaphore] = (
            WeakKeyDictionary()
        )

    async def enter(self) -> "StartPlace":
        """Wait for a place."""
        loop = asyncio.get_running_loop()
        semaphore = self._semaphores.setdefault(loop, asyncio.Semaphore(self._places))
        await semaphore.acquire()
        return StartPlace(semaphore.release)


class StartPlace:
    """A place in the start queue, held until the first model call, `release`, or for MAX_START_SECONDS."""

    def __init__(self, leave: Callable[[], None]) -> None:
        self._loop = asyncio.get_running_loop()
        self._leave: Callable[[], None] | None = leave
        self._timer = self._loop.call_later(MAX_START_SECONDS, self.release)

    def release(self) -> None:
        """Give the place to the next attempt. Call it on the event loop; may be called again."""
        self._timer.cancel()
        leave, self._leave = self._leave, None
        if leave is not None:
            leave()

    def watch(self, sink: EventSink) -> EventSink:
        """Return a sink that releases the place with the first model call, from any thread."""

        def emit(event: RunEvent) -> None:
            if self._leave is not None and isinstance(event, LlmStarted):
                with suppress(RuntimeError):  # the loop is closed
                    self._loop.call_soon_threadsafe(self.release)
            sink(event)

        return emit

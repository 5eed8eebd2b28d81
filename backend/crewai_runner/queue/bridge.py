"""Between two event loops: the engine's, which keeps the books, and the product's, where jobs run."""

import asyncio
import contextvars
import logging
from concurrent.futures import Future
from enum import Enum, auto
from functools import partial

from crewai_runner.queue.port import RunJob

logger = logging.getLogger(__name__)

Key = tuple[str, int]


class JobFailed(Exception):
    """The body raised. Carries the exception's type alone: the queue's rows keep no message."""


class Ending(Enum):
    """How a body came to its end."""

    DONE = auto()
    FAILED = auto()
    INTERRUPTED = auto()


class JobBridge:
    """Runs job bodies on the product's loop while the engine's loop waits for them.

    DBOS swaps the default thread pool of the loop it runs coroutines on and shuts that pool down
    at the end, so it gets a loop of its own; the bodies stay where the product lives.
    """

    def __init__(self, job: RunJob, loop: asyncio.AbstractEventLoop) -> None:
        self._job = job
        self._loop = loop
        self._tasks: dict[Key, asyncio.Task[None]] = {}

    @property
    def running(self) -> int:
        """How many bodies run now."""
        return len(self._tasks)

    async def perform(self, run_id: str, attempt: int) -> None:
        """Run one body to its end; called on the engine's loop.

        Raises JobFailed when the body raised, and CancelledError, which the engine records
        nowhere, when the body was interrupted: such a job begins again unless it was cancelled.
        """
        ended: Future[Ending] = Future()
        self._on_product_loop(partial(self._begin, (run_id, attempt), ended))
        if (await self._wait(ended, (run_id, attempt))) is Ending.FAILED:
            raise JobFailed(f"the body of {run_id}:{attempt} raised, see the log")

    def stop(self, run_id: str, attempt: int) -> None:
        """Cancel a body at once, if it runs here; called on the product's loop."""
        if task := self._tasks.get((run_id, attempt)):
            task.cancel()

    async def _wait(self, ended: "Future[Ending]", key: Key) -> Ending:
        waiter = asyncio.wrap_future(ended)
        interrupted = False
        while not waiter.done():
            try:
                await asyncio.shield(waiter)
            except asyncio.CancelledError:
                # Cancelled or drained: the slot is free only when the body has cleaned up.
                interrupted = True
                self._on_product_loop(partial(self.stop, *key))
        if interrupted or waiter.result() is Ending.INTERRUPTED:
            raise asyncio.CancelledError
        return waiter.result()

    def _on_product_loop(self, call: partial[None]) -> None:
        try:
            # An empty context: the body must not inherit the engine's.
            self._loop.call_soon_threadsafe(call, context=contextvars.Context())
        except RuntimeError:
            # The product's loop is gone, so this process is ending: the job is for the next one.
            raise asyncio.CancelledError from None

    def _begin(self, key: Key, ended: "Future[Ending]") -> None:
        task = self._loop.create_task(self._body(*key), name=f"job {key[0]}:{key[1]}")
        self._tasks[key] = task
        task.add_done_callback(partial(self._end, key, ended))

    async def _body(self, run_id: str, attempt: int) -> None:
        await self._job(run_id, attempt)

    def _end(self, key: Key, ended: "Future[Ending]", task: asyncio.Task[None]) -> None:
        del self._tasks[key]
        ended.set_result(_judge(key, task))


def _judge(key: Key, task: asyncio.Task[None]) -> Ending:
    if task.cancelled():
        # A CancelledError that nobody asked for came out of the body: a defect, not a stop.
        if task.cancelling():
            return Ending.INTERRUPTED
        logger.error("job %s attempt %d was cancelled from within", *key)
        return Ending.FAILED
    error = task.exception()
    if error is None:
        return Ending.DONE
    logger.error("job %s attempt %d raised", *key, exc_info=error)
    return Ending.FAILED

"""Runs DBOS's job bodies on the application's event loop; DBOS has a separate event loop."""

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
    """The job body raised. Carries no message of the original exception, because DBOS stores it."""


class JobOutcome(Enum):
    """How a job body ended."""

    DONE = auto()
    FAILED = auto()
    INTERRUPTED = auto()


class JobRunner:
    """Runs job bodies as tasks of the application's loop while DBOS's loop waits for them.

    DBOS replaces the default thread pool of the loop it uses and shuts that pool down at the end, so it
    must not use the application's loop.
    """

    def __init__(self, job: RunJob, loop: asyncio.AbstractEventLoop) -> None:
        self._job = job
        self._loop = loop
        self._tasks: dict[Key, asyncio.Task[None]] = {}

    @property
    def running(self) -> int:
        """The number of running job bodies."""
        return len(self._tasks)

    def is_running(self, key: Key) -> bool:
        """Whether this job body runs."""
        return key in self._tasks

    async def run(self, run_id: str, attempt: int) -> None:
        """Run one job body to its end. Call it on DBOS's loop.

        Raises JobFailed when the body raised, and CancelledError when it was interrupted. DBOS does not
        record a CancelledError, so an interrupted job starts again.
        """
        outcome: Future[JobOutcome] = Future()
        self._call_on_app_loop(partial(self._start, (run_id, attempt), outcome))
        if (await self._wait(outcome, (run_id, attempt))) is JobOutcome.FAILED:
            raise JobFailed(f"the body of {run_id}:{attempt} raised, see the log")

    async def _wait(self, outcome: "Future[JobOutcome]", key: Key) -> JobOutcome:
        waiter = asyncio.wrap_future(outcome)
        interrupted = False
        while not waiter.done():
            try:
                await asyncio.shield(waiter)
            except asyncio.CancelledError:
                # A drain: the slot stays occupied until the body has cleaned up.
                interrupted = True
                self._call_on_app_loop(partial(self._cancel, key))
        if interrupted or waiter.result() is JobOutcome.INTERRUPTED:
            raise asyncio.CancelledError
        return waiter.result()

    def _call_on_app_loop(self, call: partial[None]) -> None:
        try:
            # An empty context: the body must not inherit the context of DBOS.
            self._loop.call_soon_threadsafe(call, context=contextvars.Context())
        except RuntimeError:
            # The application's loop is closed, so this process is ending; the next one resumes the job.
            raise asyncio.CancelledError from None

    def _cancel(self, key: Key) -> None:
        if task := self._tasks.get(key):
            task.cancel()

    def _start(self, key: Key, outcome: "Future[JobOutcome]") -> None:
        task = self._loop.create_task(self._run_body(*key), name=f"job {key[0]}:{key[1]}")
        self._tasks[key] = task
        task.add_done_callback(partial(self._finish, key, outcome))

    async def _run_body(self, run_id: str, attempt: int) -> None:
        await self._job(run_id, attempt)

    def _finish(self, key: Key, outcome: "Future[JobOutcome]", task: asyncio.Task[None]) -> None:
        del self._tasks[key]
        outcome.set_result(_outcome_of(key, task))


def _outcome_of(key: Key, task: asyncio.Task[None]) -> JobOutcome:
    if task.cancelled():
        if task.cancelling():
            return JobOutcome.INTERRUPTED
        # The body raised CancelledError itself, without being cancelled: a bug.
        logger.error("job %s attempt %d was cancelled from within", *key)
        return JobOutcome.FAILED
    error = task.exception()
    if error is None:
        return JobOutcome.DONE
    logger.error("job %s attempt %d raised", *key, exc_info=error)
    return JobOutcome.FAILED
